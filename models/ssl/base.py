"""What an SSL method is: the whole surface between a method and the one loop in fit.py.

A method file holds a `Params`, one class and `PLUGIN = TheClass`. Whatever a method remembers between steps (queues,
banks, centres, assignments) is a persistent buffer, so that a resumed run equals an uninterrupted one, bit for bit.
Randomness comes from torch's global generators alone: the loop seeds them before every step from the run's seed and the
step, so there is no state of a generator to save.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import torch
from torch import Tensor, nn

from models.ssl.backbone import Backbone
from models.ssl.params import Params

Need = Literal["vit", "dense", "video", "index", "pixels"]
Batch = Mapping[str, Tensor]  # each view's name -> (B, ...) its input; "index" -> (B,) int64, which images they are
Losses = dict[str, Tensor]  # "loss", the scalar to minimise, and scalar terms to log
Transform = Callable[[Tensor], Tensor]  # one picture, (3, H, W) uint8 -> (3, S, S) float32, normalised
Views = Mapping[str, Transform]  # names with one transform get different draws; others see the same random numbers


class Epoch(Protocol):
    """What a method may ask of the run at the start of an epoch."""

    epoch: int
    seed: int

    def features(self) -> Tensor:
        """(N, D) float32 by the encoder as it now is, of every training image's plain view, in order of their index.

        In evaluation mode, without gradient, on the CPU, not normalised; the same on every process.
        """
        ...

    def alive(self) -> None:
        """To be called every second or so of long work: here a run that was cancelled ends."""
        ...


@dataclass(frozen=True)
class Setting:
    """What a method knows of the run when it is built."""

    images: int  # N, the training images; "index" counts them
    size: int  # S, the side of a view in pixels
    mean: tuple[float, float, float]  # the encoder's, of pixels in 0..1
    std: tuple[float, float, float]


class Method(nn.Module, ABC):
    """One objective around one encoder. `self.encoder` is trained; all else here is scaffolding, thrown away after."""

    summary: ClassVar[str]
    paper: ClassVar[str]
    needs: ClassVar[frozenset[Need]] = frozenset()
    can_collapse: ClassVar[bool] = True  # whether one vector for every picture makes the loss small
    Params: ClassVar[type[Params]] = Params

    def __init__(self, encoder: Backbone, params: Params, setting: Setting) -> None:
        """encoder: (B, 3, S, S), or (B, C, h, w) maps of its frozen blocks -> (B, D)."""
        super().__init__()
        self.encoder, self.params, self.setting = encoder, params, setting

    @abstractmethod
    def views(self) -> Views:
        """What the loop makes of each picture. Each draw is seeded by (seed, image, draw)."""

    @abstractmethod
    def loss(self, batch: Batch) -> Losses:
        """Of one step; over several processes `batch` is this process's share of it."""

    def sources(self, index: Tensor, generator: torch.Generator) -> Mapping[str, Tensor]:
        """Which images the views are made of: view name -> (B,). Views not named are made of `index` itself."""
        return {}

    def order(self, generator: torch.Generator) -> Tensor:
        """(N',) the images of an epoch, in order; a permutation unless the method samples otherwise."""
        return torch.randperm(self.setting.images, generator=generator)

    def pairs(self) -> list[tuple[nn.Module, nn.Module]]:
        """(student, teacher): after every step the teacher becomes momentum * teacher + (1 - momentum) * student."""
        return []

    def momentum(self, t: float) -> float:
        """Of the teachers, at t, the share 0..1 of the run that is done."""
        return 1.0

    def start_epoch(self, run: Epoch) -> None:
        """Before an epoch's first step; not called again when a run goes on in the middle of an epoch."""

    def after_step(self, batch: Batch, t: float) -> None:
        """After the optimizer's and the teachers' step. `batch` is this process's share."""

    def trained(self) -> Backbone:
        """The encoder to keep: the student, unless the method says otherwise."""
        return self.encoder

    def clusters(self) -> Tensor | None:
        """(N,) int64, the cluster of each training image, of a method that clusters."""
        return None

    def reset(self) -> list[nn.Parameter]:
        """Parameters that start_epoch made anew: the loop forgets the optimizer's memory of them."""
        return []

    def param_groups(self) -> list[dict[str, object]]:
        """For AdamW: what may decay, and biases and norms, which may not."""
        trained = [p for p in self.parameters() if p.requires_grad]
        decaying = [p for p in trained if p.ndim > 1]
        return [
            {"params": decaying, "weight_decay": self.params.weight_decay},
            {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        ]
