"""Ours beside lightly's modules in a plain loop: what is learnt, and how fast, on the very same views.

Both train in turns, a block of steps each, on batches that were made before the clock started; a ratio is that of two
neighbouring blocks, so that whatever else the machine does meets both alike. Then both make their views themselves.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from statistics import mean, median
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from benchmarks.results import Results, Row, percent, table
from benchmarks.ssl.cifar import Cifar
from benchmarks.ssl.lightly_models import BYOL, DINO, MoCo, Peer, SimCLR
from benchmarks.ssl.probe import probe
from benchmarks.ssl.recipes import RECIPES, build
from models.ssl.base import Method
from models.ssl.dataset import Key, ViewDataset
from models.ssl.fit import Run, fit
from models.ssl.plan import Plan
from models.ssl.seeds import generator, seed_globally

SEEDS = (0, 1)
BLOCK = 5  # steps; a machine that others share changes its speed within seconds
BATCH = 128
WHOLE_IMAGES = 30 * BATCH  # of the loops that make their views themselves
ROUNDS = 3  # of those
HEAD = ["method", "kNN, ours", "kNN, lightly", "linear, ours", "linear, lightly", "images/s, ours", "images/s, lightly",
        "ratio, ready views", "images/s, ours, making views", "images/s, lightly, making views", "ratio"]  # fmt: skip
Ready = dict[str, Tensor]


class Contest(NamedTuple):
    name: str
    peer: type[Peer]
    params: dict[str, Any]  # of ours, beside those of the recipe


CONTESTS = [
    Contest("simclr", SimCLR, {}),
    Contest("moco", MoCo, {}),
    Contest("moco, keys whole", MoCo, {"parts": 1}),  # as in lightly's one process
    Contest("byol", BYOL, {}),
    Contest("dino", DINO, {}),
]


def run(steps: int, data: Cifar, workers: int, results: Results) -> None:
    for one in CONTESTS:
        for seed in SEEDS:
            results.measured(
                partial(side_by_side, one, seed, steps, data),
                part="lightly", name=one.name, seed=seed, steps=steps,
            )  # fmt: skip
        results.measured(partial(whole_loops, one, data, workers), part="lightly, whole", name=one.name)
        lines = [cells(contest.name, steps, results) for contest in CONTESTS]
        text = table(HEAD, [line for line in lines if line])
        print(text, flush=True)
        results.show("lightly", f"{steps} steps, mean of seeds {' and '.join(map(str, SEEDS))}.\n\n{text}")


class PlainLoop:
    """A step as one writes it by hand, with our optimizer, its groups, clipping and schedule."""

    def __init__(self, peer: Peer, ours: Method, plan: Plan) -> None:
        self.peer, self.ours, self.plan = peer, ours, plan
        trained = [parameter for parameter in peer.parameters() if parameter.requires_grad]
        groups = [
            {"params": [one for one in trained if one.ndim > 1], "weight_decay": ours.params.weight_decay},
            {"params": [one for one in trained if one.ndim <= 1], "weight_decay": 0.0},
        ]
        self.trained, self.optimizer = trained, torch.optim.AdamW(groups, lr=ours.params.lr)
        peer.train()

    def step(self, batch: Ready, epoch: int) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.ours.params.lr * self.plan.rate()
        loss = self.peer.loss(batch, epoch, self.ours.momentum(self.plan.t), self._temperature())
        self.optimizer.zero_grad()
        loss.backward()
        self.peer.after_backward(epoch)
        nn.utils.clip_grad_norm_(self.trained, self.ours.params.clip)
        self.optimizer.step()
        self.plan.done += 1

    def _temperature(self) -> float:
        """The teacher's, for DINO: up to its last value as in our method."""
        first, last, share = (
            getattr(self.ours.params, name, 1.0)
            for name in ("first_temperature", "teacher_temperature", "temperature_warmup")
        )
        return float(first + (last - first) * min(1.0, self.plan.t / share if share else 1.0))


def pair(contest: Contest, seed: int, steps: int, data: Cifar) -> tuple[Run, PlainLoop]:
    """Both around copies of one network."""
    method = contest.peer.name
    recipe = next(one for one in RECIPES if one.method == method and one.params.get("version") != "v1")
    epochs = math.ceil(steps / (len(data.train) // BATCH))
    params = recipe.params | contest.params
    ours = build(method, data, **params, epochs=epochs, max_minutes=None, seed=seed)
    seed_globally(seed, "lightly's heads")
    theirs = contest.peer(ours)
    loop = Run(ours, data.train, None, "cpu", 0, None, math.inf, None, *[lambda _: None] * 2)
    loop.plan.total = steps
    return loop, PlainLoop(theirs, ours, Plan(steps, ours.params.warmup))


def side_by_side(contest: Contest, seed: int, steps: int, data: Cifar) -> Row:
    ours, theirs = pair(contest, seed, steps, data)
    seconds: list[dict[str, float]] = []
    for number, (epoch, block) in enumerate(blocks(ours)):
        contestants: list[tuple[str, Callable[[], None]]] = [
            ("ours", partial(our_steps, ours, block)),
            ("theirs", partial(their_steps, theirs, block, epoch)),
        ]
        if number % 2:
            contestants.reverse()
        seconds.append({name: timed(work) / (BATCH * len(block)) for name, work in contestants})
    seconds = seconds[1:] or seconds  # in the first block memory is allocated
    return {
        "ours": probe(ours.method.trained(), data),
        "theirs": probe(theirs.peer.backbone, data),
        "images_per_s": {name: 1 / median(one[name] for one in seconds) for name in ("ours", "theirs")},
        "ratio": median(one["theirs"] / one["ours"] for one in seconds),
        "blocks": len(seconds),
    }


def blocks(run: Run) -> Iterator[tuple[int, list[Ready]]]:
    """The batches of our loop, with the number of their epoch, up to the last step of its plan."""
    made = 0
    while made < run.plan.total:
        run.step = 0
        run.method.start_epoch(run)
        run.method.train()
        batches = run.gallery.batches(run._keys())
        while block := list(islice(batches, min(BLOCK, run.plan.total - made))):
            made += len(block)
            yield run.epoch, block
        run.epoch += 1


def our_steps(run: Run, block: list[Ready]) -> None:
    for batch in block:
        run._step(batch)
        run._after_step()


def their_steps(loop: PlainLoop, block: list[Ready], epoch: int) -> None:
    for batch in block:
        loop.step(batch, epoch)


def whole_loops(contest: Contest, data: Cifar, workers: int) -> Row:
    """An epoch of few images in which each makes its views, in so many worker processes."""
    few = Cifar(data.train[:WHOLE_IMAGES], data.train_labels[:WHOLE_IMAGES], data.test, data.test_labels)
    rounds: list[dict[str, float]] = []
    for number in range(ROUNDS):
        contestants: list[tuple[str, Callable[[], float]]] = [
            ("ours", partial(our_epoch, contest, number, few, workers)),
            ("theirs", partial(their_epoch, contest, number, few, workers)),
        ]
        if number % 2:
            contestants.reverse()
        rounds.append({name: seconds() for name, seconds in contestants})
    return {
        "images_per_s": {name: len(few.train) / median(one[name] for one in rounds) for name in ("ours", "theirs")},
        "ratio": median(one["theirs"] / one["ours"] for one in rounds),
    }


def our_epoch(contest: Contest, seed: int, few: Cifar, workers: int) -> float:
    """Seconds of `fit`, without the health that it measures after the epoch."""
    ours, _ = pair(contest, seed, len(few.train) // BATCH, few)
    seconds = fit(ours.method, few.train, workers=workers).history[-1]["seconds"]
    assert seconds is not None
    return seconds


def their_epoch(contest: Contest, seed: int, few: Cifar, workers: int) -> float:
    """Seconds of the plain loop over torch's data loader as it comes, whose workers are forked."""
    ours, theirs = pair(contest, seed, len(few.train) // BATCH, few)
    started = time.perf_counter()
    order = torch.randperm(len(few.train), generator=generator(seed, "order")).split(BATCH)
    keys = [[Key(index, 0, {}) for index in batch.tolist()] for batch in order]
    views = ViewDataset(few.train, ours.method.views(), seed)
    for batch in DataLoader(views, batch_sampler=keys, num_workers=workers):
        theirs.step(batch, 0)
    return time.perf_counter() - started


def timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def cells(name: str, steps: int, results: Results) -> list[str]:
    rows = results.rows(part="lightly", name=name, steps=steps)
    whole = results.rows(part="lightly, whole", name=name)
    if not rows or not whole:
        return []
    return [
        name,
        *(percent(mean(row[who][what] for row in rows)) for what in ("knn", "linear") for who in ("ours", "theirs")),
        *(f"{mean(row['images_per_s'][who] for row in rows):.0f}" for who in ("ours", "theirs")),
        f"{mean(row['ratio'] for row in rows):.2f}",
        *(f"{whole[-1]['images_per_s'][who]:.0f}" for who in ("ours", "theirs")),
        f"{whole[-1]['ratio']:.2f}",
    ]
