"""roost finetune, whole: read, train, compare, write the encoder and its report."""

import hashlib
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.folder import gallery as galleries
from app.folder import labels as known_labels
from app.folder.scan import some_pictures
from app.folder.stages import Stage, Stages
from app.report import training as report
from app.settings import Settings
from models.encoders.base import Encoder
from models.encoders.finetuned import REPORT

if TYPE_CHECKING:
    from models.ssl.finetune import Picture, Request, Tuned
    from models.ssl.params import Params

STAGES = {
    "start": "Starting the processes",
    "prepare": "Passing the frozen blocks",
    "train": "Training",
    "export": "Writing the encoder",
    "compare": "Comparing with the frozen one",
    "clusters": "Clustering with many k",
}


@dataclass(frozen=True)
class Asked:
    """`params` are those that were chosen; the method's defaults fill in the others."""

    folder: Path
    out: Path
    method: str
    base: Encoder
    params: dict[str, Any]
    labels: str | None
    device: str
    workers: int


@dataclass(frozen=True)
class Finetuned:
    """`encoder` is its folder, `seconds` by stage."""

    asked: Asked
    tuned: "Tuned"
    encoder: Path
    images: int
    rejected: int
    seconds: dict[str, float]


def finetune_folder(asked: Asked, params: "Params", stages: Stages) -> Finetuned:
    """Everything but the printing. A run that was stopped goes on when the same is asked again."""
    from models.ssl.checkpoint import FileCheckpoints
    from models.ssl.finetune import Place, finetune

    started = time.perf_counter()
    request, rejected = _request(asked, params, stages)
    shown: dict[str, Stage] = {}

    def progress(stage: str, done: int, total: int, unit: str) -> None:
        for name in [name for name in shown if name != stage]:
            shown.pop(name).finish()
        if stage not in shown:
            shown[stage] = stages.stage(stage, STAGES[stage], total)
        shown[stage](done, total)

    fresh, scratch = asked.out / "encoder.new", asked.out / "maps"
    checkpoint = asked.out / f"checkpoint-{_whose(request)}.pt"
    for folder in (fresh, scratch):
        shutil.rmtree(folder, ignore_errors=True)
    settings = Settings()
    place = Place(
        fresh, scratch, settings.encoder_cache, asked.device, asked.workers, processes=settings.train_processes
    )
    try:
        tuned = finetune(request, place, progress, FileCheckpoints(checkpoint))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    for stage in shown.values():
        stage.finish()
    checkpoint.unlink(missing_ok=True)
    seconds = stages.seconds | {"total": round(time.perf_counter() - started, 3)}
    return _written(asked, request, tuned, rejected, seconds)


def _request(asked: Asked, params: "Params", stages: Stages) -> "tuple[Request, int]":
    from models.ssl.finetune import Request

    with stages.stage("scan", "Looking for pictures"):
        files = some_pictures(asked.folder, asked.out)
    copies = asked.out / "copies"
    shutil.rmtree(copies, ignore_errors=True)
    gallery = galleries.decode(asked.folder, files, copies, stages)
    truth = known_labels.read(asked.labels, gallery.names) if asked.labels and gallery.names else {}
    name = f"{asked.folder.name}-{asked.method}"
    return Request(name, asked.method, asked.base, params, _pictures(gallery, truth)), len(gallery.rejected)


def _pictures(gallery: galleries.Gallery, truth: dict[str, str]) -> "list[Picture]":
    from models.ssl.finetune import Picture

    rows = zip(gallery.names, gallery.copies, gallery.hashes, strict=True)
    return [Picture(copy, digest, truth.get(name)) for name, copy, digest in rows]


def _whose(request: "Request") -> str:
    """A checkpoint fits only the very same training."""
    parts = [request.method, request.base.sha256(), request.params.model_dump_json()]
    parts += [picture.sha256 for picture in request.pictures]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _written(asked: Asked, request: "Request", tuned: "Tuned", rejected: int, seconds: dict[str, float]) -> Finetuned:
    """The new encoder takes the old one's place only now that it is whole."""
    encoder = asked.out / "encoder"
    shutil.rmtree(encoder, ignore_errors=True)
    tuned.encoder.folder.rename(encoder)
    report.write(report.of(tuned), asked.out / REPORT)
    result = tuned.result
    record = {
        "ended": result.ended, "epochs": result.history, "influence_of_k": tuned.k_curve,
        "frozen_share": result.frozen_share, "neighbours_found_by_share": result.tried,
    }  # fmt: skip
    (asked.out / "training.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return Finetuned(asked, tuned, encoder, len(request.pictures), rejected, seconds)
