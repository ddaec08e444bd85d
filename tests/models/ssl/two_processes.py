"""Trains a few methods on generated pictures and saves what came of it; test_distributed starts it in torchrun.

torchrun ... -m tests.models.ssl.two_processes FOLDER  writes FOLDER/<rank>.pt and FOLDER/<rank>-gradients.pt
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.registry import load
from models.ssl import distributed
from models.ssl.backbone import Backbone
from models.ssl.base import Batch, Losses, Method, Setting
from models.ssl.fit import fit

IMAGES, SIZE, BATCH, EPOCHS = 24, 16, 8, 2
SMALL_HEAD = {"hidden": 32, "projection": 16}
METHODS: dict[str, dict[str, Any]] = {
    "simclr": {**SMALL_HEAD, "projector_norm": False},
    "moco": {**SMALL_HEAD, "version": "v1", "queue": 12},
    "deepcluster": {"k": 4},
    "dino": {"hidden": 32, "bottleneck": 16, "prototypes": 24, "local_crops": 2},
}
RUNS = [*(f"{name} vit" for name in METHODS), "simclr resnet"]


def networks() -> dict[str, tuple[nn.Module, int]]:
    """Neither trains a batch norm, which would count each process's share alone."""
    from timm.models import ResNet
    from timm.models.resnet import BasicBlock

    from models.ssl.networks import vit_tiny

    resnet = ResNet(BasicBlock, [1, 1, 1, 1], channels=(8, 16, 16, 16), num_classes=0)
    return {"vit": vit_tiny(size=SIZE, patch=8, dim=64, depth=1), "resnet": (resnet, 16)}


def pictures() -> Tensor:
    """(N, 3, S, S) uint8: a colour each, and noise."""
    generator = torch.Generator().manual_seed(0)
    colours = torch.randint(0, 200, (IMAGES, 3, 1, 1), generator=generator)
    return (colours + torch.randint(0, 56, (IMAGES, 3, SIZE, SIZE), generator=generator)).to(torch.uint8)


def trained(name: str, network: str) -> dict[str, Any]:
    """Loss and norm of the gradient of every step, over all processes, and all that the method holds in the end."""
    torch.manual_seed(0)
    plugin = load("ssl.methods", name)
    params = plugin.Params(
        epochs=EPOCHS,
        batch_size=BATCH,
        lr=1e-3,
        train_blocks="all",
        max_minutes=None,
        frozen_share=0.0,
        **METHODS[name],
    )
    backbone = Backbone(*networks()[network], "all", "frozen")
    method = plugin(backbone, params, Setting(IMAGES, SIZE, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)))
    losses: list[float] = []
    gradients: list[float] = []
    _watch(method, losses, gradients)
    fit(method, pictures())
    return {"losses": losses, "gradients": gradients, "state": method.state_dict()}


def _watch(method: Method, losses: list[float], gradients: list[float]) -> None:
    """AdamW's steps are the same for a gradient twice as large, so the gradient is looked at too."""
    loss, after_step = method.loss, method.after_step

    def noted_loss(batch: Batch) -> Losses:
        terms = loss(batch)
        losses.append(float(distributed.mean(terms["loss"])))
        return terms

    def noted_step(batch: Batch, t: float) -> None:
        found = [p.grad.norm() for p in method.parameters() if p.grad is not None]
        gradients.append(float(torch.stack(found).norm()))
        after_step(batch, t)

    method.loss, method.after_step = noted_loss, noted_step  # type: ignore[method-assign]


def everything() -> dict[str, Any]:
    return {run: trained(*run.split()) for run in RUNS}


def gradient() -> tuple[Tensor, Tensor]:
    """What all processes' rows gather to, and the gradient of this process's row.

    Process r holds the row (r + 1, 2) and its loss is (r + 1) times the sum of the value's squares.
    """
    weight = distributed.rank() + 1.0
    row = torch.tensor([[weight, 2.0]], requires_grad=True)
    value = distributed.gather_with_gradient(row)
    (weight * value.square().sum()).backward()
    assert row.grad is not None
    return value.detach(), row.grad


if __name__ == "__main__":
    torch.set_num_threads(1)
    distributed.join("cpu")
    torch.save(everything(), Path(sys.argv[1]) / f"{distributed.rank()}.pt")
    torch.save(gradient(), Path(sys.argv[1]) / f"{distributed.rank()}-gradient.pt")
    distributed.leave()
