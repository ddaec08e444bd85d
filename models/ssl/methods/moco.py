"""MoCo: SimCLR's task, with negatives from a queue of earlier batches and keys by a slowly following encoder.

He et al. 2020, https://arxiv.org/abs/1911.05722; v2: Chen et al. 2020, https://arxiv.org/abs/2003.04297. The loss is
symmetric: each view is once the query and once the key. CIFAR-10, ResNet-18: kNN 83.8 after 200 epochs (lightly's
table), linear 92.9 after 1000. Known failure: batch statistics tell a query which key came from its own batch, so that
the task is solved without looking; where batch norm trains, keys pass through the encoder shuffled and in parts. A
gallery is smaller than the queue of the paper: the queue is cut below the gallery's size, and keys of the query's own
image, left from the epoch before, are no negatives.
"""

from __future__ import annotations

import copy
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from models.ssl.backbone import Backbone, one_by_one
from models.ssl.base import Batch, Losses, Method, Setting, Views
from models.ssl.distributed import first, gather, share
from models.ssl.heads import mlp
from models.ssl.params import Params as Common
from models.ssl.views import contrastive

LEAST_PART = 16  # keys; fewer give poor statistics


class Params(Common):
    version: Literal["v1", "v2"] = Field("v2", description="v1: a linear head; v2: one with a hidden layer.")
    temperature: float | None = Field(
        None, gt=0, le=10, description="Lower: only the hardest negatives count. null: 0.07 in v1, 0.2 in v2."
    )
    queue: int = Field(65_536, ge=1, description="Keys kept as negatives; always fewer than there are images.")
    momentum: float = Field(0.99, ge=0, le=1, description="Of the keys' encoder: higher follows more slowly.")
    parts: int = Field(
        4, ge=1, description="Of a shuffled batch of keys; each has batch statistics of its own, where those train."
    )
    hidden: int = Field(2048, ge=1, description="Width of v2's hidden layer.")
    projection: int = Field(128, ge=2, description="Width of what the loss compares.")


class MoCo(Method):
    summary = "Two views of a picture attract each other, and repel many earlier pictures that are kept in a queue."
    paper = "https://arxiv.org/abs/1911.05722"
    Params = Params
    params: Params
    queue: Tensor  # (K, D) unit rows
    owners: Tensor  # (K,) whose keys those are, -1 for the random ones at the start
    pointer: Tensor  # () where the oldest key lies

    def __init__(self, encoder: Backbone, params: Params, setting: Setting) -> None:
        super().__init__(encoder, params, setting)
        v1 = params.version == "v1"
        self.temperature = params.temperature or (0.07 if v1 else 0.2)
        widths = (params.projection,) if v1 else (params.hidden, params.projection)
        self.head = mlp(encoder.dim, *widths, norm=False)
        self.teacher = copy.deepcopy(encoder).requires_grad_(False)
        self.teacher_head = copy.deepcopy(self.head).requires_grad_(False)
        size = max(1, min(params.queue, setting.images - 1))
        self.register_buffer("queue", F.normalize(torch.randn(size, params.projection), dim=1))
        self.register_buffer("owners", torch.full((size,), -1))
        self.register_buffer("pointer", torch.tensor(0))
        self._fresh: list[Tensor] = []  # this step's keys, until the optimizer's step is done

    def views(self) -> Views:
        view = contrastive(self.setting, self.params.crop)
        return {"first": view, "second": view}

    def loss(self, batch: Batch) -> Losses:
        views = batch["first"], batch["second"]
        queries = self.head(one_by_one(self.encoder, views)).chunk(2)
        self._fresh = [self.keys(view) for view in views]
        own = batch["index"][:, None] == self.owners
        terms = [
            info_nce(query, key, self.queue, self.temperature, own)
            for query, key in zip(queries, reversed(self._fresh), strict=True)
        ]
        return {"loss": torch.stack(terms).mean()}

    @torch.no_grad()
    def keys(self, views: Tensor) -> Tensor:
        """(B, ...) -> (B, D) unit rows."""
        if not any(isinstance(m, nn.modules.batchnorm._BatchNorm) and m.training for m in self.teacher.modules()):
            return F.normalize(self.teacher_head(self.teacher(views)).float(), dim=1)
        everyone = gather(views)
        mine = share(len(everyone))
        order = first(torch.randperm(len(everyone), device=views.device))
        parts = everyone[order[mine]].chunk(max(1, min(self.params.parts, len(views) // LEAST_PART)))
        keys = gather(torch.cat([self.teacher_head(self.teacher(part)) for part in parts]))
        return F.normalize(keys[order.argsort()[mine]].float(), dim=1)

    def pairs(self) -> list[tuple[nn.Module, nn.Module]]:
        return [(self.encoder, self.teacher), (self.head, self.teacher_head)]

    def momentum(self, t: float) -> float:
        return self.params.momentum

    @torch.no_grad()
    def after_step(self, batch: Batch, t: float) -> None:
        """Only now: a key among the negatives of the other view's term would repel its own image."""
        owners = gather(batch["index"])
        for keys in self._fresh:
            self.enqueue(gather(keys), owners)
        self._fresh = []

    def enqueue(self, keys: Tensor, owners: Tensor) -> None:
        """(B, D) over the oldest keys; of more than fit, the last."""
        size = len(self.queue)
        keys, owners = keys[-size:], owners[-size:]
        places = (self.pointer + torch.arange(len(keys), device=keys.device)) % size
        self.queue[places], self.owners[places] = keys.to(self.queue), owners
        self.pointer.copy_((self.pointer + len(keys)) % size)


def info_nce(queries: Tensor, keys: Tensor, queue: Tensor, temperature: float, own: Tensor | None = None) -> Tensor:
    """Of (B, D) against their keys (B, D) among the negatives (K, D), unit rows; own (B, K): no negatives of these."""
    queries, keys = F.normalize(queries, dim=1), F.normalize(keys, dim=1)
    positive = (queries * keys).sum(1, keepdim=True)
    negative = queries @ queue.T
    if own is not None:
        negative = negative.masked_fill(own, float("-inf"))
    logits = torch.cat([positive, negative], dim=1) / temperature
    return F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.int64, device=logits.device))


PLUGIN = MoCo
