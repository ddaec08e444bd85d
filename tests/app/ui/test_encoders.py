"""Encoders, their training, two clusterings side by side, jobs and settings: driven as a person would."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.app.calls import new_collection
from tests.app.ui.gestures import faults, start_training
from tests.fixtures.services import Service

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
Shoot = Callable[[str], None]
SOON_MS = 30_000  # on two busy cores; the first question for the methods imports torch
TRAINED_MS = 240_000


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    expect.set_options(timeout=SOON_MS)
    yield
    expect.set_options(timeout=5000)  # Playwright's own


def encoders(running: Service) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = running.client.get("/v1/encoders", params={"limit": 500}).json()["items"]
    return items


@pytest.fixture
def tuned(running: Service, gallery: str) -> dict[str, Any]:
    """An encoder that was fine-tuned on the gallery: the one that was watched above, or one of its own."""
    there = [one for one in encoders(running) if one["collection_id"] == gallery]
    if there:
        return there[-1]
    body = {"method": "simclr", "params": {"epochs": 1, "cached_views": 2, "batch_size": 16}, "name": "garden-simclr"}
    job = running.client.post(f"/v1/collections/{gallery}/encoders", json=body).json()
    ended = running.job(job["id"], seconds=TRAINED_MS / 1000)
    assert ended["state"] == "succeeded", ended
    made: dict[str, Any] = running.client.get(f"/v1/encoders/{ended['result']['encoder_id']}").json()
    return made


def test_a_method_brings_its_own_form_and_says_what_it_needs(page: "Page", running: Service, gallery: str) -> None:
    methods = {one["name"]: one for one in running.client.get("/v1/methods").json()}
    page.goto(f"/collections/{gallery}/train?method=moco")
    expect(page.locator("[name='method']")).to_have_value("moco")
    page.get_by_text("More settings").click()
    expect(page.locator("[name='params.queue']")).to_have_value(
        str(methods["moco"]["params"]["properties"]["queue"]["default"])
    )
    page.locator("[name='method']").select_option("mae")
    expect(page.locator(".train aside")).to_contain_text(methods["mae"]["summary"])
    expect(page.locator(".train aside")).to_contain_text("vision transformer")
    possible = any(one["available"] and one["base"].startswith("vit_") for one in encoders(running))
    expect(page.get_by_role("button", name="Start training")).to_be_enabled(enabled=possible)
    assert "method=mae" in page.url
    expect(page.locator("[name='params.queue']")).to_have_count(0)
    expect(page.locator("[name='params.mask_ratio']")).to_be_visible()


def test_a_wrong_setting_is_shown_where_it_is_and_nothing_starts(page: "Page", gallery: str) -> None:
    page.goto(f"/collections/{gallery}/train")
    wrong = page.locator("[name='params.crop']")
    page.get_by_text("More settings").click()
    wrong.fill("7")
    page.get_by_text("More settings").click()
    page.get_by_role("button", name="Start training").click()
    expect(wrong).to_be_visible()
    wrong.fill("0")  # only the service knows that 0 is too little
    page.get_by_role("button", name="Start training").click()
    expect(page.locator(".train [role='alert']")).to_contain_text("params.crop must be a number")
    assert "job=" not in page.url


def test_too_few_pictures_are_refused_kindly(page: "Page", running: Service) -> None:
    collection = new_collection(running.client, "Nearly nothing")
    page.goto(f"/collections/{collection}/train")
    expect(page.get_by_text("Learning needs at least 32")).to_be_visible()
    expect(page.get_by_role("button", name="Start training")).to_have_count(0)


@pytest.mark.slow
def test_a_training_is_watched_to_its_verdict(page: "Page", running: Service, gallery: str, shoot: Shoot) -> None:
    page.goto(f"/collections/{gallery}/train?method=neighbours")
    start_training(page, "garden-neighbours", epochs=2)
    page.wait_for_url("**/train?job=*")
    expect(page.get_by_text("Epoch 2 of at most 2")).to_be_visible(timeout=TRAINED_MS)
    expect(page.locator(".curve:has-text('Loss') .point")).to_have_count(2, timeout=TRAINED_MS)
    expect(page.get_by_role("img", name="Spread: spread from")).to_be_visible()
    expect(page.get_by_role("link", name="See the encoder")).to_be_visible(timeout=TRAINED_MS)
    made = next(one for one in encoders(running) if one["name"] == "garden-neighbours")
    expect(page.get_by_text(made["verdict"])).to_be_visible()
    shoot("training")
    page.get_by_role("link", name="See the encoder").click()
    page.wait_for_url(f"**/encoders/{made['id']}")


def test_an_encoder_shows_frozen_against_tuned_and_how_it_was_made(
    page: "Page", running: Service, gallery: str, tuned: dict[str, Any], shoot: Shoot
) -> None:
    page.goto(f"/collections/{gallery}/encoders/{tuned['id']}")
    expect(page.get_by_text(tuned["verdict"])).to_be_visible()
    row = page.get_by_role("row").filter(has_text="Retrieval")
    expect(row).to_contain_text(f"{tuned['metrics']['frozen']['retrieval'] * 100:.1f}%")
    expect(row).to_contain_text(f"{tuned['metrics']['retrieval'] * 100:.1f}%")
    page.get_by_role("button", name="RankMe").focus()
    expect(page.get_by_role("tooltip").filter(has_text="dimensions")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("tooltip").filter(has_text="dimensions")).to_be_hidden()
    training = running.client.get(f"/v1/encoders/{tuned['id']}/training").json()
    expect(page.get_by_text(f"torch {training['versions']['torch']}")).to_be_visible()
    expect(page.locator("code", has_text=tuned["sha256"][:12])).to_be_visible()
    expect(page.get_by_role("link", name="Report as one page")).to_have_attribute(
        "href", f"/v1/encoders/{tuned['id']}/training.html"
    )
    shoot("encoder")


def test_encoders_there_are_missing_and_compared(
    page: "Page", running: Service, gallery: str, tuned: dict[str, Any], shoot: Shoot
) -> None:
    page.goto(f"/collections/{gallery}/encoders")
    for one in encoders(running):
        if one["collection_id"] in (None, gallery):
            expect(page.locator(".encoder-card h3 a", has_text=one["name"]).first).to_be_visible()
        if not one["available"]:
            expect(page.locator(".encoder-card", has_text=one["name"]).first).to_contain_text(one["reason"])
    comparison = running.client.get(f"/v1/collections/{gallery}/encoders/compare").json()
    measures = {one["encoder"]["name"]: one["metrics"] for one in comparison["items"]}
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=tuned["name"]))
    change = (measures[tuned["name"]]["retrieval"] - measures[tuned["base"]]["retrieval"]) * 100
    expect(row).to_contain_text(f"{'−' if change < 0 else '+'}{abs(change):.1f} pts")  # noqa: RUF001
    shoot("encoders")


def test_the_tuned_encoder_sorts_and_what_moved_is_shown(
    page: "Page", running: Service, gallery: str, tuned: dict[str, Any], shoot: Shoot
) -> None:
    client = running.client
    page.goto(f"/collections/{gallery}/encoders/{tuned['id']}")
    page.get_by_role("button", name="Re-cluster with it").click()
    page.wait_for_url(f"**/collections/{gallery}")
    newest = client.get("/v1/jobs", params={"collection": gallery, "limit": 1}).json()["items"][0]
    made = client.get(f"/v1/clusterings/{running.job(newest['id'])['result']['clustering_id']}").json()
    assert (made["encoder"]["id"], made["k"]) == (tuned["id"], 8)
    first = client.get(f"/v1/collections/{gallery}/clusterings").json()["items"][-1]
    again = running.job(client.post(f"/v1/collections/{gallery}/clusterings", json={"k": 3}).json()["id"])
    three = again["result"]["clustering_id"]
    page.goto(f"/collections/{gallery}/compare?a={first['id']}&b={three}")
    diff = client.get(f"/v1/clusterings/{first['id']}/diff/{three}", params={"limit": 500}).json()
    assert diff["changed"] > 0
    expect(page.locator(".summary")).to_contain_text(f"{diff['changed']} of {diff['images']} pictures")
    expect(page.locator(".pair-row")).to_have_count(max(8, len(diff["matches"])))
    expect(page.locator(".moved li")).to_have_count(min(60, diff["changed"]))
    shoot("compare")
    origin = diff["items"][0]["before"]["cluster"]
    page.locator("select[name='from']").select_option("none" if origin is None else str(origin))
    left = [one for one in diff["items"] if one["before"]["cluster"] == origin]
    expect(page.locator(".moved li")).to_have_count(min(60, len(left)))
    assert "from=" in page.url
    page.get_by_role("button", name="Swap A and B").click()
    page.wait_for_url(f"**/compare?a={three}&b={first['id']}")
    expect(page.locator(".summary")).to_contain_text(f"{diff['changed']} of {diff['images']} pictures")


def test_an_encoder_is_deleted_by_its_name_alone(
    page: "Page", running: Service, gallery: str, tuned: dict[str, Any]
) -> None:
    page.goto(f"/collections/{gallery}/encoders/{tuned['id']}")
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("something else")
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Nothing was deleted")
    dialog.get_by_role("textbox").fill(tuned["name"])
    dialog.get_by_role("button", name="Delete").click()
    page.wait_for_url(f"**/collections/{gallery}/encoders")
    assert tuned["id"] not in {one["id"] for one in encoders(running)}


def test_jobs_say_in_plain_words_what_became_of_them(
    page: "Page", running: Service, gallery: str, shoot: Shoot
) -> None:
    upload = running.client.post(
        f"/v1/collections/{gallery}/images",
        content=b"PK\x03\x04" + b"no archive" * 50,
        headers={"Content-Type": "application/zip"},
    )
    broken = running.job(upload.json()["job_id"])
    assert broken["error"]["code"] == "archive_corrupt"
    page.goto(f"/jobs?collection={gallery}")
    row = page.get_by_role("row").filter(has_text="The archive is damaged")
    expect(row).to_contain_text(broken["error"]["detail"])
    archive = page.get_by_role("row").filter(has_text="Done").filter(has=page.get_by_role("button", name="Report"))
    with page.expect_download() as saved:
        archive.get_by_role("button", name="Report").click()
    lines = Path(saved.value.path()).read_text().splitlines()
    assert lines[0] == "name,status,code,detail,image_id"
    assert any(",rejected,image_corrupt," in line for line in lines)
    shoot("jobs")
    page.get_by_role("link", name="Failed", exact=True).click()
    page.wait_for_url("**/jobs?state=failed&collection=*")
    expect(row).to_have_count(1)
    expect(page.locator(".jobs tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Given up", exact=True).click()
    expect(page.get_by_text("None of these")).to_be_visible()


def test_a_job_that_waits_for_room_says_so(page: "Page", running: Service, gallery: str, shoot: Shoot) -> None:
    detail = "The disk is full; free some space or add some. The job tries again by itself."

    def as_if_it_waited(route: "Route") -> None:
        answer = route.fetch()
        jobs = answer.json()
        jobs["items"][0] |= {"state": "queued", "result": None, "finished_at": None}
        jobs["items"][0]["error"] = {"code": "storage_full", "detail": detail}
        route.fulfill(response=answer, json=jobs)

    page.route("**/v1/jobs?*", as_if_it_waited)
    page.goto(f"/jobs?collection={gallery}")
    row = page.locator(".jobs tbody tr").first
    for words in ("Waiting", "The disk is full: waiting for room.", detail):
        expect(row).to_contain_text(words)
    expect(row.get_by_role("button", name="Cancel")).to_be_visible()
    shoot("jobs-waiting")


def test_a_job_that_comes_while_one_looks_appears_and_can_be_cancelled(
    page: "Page", running: Service, gallery: str
) -> None:
    page.goto(f"/jobs?collection={gallery}")
    body = {"method": "simclr", "params": {"epochs": 500, "max_minutes": 30}, "name": "too-long"}
    job = running.client.post(f"/v1/collections/{gallery}/encoders", json=body).json()
    cancel = page.get_by_role("button", name="Cancel: Fine-tune an encoder")
    cancel.click(timeout=SOON_MS)
    assert running.job(job["id"])["state"] == "cancelled"
    expect(page.locator(".jobs tbody tr").first).to_contain_text("Cancelled")
    expect(cancel).to_have_count(0)


def test_settings_show_health_storage_and_colours(page: "Page", running: Service, gallery: str, shoot: Shoot) -> None:
    system = running.client.get("/v1/system").json()
    page.goto("/settings")
    for name in ("Database", "Storage", "Broker", "Worker"):
        expect(page.locator(".health li").filter(has_text=name).first).to_contain_text("works")
    expect(page.get_by_text("Everything works.")).to_be_visible()
    expect(page.get_by_text("Open to whoever reaches its address.")).to_have_count(1 if system["open"] else 0)
    expect(page.locator(".facts").filter(has_text="Python")).to_contain_text(system["python"])
    shoot("settings")
    page.get_by_label("Dark").check()
    page.reload()
    expect(page.get_by_label("Dark")).to_be_checked()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert faults(page) == []
    page.get_by_label("As the system").check()
    assert page.evaluate("document.documentElement.dataset.theme ?? null") is None
