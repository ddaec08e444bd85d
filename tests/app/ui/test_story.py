"""The whole story in one browser: an empty service, 300 files, clusters, corrections, searches, a better encoder."""

import csv
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageEnhance

from tests.app.ui.gestures import draw_box, lasso, start_training
from tests.app.ui.uploading import BROKEN, choose, counts, drag
from tests.fixtures.services import Service

if TYPE_CHECKING:
    from playwright.sync_api import Page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect
FILES = 300
JOB_MS = 240_000  # what a job may take on two busy cores


@pytest.fixture
def folder(sample_files: dict[str, bytes], tmp_path: Path) -> Path:
    """300 pictures, the sample's again and again under other light, and one that is broken."""
    pictures = [Image.open(io.BytesIO(data)) for name, data in sample_files.items() if "/" in name and _whole(data)]
    root = tmp_path / "birds"
    root.mkdir()
    for n in range(FILES):
        picture = pictures[n % len(pictures)].convert("RGB")
        picture.thumbnail((256, 256))
        ImageEnhance.Brightness(picture).enhance(0.8 + n / FILES / 2).save(root / f"{n:04}.jpg", quality=85)
    (root / "broken.jpg").write_bytes(BROKEN)
    return root


def _whole(data: bytes) -> bool:
    try:
        Image.open(io.BytesIO(data)).load()
    except OSError:
        return False
    return True


@pytest.mark.timeout(600)  # every kind of job, one after the other
def test_from_nothing_to_an_export(page: "Page", running: Service, folder: Path) -> None:
    _create(page)
    _upload_and_watch(page, folder)
    collection = page.url.rsplit("/", 1)[1]
    assert running.client.get(f"/v1/collections/{collection}").json()["images"] == {
        "pending": 0,
        "ready": FILES,
        "rejected": 1,
    }
    _correct(page)
    _search(page, folder, collection)
    _lasso(page, collection)
    _train_and_compare(page, collection)
    _export(page, collection)
    _delete(page, collection)
    assert running.client.get(f"/v1/collections/{collection}").status_code == 404


def _create(page: "Page") -> None:
    page.goto("/")
    page.get_by_role("button", name="collection").first.click()
    page.get_by_role("dialog").get_by_label("Name").fill("Story")
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Story")


def _upload_and_watch(page: "Page", folder: Path) -> None:
    choose(page, "A folder", folder)
    expect(counts(page)).to_have_text(f"{FILES} created · 1 rejected", timeout=JOB_MS)
    expect(page.locator(".job progress, .sheet-card").first).to_be_visible(timeout=JOB_MS)  # the work, or its end
    expect(page.locator(".sheet-card").first).to_be_visible(timeout=JOB_MS)
    expect(page.locator(".sheet-card img").first).to_have_js_property("complete", True)


def _correct(page: "Page") -> None:
    cards = page.locator(".sheet-card")
    before = cards.count()
    cards.first.locator(".name-button").click()
    page.keyboard.type("first")
    page.keyboard.press("Enter")
    expect(cards.first.locator(".name-button")).to_have_text("first")
    page.locator(".sheet-check").nth(0).click()
    page.locator(".sheet-check").nth(1).click()
    page.get_by_role("button", name="Merge").click()
    expect(cards).to_have_count(before - 1)
    page.locator(".toast").last.get_by_role("button", name="Undo").click()
    expect(cards).to_have_count(before)


def _search(page: "Page", folder: Path, collection: str) -> None:
    with drag(page, folder / "0003.jpg") as drop:
        expect(page.locator(".drop-zone")).to_have_count(2)
        drop(1000, 400)
    expect(page.locator(".results a").first).to_have_attribute("title", re.compile("0003.jpg$"), timeout=JOB_MS)
    page.locator(".results a").first.click()
    draw_box(page, 0.3, 0.3, 0.7, 0.7)
    expect(page.locator(".query-box")).to_be_visible()
    expect(page.locator(".results li").first).to_be_visible()


def _lasso(page: "Page", collection: str) -> None:
    page.goto(f"/collections/{collection}/map")
    expect(page.locator(".legend-entry").first).to_be_visible(timeout=JOB_MS)
    page.locator(".points").focus()
    page.keyboard.press("l")
    lasso(page)
    expect(page.locator(".map-selection strong")).to_contain_text("pictures")
    page.keyboard.press("Escape")
    expect(page.locator(".map-selection")).to_be_hidden()


def _train_and_compare(page: "Page", collection: str) -> None:
    page.goto(f"/collections/{collection}/train")
    start_training(page, "story-encoder", epochs=1)
    expect(page.get_by_role("link", name="See the encoder")).to_be_visible(timeout=JOB_MS)
    page.goto(f"/collections/{collection}/encoders")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="story-encoder"))
    expect(row).to_contain_text("%")


def _export(page: "Page", collection: str) -> None:
    page.goto(f"/collections/{collection}")
    page.get_by_role("button", name="More about this collection").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Export as CSV").click()
    text = Path(download.value.path()).read_text()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == FILES
    assert "first" in {row["label"] for row in rows}


def _delete(page: "Page", collection: str) -> None:
    page.get_by_role("button", name="More about this collection").click()
    page.get_by_role("menuitem", name="Delete collection").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("Story")
    dialog.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/")
    expect(page.get_by_text("“Story” is deleted.")).to_be_visible()
