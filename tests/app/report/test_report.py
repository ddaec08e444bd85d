"""What stands in a written report, read back by an HTML parser."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from app.report import report as module
from app.report.report import Report, ReportCluster, ReportImage, write
from app.report.view import FIRST, shown
from tests.app.report.conftest import HOSTILE


class Page(HTMLParser):
    """Every element with its attributes, every link of a tile, and the texts of <bdi>, <style> and <script>."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {"bdi": [], "style": [], "script": [], "all": []}
        self._open: str | None = None
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._open = tag if tag in self.texts else None
        if self._open:
            self.texts[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = None

    def handle_data(self, data: str) -> None:
        self.texts["all"].append(data)
        if self._open:
            self.texts[self._open][-1] += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts["all"]).split())


@pytest.fixture
def page(report: Report, tmp_path: Path) -> Page:
    write(report, tmp_path / "report.html")
    return Page(tmp_path / "report.html")


def sources(page: Page) -> list[str]:
    return [unquote(attrs["src"], errors="surrogateescape") for attrs in page.all("img") if "src" in attrs]


def test_every_image_stands_there_once(report: Report, page: Page) -> None:
    expected = [image.thumbnail for cluster in report.clusters for image in cluster.images]
    assert sorted(sources(page)) == sorted(expected)


def test_order_is_kept_but_outliers_come_last_and_are_marked(page: Page) -> None:
    assert sources(page)[:20] == [f"thumbs/{i}.jpg" for i in [*range(4), *range(5, 20), 4]]
    assert sum("outlier" in attrs.get("class", "").split() for attrs in page.all("li")) == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_text(page: Page, name: str) -> None:
    assert shown(name) in page.texts["bdi"]


def test_names_add_no_element_no_handler_and_no_scheme(page: Page) -> None:
    assert len(page.all("script")) == 1
    for tag, attrs in page.elements:
        assert not [name for name in attrs if name.startswith("on") or name == "style"], tag
        for link in (attrs.get("href", ""), attrs.get("src", "")):
            scheme = re.match(r"([a-z][a-z0-9+.-]*):", link)
            assert scheme is None or (scheme[1] == "data" and tag == "link")


def test_a_name_with_url_characters_leads_to_its_file(page: Page) -> None:
    assert "thumbs/hash%23query%3Fpercent%25.jpg" in [attrs.get("src") for attrs in page.all("img")]


def test_names_read_from_right_to_left_are_isolated(page: Page) -> None:
    assert any("\u202e" in text for text in page.texts["bdi"])
    outside = "".join(page.texts["all"])
    assert outside.count("\u202e") == sum(text.count("\u202e") for text in page.texts["bdi"])


def test_nothing_is_fetched_from_a_network(page: Page, tmp_path: Path) -> None:
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://(?!www\.w3\.org)", text, re.IGNORECASE)
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest", text)


def test_the_policy_lets_in_exactly_this_style_and_script(page: Page) -> None:
    (policy,) = [attrs["content"] for attrs in page.all("meta") if "http-equiv" in attrs]
    for kind in ("style", "script"):
        (text,) = page.texts[kind]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy and "unsafe" not in policy


def test_the_numbers_and_tables_are_there(page: Page) -> None:
    for part in ("Garden <2026>", "29 images", "wren & robin", "95% wren , 1 robin", "image_corrupt", "ends <early>",
                 "<b>x</b>.jpg", "copy.jpg", "Silhouette 0.25", "Davies-Bouldin not defined", "NMI 0.90",
                 "read 1.0 s", "embed 3.0 s", "together 4.5 s", "20 labelled images."):  # fmt: skip
        assert part in page.text or part in _numbers(page), part


def _numbers(page: Page) -> str:
    """The header's pairs read value first, as they are displayed."""
    return re.sub(r"images (\d+) clusters", r"\1 images ", page.text)


def test_a_label_that_differs_from_its_cluster_is_named_on_the_tile(report: Report, tmp_path: Path) -> None:
    write(report, tmp_path / "report.html")
    tiles = re.findall(r"<li.*?</li>", (tmp_path / "report.html").read_text(), re.DOTALL)
    marked = [tile for tile in tiles if "<b><bdi>robin</bdi></b>" in tile]
    assert len(marked) == 1 and "wren/0000.jpg" in marked[0]


def test_a_report_without_labels_metrics_or_images(report: Report, tmp_path: Path) -> None:
    bare = replace(report, truth=None, scores=None, metrics={}, seconds={}, rejected=[], duplicates=[], images=0,
                   clusters=[ReportCluster(0, None, 0.0, [])])  # fmt: skip
    write(bare, tmp_path / "report.html")
    page = Page(tmp_path / "report.html")
    assert "Against the labels" not in page.text and "Set aside" not in page.text
    assert not sources(page)


def test_a_large_cluster_shows_its_first_and_keeps_the_rest_closed(report: Report, tmp_path: Path) -> None:
    images = [ReportImage(f"{i}.jpg", f"thumbs/{i}.jpg", i / 1000) for i in range(FIRST + 50)]
    write(replace(report, clusters=[ReportCluster(0, None, 0.5, images)]), tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    before, after = text.split("<details>")
    assert before.count('<li><a href="thumbs') == FIRST and after.count('<li><a href="thumbs') == 50
    assert "50 more images of this cluster" in after


def test_what_a_page_cannot_hold_is_counted(report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.report.view.MOST", 300)
    clusters = [ReportCluster(n, None, 0.5, [ReportImage(f"{n}/{i}", f"t/{n}{i}.jpg", 0.1) for i in range(400)])
                for n in range(2)]  # fmt: skip
    write(replace(report, clusters=clusters, truth=None), tmp_path / "report.html")
    page = Page(tmp_path / "report.html")
    assert len(sources(page)) == 2 * FIRST  # never fewer than the first of each
    assert page.text.count("200 images of this cluster are not shown") == 2


def test_a_failed_write_leaves_the_old_report(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write(report, path)
    old = path.read_bytes()
    with pytest.raises(TypeError):
        write(replace(report, images=None), path)  # type: ignore[arg-type]
    assert path.read_bytes() == old
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_assets_do_not_close_their_own_element() -> None:
    for name in ("report.css", "report.js"):
        assert "</" not in module._asset(name)
