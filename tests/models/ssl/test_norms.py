"""A batch that passes through a network as one has the statistics of its parts."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from timm.layers import BatchNormAct2d
from torch import Tensor, nn

from models.ssl.norms import in_parts, trains_norms


def network() -> nn.Module:
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 6, 3), BatchNormAct2d(6), nn.Conv2d(6, 5, 3), nn.BatchNorm2d(5), nn.Flatten()]
    made = nn.Sequential(*layers, nn.Linear(5 * 16, 4), nn.BatchNorm1d(4)).double()
    for module in made.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    return made.train()


def pictures(count: int) -> Tensor:
    return torch.randn(count, 3, 8, 8, generator=torch.Generator().manual_seed(count), dtype=torch.float64)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(2, 6), st.integers(0, 3))
def test_each_part_as_if_it_came_alone(parts: int, rows: int, fewer: int) -> None:
    x = pictures(rows * parts - min(fewer, parts - 1))
    filled = torch.cat([x, x])[: rows * parts]
    expected = torch.cat([network()(part) for part in filled.chunk(parts)])[: len(x)]
    torch.testing.assert_close(in_parts(network(), x, parts), expected)


def test_running_statistics_move_by_the_mean_over_the_parts() -> None:
    ours, x = network(), pictures(12)
    in_parts(ours, x, 3)
    alone = [copy.deepcopy(network()) for _ in range(3)]
    for one, part in zip(alone, x.chunk(3), strict=True):
        one(part)
    for name, found in ours.named_buffers():
        expected = torch.stack([dict(one.named_buffers())[name].double() for one in alone]).mean(0)
        torch.testing.assert_close(found.double(), expected, msg=name)


def test_frozen_norms_stay_as_they_are() -> None:
    ours, x = network().eval(), pictures(12)
    before = copy.deepcopy(ours.state_dict())
    torch.testing.assert_close(in_parts(ours, x, 3), ours(x))
    assert all(torch.equal(before[name], found) for name, found in ours.state_dict().items())


@pytest.mark.parametrize("training", [True, False])
def test_which_networks_normalise_by_the_batch(training: bool) -> None:
    assert trains_norms(network().train(training)) == training and not trains_norms(nn.Linear(2, 2))
