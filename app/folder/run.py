"""roost cluster, whole: read, embed, cluster, judge, write the table and the report."""

import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from app.folder import gallery as galleries
from app.folder import labels as known_labels
from app.folder.gallery import Gallery
from app.folder.layout import check_ours, lay_out
from app.folder.scan import NothingToDo, some_pictures
from app.folder.stages import Stages
from app.report.report import Report, ReportCluster, ReportImage, write, write_csv
from models import registry
from models.clustering.base import OUTLIER, Clustering
from models.clustering.choose_k import Suggestions
from models.clustering.outliers import atypical
from models.clustering.outliers import scores as outlier_scores
from models.clustering.representatives import cohesion
from models.clustering.run import AUTO, best_for
from models.clustering.run import run as run_algorithm
from models.encoders.base import Encoder

CLUSTERS = "clusters"  # the pictures by cluster, below the request's `out`


@dataclass(frozen=True)
class Request:
    folder: Path
    out: Path
    encoder: Encoder
    algorithm: str
    k: int | Literal["auto"]
    seed: int
    labels: str | None
    device: str
    folders: bool = False  # whether the pictures are laid out by cluster too


@dataclass(frozen=True)
class Sorted:
    """The result of a run. `seconds` by stage; `scores` against labels, `metrics` without."""

    request: Request
    gallery: Gallery
    algorithm: str
    clustering: Clustering
    suggestions: Suggestions | None
    outliers: np.ndarray
    cohesion: np.ndarray
    metrics: dict[str, float | None]
    scores: dict[str, Any] | None
    truth: dict[str, str] | None
    seconds: dict[str, float]

    @property
    def numbers(self) -> list[int]:
        """Of the clusters, and -1 when images are in none."""
        return [*range(self.clustering.k), *([OUTLIER] if (self.clustering.labels == OUTLIER).any() else [])]

    @property
    def images_per_s(self) -> float:
        return round(len(self.gallery.names) / self.seconds["total"], 1)


def sort_folder(request: Request, stages: Stages) -> Sorted:
    """Everything but the printing. Raises NothingToDo, LabelsUnreadable, and what models raise with a `code`."""
    started = time.perf_counter()
    if request.folders:
        check_ours(request.out / CLUSTERS)
    with stages.stage("scan", "Looking for pictures"):
        files = some_pictures(request.folder, request.out)
    copies = request.out / "thumbs"
    shutil.rmtree(copies, ignore_errors=True)
    gallery = galleries.read(request.folder, files, copies, request.encoder, request.device, stages)
    if not gallery.names:
        first = gallery.rejected[0]
        raise NothingToDo(f"none of the {len(files)} files can be read; {first.name}: {first.detail}")
    truth = known_labels.read(request.labels, gallery.names) if request.labels else None
    with stages.stage("cluster", "Clustering") as advance:
        name = best_for(len(gallery.names)) if request.algorithm == AUTO else request.algorithm
        algorithm = registry.load("clustering", name)
        made = run_algorithm(algorithm, gallery.vectors, request.k, algorithm.Params(), request.seed, advance)
        found = made.found
    with stages.stage("judge", "Measuring"):
        metrics, scores = _judge(gallery, found, truth, request.seed)
    odd = atypical(outlier_scores(gallery.vectors, found))
    result = Sorted(
        request,
        gallery,
        name,
        found,
        made.suggestions,
        odd,
        cohesion(found),
        metrics,
        scores,
        truth or None,
        stages.seconds,
    )
    with stages.stage("report", "Writing the report"):
        stages.seconds["total"] = round(time.perf_counter() - started, 3)
        _write(result)
    stages.seconds["total"] = round(time.perf_counter() - started, 3)
    return result


def _judge(
    gallery: Gallery, found: Clustering, truth: dict[str, str] | None, seed: int
) -> tuple[dict[str, float | None], dict[str, Any] | None]:
    from models.evaluation import labelled, unlabelled

    metrics = unlabelled.metrics(gallery.vectors, found, seed)
    rows = [i for i, name in enumerate(gallery.names) if truth and name in truth]
    if not truth or not rows:
        return metrics, None
    labels = [truth[gallery.names[i]] for i in rows]
    scores = labelled.score(found.labels[rows].tolist(), labels)
    if len(rows) > 1:
        scores["neighbour_accuracy"] = labelled.neighbour_accuracy(gallery.vectors[rows], labels)
    return metrics, scores


def _members(result: Sorted, number: int) -> list[int]:
    """Rows of a cluster, most typical first."""
    rows = np.flatnonzero(result.clustering.labels == number)
    return [int(row) for row in rows[np.argsort(result.clustering.distances[rows], kind="stable")]]


def _tightness(result: Sorted, number: int) -> float:
    """Cohesion; of those in no cluster, how near they are to some."""
    return float(
        result.cohesion[number] if number >= 0 else 1 - result.clustering.distances[_members(result, number)].mean()
    )


def _write(result: Sorted) -> None:
    out, names = result.request.out, result.gallery.names
    found = result.clustering
    truth = result.truth or {}
    write_csv(
        (
            (
                names[row],
                None if number == OUTLIER else number,
                truth.get(names[row], ""),
                float(found.distances[row]),
                bool(result.outliers[row]),
            )
            for number in result.numbers
            for row in _members(result, number)
        ),
        out / "clusters.csv",
    )
    if result.request.folders:
        homes = ((number, [names[row] for row in _members(result, number)]) for number in result.numbers)
        lay_out(result.request.folder, homes, out / CLUSTERS)
    write(_report(result), out / "report.html")


def _report(result: Sorted) -> Report:
    request, gallery, found = result.request, result.gallery, result.clustering

    def image(row: int) -> ReportImage:
        original = (request.folder / gallery.names[row]).resolve().as_uri()
        return ReportImage(gallery.names[row], f"thumbs/{gallery.copies[row].name}", float(found.distances[row]),
                           bool(result.outliers[row]), original)  # fmt: skip

    clusters = [
        ReportCluster(number, None, _tightness(result, number), [image(row) for row in _members(result, number)])
        for number in result.numbers
    ]
    return Report(
        title=request.folder.resolve().name, created_at=datetime.now(UTC), encoder=request.encoder.name,
        algorithm=result.algorithm, k=found.k, seed=request.seed, images=len(gallery.names),
        rejected=[(one.name, one.code, one.detail) for one in gallery.rejected], duplicates=gallery.duplicates,
        metrics=result.metrics, scores=result.scores, seconds=dict(result.seconds), images_per_s=result.images_per_s,
        clusters=clusters, truth=result.truth,
    )  # fmt: skip
