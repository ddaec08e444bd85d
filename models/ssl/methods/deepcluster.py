"""DeepCluster: cluster the pictures by what the network sees, learn the clusters as classes, and again.

Caron et al. 2018, https://arxiv.org/abs/1807.05520. CIFAR-10, ResNet-18, its second version: linear 88.9 after 1000
epochs. Known failures: empty clusters, which get a part of another; a few large ones that hold most images, so images
are drawn uniformly over clusters; grouping by colour, which jitter or `sobel` hide; and an optimizer that remembers a
head that is no more, so its memory goes with the head.

A random head, as in the paper, learns nothing in the few steps that an epoch over a small gallery has. On 700 aerial
pictures (efficientnet-lite0, last block, defaults) its accuracy stayed at chance, 1.4%, for five epochs and kNN went
from .867 to .857; a new head that starts from the centroids gave 62% and .881. So that is the default.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from models.ssl.backbone import Backbone
from models.ssl.base import Batch, Epoch, Losses, Method, Setting, Views
from models.ssl.distributed import first, rank
from models.ssl.params import Params as Common
from models.ssl.pseudo_labels import (
    clusters_for,
    nearest_centroid,
    pseudo_labels,
    uniform_over_clusters,
    whitened,
    whitened_width,
)
from models.ssl.seeds import generator, seed_of
from models.ssl.sobel import Sobel
from models.ssl.views import contrastive

HEAD_STD = 0.01  # of a random head's weights, the paper's


class Params(Common):
    k: Annotated[int, Field(ge=2)] | Literal["auto"] = Field(
        "auto", description="Clusters; several times as many as there are kinds is best. auto: min(N/10, 10 sqrt(N))."
    )
    head: Literal["centroids", "random"] = Field(
        "centroids", description="What a new head starts from; random, the paper's, needs hundreds of steps an epoch."
    )
    sobel: bool = Field(False, description="Learn from edges of the grey picture, not from colours.")


class DeepCluster(Method):
    summary = "The network sorts the pictures into groups, learns to recognise the groups, and sorts anew."
    paper = "https://arxiv.org/abs/1807.05520"
    Params = Params
    params: Params
    assignments: Tensor
    centroids: Tensor
    splits: Tensor
    imbalance: Tensor

    def __init__(self, encoder: Backbone, params: Params, setting: Setting) -> None:
        """Raises KTooLarge."""
        super().__init__(encoder, params, setting)
        k = clusters_for(params.k, setting.images)
        self.head = nn.Linear(encoder.dim, k)
        self.edges = Sobel(setting) if params.sobel else None
        if self.edges:
            self.needs = frozenset({"pixels"})  # type: ignore[misc]  # of this run; without edges maps will do
        self.register_buffer("assignments", torch.full((setting.images,), -1))
        self.register_buffer("centroids", torch.zeros(k, whitened_width(setting.images, encoder.dim)))
        self.register_buffer("splits", torch.tensor(0))
        self.register_buffer("imbalance", torch.tensor(0.0))

    def views(self) -> Views:
        return {"view": contrastive(self.setting, self.params.crop)}

    def start_epoch(self, run: Epoch) -> None:
        """Clusters the images anew and forgets the head. Raises KTooLarge when too few features are distinct."""
        features = self._features(run)
        if rank() == 0:
            place = seed_of(run.seed, "pseudo-labels", run.epoch)
            found = pseudo_labels(whitened(features.numpy(), self.centroids.shape[1]), len(self.centroids), place)
            self.assignments.copy_(torch.from_numpy(found.labels))
            self.centroids.copy_(torch.from_numpy(found.centroids))
            self.splits.fill_(found.splits)
            self.imbalance.fill_(found.imbalance)
        for buffer in (self.assignments, self.centroids, self.splits, self.imbalance):
            buffer.copy_(first(buffer))
        self._renew_head(features, run)

    @torch.no_grad()
    def _renew_head(self, features: Tensor, run: Epoch) -> None:
        weight, bias = torch.empty(self.head.weight.shape), torch.zeros(self.head.bias.shape)
        weight.normal_(0, HEAD_STD, generator=generator(run.seed, "head", run.epoch))
        if self.params.head == "centroids":
            weight, bias = nearest_centroid(features, self.assignments.cpu(), len(bias))
        for parameter, value in ((self.head.weight, weight), (self.head.bias, bias)):
            parameter.copy_(value)
            parameter.copy_(first(parameter))

    def reset(self) -> list[nn.Parameter]:
        return list(self.head.parameters())

    def order(self, generator: torch.Generator) -> Tensor:
        return uniform_over_clusters(self.assignments.cpu(), generator)

    def clusters(self) -> Tensor | None:
        return self.assignments.clone() if int(self.assignments[0]) >= 0 else None

    def loss(self, batch: Batch) -> Losses:
        view = self.edges(batch["view"]) if self.edges else batch["view"]
        logits, labels = self.head(self.encoder(view)).float(), self.assignments[batch["index"]]
        accuracy = (logits.argmax(1) == labels).float().mean()
        return {
            "loss": F.cross_entropy(logits, labels),
            "accuracy": accuracy,
            "splits": self.splits.float(),
            "imbalance": self.imbalance,
        }

    def _features(self, run: Epoch) -> Tensor:
        if self.edges is None:
            return run.features()
        hook = self.encoder.register_forward_pre_hook(lambda _, inputs: self.edges(*inputs))
        try:
            return run.features()
        finally:
            hook.remove()


PLUGIN = DeepCluster
