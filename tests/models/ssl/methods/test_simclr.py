"""NT-Xent beside lightly's, loss and gradient, in double precision."""

from __future__ import annotations

import pytest
import torch
from lightly.loss import NTXentLoss
from torch import Tensor

from models.ssl.methods.simclr import nt_xent


def with_gradients(loss: object, *inputs: Tensor) -> list[Tensor]:
    leaves = [one.clone().requires_grad_() for one in inputs]
    value = loss(*leaves)  # type: ignore[operator]
    return [value.detach(), *torch.autograd.grad(value, leaves)]


@pytest.mark.parametrize("temperature", [0.1, 0.2, 1.0])
@pytest.mark.parametrize("batch", [2, 17])
def test_it_is_lightlys(batch: int, temperature: float) -> None:
    torch.manual_seed(batch)
    views = [torch.randn(batch, 16, dtype=torch.float64) for _ in range(2)]
    ours = with_gradients(lambda first, second: nt_xent(first, second, temperature), *views)
    theirs = with_gradients(NTXentLoss(temperature), *views)
    for found, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_it_falls_when_views_of_a_picture_meet() -> None:
    torch.manual_seed(0)
    first = torch.randn(8, 16)
    assert nt_xent(first, first, 0.2) < nt_xent(first, torch.randn(8, 16), 0.2)
