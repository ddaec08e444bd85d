"""A folder's pictures read and embedded, both at once: while some are embedded, the next are decoded."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np

from app.folder.stages import Stage, Stages
from app.settings import Settings
from models.encoders.base import Encoder
from models.engines.base import Engine
from models.guard import Guard, Outcome, Task
from models.images import ImageRejected, check_header


@dataclass(frozen=True)
class Rejected:
    name: str
    code: str
    detail: str


@dataclass
class Gallery:
    """Readable pictures, each once: `names` relative to the folder, `copies` their working copies, `hashes` the SHA-256
    of their files, `vectors` (N, D)."""

    folder: Path
    names: list[str] = field(default_factory=list)
    copies: list[Path] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    duplicates: list[tuple[str, str]] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    vectors: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))


def read(folder: Path, files: list[Path], copies: Path, encoder: Encoder, device: str, stages: Stages) -> Gallery:
    """Decode the files into `copies` in guarded processes and embed each as soon as its copy is there.

    The processes begin before this one has loaded the network, so that no core waits for the other's imports.
    """
    copies.mkdir(parents=True, exist_ok=True)
    gallery = Gallery(folder)
    outcomes: list[Outcome] = []
    with Guard() as guard, ThreadPoolExecutor(1) as pool:
        reading = stages.stage("ingest", "Reading pictures", len(files))
        tasks = guard.map(_tasks(folder, files, copies, gallery.rejected))
        ready = _ready(tasks, outcomes, gallery.rejected, reading)
        opening = pool.submit(_open, encoder, device)
        early = list(_until(opening, ready))
        vectors = _vectors(chain(early, ready), opening.result(), stages, len(files))
    _settle(gallery, files, outcomes, vectors)
    return gallery


def decode(folder: Path, files: list[Path], copies: Path, stages: Stages) -> Gallery:
    """Decode the files into `copies` without embedding them: the gallery's vectors are (N, 0)."""
    copies.mkdir(parents=True, exist_ok=True)
    gallery = Gallery(folder)
    outcomes: list[Outcome] = []
    with Guard() as guard:
        reading = stages.stage("ingest", "Reading pictures", len(files))
        tasks = guard.map(_tasks(folder, files, copies, gallery.rejected))
        count = sum(1 for _ in _ready(tasks, outcomes, gallery.rejected, reading))
    _settle(gallery, files, outcomes, np.empty((count, 0), np.float32))
    return gallery


def _open(encoder: Encoder, device: str) -> Engine:
    from models.engines import open_engine

    settings = Settings()
    return open_engine(encoder, device=device, cache=settings.encoder_cache, precision=settings.precision)


def _tasks(folder: Path, files: list[Path], copies: Path, rejected: list[Rejected]) -> Iterator[Task]:
    for path in files:
        name = path.relative_to(folder).as_posix()
        try:
            check_header(path, name)
        except ImageRejected as error:
            rejected.append(Rejected(name, error.code, error.detail))
        else:
            digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:20]
            yield Task(source=path, target=copies / f"{digest}.jpg", name=name)


def _ready(
    results: Iterator[Outcome], outcomes: list[Outcome], rejected: list[Rejected], reading: Stage
) -> Iterator[Path]:
    """Working copies as they get ready; every outcome is noted in `outcomes`."""
    for outcome in results:
        outcomes.append(outcome)
        reading(len(outcomes) + len(rejected))
        if outcome.ready and outcome.task.target:
            yield outcome.task.target
    reading.finish()


def _until(opening: Future[Engine], ready: Iterator[Path]) -> Iterator[Path]:
    """What gets ready while the network is being opened."""
    while not opening.done() and (path := next(ready, None)):
        yield path


def _vectors(ready: Iterator[Path], engine: Engine, stages: Stages, total: int) -> np.ndarray:
    """(N, D), in the order in which the copies got ready."""
    from models.embedding import embed

    blocks = [np.empty((0, engine.dim), np.float32)]
    with stages.stage("embed", "Embedding", total) as embedding:
        done = 0
        for block in embed(ready, engine):
            blocks.append(block)
            done += len(block)
            embedding(done)
        embedding(done, done)
    return np.concatenate(blocks)


def _settle(gallery: Gallery, files: list[Path], outcomes: list[Outcome], vectors: np.ndarray) -> None:
    """Bring all into the order of names, whatever order the processes finished in; of equal files the first counts."""
    row_of = {outcome.task.source: row for row, outcome in enumerate(one for one in outcomes if one.ready)}
    outcome_of = {outcome.task.source: outcome for outcome in outcomes}
    rows: list[int] = []
    seen: dict[str | None, str] = {}
    for outcome in (outcome_of[path] for path in files if path in outcome_of):
        task = outcome.task
        if not outcome.ready:
            gallery.rejected.append(Rejected(task.name, outcome.code or "", outcome.detail or ""))
        elif outcome.sha256 in seen:
            gallery.duplicates.append((task.name, seen[outcome.sha256]))
        elif task.target:
            seen[outcome.sha256] = task.name
            gallery.names.append(task.name)
            gallery.copies.append(task.target)
            gallery.hashes.append(str(outcome.sha256))
            rows.append(row_of[task.source])
    gallery.rejected.sort(key=lambda one: one.name)
    gallery.vectors = vectors[rows]
