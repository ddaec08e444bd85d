"""Files dragged over the page and pictures pasted into it."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.app.ui.uploading import SLOW, collection, counts, dock, drag, folder
from tests.fixtures.pictures import jpeg
from tests.fixtures.services import Service

if TYPE_CHECKING:
    from playwright.sync_api import Page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect
__all__ = ["collection", "folder"]  # fixtures


def test_a_folder_dropped_on_the_start_page_becomes_a_collection(
    page: "Page", running: Service, tmp_path: Path
) -> None:
    """More files than a browser reads of a folder at once, so that reading it once would not do."""
    wrens = tmp_path / "Birds of May" / "wren"
    wrens.mkdir(parents=True)
    picture = jpeg("red", 3, (64, 48))
    for n in range(130):
        (wrens / f"{n:04}.jpg").write_bytes(picture + n.to_bytes(4))
    page.goto("/")
    expect(page.locator("main h1")).to_be_visible()
    with drag(page, tmp_path / "Birds of May") as drop:
        expect(page.locator(".drop-zone")).to_have_text("Make a new collectionof what you drop here")
        drop(400, 300)
    page.wait_for_url("**/collections/*")
    expect(counts(page)).to_have_text("130 created", timeout=SLOW)
    collection = page.url.rsplit("/", 1)[1]
    assert running.client.get(f"/v1/collections/{collection}").json()["name"] == "Birds of May"
    assert running.client.get(f"/v1/collections/{collection}/images").json()["items"][0]["name"].startswith("wren/0")


def test_one_picture_over_a_collection_may_be_added_or_searched_with(
    page: "Page", collection: str, folder: Path
) -> None:
    page.goto(f"/collections/{collection}")
    expect(page.get_by_role("button", name="Add pictures").first).to_be_visible()
    zones = page.locator(".drop-zone strong")
    with drag(page, folder):
        expect(zones).to_have_text(["Add to this collection"])
    expect(page.locator(".drop-overlay")).to_be_hidden()
    with drag(page, folder / "red" / "0003.jpg") as drop:
        expect(zones).to_have_text(["Add to this collection", "Find pictures like this one"])
        drop(1000, 400)
    page.wait_for_url("**/search?by=picture")
    expect(dock(page)).to_be_hidden()
    with drag(page, folder / "red" / "0003.jpg") as drop:
        drop(300, 400)
    expect(counts(page)).to_have_text("1 created", timeout=SLOW)


def test_a_pasted_picture_is_searched_with_but_not_out_of_a_field(page: "Page", collection: str) -> None:
    page.goto(f"/collections/{collection}")
    expect(page.get_by_role("button", name="Add pictures").first).to_be_visible()
    paste = """(node) => {
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File(["x"], "a.png", { type: "image/png" }));
      node.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    }"""
    page.evaluate("document.querySelector('main').append(document.createElement('textarea'))")
    page.locator("main textarea").evaluate(paste)
    assert page.url.endswith(f"/collections/{collection}")
    page.locator("main").evaluate(paste)
    page.wait_for_url("**/search?by=picture")
