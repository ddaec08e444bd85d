"""From a report to what its page shows: links made safe, clusters cut to a bearable length, labels counted."""

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from app.report.report import ReportCluster, ReportImage

FIRST = 200  # tiles of a cluster that are shown at once; the others wait in a closed <details>
MOST = 20_000  # tiles of a page: what a browser takes in at once; the rest is in clusters.csv
HUES = 10  # colours for labels, `.hue-0` to `.hue-9` of the style sheet


@dataclass(frozen=True)
class Tile:
    name: str
    thumbnail: str
    original: str
    distance: float
    outlier: bool
    label: str | None
    strange: bool
    """its label is not that of most of its cluster"""


@dataclass(frozen=True)
class Share:
    """A label's part of a cluster: a segment of the bar, from `start` on, `width` wide (percent)."""

    label: str
    count: int
    start: float
    width: float
    hue: int


@dataclass(frozen=True)
class Section:
    """A cluster on the page. `bar` is its size in percent of the largest cluster's; `left_out` tiles are not shown."""

    number: int
    title: str
    label: str | None
    cohesion: float
    size: int
    outliers: int
    bar: float
    first: list[Tile]
    rest: list[Tile]
    left_out: int
    shares: list[Share]

    @property
    def known(self) -> int:
        """Images whose label is known."""
        return sum(share.count for share in self.shares)


def sections(clusters: Sequence["ReportCluster"], truth: Mapping[str, str] | None) -> list[Section]:
    """The clusters in their order, each cut so that the page holds at most MOST tiles."""
    truth = truth or {}
    total = sum(len(cluster.images) for cluster in clusters)
    largest = max((len(cluster.images) for cluster in clusters), default=0)
    hues = {label: i % HUES for i, label in enumerate(sorted(set(truth.values())))}
    return [_section(cluster, truth, hues, largest, min(1.0, MOST / max(total, 1))) for cluster in clusters]


def _section(
    cluster: "ReportCluster", truth: Mapping[str, str], hues: Mapping[str, int], largest: int, part: float
) -> Section:
    counts = Counter(truth[image.name] for image in cluster.images if image.name in truth)
    usual = counts.most_common(1)[0][0] if counts else None
    ordered = sorted(cluster.images, key=lambda image: image.outlier)  # stable: typical first, outliers last
    kept = ordered[: max(FIRST, int(len(ordered) * part))] if part < 1 else ordered
    tiles = [_tile(image, truth.get(image.name), usual) for image in kept]
    return Section(
        number=cluster.number,
        title="Not placed" if cluster.number < 0 else f"Cluster {cluster.number}",
        label=cluster.label and shown(cluster.label),
        cohesion=cluster.cohesion,
        size=len(ordered),
        outliers=sum(image.outlier for image in ordered),
        bar=100 * len(ordered) / max(largest, 1),
        first=tiles[:FIRST],
        rest=tiles[FIRST:],
        left_out=len(ordered) - len(tiles),
        shares=_shares(counts, hues),
    )


def _tile(image: "ReportImage", label: str | None, usual: str | None) -> Tile:
    thumbnail = link(image.thumbnail)
    original = link(image.original) if image.original else thumbnail
    known = shown(label) if label is not None else None
    strange = label is not None and label != usual
    return Tile(shown(image.name), thumbnail, original, image.distance, image.outlier, known, strange)


def _shares(counts: Counter[str], hues: Mapping[str, int]) -> list[Share]:
    total, start, shares = sum(counts.values()), 0.0, []
    for label, count in counts.most_common():
        width = 100 * count / total
        shares.append(Share(shown(label), count, start, width, hues[label]))
        start += width
    return shares


def link(url: str) -> str:
    """A link that can only lead to a file: data:image and file: URIs as they are, everything else as a relative path.

    Quoting the colon too is what keeps a path named `javascript:...` a path.
    """
    if url.startswith(("data:image/", "file:")):
        return url
    return quote(url.encode("utf-8", "surrogateescape"), safe="/")


def shown(text: str) -> str:
    """`text` as it can stand in a page: control characters as their pictures (U+2400 on), lone surrogates escaped."""
    whole = text.encode("utf-8", "backslashreplace").decode()
    return "".join(_picture(c) if unicodedata.category(c) == "Cc" else c for c in whole)


def _picture(control: str) -> str:
    code = ord(control)
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"
