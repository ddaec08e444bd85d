"""The map in a browser: it draws, tells what a point is, takes a lasso and a correction, and needs no mouse."""

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.app.ui.gestures import lasso
from tests.fixtures.services import Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page, Route

WAIT_MS = 20_000
DRAWN = """() => {
    const canvas = document.querySelector(".points canvas");
    if (!canvas?.width) return 0;
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, at) => at % 4 === 3 && value).length;
}"""
PAINTED = f"""async () => {{
    dispatchEvent(new Event("resize"));
    document.querySelector(".points").dispatchEvent(new KeyboardEvent("keydown", {{ key: "0" }}));
    await new Promise(requestAnimationFrame);
    return ({DRAWN})() > 100;
}}"""


def _opened(page: "Page", gallery: str) -> None:
    page.goto(f"/collections/{gallery}/map")
    page.wait_for_selector(".points canvas", timeout=WAIT_MS)
    page.wait_for_function(PAINTED, timeout=WAIT_MS)


def test_every_picture_is_a_point_and_the_legend_leads_to_its_clusters(
    page: "Page", gallery: str, running: Service, shoot: "Callable[[str], None]"
) -> None:
    _opened(page, gallery)
    clustering = running.client.get(f"/v1/collections/{gallery}/clusterings").json()["items"][0]
    label = page.locator(".points").get_attribute("aria-label") or ""
    assert f"Map of {clustering['images']} pictures" in label
    entries = page.locator(".legend-entry")
    assert entries.count() == 8
    assert sum(int(text) for text in page.locator(".legend-entry .quiet").all_inner_texts()) == clustering["images"]
    entries.first.click()
    assert entries.first.get_attribute("aria-pressed") == "true"
    assert "cluster=" in page.url
    page.get_by_role("button", name="Show all", exact=True).click()
    assert "cluster=" not in page.url
    shoot("map")
    page.locator(".legend-link").first.click()
    page.wait_for_url(re.compile(r"/clusters/\d+"), timeout=WAIT_MS)


def test_a_lasso_moves_pictures_and_undo_brings_them_back(page: "Page", gallery: str, running: Service) -> None:
    _opened(page, gallery)
    client = running.client
    clustering = client.get(f"/v1/collections/{gallery}/clusterings").json()["items"][0]
    sizes = f"/v1/clusterings/{clustering['id']}/clusters"
    before = {one["id"]: one["size"] for one in client.get(sizes).json()["items"]}
    page.locator(".points").focus()
    page.keyboard.press("l")
    lasso(page)
    count = int(re.findall(r"\d+", page.locator(".map-selection strong").inner_text())[0])
    assert count > sum(before.values()) / 2
    page.get_by_role("button", name="Move to").click()
    page.locator(".choice").filter(has_text="Cluster 3").first.click()
    page.get_by_role("button", name="Undo").wait_for(timeout=WAIT_MS)
    after = {one["id"]: one["size"] for one in client.get(sizes).json()["items"]}
    assert after[3] >= count
    with page.expect_response(re.compile(r"/undo$")):
        page.get_by_role("button", name="Undo").click()
    assert {one["id"]: one["size"] for one in client.get(sizes).json()["items"]} == before


def test_a_lasso_opens_as_a_grid_and_escape_lets_go(page: "Page", gallery: str) -> None:
    _opened(page, gallery)
    page.keyboard.down("Shift")
    lasso(page)
    page.keyboard.up("Shift")
    page.get_by_role("button", name="Open as a grid").click()
    page.wait_for_selector(".map-sheet .tile img", timeout=WAIT_MS)
    page.keyboard.press("Escape")
    page.wait_for_selector(".map-sheet", state="hidden", timeout=WAIT_MS)
    assert page.locator(".map-selection").is_hidden()


def test_the_keyboard_looks_around_and_opens_a_picture(page: "Page", gallery: str) -> None:
    _opened(page, gallery)
    page.locator(".points").focus()
    for key in ("+", "ArrowLeft", "-", "-", "-", "-"):
        page.keyboard.press(key)
    page.wait_for_selector(".map-card:not([hidden])", timeout=WAIT_MS)
    page.wait_for_url(re.compile(r"at="), timeout=WAIT_MS)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/images/.*in=map"), timeout=WAIT_MS)
    page.wait_for_selector(".viewer img", timeout=WAIT_MS)


def test_without_webgl_the_points_are_drawn_all_the_same(page: "Page", gallery: str) -> None:
    page.add_init_script("""
        const own = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
            return kind === "webgl" ? null : own.call(this, kind, ...more);
        };
    """)
    _opened(page, gallery)


def test_a_lost_drawing_comes_back(page: "Page", gallery: str) -> None:
    _opened(page, gallery)
    lose = """() => {
        const canvas = document.querySelector(".points canvas");
        globalThis.before = canvas;
        canvas.getContext("webgl")?.getExtension("WEBGL_lose_context")?.loseContext();
    }"""
    if not page.evaluate("() => Boolean(document.querySelector('.points canvas').getContext('webgl'))"):
        pytest.skip("this browser has no WebGL, so there is nothing to lose")
    page.evaluate(lose)
    page.wait_for_function("() => document.querySelector('.points canvas') !== globalThis.before", timeout=WAIT_MS)
    page.wait_for_function(PAINTED, timeout=WAIT_MS)


def test_a_map_that_is_not_there_yet_can_be_made(page: "Page", gallery: str) -> None:
    refusal: dict[str, Any] = {"status": 409, "title": "Conflict", "code": "map_not_ready", "detail": "No map yet."}
    missing = True

    def answer(route: "Route") -> None:
        if missing:
            route.fulfill(status=409, json=refusal)
        else:
            route.continue_()

    page.route("**/map?format=*", answer)
    page.goto(f"/collections/{gallery}/map")
    button = page.get_by_role("button", name="Draw the map")
    button.wait_for(timeout=WAIT_MS)
    missing = False
    button.click()
    page.wait_for_selector(".points canvas", timeout=60_000)
