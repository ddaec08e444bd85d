"""report.html: every picture of a run by cluster, in one file that opens without a server or a network."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from app.report.atomic import replacing
from app.report.measures import measures
from app.report.table import write_csv
from app.report.view import MOST, Section, sections, shown

__all__ = ["Report", "ReportCluster", "ReportImage", "write", "write_csv"]


@dataclass(frozen=True)
class ReportImage:
    """One picture.

    `thumbnail` is the relative path of a JPEG beside the report or a data: URI, `original` a relative path or a file:
    URI, `distance` the cosine distance to the centre of its cluster.
    """

    name: str
    thumbnail: str
    distance: float
    outlier: bool = False
    original: str | None = None


@dataclass(frozen=True)
class ReportCluster:
    """A cluster; `images` with the most typical first. A number below 0 is for images that were not placed."""

    number: int
    label: str | None
    cohesion: float
    images: Sequence[ReportImage]


@dataclass(frozen=True)
class Report:
    """All that a report says. `scores` is against labels; `truth` (name -> label) is shown as a hint."""

    title: str
    created_at: datetime
    encoder: str
    algorithm: str
    k: int
    seed: int
    images: int
    rejected: Sequence[tuple[str, str, str]]
    """(name, code, detail)"""
    duplicates: Sequence[tuple[str, str]]
    """(name, the name it has the same bytes as)"""
    metrics: Mapping[str, float | None]
    scores: Mapping[str, float] | None
    seconds: Mapping[str, float]
    images_per_s: float
    clusters: Sequence[ReportCluster]
    truth: Mapping[str, str] | None


def write(report: Report, path: Path) -> None:
    """Render `report` to `path`, atomically. Raises OSError as the file system does."""
    style, script = _asset("report.css"), _asset("report.js")
    clusters = sections(report.clusters, report.truth)
    style += _heights(clusters)
    page = _template().generate(
        report=report, title=shown(report.title), clusters=clusters,
        metrics=measures(report.metrics), scores=measures(report.scores or {}),
        stages=_stages(report.seconds), total=report.seconds.get("total") or sum(report.seconds.values()),
        rejected=[(shown(name), code, shown(detail)) for name, code, detail in report.rejected],
        duplicates=[(shown(name), shown(same)) for name, same in report.duplicates],
        style=style, script=script, policy=_policy(style, script), most=MOST,
    )  # fmt: skip
    with replacing(path) as file:
        file.writelines(page)


def _asset(name: str) -> str:
    return files("app.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("app.report", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("report.html.j2")


def _policy(style: str, script: str) -> str:
    """The Content-Security-Policy: nothing from anywhere, but this page's own style, script and the pictures beside it.

    The style and the script are let in by hash, so nothing that a file's name smuggled in could run.
    A page opened as file:// has no origin that 'self' could mean, hence file: as well.
    """

    def digest(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    return (
        f"default-src 'none'; img-src 'self' data: file:; style-src {digest(style)}; script-src {digest(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _heights(clusters: Sequence[Section]) -> str:
    """A guess at each section's height, for the browser to keep the scroll bar steady before it lays the section out.

    Seven tiles, 113 px high, in a row as on a laptop, the first as large as four; the true height counts once known.
    """
    return "".join(
        f"#c{cluster.number}{{contain-intrinsic-height:auto {84 + 113 * ((len(cluster.first) + 9) // 7)}px}}"
        for cluster in clusters
    )


def _stages(seconds: Mapping[str, float]) -> list[tuple[str, float, float, float]]:
    """(name, seconds, where its bar starts, its width), the last two in percent of all stages."""
    parts = {name: taken for name, taken in seconds.items() if name != "total"}
    whole, start, stages = sum(parts.values()) or 1.0, 0.0, []
    for name, taken in parts.items():
        stages.append((name, taken, start, 100 * taken / whole))
        start += 100 * taken / whole
    return stages
