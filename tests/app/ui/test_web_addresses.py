"""Pictures from the web: the service fetches what it may, and says why it left out the rest."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.app.imports.servers import ok, paths, serving
from tests.app.ui.uploading import SLOW, collection
from tests.fixtures.pictures import jpeg
from tests.fixtures.services import Service

if TYPE_CHECKING:
    from playwright.sync_api import Page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect
__all__ = ["collection"]  # a fixture


def _open(page: "Page", collection: str) -> None:
    page.goto(f"/collections/{collection}")
    page.get_by_role("button", name="Add pictures").first.click()
    page.get_by_role("button", name="From the web").click()


def test_addresses_are_fetched_and_the_rest_is_told(
    page: "Page", running: Service, collection: str, web_port: int, shoot: Callable[[str], None]
) -> None:
    web = f"http://127.0.0.1:{web_port}"
    _open(page, collection)
    page.get_by_label("Addresses").fill(" \n ")
    page.get_by_role("button", name="Fetch").click()
    expect(page.get_by_role("alert")).to_have_text("Write at least one address.")
    page.get_by_label("Addresses").fill(f"{web}/robin.jpg\n\n  {web}/wren.jpg \n{web}/gone.jpg\n")
    shoot("web-addresses")
    with serving(
        paths({f"/{name}.jpg": ok(jpeg("red", seed)) for seed, name in enumerate(("robin", "wren"))}), port=web_port
    ):
        page.get_by_role("button", name="Fetch").click()
        expect(page.locator(".toast")).to_contain_text("Fetching from 3 addresses.")
        expect(page.locator(".collection-head")).to_contain_text("2 pictures", timeout=SLOW)
    job = running.pages("/v1/jobs", collection=collection)[-1]
    report = running.client.get(f"/v1/jobs/{job['id']}/report").text
    assert report.count("url_status") == 1 and "gone.jpg" in report


def test_a_service_that_fetches_from_nowhere_says_who_can_change_that(
    page: "Page", collection: str, running: Service
) -> None:
    found = running.client.get("/v1/system").json() | {"import_hosts": []}
    page.route("**/v1/system", lambda route: route.fulfill(json=found))
    _open(page, collection)
    expect(page.get_by_role("dialog")).to_contain_text("ROOST_IMPORT_HOSTS")
