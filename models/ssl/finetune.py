"""A whole fine-tuning on working copies: train, publish, measure beside the frozen encoder, judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models import registry
from models.embedding import embed
from models.encoders.base import Encoder
from models.encoders.finetuned import FinetunedEncoder, Recipe, fingerprint, publish
from models.engines import cuda_works, open_engine
from models.ssl.checks import check_images, check_network, fitting_batch
from models.ssl.compare import HeldOut, Measures, held_out, labelled, unlabelled
from models.ssl.k_curve import influence_of_k
from models.ssl.launch import processes, train_in_processes
from models.ssl.params import Params
from models.ssl.task import Recorded, Report, Task, train
from models.ssl.verdict import Vectors, Verdict, judge

if TYPE_CHECKING:
    from models.ssl.base import Method
    from models.ssl.checkpoint import Checkpoints
    from models.ssl.fit import Result


@dataclass(frozen=True)
class Picture:
    """An image: its working copy, the SHA-256 of its original, and its label if it is known."""

    path: Path
    sha256: str
    label: str | None = None


@dataclass(frozen=True)
class Request:
    name: str
    method: str
    base: Encoder
    params: Params
    pictures: Sequence[Picture]

    @property
    def labels(self) -> list[str | None] | None:
        """None when no picture has one."""
        found = [picture.label for picture in self.pictures]
        return found if any(label is not None for label in found) else None


@dataclass(frozen=True)
class Place:
    """Where and on what a fine-tuning runs. processes: how many train, 0 for one on each CUDA device."""

    folder: Path  # of the encoder to come; must not exist
    scratch: Path  # for what is thrown away after
    cache: Path  # of converted encoders, see open_engine
    device: str = "auto"
    workers: int = 1
    processes: int = 1


@dataclass(frozen=True)
class Tuned:
    """An encoder, its training, and how it compares with the one it comes from."""

    encoder: FinetunedEncoder
    params: Params
    result: Result
    frozen: Measures
    tuned: Measures
    verdict: Verdict
    held_out: list[int]  # which of the request's pictures
    k_curve: list[dict[str, float | None]]  # of a method that clusters, see k_curve.py


def finetune(
    request: Request,
    place: Place,
    report: Report,
    checkpoints: Checkpoints | None = None,
    recorded: Recorded | None = None,
) -> Tuned:
    """Fine-tunes the base encoder on the pictures, all but a tenth, which only measures.

    The labels are compared with and never trained on. A run that was killed goes on from its checkpoints.
    `recorded` gets what each epoch measured, see `fit`.
    Raises CannotTrain, NetworkUnsupported, BlocksOutOfRange, what `fit`, `train_in_processes` and `publish` raise, and
    what report raises.
    """
    check_images(len(request.pictures))
    kept_back = held_out([picture.sha256 for picture in request.pictures])
    aside = set(kept_back)
    trained = [picture for row, picture in enumerate(request.pictures) if row not in aside]
    params = fitting_batch(request.params, len(trained))
    method = build(request.method, params, request.base, len(trained))
    result = _train(method, request, trained, kept_back, place, report, checkpoints, recorded)
    params = params.model_copy(update={"frozen_share": result.frozen_share})
    report("export", 0, 1, "encoders")
    recipe = Recipe(
        name=request.name, base=request.base.name, method=request.method, params=params.model_dump(mode="json"),
        seed=params.seed, fingerprint=fingerprint(picture.sha256 for picture in trained), images=len(trained),
    )  # fmt: skip
    encoder = publish(method.trained().network, recipe, place.folder)
    report("export", 1, 1, "encoders")
    before, after, verdict, vectors = _compare(request, kept_back, encoder, place, report)
    k_curve = [] if method.clusters() is None else _influence_of_k(vectors, request, report)
    return Tuned(encoder, params, result, before, after, verdict, kept_back, k_curve)


def build(name: str, params: Params, base: Encoder, images: int) -> Method:
    """The method around a copy of the base encoder's network; its heads follow from the seed."""

    from models.ssl.backbone import Backbone
    from models.ssl.base import Setting
    from models.ssl.seeds import seed_globally

    found: type[Method] = registry.load("ssl.methods", name)
    encoder = Backbone(base.load(), base.dim, params.train_blocks, params.norm)
    check_network(found, name, encoder)
    seed_globally(params.seed, "weights")
    return found(encoder, params, Setting(images, base.input_size, base.mean, base.std))


def _train(
    method: Method,
    request: Request,
    trained: list[Picture],
    kept_back: list[int],
    place: Place,
    report: Report,
    checkpoints: Checkpoints | None,
    recorded: Recorded | None,
) -> Result:
    """In this process, or in several that give the same but for rounding."""
    labels = [picture.label for picture in trained]
    task = Task(
        method=request.method,
        params=method.params.model_dump(mode="json"),
        base=request.base.name,
        trained=[picture.path for picture in trained],
        held_out=[request.pictures[row].path for row in kept_back],
        labels=[str(label) for label in labels] if all(label is not None for label in labels) else None,
        device="cuda" if place.device != "cpu" and cuda_works() else "cpu",
        workers=place.workers,
    )
    count = processes(place.processes, task.device, method.params.batch_size)
    if count == 1:
        return train(method, task, task.device, place.scratch, report, checkpoints, recorded)
    return train_in_processes(method, task, count, place.scratch / "ranks", report, checkpoints, recorded)


def _compare(
    request: Request, kept_back: list[int], encoder: FinetunedEncoder, place: Place, report: Report
) -> tuple[Measures, Measures, Verdict, np.ndarray]:
    """Both encoders by the engine that serves them; and the vectors (N, D) of the tuned one."""
    paths = [picture.path for picture in request.pictures]
    views = HeldOut([paths[row] for row in kept_back], request.base.input_size, place.workers)
    found: list[Vectors] = []
    for one in (request.base, encoder):
        engine = open_engine(one, device=place.device, cache=place.cache)
        blocks: list[np.ndarray] = []
        for block in embed(paths, engine):
            blocks.append(block)
            report("compare", len(found) * len(paths) + sum(map(len, blocks)), 2 * len(paths), "images")
        found.append(Vectors(np.concatenate(blocks), views.vectors(engine)))
    frozen, tuned = found
    before, after = (unlabelled(one.plain[kept_back], one.views) | labelled(one.plain, request.labels) for one in found)
    return before, after, judge(frozen, tuned, kept_back), tuned.plain


def _influence_of_k(vectors: np.ndarray, request: Request, report: Report) -> list[dict[str, float | None]]:
    return influence_of_k(
        vectors, request.labels, request.params.seed, lambda done, total: report("clusters", done, total, "values of k")
    )
