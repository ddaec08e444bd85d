"""A real service, a real browser, and a gallery that is sorted already."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.demo.gallery import make_gallery
from tests.app.calls import new_collection
from tests.app.ui.gestures import faults
from tests.fixtures.pictures import zipped
from tests.fixtures.services import Service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SCREENSHOTS = Path("test-output") / "ui"


@pytest.fixture(scope="session")
def service(running: Service) -> str:
    """Where the service answers."""
    return str(running.client.base_url).rstrip("/")


@pytest.fixture(scope="session")
def sample_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The sample gallery, small: its pictures, copies, oddities and the broken file, by name."""
    folder = tmp_path_factory.mktemp("sample")
    make_gallery(folder, per_kind=5)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.*"))}


@pytest.fixture(scope="module")
def gallery(running: Service, sample_files: dict[str, bytes]) -> str:
    """The id of a collection with the sample gallery in it, sorted into 8 clusters; one for each file of tests."""
    return _sorted_gallery(running, sample_files)


@pytest.fixture(scope="session")
def shared_gallery(running: Service, sample_files: dict[str, bytes]) -> str:
    """The same, one for all the files of tests that do not mind what others did to it."""
    return _sorted_gallery(running, sample_files)


def _sorted_gallery(running: Service, sample_files: dict[str, bytes]) -> str:
    client = running.client
    collection = new_collection(client, "Sample gallery")
    archive = client.post(
        f"/v1/collections/{collection}/images",
        content=zipped(sample_files),
        headers={"Content-Type": "application/zip"},
    )
    assert running.job(archive.json()["job_id"])["state"] == "succeeded"
    job = client.post(f"/v1/collections/{collection}/clusterings", json={"k": 8}).json()
    assert running.job(job["id"])["state"] == "succeeded"
    return collection


@pytest.fixture
def page(browser: "Browser", service: str) -> Iterator["Page"]:
    """A page of a new visitor. Nothing may go wrong in its console, and it may ask nobody but the service."""
    # Still: without a graphics processor the frames of whatever moves take the time of other tests.
    window = {"width": 1280, "height": 860}
    context = browser.new_context(base_url=service, viewport=window, reduced_motion="reduce")
    page = context.new_page()
    errors: list[str] = []
    strangers: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if _wrong(message.type, message.text) else None)
    page.on("dialog", lambda dialog: (errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: strangers.append(request.url) if _strange(request.url, service) else None)
    yield page
    context.close()
    assert errors == []
    assert strangers == []


def _wrong(kind: str, text: str) -> bool:
    """A refusal that the service explains is shown on the page; the browser's own line about it is no error."""
    return kind in ("error", "warning") and "Failed to load resource" not in text and "GPU stall" not in text


def _strange(url: str, service: str) -> bool:
    return not url.startswith((service, "data:", "blob:"))


@pytest.fixture
def shoot(page: "Page") -> Callable[[str], None]:
    """Keep what the page looks like now, in light, in dark and on a telephone, under test-output/ui.

    Axe finds no fault in light and in dark, and nothing is wider than 360 pixels where there are no more.
    """

    def keep(name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        size = page.viewport_size
        for look, scheme, width, height in (
            ("light", "light", 1280, 860),
            ("dark", "dark", 1280, 860),
            ("phone", "light", 390, 844),
        ):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_load_state("networkidle")
            page.screenshot(path=SCREENSHOTS / f"{name}-{look}.png")
            assert look == "phone" or faults(page) == [], (name, look)
        page.set_viewport_size({"width": 360, "height": 740})
        page.wait_for_function("() => document.documentElement.scrollWidth <= 360")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(size or {"width": 1280, "height": 860})

    return keep
