"""The report in a real browser, opened from the disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.report.report import Report, write
from tests.app.report.conftest import HOSTILE

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@pytest.fixture
def page(browser: "playwright.Browser", report: Report, thumbnails: Path) -> Iterator["playwright.Page"]:
    """The report, opened; after the test nothing may have gone wrong in it and nothing may have left the machine."""
    write(report, thumbnails / "report.html")
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    errors: list[str] = []
    requests: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
    page.on("dialog", lambda dialog: (errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: requests.append(request.url))
    page.goto((thumbnails / "report.html").as_uri())
    yield page
    page.close()
    assert errors == []
    assert {url.split(":")[0] for url in requests} <= {"file", "data"}


def test_it_opens_and_shows_its_thumbnails(page: "playwright.Page") -> None:
    first = page.locator(".tiles img").first
    assert first.evaluate("async (img) => { await img.decode(); return img.naturalWidth; }") == 341
    assert page.locator("html").evaluate("html => html.scrollWidth") <= 1200


def test_every_hostile_name_shows_its_picture(page: "playwright.Page") -> None:
    pictures = page.locator("#c1 img")
    assert pictures.count() == len(HOSTILE)
    for number in range(len(HOSTILE)):
        picture = pictures.nth(number)
        picture.scroll_into_view_if_needed()
        assert picture.evaluate("async (img) => { await img.decode(); return img.naturalWidth; }") == 341


def test_style_and_script_pass_the_policy(page: "playwright.Page") -> None:
    assert page.locator(".tiles").first.evaluate("list => getComputedStyle(list).display") == "grid"
    assert page.locator(".filter").is_visible()


def test_the_lightbox_opens_steps_and_closes_by_keyboard(page: "playwright.Page") -> None:
    box = page.locator("dialog.light")
    page.locator(".tiles a").first.focus()
    page.keyboard.press("Enter")
    playwright.expect(box).to_be_visible()
    playwright.expect(box.locator(".name")).to_have_text("wren/0000.jpg")
    page.keyboard.press("ArrowRight")
    playwright.expect(box.locator(".name")).to_have_text("wren/0001.jpg")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    playwright.expect(box.locator(".name")).to_have_text("hash#query?percent%.jpg")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    playwright.expect(box).to_be_hidden()
    assert page.evaluate("document.activeElement === document.querySelector('.tiles a')")


def test_the_filter_hides_what_does_not_match_and_escape_clears_it(page: "playwright.Page") -> None:
    page.keyboard.press("/")
    page.keyboard.type("WREN/001")
    expect = playwright.expect  # asks again until it is so: the page filters a moment after the last key
    expect(page.locator(".tiles li:visible")).to_have_count(10)
    expect(page.locator("#c1")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator(".found")).to_be_hidden()
    expect(page.locator("#c1")).not_to_have_attribute("hidden", "")


def test_nothing_overflows_at_400_pixels(page: "playwright.Page") -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.locator("html").evaluate("html => html.scrollWidth") <= 400
