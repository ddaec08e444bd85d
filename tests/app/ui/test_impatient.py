"""What impatient people do: keys only, back and forth, two tabs, addresses of nothing, names that bite."""

import re
from typing import TYPE_CHECKING

import pytest

from tests.app.calls import new_collection
from tests.fixtures.services import Service

if TYPE_CHECKING:
    from playwright.sync_api import Page

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
HOSTILE = "<img src=x onerror=alert(1)> \u202e\u0633\u0645 " + "W" * 150


@pytest.fixture(scope="module")
def gallery(shared_gallery: str) -> str:
    return shared_gallery


@pytest.fixture
def clustering(running: Service, gallery: str) -> str:
    return str(running.client.get(f"/v1/collections/{gallery}/clusterings").json()["items"][0]["id"])


def _edit(running: Service, clustering: str, kind: str, **what: object) -> None:
    path = f"/v1/clusterings/{clustering}"
    headers = {"If-Match": running.client.get(path).headers["ETag"]}
    assert running.client.post(f"{path}/edits", json={"kind": kind, **what}, headers=headers).status_code == 201


def _undo(running: Service, clustering: str) -> None:
    path = f"/v1/clusterings/{clustering}"
    headers = {"If-Match": running.client.get(path).headers["ETag"]}
    assert running.client.post(f"{path}/undo", headers=headers).status_code == 200


def test_an_address_that_is_no_text_is_told_so(page: "Page", service: str) -> None:
    page.goto("/collections/%zz")
    expect(page.locator("#main h1")).to_have_text("This address cannot be understood")
    expect(page.locator("#loading-line")).to_be_hidden()


def test_a_number_without_a_cluster_offers_no_undo(page: "Page", gallery: str) -> None:
    page.goto(f"/collections/{gallery}/clusters/999")
    expect(page.locator(".state h2")).to_have_text("There is no cluster 999")
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)


def test_back_and_reload_come_to_where_one_was(page: "Page", gallery: str) -> None:
    page.set_viewport_size({"width": 360, "height": 400})
    page.goto(f"/collections/{gallery}/images")
    expect(page.locator(".tile img").first).to_be_visible()
    page.evaluate("scrollTo(0, 900)")
    page.wait_for_function("() => history.state?.scroll === 900")
    page.evaluate("document.querySelector('.brand').click()")
    expect(page.locator(".card").first).to_be_visible()
    page.go_back()
    expect(page.locator(".tile img").first).to_be_visible()
    page.wait_for_function("() => scrollY === 900")
    page.reload()
    expect(page.locator(".tile img").first).to_be_visible()
    page.wait_for_function("() => scrollY === 900")


def test_a_question_goes_with_the_view_it_was_asked_in(page: "Page", gallery: str) -> None:
    page.goto("/")
    page.locator(".card-link").first.click()
    page.get_by_role("button", name="More about this collection").click()
    page.get_by_role("menuitem", name="Rename").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_menu_is_worked_by_keys_and_gives_the_focus_back(page: "Page", gallery: str) -> None:
    page.goto(f"/collections/{gallery}")
    opener = page.get_by_role("button", name="More about this collection")
    opener.focus()
    page.keyboard.press("ArrowDown")
    entries = page.locator(".menu:popover-open [role=menuitem]")
    expect(entries.first).to_be_focused()
    page.keyboard.press("End")
    expect(entries.last).to_be_focused()
    page.keyboard.press("Home")
    expect(entries.first).to_be_focused()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    expect(page.locator(".menu:popover-open")).to_have_count(0)


def test_the_link_that_skips_the_head_takes_the_keyboard_along(page: "Page", gallery: str) -> None:
    page.goto(f"/collections/{gallery}")
    expect(page.locator(".sheet-card").first).to_be_visible()
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_the_keyboard_keeps_its_place_through_corrections(page: "Page", gallery: str) -> None:
    page.goto(f"/collections/{gallery}/clusters/0")
    expect(page.locator(".tile").first).to_be_visible()
    page.locator(".grid").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    while "Pin" not in (page.evaluate("document.activeElement.ariaLabel") or ""):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".toast").last).to_contain_text("pinned")
    expect(page.locator(".grid")).to_be_focused()
    undo = page.locator(".cluster-view").get_by_role("button", name="Undo")
    undo.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".toast").last).to_contain_text("Undone")
    expect(undo).to_be_focused()


def test_a_job_that_failed_says_why_until_it_was_read(page: "Page", gallery: str, running: Service) -> None:
    page.goto(f"/collections/{gallery}")
    job = running.client.post(f"/v1/collections/{gallery}/clusterings", json={"k": 5000}).json()
    assert running.job(job["id"])["state"] == "failed"
    page.reload()
    expect(page.locator(".work .problem")).to_contain_text("5000 clusters were asked for")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".work .job")).to_have_count(0)


def test_a_correction_of_a_cluster_that_somebody_merged_away_is_not_made(
    page: "Page", gallery: str, running: Service, clustering: str
) -> None:
    page.goto(f"/collections/{gallery}/clusters/2")
    page.locator(".tile").first.click()
    _edit(running, clustering, "merge", clusters=[3, 2])
    page.keyboard.press("x")
    expect(page.locator(".toast.bad")).to_contain_text("cluster 2 is no longer there")
    expect(page.get_by_role("dialog")).to_have_count(0)
    _undo(running, clustering)


def test_a_picture_that_somebody_deleted_already_is_deleted(page: "Page", gallery: str, running: Service) -> None:
    page.goto(f"/collections/{gallery}/images")
    tiles = page.locator(".tile")
    expect(tiles.first).to_be_visible()
    path = f"/v1/collections/{gallery}/images?limit=2&status=ready"
    first, second = (item["id"] for item in running.client.get(path).json()["items"])
    assert running.client.delete(f"/v1/images/{first}").status_code == 204
    tiles.nth(0).click()
    tiles.nth(1).click(modifiers=["Shift"])
    page.get_by_role("toolbar").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("Delete 2")).click()
    expect(page.locator(".toast")).to_contain_text("2 pictures deleted")
    assert running.client.get(f"/v1/images/{second}").status_code == 404


def test_a_hostile_name_fits_a_telephone_and_can_be_typed_to_delete(
    page: "Page", gallery: str, running: Service
) -> None:
    named = new_collection(running.client, HOSTILE)
    page.set_viewport_size({"width": 360, "height": 740})
    for path in ("/", "/jobs", f"/collections/{named}", f"/collections/{named}/images"):
        page.goto(path)
        expect(page.locator("#main h1")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
    page.get_by_role("button", name="More about this collection").click()
    page.get_by_role("menuitem", name="Delete collection").click()
    page.get_by_role("dialog").get_by_role("textbox").fill(HOSTILE.replace("\u202e", ""))
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.wait_for_url("**/")
    assert running.client.get(f"/v1/collections/{named}").status_code == 404


def test_what_somebody_fills_in_outlives_an_outage(page: "Page", gallery: str) -> None:
    page.goto(f"/collections/{gallery}/train")
    page.get_by_label("Name").fill("typed before", timeout=60_000)
    page.context.set_offline(True)
    page.get_by_role("button", name="Start training").click()
    expect(page.locator("#offline")).to_be_visible()
    expect(page.get_by_text("Check that roost serve still runs")).to_be_visible(timeout=20_000)  # it gave up
    page.context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden(timeout=20_000)
    expect(page.get_by_label("Name")).to_have_value("typed before")


def test_the_sort_dialog_offers_every_algorithm_and_the_choice_among_them(page: "Page", shared_gallery: str) -> None:
    page.goto(f"/collections/{shared_gallery}")
    page.get_by_role("button", name="Sort", exact=True).click()
    algorithm = page.get_by_role("dialog").locator("[name='algorithm']")
    algorithm.select_option("auto")
    expect(page.get_by_role("dialog")).to_contain_text("The truest")
    assert {"temi", "leiden", "agglomerative"} <= set(algorithm.locator("option").all_text_contents())
