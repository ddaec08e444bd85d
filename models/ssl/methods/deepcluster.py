"""DeepCluster: cluster the pictures by what the network sees, learn the clusters as classes, and again.

Caron et al. 2018, https://arxiv.org/abs/1807.05520. CIFAR-10, ResNet-18, its second version: linear 88.9 after 1000
epochs. Known failures: empty clusters, which get a part of another; a few large ones that hold most images, so images
are drawn uniformly over clusters; grouping by colour, which jitter or `sobel` hide; and an optimizer that remembers a
head that is no more, so its memory goes with the head.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from models.ssl.backbone import Backbone
from models.ssl.base import Batch, Epoch, Losses, Method, Setting, Views
from models.ssl.distributed import first, rank
from models.ssl.params import Params as Common
from models.ssl.pseudo_labels import clusters_for, pseudo_labels, uniform_over_clusters, whitened, whitened_width
from models.ssl.seeds import generator, seed_of
from models.ssl.views import contrastive

HEAD_STD = 0.01  # of a new head's weights, the paper's


class Params(Common):
    k: int | Literal["auto"] = Field(
        "auto", description="Clusters; several times as many as there are kinds is best. auto: min(N/10, 10 sqrt(N))."
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
            self.needs = frozenset({"pixels"})  # type: ignore[misc] - of this run; without edges maps will do
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
        weight = torch.empty(self.head.weight.shape).normal_(
            0, HEAD_STD, generator=generator(run.seed, "head", run.epoch)
        )
        with torch.no_grad():
            self.head.weight.copy_(weight)
            self.head.bias.zero_()

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


class Sobel(nn.Module):
    """(B, 3, S, S) normalised -> (B, 3, S, S): the grey picture's slope to the right, downwards, and its steepness.

    Slopes are those of a picture whose grey deviates by about 1, so that they are on the scale the encoder is used to.
    """

    kernels: Tensor
    weights: Tensor

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        right = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
        std = torch.tensor(setting.std)
        self.register_buffer("kernels", torch.stack([right, right.T])[:, None], persistent=False)
        self.register_buffer("weights", (std / std.sum())[:, None, None], persistent=False)

    def forward(self, view: Tensor) -> Tensor:
        grey = (view * self.weights).sum(1, keepdim=True)
        slopes = F.conv2d(F.pad(grey, (1, 1, 1, 1), mode="replicate"), self.kernels)  # no edge at the border
        return torch.cat([slopes, slopes.norm(dim=1, keepdim=True)], dim=1)


PLUGIN = DeepCluster
