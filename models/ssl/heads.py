"""The small networks on top of an encoder that only the training needs."""

from __future__ import annotations

from itertools import pairwise

from torch import nn


def mlp(*widths: int, norm: bool = True, last_norm: bool = False) -> nn.Sequential:
    """Linear layers with ReLU between; `norm` puts batch norm before each ReLU, `last_norm` after the last layer."""
    layers: list[nn.Module] = []
    steps = list(pairwise(widths))
    for number, (before, after) in enumerate(steps, start=1):
        last = number == len(steps)
        normed = last_norm if last else norm
        layers.append(nn.Linear(before, after, bias=not normed))
        if normed:
            layers.append(nn.BatchNorm1d(after))
        if not last:
            layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)
