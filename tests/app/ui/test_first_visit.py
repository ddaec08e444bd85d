"""A first visit: an empty service, the sample gallery and the bar while it is made, and the views of a start."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.app.calls import new_collection
from tests.fixtures.services import Service

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect
Shoot = Callable[[str], None]
JOB_MS = 240_000  # what a job may take on two busy cores
BARS = """() => {
  window.barsSeen = new Set();
  new MutationObserver(() => {
    for (const words of document.querySelectorAll(".job-words")) barsSeen.add(words.textContent);
  }).observe(document, { subtree: true, childList: true, characterData: true });
}"""


@pytest.fixture(params=["events", pytest.param("polling", marks=pytest.mark.slow)])
def told(request: pytest.FixtureRequest, page: "Page") -> str:
    """How the page hears of a job: by server-sent events, or by asking where those do not come through."""
    if request.param == "polling":
        page.route("**/events", lambda route: route.abort())
    return str(request.param)


def _empty(route: "Route") -> None:
    """What a service without collections says, once: the list is asked for again when something is there."""
    route.fulfill(json={"items": [], "next_cursor": None})


def test_the_sample_gallery_is_drawn_and_sorted_before_ones_eyes(page: "Page", running: Service, told: str) -> None:
    small: Callable[[Route], Any] = lambda route: route.continue_(post_data='{"images": 40}')  # noqa: E731
    page.route("**/v1/samples", small)
    page.route("**/v1/collections?*", _empty)
    page.add_init_script(f"({BARS})()")
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sort pictures nobody has labelled")
    page.get_by_role("button", name="Try it with a sample gallery").click()
    page.wait_for_url("**/collections/*")
    expect(page.locator(".sheet-card").first).to_be_visible(timeout=JOB_MS)
    seen = page.evaluate("[...barsSeen]")
    assert any("of 40 images" in words for words in seen), seen
    collection = page.url.rsplit("/", 1)[1]
    assert {job["kind"] for job in running.pages("/v1/jobs", collection=collection)} >= {"sample", "cluster"}


def test_a_job_that_begins_between_two_looks_is_not_overlooked(page: "Page", gallery: str, running: Service) -> None:
    """Neither among those that wait, nor among those that run: it was read after the one, and before the other."""
    job = running.pages("/v1/jobs", collection=gallery)[0] | {"kind": "cluster", "stage": "cluster", "state": "running"}
    states = iter(["queued"])

    def listed(route: "Route") -> None:
        state = next(states, "running")
        wanted = parse_qs(urlsplit(route.request.url).query).get("state", [state])
        route.fulfill(json={"items": [job | {"state": state}] if wanted == [state] else [], "next_cursor": None})

    page.route("**/v1/jobs?*", listed)
    page.route(f"**/v1/jobs/{job['id']}", lambda route: route.fulfill(json=job))
    page.route("**/events", lambda route: route.abort())
    page.goto(f"/collections/{gallery}")
    expect(page.get_by_label("Work under way").first).to_contain_text("Clustering")


def test_the_start_looks_cared_for(page: "Page", gallery: str, running: Service, shoot: Shoot) -> None:
    page.goto("/")
    expect(page.locator(".card").first).to_be_visible()
    shoot("collections")
    page.route("**/v1/collections?*", _empty)
    page.goto("/")
    expect(page.locator(".welcome")).to_be_visible()
    shoot("welcome")


@pytest.mark.parametrize("path", ["", "/clusters/0", "/sort", "/map", "/outliers", "/history", "/search?by=picture"])
def test_before_there_are_clusters_every_view_says_what_is_missing(page: "Page", running: Service, path: str) -> None:
    page.goto(f"/collections/{new_collection(running.client, 'Empty')}{path}")
    expect(page.locator(".state, .chooser").first).to_be_visible()
    button = page.get_by_role("main").get_by_role("button", name="Add pictures").last
    expect(button).to_be_enabled()


def test_views_of_pictures_and_of_a_training_to_come(page: "Page", gallery: str, shoot: Shoot) -> None:
    for name, path in {
        "images": "/images",
        "rejected": "/images?status=rejected",
        "train": "/train",
        "search-start": "/search",
    }.items():
        page.goto(f"/collections/{gallery}{path}")
        expect(page.locator(".tile, table, .train form, .chooser").first).to_be_visible(timeout=30_000)
        shoot(name)
