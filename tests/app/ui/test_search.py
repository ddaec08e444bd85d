"""Looking at one picture and searching with it, with a part of it, with examples and with a picture of one's own."""

import re
from typing import TYPE_CHECKING

import pytest

from tests.app.ui.gestures import draw_box
from tests.fixtures.services import Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

WAIT_MS = 20_000


@pytest.fixture(scope="module")
def gallery(shared_gallery: str) -> str:
    return shared_gallery


def _images(running: Service, gallery: str, status: str = "ready") -> list[str]:
    items = running.client.get(f"/v1/collections/{gallery}/images?limit=100&status={status}").json()["items"]
    return [one["id"] for one in items]


def test_a_picture_is_shown_with_what_is_known_and_what_is_like_it(
    page: "Page", gallery: str, running: Service, shoot: "Callable[[str], None]"
) -> None:
    image = _images(running, gallery)[0]
    page.goto(f"/collections/{gallery}/images/{image}")
    page.wait_for_function("() => document.querySelector('.viewer img')?.naturalWidth > 0", timeout=WAIT_MS)
    page.wait_for_selector(".thumbs img", timeout=WAIT_MS)
    known = running.client.get(f"/v1/images/{image}").json()
    side = page.locator(".image-side").inner_text()
    assert known["name"] in side
    assert f"{known['width']} \N{MULTIPLICATION SIGN} {known['height']}" in side
    assert page.locator(".places a").count() == 1
    shoot("image")


def test_arrows_go_through_the_list_one_came_from(page: "Page", gallery: str, running: Service) -> None:
    images = _images(running, gallery)
    page.goto(f"/collections/{gallery}/images")
    page.locator(".tile").first.dblclick()
    page.wait_for_selector(".image-steps span", timeout=WAIT_MS)
    assert f"1 of {len(images)}" in page.locator(".image-steps").inner_text()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile(images[1]), timeout=WAIT_MS)
    page.get_by_text(f"2 of {len(images)}").wait_for(timeout=WAIT_MS)
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(re.compile(images[0]), timeout=WAIT_MS)
    page.get_by_text(f"1 of {len(images)}").wait_for(timeout=WAIT_MS)
    page.keyboard.press("Escape")
    page.wait_for_url(re.compile(r"/images$"), timeout=WAIT_MS)


def test_zoom_keeps_within_the_picture(page: "Page", gallery: str, running: Service) -> None:
    page.goto(f"/collections/{gallery}/images/{_images(running, gallery)[0]}")
    page.wait_for_function("() => document.querySelector('.viewer img')?.style.width", timeout=WAIT_MS)
    page.locator(".viewer").focus()
    for _ in range(4):
        page.keyboard.press("+")
    assert "zoomed" in (page.locator(".viewer").get_attribute("class") or "")
    for _ in range(60):
        page.keyboard.press("ArrowLeft")
    seen = page.evaluate(
        "() => document.querySelector('.viewer img').getBoundingClientRect().left"
        " - document.querySelector('.viewer').getBoundingClientRect().left"
    )
    assert seen <= page.locator(".viewer").evaluate("(node) => node.clientWidth / 2")
    page.keyboard.press("0")
    assert "zoomed" not in (page.locator(".viewer").get_attribute("class") or "")


def test_a_box_searches_with_a_part_by_mouse_and_by_keyboard(page: "Page", gallery: str, running: Service) -> None:
    address = f"/collections/{gallery}/images/{_images(running, gallery)[0]}"
    page.goto(address)
    draw_box(page, 0.25, 0.25, 0.75, 0.5)
    page.wait_for_selector(".results li", timeout=WAIT_MS)
    parts = [float(part) for part in re.findall(r"box=([^&]*)", page.url)[0].replace("%2C", ",").split(",")]
    assert all(abs(part - wanted) < 0.02 for part, wanted in zip(parts, (0.25, 0.25, 0.5, 0.25), strict=True))
    page.goto(address)
    page.wait_for_function("() => document.querySelector('.viewer img')?.style.width", timeout=WAIT_MS)
    for key in ("b", "ArrowRight", "Shift+ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector(".query-box", timeout=WAIT_MS)


def test_results_can_be_cut_filtered_and_refined(
    page: "Page", gallery: str, running: Service, shoot: "Callable[[str], None]"
) -> None:
    image = _images(running, gallery)[0]
    page.goto(f"/collections/{gallery}/search?image={image}&at_least=0.99")
    page.wait_for_selector(".result-list", timeout=WAIT_MS)
    assert page.locator(".results li:not([hidden])").count() == 0
    page.get_by_role("slider").fill("0")
    page.wait_for_function("() => !location.search.includes('at_least')", timeout=WAIT_MS)
    assert page.locator(".results li:not([hidden])").count() > 10
    shoot("search")
    page.get_by_label("Name", exact=True).fill("robin")
    page.wait_for_url(re.compile("name=robin"), timeout=WAIT_MS)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.results a')].every((link) => link.title.includes('robin'))",
        timeout=WAIT_MS,
    )
    page.get_by_role("button", name=re.compile(": fits")).first.click()
    page.get_by_role("button", name=re.compile(": does not fit")).nth(2).click()
    page.get_by_role("button", name="Search again").click()
    page.wait_for_url(re.compile(r"unlike="), timeout=WAIT_MS)
    page.get_by_role("heading", name="but not these").wait_for(timeout=WAIT_MS)


def test_a_picture_of_ones_own_is_searched_with_and_lost_by_a_reload(
    page: "Page", gallery: str, sample_files: dict[str, bytes]
) -> None:
    page.goto(f"/collections/{gallery}/search")
    page.get_by_role("button", name="Choose a picture").wait_for(timeout=WAIT_MS)
    name = next(one for one in sample_files if one.startswith("robin/"))
    file = {"name": "mine.jpg", "mimeType": "image/jpeg", "buffer": sample_files[name]}
    page.locator(".chooser input").set_input_files(file)  # type: ignore[arg-type]
    page.wait_for_selector(".results li", timeout=WAIT_MS)
    assert "robin" in (page.locator(".results a").first.get_attribute("title") or "")
    page.reload()
    page.get_by_text("was not kept").wait_for(timeout=WAIT_MS)


def test_rejected_files_are_listed_with_the_reason_and_saved_as_csv(page: "Page", gallery: str) -> None:
    page.goto(f"/collections/{gallery}/images")
    page.get_by_role("button", name="Rejected", exact=True).click()
    page.get_by_text("The file is damaged.").wait_for(timeout=WAIT_MS)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download as CSV").click()
    assert "image_corrupt" in saved.value.path().read_text()
    assert "status=rejected" in page.url
    page.locator("td a").first.click()
    page.get_by_text("This picture was rejected").wait_for(timeout=WAIT_MS)


def test_deleted_pictures_leave_the_grid(page: "Page", gallery: str, running: Service) -> None:
    before = _images(running, gallery)
    page.goto(f"/collections/{gallery}/images")
    page.locator(".tile img").first.wait_for(timeout=WAIT_MS)
    page.locator(".tile").first.click()
    page.get_by_role("toolbar").get_by_role("button", name="Delete").click()
    page.locator("dialog").get_by_role("button", name="Delete 1 picture").click()
    page.get_by_text("1 picture deleted.").wait_for(timeout=WAIT_MS)
    assert _images(running, gallery) == before[1:]
