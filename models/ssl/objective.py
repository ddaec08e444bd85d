"""What one step computes on its device: the loss under autocast and DDP, and the teachers' move after it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from models.ssl import distributed
from models.ssl.base import Batch, Losses, Method


def half_precision(device: torch.device) -> torch.dtype | None:
    """What to compute in on CUDA: bfloat16, which needs no scaled loss, where the device has it."""
    if device.type != "cuda":
        return None
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def autocast(device: torch.device, half: torch.dtype | None) -> AbstractContextManager[object]:
    return torch.autocast(device.type, dtype=half) if half else nullcontext()


class _Objective(nn.Module):
    """A method's loss as a forward, which is all that DistributedDataParallel hooks into."""

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.method = method

    def forward(self, batch: Batch) -> Losses:
        return self.method.loss(batch)


def objective(method: Method, device: torch.device) -> nn.Module:
    """Calls the method's loss; over several processes it also averages their gradients."""
    if distributed.world() == 1:
        return _Objective(method)
    if device.type == "cuda":  # gloo on the CPU has no such norm: batch norms there count their own share only
        synchronise(method)
    return DistributedDataParallel(
        _Objective(method),
        device_ids=[device] if device.type == "cuda" else None,
        broadcast_buffers=False,  # queues and banks are equal by construction
        find_unused_parameters=True,
    )


def synchronise(network: nn.Module) -> None:
    """Lets every batch norm inside count over all processes.

    timm's conversion, not torch's: timm's batch norms hold the activation after them, which torch's would drop.
    """
    from timm.layers import convert_sync_batchnorm

    convert_sync_batchnorm(network)


@torch.no_grad()
def move_teachers(method: Method, t: float) -> None:
    """Each teacher becomes momentum * teacher + (1 - momentum) * student; buffers are taken over."""
    for student, teacher in method.pairs():
        momentum = method.momentum(t)
        for new, old in zip(student.parameters(), teacher.parameters(), strict=True):
            old.lerp_(new.to(old.dtype), 1 - momentum)
        for new, old in zip(student.buffers(), teacher.buffers(), strict=True):
            old.copy_(new)
