"""Batch statistics of parts of a batch that passes through a network as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


def trains_norms(network: nn.Module) -> bool:
    """Whether any of its batch norms normalises by the batch."""
    return any(isinstance(m, nn.modules.batchnorm._BatchNorm) and m.training for m in network.modules())


def in_parts(network: nn.Module, x: Tensor, parts: int) -> Tensor:
    """(B, ...) -> (B, D), as if each part of ceil(B / parts) rows came alone; the last is filled up from the first.

    One pass instead of many small ones: rows of the parts lie between each other, so that for a batch norm each part is
    a further set of channels. Running statistics move by the mean over the parts.
    """
    if parts == 1:
        return network(x)
    rows = -(-len(x) // parts)
    order = torch.arange(rows * parts, device=x.device) % len(x)
    with _NormsByPart(parts):
        y: Tensor = network(x[order.view(parts, rows).T.flatten()])
    return y.unflatten(0, (rows, parts)).transpose(0, 1).flatten(0, 1)[: len(x)]


class _NormsByPart(TorchFunctionMode):
    """Also of norms that are part of a larger layer, as timm's: all of them call the one function."""

    def __init__(self, parts: int) -> None:
        super().__init__()
        self.parts = parts

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        if func is F.batch_norm:
            return _by_part(self.parts, *args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _by_part(
    parts: int,
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """torch's batch_norm, with its names; where it trains, rows i, i + parts, i + 2 parts, ... are normalised alone."""
    if not training:
        return F.batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    kept = running_mean, running_var, weight, bias
    mean, var, *affine = (None if one is None else one.repeat(parts) for one in kept)
    joined = input.reshape(len(input) // parts, parts * input.shape[1], *input.shape[2:])
    found = F.batch_norm(joined, mean, var, *affine, True, momentum, eps)
    for one, moved in ((running_mean, mean), (running_var, var)):
        if one is not None and moved is not None:
            one.copy_(moved.view(parts, -1).mean(0))
    return found.view_as(input)
