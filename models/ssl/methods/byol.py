"""BYOL: the regression to a representation. One view predicts what a slow teacher makes of the other; no negatives.

Grill et al. 2020, https://arxiv.org/abs/2006.07733. CIFAR-10, ResNet-18: kNN 86.9 after 200 epochs (lightly's table),
linear 92.6 after 1000. Known failure: with no normalisation at all every picture gets the same vector; the heads keep
their batch norm, and the loss compares directions alone.
"""

from __future__ import annotations

import copy
import math

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from models.ssl.backbone import Backbone, one_by_one
from models.ssl.base import Batch, Losses, Method, Setting, Views
from models.ssl.heads import mlp
from models.ssl.params import Params as Common
from models.ssl.views import contrastive


class Params(Common):
    momentum: float = Field(0.99, ge=0, le=1, description="Of the teacher at the start; it rises to 1 by a cosine.")
    hidden: int = Field(1024, ge=1, description="Width of the hidden layers of projector and predictor.")
    projection: int = Field(256, ge=2, description="Width of what the loss compares.")


class BYOL(Method):
    summary = "One view of a picture predicts what a slowly following copy of the encoder says of another view."
    paper = "https://arxiv.org/abs/2006.07733"
    Params = Params
    params: Params

    def __init__(self, encoder: Backbone, params: Params, setting: Setting) -> None:
        super().__init__(encoder, params, setting)
        self.projector = mlp(encoder.dim, params.hidden, params.projection)
        self.predictor = mlp(params.projection, params.hidden, params.projection)
        self.teacher = copy.deepcopy(encoder).requires_grad_(False)
        self.teacher_projector = copy.deepcopy(self.projector).requires_grad_(False)

    def views(self) -> Views:
        view = contrastive(self.setting, self.params.crop)
        return {"first": view, "second": view}

    def loss(self, batch: Batch) -> Losses:
        views = batch["first"], batch["second"]
        first, second = self.predictor(self.projector(one_by_one(self.encoder, views))).chunk(2)
        with torch.no_grad():
            of_first, of_second = self.teacher_projector(one_by_one(self.teacher, views)).chunk(2)
        return {"loss": regression(first, of_second) + regression(second, of_first)}

    def pairs(self) -> list[tuple[nn.Module, nn.Module]]:
        return [(self.encoder, self.teacher), (self.projector, self.teacher_projector)]

    def momentum(self, t: float) -> float:
        return 1 - (1 - self.params.momentum) * (1 + math.cos(math.pi * t)) / 2


def regression(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean squared distance of the normalised rows of (B, D) and (B, D), which is 2 - 2 cosine, 0 to 4."""
    return (F.normalize(predicted, dim=1) - F.normalize(target, dim=1)).square().sum(1).mean()


PLUGIN = BYOL
