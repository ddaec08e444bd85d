"""What each row of the table trains: the network, and the parameters of so short a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from benchmarks.ssl.cifar import Cifar
from benchmarks.ssl.supervised import Supervised
from models import registry
from models.ssl.backbone import Backbone
from models.ssl.base import Method
from models.ssl.networks import resnet18_cifar, vit_tiny
from models.ssl.seeds import seed_globally

WIDTH = 16  # of the ResNet-18, 64 in the papers
VIT = {"patch": 4, "dim": 128, "depth": 4}
COMMON: dict[str, Any] = {
    "batch_size": 128,
    "lr": 2e-3,  # AdamW, from scratch; the default 1e-4 is for pretrained weights
    "train_blocks": "all",
    "norm": "trained",
    "cached_views": 0,
    "frozen_share": 0.0,  # nothing was known before
    "epochs": 200,  # more than the time allows: the schedule shrinks to fit
}


@dataclass(frozen=True)
class Recipe:
    """A row: its name, the method (None: the network as it is drawn) and what of its Params is not the default."""

    name: str
    method: str | None
    vit: bool = False
    params: dict[str, Any] = field(default_factory=dict)


# A teacher of so few steps must follow faster than the papers' (.99 to .999), heads of a network with 128 features may
# be narrower, and a method with a queue or prototypes needs fewer of them than images. DeepCluster's heads start from
# centroids only where batch norm is frozen: from scratch, features in training are not those that were clustered.
RECIPES = [
    Recipe("untrained", None),
    Recipe("supervised", "supervised"),
    Recipe("simclr", "simclr", params={"hidden": 512, "projector_norm": True}),
    Recipe("moco v1", "moco", params={"version": "v1", "queue": 4096}),
    Recipe("moco v2", "moco", params={"version": "v2", "queue": 4096, "hidden": 512}),
    Recipe("byol", "byol", params={"momentum": 0.98, "hidden": 512}),
    Recipe("instance, bank", "instance"),
    Recipe("instance, parametric", "instance", params={"parametric": True}),
    Recipe("dino", "dino", params={"prototypes": 1024, "hidden": 512, "momentum": 0.98, "local_crops": 2}),
    Recipe("deepcluster", "deepcluster", params={"k": 100, "head": "random", "batch_size": 32, "lr": 1e-3}),
    Recipe("swav", "swav", params={"prototypes": 100, "hidden": 512}),
    Recipe("vicreg", "vicreg", params={"expansion": 512}),
    # From scratch the nearest are neighbours by colour: few of them, and new ones as the network learns.
    Recipe(
        "neighbours",
        "neighbours",
        params={"hidden": 512, "projector_norm": True, "neighbours": 1, "renew": 1, "lr": 2e-3},
    ),
    Recipe("rotation", "rotation", params={"batch_size": 64}),
    Recipe("untrained ViT", None, vit=True),
    Recipe("supervised ViT", "supervised", vit=True, params={"lr": 1e-3}),
    Recipe("mae", "mae", vit=True, params={"lr": 1e-3}),
]


def encoder(vit: bool = False, seed: int = 0) -> Backbone:
    """The network that every row starts from. Channels come last in memory: twice as fast at this width."""
    seed_globally(seed, "network")
    network, dim = vit_tiny(**VIT) if vit else resnet18_cifar(WIDTH)
    return Backbone(network.to(memory_format=torch.channels_last), dim)


def build(name: str, data: Cifar, vit: bool = False, **params: Any) -> Method:
    """The method around a new network; both drawn with the seed in `params`, 0 unless given."""
    chosen = COMMON | params
    seed = chosen.get("seed", 0)
    backbone = encoder(vit, seed)
    seed_globally(seed, "heads")
    if name == "supervised":
        return Supervised(backbone, Supervised.Params.model_validate(chosen), data.setting, data.train_labels)
    found: type[Method] = registry.load("ssl.methods", name)
    return found(backbone, found.Params.model_validate(chosen), data.setting)
