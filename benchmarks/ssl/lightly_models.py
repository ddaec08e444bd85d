"""Four methods built of lightly's own modules, as its benchmark on CIFAR-10 puts them together: view by view.

https://github.com/lightly-ai/lightly/blob/master/docs/source/getting_started/benchmarks/cifar10_benchmark.py

Widths, temperatures and momenta are those of our method's parameters, so that only the code differs.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import torch
from lightly.loss import DINOLoss, NegativeCosineSimilarity, NTXentLoss
from lightly.models.modules.heads import (
    BYOLPredictionHead,
    BYOLProjectionHead,
    DINOProjectionHead,
    MoCoProjectionHead,
    ProjectionHead,
    SimCLRProjectionHead,
)
from lightly.models.utils import batch_shuffle, batch_unshuffle, deactivate_requires_grad, update_momentum
from torch import Tensor, nn

from models.ssl.base import Batch, Method


class Peer(nn.Module, ABC):
    """One method; built from ours, of which it copies the network and takes the parameters."""

    name: ClassVar[str]

    def __init__(self, ours: Method) -> None:
        super().__init__()
        self.params: Any = ours.params
        self.backbone = copy.deepcopy(ours.encoder)

    @abstractmethod
    def loss(self, batch: Batch, epoch: int, momentum: float, temperature: float) -> Tensor:
        """momentum, temperature: the teacher's in this step, for those that have one."""

    def after_backward(self, epoch: int) -> None:
        """Between the gradients and the optimizer's step."""


class SimCLR(Peer):
    name = "simclr"

    def __init__(self, ours: Method) -> None:
        super().__init__(ours)
        self.head = SimCLRProjectionHead(ours.encoder.dim, self.params.hidden, self.params.projection)
        self.criterion = NTXentLoss(self.params.temperature)

    def loss(self, batch: Batch, epoch: int, momentum: float, temperature: float) -> Tensor:
        first, second = (self.head(self.backbone(batch[name])) for name in ("first", "second"))
        found: Tensor = self.criterion(first, second)
        return found


class WithTeacher(Peer):
    """A network, its head, and slow copies of both."""

    def __init__(self, ours: Method, head: Callable[[], ProjectionHead]) -> None:
        super().__init__(ours)
        self.head, self.teacher_head = head(), head()
        self.teacher_head.load_state_dict(self.head.state_dict())
        self.teacher = copy.deepcopy(self.backbone)
        deactivate_requires_grad(self.teacher)
        deactivate_requires_grad(self.teacher_head)

    def follow(self, momentum: float) -> None:
        update_momentum(self.backbone, self.teacher, momentum)
        update_momentum(self.head, self.teacher_head, momentum)


class MoCo(WithTeacher):
    name = "moco"

    def __init__(self, ours: Method) -> None:
        params: Any = ours.params
        super().__init__(ours, partial(MoCoProjectionHead, ours.encoder.dim, params.hidden, params.projection))
        self.criterion = NTXentLoss(params.temperature or 0.2, memory_bank_size=(params.queue, params.projection))

    def loss(self, batch: Batch, epoch: int, momentum: float, temperature: float) -> Tensor:
        self.follow(momentum)
        first, second = batch["first"], batch["second"]
        return 0.5 * (self._one_way(first, second) + self._one_way(second, first))

    def _one_way(self, query: Tensor, key: Tensor) -> Tensor:
        key, order = batch_shuffle(key)
        keys = batch_unshuffle(self.teacher_head(self.teacher(key)), order)
        found: Tensor = self.criterion(self.head(self.backbone(query)), keys)
        return found


class BYOL(WithTeacher):
    name = "byol"

    def __init__(self, ours: Method) -> None:
        params: Any = ours.params
        super().__init__(ours, partial(BYOLProjectionHead, ours.encoder.dim, params.hidden, params.projection))
        self.predictor = BYOLPredictionHead(params.projection, params.hidden, params.projection)
        self.criterion = NegativeCosineSimilarity()

    def loss(self, batch: Batch, epoch: int, momentum: float, temperature: float) -> Tensor:
        """Twice the two cosines, as in the paper, where lightly takes half: the gradient's clipping sees the scale."""
        self.follow(momentum)
        views = batch["first"], batch["second"]
        predicted, target = zip(*((self._predicted(view), self._target(view)) for view in views), strict=True)
        found: Tensor = 2 * (self.criterion(predicted[0], target[1]) + self.criterion(predicted[1], target[0]))
        return found

    def _predicted(self, view: Tensor) -> Tensor:
        found: Tensor = self.predictor(self.head(self.backbone(view)))
        return found

    @torch.no_grad()
    def _target(self, view: Tensor) -> Tensor:
        found: Tensor = self.teacher_head(self.teacher(view))
        return found


class DINO(WithTeacher):
    name = "dino"

    def __init__(self, ours: Method) -> None:
        params: Any = ours.params
        widths = ours.encoder.dim, params.hidden, params.bottleneck, params.prototypes
        super().__init__(ours, partial(DINOProjectionHead, *widths, freeze_last_layer=1))
        self.head: DINOProjectionHead
        self.criterion = DINOLoss(params.prototypes, student_temp=params.student_temperature)
        self.views = ["global_0", "global_1", *(f"local_{number}" for number in range(params.local_crops))]

    def loss(self, batch: Batch, epoch: int, momentum: float, temperature: float) -> Tensor:
        self.follow(momentum)
        with torch.no_grad():
            teacher = [self.teacher_head(self.teacher(batch[name])) for name in self.views[:2]]
        student = [self.head(self.backbone(batch[name])) for name in self.views]
        found: Tensor = self.criterion(teacher, student, teacher_temp=temperature)
        return found

    def after_backward(self, epoch: int) -> None:
        self.head.cancel_last_layer_gradients(epoch)
