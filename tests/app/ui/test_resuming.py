"""Large files go in pieces: after a cut, a pause and a reload the page goes on where it was."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.app.ui.test_uploads import kept_files
from tests.app.ui.uploading import SLOW, choose, collection, counts, dock
from tests.fixtures.pictures import jpeg, zipped
from tests.fixtures.services import Service

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request, Route

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect
__all__ = ["collection"]  # a fixture
PIECE = 8 * 2**20


class Pieces:
    """Sees every piece go by; breaks the connection at those that are listed, holds those from `held` on."""

    def __init__(self, page: "Page", broken: set[int] | None = None, held: int | None = None) -> None:
        self.offsets, self.begun, self.broken, self.held = list[int](), 0, broken or set(), held
        page.route("**/v1/uploads**", self._seen)

    def _seen(self, route: "Route") -> None:
        request: Request = route.request
        if request.method == "POST":
            self.begun += 1
        if request.method == "PATCH":
            offset = int(request.headers["upload-offset"])
            if self.held is not None and offset >= self.held:
                return
            self.offsets.append(offset)
            if offset in self.broken:
                route.abort("connectionreset")
                return
        route.continue_()


def test_an_archive_goes_on_after_a_cut_and_a_reload(
    page: "Page", running: Service, collection: str, tmp_path: Path
) -> None:
    inside = {"wren.jpg": jpeg("red", 1), "robin.jpg": jpeg("blue", 2), "rest.bin": os.urandom(PIECE + 10**6)}
    (tmp_path / "garden.zip").write_bytes(zipped(inside))
    before = Pieces(page, broken={0}, held=PIECE)
    page.goto(f"/collections/{collection}")
    choose(page, "Archives", tmp_path / "garden.zip")
    expect(dock(page).get_by_role("status")).to_contain_text("goes on by itself", timeout=SLOW)
    before.broken.clear()
    while len(before.offsets) < 2 or kept_files(page) < 1:
        page.wait_for_timeout(50)
    while running.pages("/v1/uploads", collection=collection)[0]["received"] < PIECE:
        page.wait_for_timeout(50)
    page.unroute_all()
    after = Pieces(page)
    page.reload()
    expect(counts(page)).to_have_text("2 created · 1 rejected", timeout=SLOW)
    assert (before.begun, after.begun) == (1, 0) and all(offset >= PIECE for offset in after.offsets)
    assert {one["name"] for one in running.pages(f"/v1/collections/{collection}/images")} == {"wren.jpg", "robin.jpg"}


@pytest.mark.slow
def test_a_large_picture_is_one_picture(page: "Page", running: Service, collection: str, tmp_path: Path) -> None:
    """Taken by a job of its own, and shown as what it is; given up, it leaves nothing on the service."""
    (tmp_path / "large.jpg").write_bytes(jpeg("green", 3) + os.urandom(PIECE))
    (tmp_path / "unwanted.jpg").write_bytes(jpeg("green", 4) + os.urandom(2 * PIECE))
    pieces = Pieces(page, held=PIECE)
    page.goto(f"/collections/{collection}")
    choose(page, "Pictures", tmp_path / "unwanted.jpg")
    while not running.pages("/v1/uploads", collection=collection) or pieces.offsets != [0]:
        page.wait_for_timeout(50)
    dock(page).get_by_role("button", name="Do not upload unwanted.jpg").click()
    while running.pages("/v1/uploads", collection=collection):
        page.wait_for_timeout(50)
    pieces.held = None
    choose(page, "Pictures", tmp_path / "large.jpg")
    expect(counts(page)).to_have_text("1 created", timeout=SLOW)
    assert [one["name"] for one in running.pages(f"/v1/collections/{collection}/images")] == ["large.jpg"]
