"""The clusters in a browser: looked at, corrected by mouse and keyboard, undone, cleared up."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.fixtures.services import Service

if TYPE_CHECKING:
    from playwright.sync_api import Page

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
Shoot = Callable[[str], None]


@pytest.fixture
def clustering(running: Service, gallery: str) -> str:
    return str(running.client.get(f"/v1/collections/{gallery}/clusterings").json()["items"][0]["id"])


@pytest.fixture
def sizes(running: Service, clustering: str) -> Callable[[], dict[int, int]]:
    """The clusters as the service has them now: number -> size."""

    def now() -> dict[int, int]:
        items = running.client.get(f"/v1/clusterings/{clustering}/clusters?limit=500").json()["items"]
        return {item["id"]: item["size"] for item in items}

    return now


def edits(running: Service, clustering: str) -> list[dict[str, Any]]:
    return list(running.client.get(f"/v1/clusterings/{clustering}/edits?limit=100").json()["items"])


def test_every_view_of_a_clustering_is_accessible_and_fits_a_telephone(
    page: "Page", gallery: str, shoot: Shoot
) -> None:
    views = {"clusters": "", "cluster": "/clusters/0", "sort": "/sort", "outliers": "/outliers?at_least=0.5",
             "duplicates": "/duplicates", "history": "/history"}  # fmt: skip
    for name, path in views.items():
        page.goto(f"/collections/{gallery}{path}")
        expect(page.locator("#main .collection")).to_be_visible()
        shoot(name)


def test_a_cluster_is_renamed_where_it_stands_and_the_name_is_only_text(
    page: "Page", gallery: str, running: Service, clustering: str
) -> None:
    name = "<img src=x onerror=alert(1)>"
    page.goto(f"/collections/{gallery}")
    first = page.locator(".sheet-card").first
    first.locator(".name-button").focus()
    page.keyboard.press("F2")
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    expect(first.locator(".name-button")).to_have_text(name)
    expect(first.locator(".name-button")).to_be_focused()
    assert edits(running, clustering)[0]["params"]["label"] == name
    page.keyboard.press("Enter")  # a click on the name: Escape leaves it as it is
    page.keyboard.type("something else")
    page.keyboard.press("Escape")
    expect(first.locator(".name-button")).to_have_text(name)
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(first.locator(".name-button")).not_to_have_text(name)


def test_clusters_are_merged_from_the_selection_and_come_back(
    page: "Page", gallery: str, sizes: Callable[[], dict[int, int]]
) -> None:
    before = sizes()
    page.goto(f"/collections/{gallery}")
    cards = page.locator(".sheet-card")
    expect(cards).to_have_count(len(before))
    first, third = (int(cards.nth(place).get_attribute("data-cluster") or -1) for place in (0, 2))
    page.locator(".sheet-check").nth(0).click()
    page.locator(".sheet-check").nth(2).click(modifiers=["Shift"])
    expect(page.locator(".selection-words")).to_have_text("3 clusters selected")
    page.get_by_role("button", name="Merge").click()
    expect(cards).to_have_count(len(before) - 2)
    assert third not in sizes()
    assert sizes()[first] > before[first]
    page.keyboard.press("Control+z")
    expect(cards).to_have_count(len(before))
    assert sizes() == before
    page.keyboard.press("Control+Shift+z")
    expect(cards).to_have_count(len(before) - 2)
    page.keyboard.press("Control+z")
    expect(cards).to_have_count(len(before))


def test_the_order_and_the_clustering_stand_in_the_address(page: "Page", gallery: str) -> None:
    page.goto(f"/collections/{gallery}")
    page.get_by_role("button", name="Most alike first").click()
    expect(page).to_have_url(re.compile("order=cohesion"))
    page.reload()
    expect(page.get_by_role("button", name="Most alike first")).to_have_attribute("aria-pressed", "true")
    meters = page.locator(".sheet-card [role=meter]")
    expect(meters.first).to_be_visible()
    values = [float(meter.get_attribute("aria-valuenow") or -1) for meter in meters.all()]
    assert values == sorted(values, reverse=True)


def test_pictures_move_at_once_and_an_undo_brings_them_back(
    page: "Page", gallery: str, sizes: Callable[[], dict[int, int]]
) -> None:
    before = sizes()
    page.goto(f"/collections/{gallery}/clusters/0")
    tiles = page.locator(".tile")
    expect(tiles).to_have_count(before[0])
    tiles.nth(0).click()
    tiles.nth(1).click(modifiers=["Shift"])
    page.keyboard.press("m")
    page.get_by_role("combobox").fill("1")
    page.keyboard.press("Enter")
    expect(page.locator(".cluster-words")).to_contain_text(f"{before[0] - 2} pictures")
    expect(tiles).to_have_count(before[0] - 2)
    assert sizes()[1] == before[1] + 2
    page.keyboard.press("Control+z")
    expect(tiles).to_have_count(before[0])
    assert sizes() == before


def test_pictures_that_could_not_be_moved_come_back(page: "Page", gallery: str, running: Service) -> None:
    page.goto(f"/collections/{gallery}/clusters/0")
    tiles = page.locator(".tile")
    expect(tiles.first).to_be_visible()
    there = tiles.count()
    problem = '{"code": "storage_full", "title": "Full", "detail": "The disk is full."}'
    page.route("**/edits", lambda route: route.fulfill(status=507, content_type="application/json", body=problem))
    tiles.nth(0).click()
    page.keyboard.press("x")
    expect(page.locator(".toast.bad")).to_contain_text("The disk is full.")
    expect(tiles).to_have_count(there)


def test_somebody_who_was_quicker_is_told_of_before_anything_is_done(
    page: "Page", gallery: str, running: Service, clustering: str
) -> None:
    page.goto(f"/collections/{gallery}/clusters/0")
    page.locator(".tile").first.click()
    client = running.client
    etag = client.get(f"/v1/clusterings/{clustering}").headers["ETag"]
    other = {"kind": "rename", "cluster": 1, "label": "theirs", "who": "Ada"}
    assert client.post(f"/v1/clusterings/{clustering}/edits", json=other, headers={"If-Match": etag}).status_code == 201
    page.keyboard.press("p")
    expect(page.get_by_role("dialog")).to_contain_text("Somebody was quicker")
    assert edits(running, clustering)[0]["kind"] == "rename"
    page.get_by_role("button", name="Do it now").click()
    expect(page.locator(".toast").last).to_contain_text("pinned")
    assert edits(running, clustering)[0]["kind"] == "pin"


def test_sorting_by_keyboard_never_waits_and_backspace_takes_all_of_it_back(
    page: "Page", gallery: str, sizes: Callable[[], dict[int, int]]
) -> None:
    before = sizes()
    page.goto(f"/collections/{gallery}/sort")
    picture = page.locator(".sort-picture")
    first = picture.get_attribute("src")
    for key in ("1", "2", "Space", "s", "1"):
        page.keyboard.press(key)
    numbers = page.locator(".sort-numbers")
    expect(numbers).to_contain_text("4 done")
    expect(numbers).to_contain_text("a minute")
    for _ in range(5):
        page.keyboard.press("Backspace")
    expect(numbers).to_contain_text("0 done")
    expect(picture).to_have_attribute("src", first or "")
    expect(page.locator(".sort-view")).to_have_attribute("aria-busy", "false")
    assert sizes() == before
    page.goto(f"/collections/{gallery}/history")
    expect(page.locator(".edit").first).to_have_attribute("data-state", "undone")


def test_the_threshold_of_outliers_stands_in_the_address(page: "Page", gallery: str) -> None:
    page.goto(f"/collections/{gallery}/outliers?at_least=0")
    tiles = page.locator(".tile")
    expect(tiles.first).to_be_visible()
    all_of_them = tiles.count()
    page.get_by_label("Score at least").fill("1")
    expect(tiles).not_to_have_count(all_of_them)
    assert "at_least" not in page.url  # 1 is the usual one
    scores = [float(text.split(" ")[0]) for text in page.locator(".tile .caption").all_text_contents()]
    assert scores == sorted(scores, reverse=True)
    assert all(score >= 0.995 for score in scores)


def test_a_cut_of_the_tree_is_only_looked_at(page: "Page", gallery: str, running: Service) -> None:
    body = {"algorithm": "agglomerative", "k": 4}
    job = running.client.post(f"/v1/collections/{gallery}/clusterings", json=body).json()
    made = running.job(job["id"])
    assert made["state"] == "succeeded"
    page.goto(f"/collections/{gallery}")
    cards = page.locator(".sheet-card")
    expect(cards).to_have_count(4)
    page.get_by_label("Coarse to fine").last.fill("7")
    expect(cards).to_have_count(7)
    expect(page).to_have_url(re.compile("k=7"))
    expect(page.locator(".cut-note")).to_contain_text("can only be looked at")
    expect(page.locator(".sheet-check")).to_have_count(0)
    cards.first.locator("a.sheet").click()
    expect(page.locator(".tile").first).to_be_visible()
    expect(page.get_by_role("button", name="Correct")).to_have_count(0)


def test_spare_pictures_go_only_after_their_number_was_confirmed(page: "Page", gallery: str, running: Service) -> None:
    def ready() -> int:
        return int(running.client.get(f"/v1/collections/{gallery}").json()["images"]["ready"])

    before = ready()
    page.goto(f"/collections/{gallery}/duplicates?similarity=90")
    groups = page.locator(".group")
    expect(groups.first).to_be_visible()
    there = groups.count()
    spare = groups.first.get_by_role("button", name=re.compile("Delete the other"))
    spare.click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert ready() == before
    going = groups.first.locator(".goes").count()
    spare.click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile(rf"Delete {going} picture")).click()
    expect(groups).to_have_count(there - 1)
    assert ready() == before - going
