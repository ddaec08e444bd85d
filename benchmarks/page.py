"""The page on a large collection: first paint, bytes, how soon it answers a click, frames while scrolling.

    python -m benchmarks.page fill [--images 20000]     make the collection (crops of real photographs) in --data
    python -m benchmarks.page measure [--rounds 5]      in Chromium, on what `fill` made

The pictures are those of $ROOST_DATA or ../shared/data. A visit has an empty cache. Bytes are what came over the wire,
Plotly's script left out. An answer is the browser's own measure of an event, from the press to the next frame.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, Route, sync_playwright

from benchmarks.page_gallery import fill
from tests.fixtures.browser import ARGS
from tests.fixtures.servers import free_port

LONG_LIST = 100_000
OBSERVE = """() => {
  window.__slow = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (entry.interactionId) window.__slow.push(entry.duration);
  }).observe({ type: "event", durationThreshold: 16, buffered: true });
}"""
ENTRIES = """() => {
  const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const ours = entries.filter(({ name }) => !name.includes("plotly"));
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  const shifts = new PerformanceObserver(() => {});
  shifts.observe({ type: "layout-shift", buffered: true });
  const moved = shifts.takeRecords().reduce((sum, one) => sum + (one.hadRecentInput ? 0 : one.value), 0);
  return [paint.startTime, ours.reduce((sum, one) => sum + one.transferSize, 0) / 1000, ours.length, moved];
}"""
SCROLL = """async ({ step, seconds }) => {
  const gaps = [];
  let last = performance.now();
  const end = last + seconds * 1000;
  while (last < end) {
    scrollBy(0, step);
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - last);
    last = now;
  }
  return gaps;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["fill", "measure"])
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "roost-page")
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with service(options.data) as base:
        if options.part == "fill":
            fill(base, options.images)
        else:
            measure(base, options.rounds)


@contextmanager
def service(data: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "app.cli", "serve", "--data", str(data), "--port", str(port)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            base = f"http://127.0.0.1:{port}"
            while not _ready(base):
                time.sleep(0.2)
            yield base
        finally:
            process.terminate()
            process.wait(30)


def _ready(base: str) -> bool:
    try:
        return httpx.get(f"{base}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def measure(base: str, rounds: int) -> None:
    with httpx.Client(base_url=base, timeout=60) as http:
        collection = http.get("/v1/collections").json()["items"][0]
        path = f"/collections/{collection['id']}"
        image = http.get(f"/v1{path}/images?limit=1").json()["items"][0]["id"]
        members = http.get(f"/v1/clusterings/{collection['clustering_id']}/clusters/0/images?limit=500").json()["items"]
    views = {
        "collections": "/", "clusters": path, "a cluster": f"{path}/clusters/0", "images": f"{path}/images",
        "map": f"{path}/map", "an image": f"{path}/images/{image}", "search": f"{path}/search?image={image}",
    }  # fmt: skip
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or playwright.chromium.executable_path
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        print(f"{collection['images']['ready']} images, medians of {rounds} visits")
        print("| view | first paint, ms | kB | requests | layout shift | slowest answer, ms |")
        print("| --- | --- | --- | --- | --- | --- |")
        for name, address in views.items():
            visits = [_visit(browser, base + address) for _ in range(rounds)]
            middle = [statistics.median(column) for column in zip(*visits, strict=True)]
            print(
                f"| {name} | " + " | ".join(f"{value:.3g}" if value < 1 else f"{value:.0f}" for value in middle) + " |",
                flush=True,
            )
        print(_frames(browser, base + f"{path}/clusters/0", members))
        browser.close()


def _visit(browser: Browser, address: str) -> list[float]:
    """First paint in ms, kB, requests, layout shift and the slowest answer in ms, of a visit with an empty cache."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.evaluate(OBSERVE)
    found = page.evaluate(ENTRIES)
    _press(page)
    slowest = page.evaluate("Math.max(0, ...window.__slow)")
    page.close()
    return [*found, slowest]


def _press(page: Page) -> None:
    for key in ["Tab", "Tab", "Tab", "Shift+Tab"]:
        page.keyboard.press(key)
        page.wait_for_timeout(60)
    tiles = page.locator(".tile")
    for place in range(min(tiles.count(), 3)) if page.locator("[aria-multiselectable=true]").count() else []:
        tiles.nth(place).click()
        page.wait_for_timeout(60)
    if page.locator("[role=listbox]").count():
        page.locator("[role=listbox]").first.focus()
        for key in ["ArrowRight", "ArrowDown", "Shift+ArrowDown", "Control+a", "Escape"]:
            page.keyboard.press(key)
            page.wait_for_timeout(60)


def _frames(browser: Browser, address: str, members: list[dict[str, Any]]) -> str:
    """A cluster that claims a hundred thousand images, scrolled at 20 and at 200 pixels a frame."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})

    def images(route: Route) -> None:
        start = int(route.request.url.partition("cursor=")[2] or 0)
        items = [members[n % len(members)] for n in range(start, start + 500)]
        cursor = str(start + 500) if start + 500 < LONG_LIST else None
        route.fulfill(json={"items": items, "next_cursor": cursor})

    def cluster(route: Route) -> None:
        route.fulfill(json=route.fetch().json() | {"size": LONG_LIST})

    page.route("**/v1/**/clusters/0/images?**", images)
    page.route("**/v1/**/clusters/0", cluster)
    page.goto(address)
    page.wait_for_selector(".tile img")
    rows = []
    for step in (20, 200):
        gaps = page.evaluate(SCROLL, {"step": step, "seconds": 4})
        late = sum(gap > 34 for gap in gaps) / len(gaps)
        rows.append(f"{step} px a frame: {1000 / statistics.mean(gaps):.0f} frames a second, {late:.1%} over 34 ms")
    tiles = page.locator(".tile").count()
    page.close()
    return f"{LONG_LIST} images in one cluster, {tiles} tiles in the page; " + "; ".join(rows)


if __name__ == "__main__":
    main()
