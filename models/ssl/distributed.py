"""Several processes as one: torchrun starts them, each takes its share of every batch.

Outside torchrun every function is the identity, so that methods need no second path.
"""

from __future__ import annotations

import os
from typing import cast

import torch
import torch.distributed as dist
from torch import Tensor


def join(device: str) -> None:
    """Meets the other processes when torchrun started this one; `leave` parts from them."""
    if "RANK" in os.environ and not dist.is_initialized():
        dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")


def leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def world() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def gather(rows: Tensor) -> Tensor:
    """(B, ...) of each process -> (W * B, ...) of all, in order of rank; without gradient."""
    if world() == 1:
        return rows.detach()
    parts = [torch.empty_like(rows) for _ in range(world())]
    dist.all_gather(parts, rows.detach().contiguous())
    return torch.cat(parts)


def gather_with_gradient(rows: Tensor) -> Tensor:
    """The same; the gradient of every process's loss flows back to where a row came from."""
    if world() == 1:
        return rows
    from torch.distributed.nn.functional import all_gather

    return torch.cat(cast(tuple[Tensor, ...], all_gather(rows.contiguous())))


def mean(value: Tensor) -> Tensor:
    """Over the processes, without gradient."""
    value = value.detach().clone()
    if world() > 1:
        dist.all_reduce(value)
        value /= world()
    return value


def total(value: Tensor) -> Tensor:
    """Summed over the processes, with a gradient that is every process's own."""
    if world() == 1:
        return value
    from torch.distributed.nn.functional import all_reduce

    return cast(Tensor, all_reduce(value))


def first(value: Tensor) -> Tensor:
    """The first process's value."""
    value = value.detach().clone()
    if world() > 1:
        dist.broadcast(value, 0)
    return value


def share(batch: int) -> slice:
    """This process's part of a batch."""
    size = batch // world()
    return slice(rank() * size, (rank() + 1) * size)
