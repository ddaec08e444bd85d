"""What tests of uploads by the page share: files to send, a gate that holds them up, and the ways to give them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.app.calls import new_collection
from tests.fixtures.pictures import jpeg
from tests.fixtures.services import Service

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

HOSTILE = "<img src=x onerror=alert(1)>.jpg"
BROKEN = b"\xff\xd8\xff\xe0" + b"not a picture"
SLOW = 60_000  # milliseconds to wait for what jobs of the service do


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """40 files in folders: 38 pictures, one of them with a hostile name, a copy, a broken one; and a hidden file."""
    root = tmp_path / "birds"
    for kind in ("red", "blue"):
        (root / kind).mkdir(parents=True)
        for n in range(18 if kind == "red" else 19):
            (root / kind / f"{n:04}.jpg").write_bytes(jpeg(kind, n, (96, 72)))
    (root / "red" / HOSTILE).write_bytes(jpeg("green", 1, (96, 72)))
    (root / "red" / "copy.jpg").write_bytes(jpeg("red", 0, (96, 72)))
    (root / "blue" / "=broken.jpg").write_bytes(BROKEN)
    (root / "red" / ".DS_Store").write_bytes(b"hidden")
    return root


@pytest.fixture
def collection(running: Service) -> Iterator[str]:
    """An empty one. Deleting it ends what the page has started for it: the next test need not wait for that."""
    collection = new_collection(running.client, "Garden")
    yield collection
    assert running.client.delete(f"/v1/collections/{collection}").status_code == 204


class Gate:
    """Uploads stop here until they are let through, so that a test can look at what is under way."""

    def __init__(self, page: "Page") -> None:
        self.page, self.waiting, self.opened = page, list["Route"](), False
        page.route("**/v1/collections/*/images", self._arrived)

    def _arrived(self, route: "Route") -> None:
        if self.opened or route.request.method != "POST":
            route.continue_()
        else:
            self.waiting.append(route)

    def open(self) -> None:
        self.opened = True
        for route in self.waiting:
            route.continue_()

    def reload(self) -> None:
        """The page anew; what waits here is gone with the old one."""
        self.waiting.clear()
        self.page.reload()


def choose(page: "Page", button: str, *paths: Path) -> None:
    """Add files by the dialog, as a person without a mouse would."""
    page.get_by_role("button", name="Add pictures").first.click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("dialog").get_by_role("button", name=button).click()
    chooser.value.set_files(paths[0] if button.startswith("A folder") else list(paths))


def dock(page: "Page") -> Any:
    return page.get_by_role("complementary", name="Uploads")


def counts(page: "Page") -> Any:
    return dock(page).locator(".dock-counts")


@contextmanager
def drag(page: "Page", *paths: Path) -> Iterator[Any]:
    """Drag files from outside over the page, as the desktop does; yields drop(x, y)."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}

    def event(kind: str, x: float, y: float) -> None:
        session.send("Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": data})

    def drop(x: float, y: float) -> None:
        event("dragOver", x, y)
        event("drop", x, y)

    event("dragEnter", 400, 300)
    event("dragOver", 400, 300)
    yield drop
    session.send("Input.dispatchDragEvent", {"type": "dragCancel", "x": 400, "y": 300, "data": data})
    session.detach()
