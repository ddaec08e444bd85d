"""The networks that are trained from scratch."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from models.ssl.networks import resnet18_cifar, vit_tiny


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_whole_resnet_has_the_11_million_parameters_of_resnet_18() -> None:
    """11,689,512 of torchvision's, less its classifier and its stem of 7 x 7, with a stem of 3 x 3."""
    network, dim = resnet18_cifar()
    assert dim == 512
    assert parameters(network) == 11_689_512 - 513_000 - 3 * 64 * 7 * 7 + 3 * 64 * 3 * 3


@pytest.mark.parametrize("width", [4, 16])
def test_a_narrow_resnet_sees_small_pictures_at_full_size(width: int) -> None:
    network, dim = resnet18_cifar(width)
    network.eval()
    assert network(torch.rand(2, 3, 32, 32)).shape == (2, dim) == (2, 8 * width)
    stem = network.maxpool(network.conv1(torch.rand(1, 3, 32, 32)))
    assert stem.shape[2:] == (32, 32)  # neither stem nor pooling makes it smaller
    assert network.layer1(stem).shape == (1, width, 32, 32)
    assert network.forward_features(torch.rand(1, 3, 32, 32)).shape == (1, dim, 4, 4)


@pytest.mark.parametrize("size", [32, 16, 24])
def test_a_vit_takes_every_size_that_its_patch_divides(size: int) -> None:
    network, dim = vit_tiny(32, 4, 64, 2)
    network.eval()
    assert network(torch.rand(2, 3, size, size)).shape == (2, dim) == (2, 64)
    assert network.forward_features(torch.rand(1, 3, size, size)).shape[1] == 1 + (size // 4) ** 2


@pytest.mark.parametrize("made", [lambda: resnet18_cifar(4), lambda: vit_tiny(16, 4, 64, 1)])
def test_every_weight_learns(made: Callable[[], tuple[nn.Module, int]]) -> None:
    network, _ = made()
    network(torch.rand(4, 3, 16, 16)).square().sum().backward()
    assert [name for name, weight in network.named_parameters() if weight.grad is None] == []
