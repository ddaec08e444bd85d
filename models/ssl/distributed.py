"""Several processes as one: torchrun starts them, each takes its share of every batch.

Outside torchrun every function is the identity, so that methods need no second path.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd import Function

TIMEOUT = timedelta(minutes=30)  # of waiting for another process; what the first does alone takes less


def join(device: str, meeting: Path | None = None) -> None:
    """Meets the other processes when torchrun started this one; `leave` parts from them.

    meeting: a file that they share and that is not there yet; None: at the address that torchrun names.
    """
    if "RANK" in os.environ and not dist.is_initialized():
        backend = "nccl" if device.startswith("cuda") else "gloo"
        here, count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        store = dist.FileStore(str(meeting), count) if meeting else None
        found = {"store": store, "rank": here, "world_size": count} if store else {}
        dist.init_process_group(backend, timeout=TIMEOUT, **found)


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
    return rows if world() == 1 else cast(Tensor, _Gather.apply(rows))


def mean(value: Tensor) -> Tensor:
    """Over the processes, without gradient."""
    value = value.detach().clone()
    if world() > 1:
        dist.all_reduce(value)
        value /= world()
    return value


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


class _Gather(Function):
    """Every process's loss depends on every row, so a row's gradient is the sum of what each process says of it."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.size = len(rows)
        return gather(rows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        gradient = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(gradient)
        return gradient[rank() * ctx.size :][: ctx.size]
