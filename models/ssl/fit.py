"""The one training loop: every method and encoder, one process or several, new or going on where it was killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from models.ssl import distributed
from models.ssl.backbone import Backbone
from models.ssl.base import Batch, Losses, Method
from models.ssl.blend import blend, settle, snapshot
from models.ssl.checkpoint import Checkpoints
from models.ssl.checks import check_share, fitting_batch
from models.ssl.dataset import Key, Pictures
from models.ssl.gallery import Gallery
from models.ssl.health import Diverged, Health, Record
from models.ssl.objective import autocast, half_precision, move_teachers, objective
from models.ssl.plan import Plan
from models.ssl.seeds import generator, seed_globally

PROBED = 512  # training images that health looks at
RECONSIDER = 10  # steps between two looks at the budget


@dataclass(frozen=True)
class Progress:
    """Steps done of the plan's total, or views prepared; `epoch` counts from 1."""

    stage: Literal["prepare", "train"]
    done: int
    total: int
    epoch: int
    epochs: int


@dataclass
class Result:
    """history[0] is the encoder before training. `ended` says whether the time or the epochs ran out.

    frozen_share  of the weights in the encoder, see blend.py
    tried         share -> neighbours found with it; empty when the parameters said which
    """

    history: list[Record]
    ended: Literal["epochs", "budget"]
    seconds: float
    frozen_share: float
    tried: dict[float, float]


def fit(
    method: Method,
    train: Pictures,
    held_out: Pictures | None = None,
    *,
    device: str = "cpu",
    workers: int = 0,
    scratch: Path | None = None,
    checkpoints: Checkpoints | None = None,
    save_every_s: float = 20.0,
    labels: Sequence[str] | None = None,
    report: Callable[[Progress], None] | None = None,
    recorded: Callable[[Record], None] | None = None,
) -> Result:
    """Trains `method.encoder` in place; `method.trained()` is the encoder to keep.

    held_out     pictures that are only looked at, for the two-view retrieval
    workers      processes that make views; 0: this one
    scratch      an empty folder for maps of the frozen trunk (`Params.cached_views`); None: no such maps
    checkpoints  where to go on from and what to write; None: neither
    labels       of `train`, compared with for the report; nothing that trains sees them
    report       called at least once a step; what it raises ends the run there
    recorded     called with what an epoch measured as it ends, again for one that is repeated; 0 is before the training

    Raises CannotTrain, Collapsed, Diverged, DiskFull, WorkingCopyUnreadable. On the CPU the same arguments
    and number of threads give the same weights, bit for bit, however often the run is killed and taken up again.
    """
    calls = report or (lambda _: None), recorded or (lambda _: None)
    run = Run(method, train, held_out, device, workers, checkpoints, save_every_s, labels, *calls)
    run.restore()
    run.prepare(scratch)
    return run.train()


class Run:
    """One run's state. A method sees it as an `Epoch`."""

    def __init__(
        self,
        method: Method,
        train: Pictures,
        held_out: Pictures | None,
        device: str,
        workers: int,
        checkpoints: Checkpoints | None,
        save_every_s: float,
        labels: Sequence[str] | None,
        report: Callable[[Progress], None],
        recorded: Callable[[Record], None],
    ) -> None:
        check_share(method.params.batch_size, distributed.world())
        fitting_batch(method.params, len(train), chosen=True)
        self.method, self.params, self.seed = method.to(device), method.params, method.params.seed
        self.device, self.report, self.recorded = torch.device(device), report, recorded
        self.checkpoints, self.save_every_s = checkpoints, save_every_s
        self.batches = len(train) // self.params.batch_size
        self.plan = Plan(self.params.epochs * self.batches, self.params.warmup)
        self.epoch = self.step = 0  # of the step to come, in its epoch
        self.history: list[Record] = []
        self.sums: dict[str, Tensor] = {}
        self.origin = snapshot(method.encoder)
        probe = torch.randperm(len(train), generator=generator(self.seed, "probe"))[:PROBED].sort().values
        self.gallery = Gallery(method, train, held_out, probe.tolist(), workers, self.alive)
        self.health = Health(self.seed, probe.numpy(), labels, method.can_collapse)
        self.half = half_precision(self.device)
        self.optimizer = torch.optim.AdamW(method.param_groups(), lr=self.params.lr, fused=True)
        self.scaler = torch.amp.GradScaler("cuda", enabled=self.half is torch.float16)
        self.objective = objective(method, self.device)
        self._clock = self._saved = time.monotonic()

    def prepare(self, scratch: Path | None) -> None:
        """Sends the views through the trunk ahead, where that pays: on a CPU with a trunk that is frozen."""
        encoder, draws = self.method.encoder, self.params.cached_views
        if scratch is None or not draws or not encoder.has_trunk or "pixels" in self.method.needs:
            return
        if self.device.type != "cpu":
            return
        self.gallery.send_through(
            encoder.trunk, scratch, draws, lambda done, total: self.report(Progress("prepare", done, total, 0, 0))
        )
        self._read_maps(True)
        self._tick(training=False)

    def _read_maps(self, yes: bool) -> None:
        for module in self.method.modules():
            if isinstance(module, Backbone):
                module.from_maps = yes

    def restore(self) -> None:
        if self.checkpoints and (state := self.checkpoints.load()):
            self.method.load_state_dict(state["method"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.scaler.load_state_dict(state["scaler"])
            self.plan = Plan(**state["plan"])
            self.epoch, self.step, self.history = state["epoch"], state["step"], state["history"]
            self.sums = {name: value.to(self.device) for name, value in state["sums"].items()}
            self.health.spreads, self.health.own = state["spreads"], state["own"]
            self.health.previous = None if state["clusters"] is None else state["clusters"].numpy()

    def train(self) -> Result:
        if not self.history:
            self._remember({"epoch": 0.0})
            self._tick(training=False)
        while not self.plan.over:
            self._epoch()
        share, tried = self._blend()
        self._read_maps(False)
        return Result(self.history, "budget" if self.plan.shortened else "epochs", self.plan.seconds, share, tried)

    def _blend(self) -> tuple[float, dict[float, float]]:
        """Takes the encoder part of the way back to what it was, see blend.py; the first process settles how far."""
        encoder, share, tried = self.method.trained(), self.params.frozen_share, dict[float, float]()
        tuned = snapshot(encoder)
        if share is None and not distributed.rank():
            share, tried = settle(encoder, self.origin, self.gallery, self.seed)
        share = float(distributed.first(torch.tensor(share or 0.0, dtype=torch.float64, device=self.device)))
        blend(encoder, tuned, self.origin, share)
        return share, tried

    def _epoch(self) -> None:
        began, first = self.plan.seconds, self.step
        if not self.step:
            self.method.start_epoch(self)
            for parameter in self.method.reset():
                self.optimizer.state.pop(parameter, None)
        self.method.train()
        rate = 0.0
        for batch in self.gallery.batches(self._keys()):
            rate = self._step({name: value.to(self.device, non_blocking=True) for name, value in batch.items()})
            self._after_step()
            if self.plan.over:
                break
        self._record(rate, began, self.step - first)
        self.epoch, self.step, self.sums = self.epoch + 1, 0, {}
        self._save()

    def _keys(self) -> Iterator[list[Key]]:
        """The rest of this epoch's batches, this process's share of each."""
        size, order = self.params.batch_size, self.method.order(generator(self.seed, "order", self.epoch))
        for step in range(self.step, self.batches):
            index = order[step * size : (step + 1) * size]
            draw = self.epoch * self.batches + step
            sources = self.method.sources(index, generator(self.seed, "sources", draw))
            yield [
                Key(int(index[i]), draw, {name: int(images[i]) for name, images in sources.items()})
                for i in range(len(index))[distributed.share(len(index))]
            ]

    def _step(self, batch: Batch) -> float:
        """One optimizer step; returns the learning rate."""
        seed_globally(self.seed, "step", self.plan.done, distributed.rank())
        lr = self.params.lr * self.plan.rate()
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        with autocast(self.device, self.half):
            losses: Losses = self.objective(batch)
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(losses["loss"]).backward()
        self.scaler.unscale_(self.optimizer)
        nn.utils.clip_grad_norm_([p for p in self.method.parameters() if p.requires_grad], self.params.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        move_teachers(self.method, self.plan.t)
        self.method.after_step(batch, self.plan.t)
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + distributed.mean(value.float())
        return lr

    def _after_step(self) -> None:
        self.plan.done += 1
        self.step += 1
        self._tick(training=True)
        if self.plan.done % RECONSIDER == 0 or self.step == self.batches:
            if not bool(torch.isfinite(self.sums["loss"])):
                raise Diverged("The loss is no longer a number: use a lower lr.")
            budget = None if self.params.max_minutes is None else 60 * self.params.max_minutes
            self.plan.fit_into(budget)
            self.plan.total = self._agreed(self.plan.total)
        self.alive()
        if self.step < self.batches and not self.plan.over and time.monotonic() - self._saved > self.save_every_s:
            self._save()

    def _agreed(self, total: int) -> int:
        """Every process takes as many steps as the first one plans."""
        return int(distributed.first(torch.tensor(total, device=self.device)))

    def _record(self, rate: float, began: float, steps: int) -> None:
        """The epoch's means and health. Images a second count what this attempt saw of the epoch."""
        took, count = self.plan.seconds - began, max(1, self.step)
        record: Record = {"epoch": self.epoch + 1.0, "lr": rate, "seconds": took}
        record["images_per_s"] = steps * self.params.batch_size / took if took > 0 else None
        record |= {name: float(value) / count for name, value in self.sums.items()}
        self._remember(record)
        self._tick(training=True)

    def _remember(self, record: Record) -> None:
        """With how the encoder does, which the first process looks at for all. Raises Collapsed, Diverged."""
        if not distributed.rank():
            record |= self._measure()
            self.recorded(record)
            self.health.check()
        self.history.append(record)

    def _measure(self) -> Record:
        encoder, clusters = self.method.trained(), self.method.clusters()
        views = self.gallery.held_out_features(encoder).numpy() if self.gallery.held_out else None
        return self.health.measure(
            self.gallery.plain_features(encoder, self.gallery.probe).numpy(),
            views,
            None if clusters is None else clusters.cpu().numpy(),
        )

    def features(self) -> Tensor:
        return self.gallery.features(self.method.encoder)

    def alive(self) -> None:
        epoch = min(self.epoch + 1, self.params.epochs)
        self.report(Progress("train", self.plan.done, self.plan.total, epoch, self.params.epochs))

    def _save(self) -> None:
        self._saved = time.monotonic()
        if self.checkpoints is None or distributed.rank():
            return
        clusters = self.health.previous
        self.checkpoints.save(
            {
                "method": self.method.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "scaler": self.scaler.state_dict(),
                "plan": asdict(self.plan),
                "epoch": self.epoch,
                "step": self.step,
                "history": self.history,
                "sums": {name: value.cpu() for name, value in self.sums.items()},
                "spreads": self.health.spreads,
                "clusters": None if clusters is None else torch.from_numpy(clusters),
                "own": self.health.own,
            }
        )

    def _tick(self, *, training: bool) -> None:
        moment = time.monotonic()
        self.plan.spend(moment - self._clock, training=training)
        self._clock = moment
