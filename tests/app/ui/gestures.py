"""What a hand does on the page and several tests need: a lasso, a box, filling in a training."""

from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Page

WAIT_MS = 20_000
STILL = """element => new Promise(done => {
  let [last, frames] = ["", 0];
  const look = () => {
    const place = JSON.stringify(element.getBoundingClientRect());
    [last, frames] = [place, place === last ? frames + 1 : 0];
    frames < 30 ? requestAnimationFrame(look) : done();
  };
  look();
})"""  # until it has kept its place for half a second: what arrives late moves what is already there


def faults(page: "Page") -> list[str]:
    """What axe finds moderate, serious or critical."""
    found = Axe().run(page).response
    assert found["passes"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found["violations"] if one["impact"] != "minor"]


def _drag(page: "Page", selector: str, corners: list[tuple[float, float]]) -> None:
    """Press at the first corner, given in shares of the element, go along the others and let go."""
    page.locator(selector).evaluate(STILL)
    box = page.locator(selector).bounding_box()
    assert box is not None
    first, *others = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in corners]
    page.mouse.move(*first)
    page.mouse.down()
    for place in others:
        page.mouse.move(*place, steps=5)
    page.mouse.up()


def lasso(page: "Page") -> None:
    """Around the whole map; the lasso is on already, or Shift is held."""
    _drag(page, ".points", [(0.01, 0.15), (0.99, 0.15), (0.99, 0.99), (0.01, 0.99)])
    page.wait_for_selector(".map-selection:not([hidden])", timeout=WAIT_MS)


def draw_box(page: "Page", left: float, top: float, right: float, bottom: float) -> None:
    """On the picture that is shown, in shares of it; the page searches with it."""
    page.wait_for_function("() => document.querySelector('.viewer img')?.style.width", timeout=WAIT_MS)
    page.keyboard.press("b")
    _drag(page, ".viewer img", [(left, top), (right, bottom)])


def start_training(page: "Page", name: str, epochs: int) -> None:
    """Fill in the form of /train for a short training, and start it."""
    page.get_by_label("Name").fill(name)
    page.locator("[name='params.epochs']").fill(str(epochs))
    page.get_by_text("More settings").click()
    page.locator("[name='params.cached_views']").fill("1")
    page.get_by_role("button", name="Start training").click()
