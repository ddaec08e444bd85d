"""A folder's pictures read and embedded."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.folder.stages import Stages
from app.settings import Settings
from models import registry
from models.embedding import embed
from models.engines import open_engine
from models.guard import Guard, Outcome, Task
from models.images import ImageRejected, check_header


@dataclass(frozen=True)
class Rejected:
    name: str
    code: str
    detail: str


@dataclass
class Gallery:
    """Readable pictures, each once: `names` relative to the folder, `copies` their working copies, `vectors` (N, D)."""

    folder: Path
    names: list[str] = field(default_factory=list)
    copies: list[Path] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    duplicates: list[tuple[str, str]] = field(default_factory=list)
    vectors: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))


def read(folder: Path, files: list[Path], copies: Path, encoder: str, device: str, stages: Stages) -> Gallery:
    """Decode the files into `copies` and embed them. Opening the network overlaps with decoding."""
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(open_engine, encoder, device=device, cache=Settings().encoder_cache)
        gallery = _ingest(folder, files, copies, stages)
        if not gallery.names:
            return gallery
        with stages.stage("open", f"Opening {encoder}"):
            engine = opening.result()
    vectors = np.empty((len(gallery.names), registry.load("encoders", encoder).dim), np.float32)
    with stages.stage("embed", "Embedding", len(gallery.names)) as advance:
        done = 0
        for block in embed(gallery.copies, engine):
            vectors[done : done + len(block)] = block
            done += len(block)
            advance(done)
    gallery.vectors = vectors
    return gallery


def _ingest(folder: Path, files: list[Path], copies: Path, stages: Stages) -> Gallery:
    gallery = Gallery(folder)
    outcomes: dict[Path, Outcome] = {}
    with stages.stage("ingest", "Reading pictures", len(files)) as advance, Guard() as guard:
        for outcome in guard.map(_tasks(folder, files, copies, gallery.rejected)):
            outcomes[outcome.task.source] = outcome
            advance(len(outcomes) + len(gallery.rejected))
    seen: dict[str, str] = {}
    for path in files:  # in the order of names, whatever order the processes finished in
        if path in outcomes:
            _take(gallery, outcomes[path], seen)
    gallery.rejected.sort(key=lambda one: one.name)
    return gallery


def _tasks(folder: Path, files: list[Path], copies: Path, rejected: list[Rejected]) -> Iterator[Task]:
    copies.mkdir(parents=True, exist_ok=True)
    for path in files:
        name = path.relative_to(folder).as_posix()
        try:
            check_header(path, name)
        except ImageRejected as error:
            rejected.append(Rejected(name, error.code, error.detail))
        else:
            digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:20]
            yield Task(source=path, target=copies / f"{digest}.jpg", name=name)


def _take(gallery: Gallery, outcome: Outcome, seen: dict[str, str]) -> None:
    """Note what became of one file; of equal files the first counts."""
    task = outcome.task
    assert task.target is not None
    if outcome.code:
        gallery.rejected.append(Rejected(task.name, outcome.code, outcome.detail or ""))
    elif outcome.sha256 in seen:
        task.target.unlink(missing_ok=True)
        gallery.duplicates.append((task.name, seen[outcome.sha256]))
    else:
        seen[str(outcome.sha256)] = task.name
        gallery.names.append(task.name)
        gallery.copies.append(task.target)
