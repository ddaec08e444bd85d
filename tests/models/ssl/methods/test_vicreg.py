"""VICReg against lightly's, loss and gradient, and each term against what it is for."""

import pytest
import torch
from lightly.loss import VICRegLoss

from models.ssl.backbone import Backbone
from models.ssl.base import Setting
from models.ssl.methods.vicreg import Params, VICReg, lack_of_variance, redundancy, vicreg
from models.ssl.networks import resnet18_cifar

SETTING = Setting(images=16, size=32, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))


def weighted(first: torch.Tensor, second: torch.Tensor, weights: tuple[float, float, float]) -> torch.Tensor:
    return sum(weight * term for weight, term in zip(weights, vicreg(first, second).values(), strict=True))


@pytest.mark.parametrize("weights", [(25.0, 25.0, 1.0), (3.0, 7.0, 11.0)])
@pytest.mark.parametrize("scale", [0.3, 3.0])
def test_loss_and_gradient_are_lightlys(weights: tuple[float, float, float], scale: float) -> None:
    torch.manual_seed(0)
    pair = (scale * torch.randn(2, 24, 10, dtype=torch.float64)).requires_grad_()
    other = pair.detach().clone().requires_grad_()
    ours, theirs = weighted(*pair, weights), VICRegLoss(*weights)(*other)
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)
    ours.backward()
    theirs.backward()
    torch.testing.assert_close(pair.grad, other.grad, rtol=1e-6, atol=1e-6)


def test_each_term_sees_its_own_failure() -> None:
    torch.manual_seed(0)
    independent = 2 * torch.randn(5000, 4)
    assert lack_of_variance(independent) == 0
    assert lack_of_variance(torch.ones(8, 4)) == pytest.approx(0.99)  # 1 - sqrt(epsilon)
    assert redundancy(independent) < 0.1
    copied = independent[:, :1].expand(-1, 4)
    assert float(redundancy(copied)) == pytest.approx(3 * 4**2, rel=0.1)  # three others, covariance 2 * 2


def test_the_methods_loss_is_the_weighted_sum_of_what_it_logs() -> None:
    torch.manual_seed(0)
    method = VICReg(Backbone(*resnet18_cifar(4)), Params(expansion=16, covariance=5), SETTING)
    losses = method.loss({name: torch.randn(8, 3, 32, 32) for name in method.views()})
    expected = 25 * losses["invariance"] + 25 * losses["variance"] + 5 * losses["covariance"]
    torch.testing.assert_close(losses["loss"], expected)
    losses["loss"].backward()
    assert all(p.grad is not None for p in method.parameters())
