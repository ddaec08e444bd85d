from __future__ import annotations

import torch
from torch import Tensor, nn

from models.ssl.blend import blend


def network(seed: int) -> nn.Module:
    """With weights, a batch norm's statistics, and its counter of batches, which no mean is taken of."""
    torch.manual_seed(seed)
    made = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 6 * 6, 5))
    for _ in range(seed):
        made(torch.randn(8, 3, 8, 8))
    return made.eval()


def state(of: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in of.state_dict().items()}


def test_every_weight_and_statistic_lies_between_in_the_share_asked_for() -> None:
    tuned, frozen = network(1), network(2)
    before, origin = state(tuned), state(frozen)
    blend(tuned, frozen, 0.25)
    assert int(tuned.state_dict()["1.num_batches_tracked"]) == 1
    for name, value in tuned.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value, 0.75 * before[name] + 0.25 * origin[name])
    assert all(torch.equal(value, origin[name]) for name, value in frozen.state_dict().items())


def test_no_share_leaves_the_tuned_network_as_it_is() -> None:
    tuned = network(1)
    before = state(tuned)
    blend(tuned, network(2), 0.0)
    assert all(torch.equal(value, before[name]) for name, value in tuned.state_dict().items())
