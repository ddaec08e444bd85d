"""Networks cut in two: the same function as the whole, and only the tail learns."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from models.ssl.backbone import Backbone, BlocksOutOfRange, NetworkUnsupported, stages
from models.ssl.networks import resnet18_cifar, vit_tiny

SIZE = 32


def efficientnet() -> tuple[nn.Module, int]:
    import timm

    network = timm.create_model("tf_efficientnet_lite0", num_classes=0)
    return network, network.num_features


def vit(**options: object) -> tuple[nn.Module, int]:
    from timm.models import VisionTransformer

    made = VisionTransformer(
        img_size=SIZE, patch_size=8, embed_dim=64, depth=3, num_heads=2, num_classes=0, **options  # type: ignore[arg-type]
    )  # fmt: skip
    return made, 64


NETWORKS: dict[str, tuple[Callable[[], tuple[nn.Module, int]], int]] = {
    "efficientnet": (efficientnet, 7),
    "resnet": (lambda: resnet18_cifar(4), 4),
    "vit": (vit, 3),
    "vit with registers and mean": (lambda: vit(reg_tokens=2, global_pool="avg", class_token=False), 3),
    "vit with a norm before": (lambda: vit(pre_norm=True), 3),
    "vit of many sizes": (lambda: vit_tiny(SIZE, 8, 64, 2), 2),
}
every_network = pytest.mark.parametrize("name", NETWORKS)
each_family = pytest.mark.parametrize("name", ["efficientnet", "resnet", "vit"])


def made(name: str) -> tuple[nn.Module, int]:
    """With norms unlike a new network's: those forgive the wrong mode, and a scale of zero lets no gradient through."""
    torch.manual_seed(0)
    network, dim = NETWORKS[name][0]()
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is not None:
            assert module.running_var is not None
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
    return network.eval(), dim


def pictures() -> Tensor:
    return torch.rand(3, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


@every_network
def test_its_stages_in_a_row_are_the_network(name: str) -> None:
    network, _ = made(name)
    first, blocks, last = stages(network)
    assert len(blocks) == NETWORKS[name][1]
    with torch.no_grad():
        assert torch.equal(nn.Sequential(*first, *blocks, *last).eval()(pictures()), network(pictures()))


@every_network
def test_wherever_it_is_cut_it_computes_the_same(name: str) -> None:
    network, dim = made(name)
    with torch.no_grad():
        expected = network(pictures())
        assert expected.shape == (3, dim)
        for blocks in (1, NETWORKS[name][1], "all"):
            backbone = Backbone(network, dim, blocks).eval()  # type: ignore[arg-type]
            assert torch.equal(backbone(pictures()), expected), blocks
            if backbone.has_trunk:
                maps = backbone.trunk(pictures())
                backbone.from_maps = True
                assert torch.equal(backbone(maps), expected), blocks


@each_family
def test_only_the_tail_learns(name: str) -> None:
    network, dim = made(name)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    backbone = Backbone(network, dim, 1, "trained")
    assert backbone.network is network and backbone.has_trunk
    backbone.train()
    optimizer = torch.optim.SGD([p for p in backbone.parameters() if p.requires_grad], lr=0.1)
    backbone(pictures()).square().sum().backward()
    assert all(p.grad is None and not p.requires_grad for p in backbone.trunk.parameters())
    assert all(p.grad is not None for p in backbone.tail.parameters())
    optimizer.step()
    in_tail = {id(value) for value in backbone.tail.state_dict(keep_vars=True).values()}
    for key, value in network.state_dict(keep_vars=True).items():
        if id(value) in in_tail:
            assert not torch.equal(value, before[key]), key  # the network itself has learnt
        else:
            assert torch.equal(value, before[key]), key


@each_family
def test_training_never_reaches_the_trunk(name: str) -> None:
    network, dim = made(name)
    backbone = Backbone(network, dim, 1, "trained").train()
    assert not any(module.training for module in backbone.trunk.modules())
    assert all(module.training for module in backbone.tail.modules())


@pytest.mark.parametrize("blocks", [1, "all"])
def test_frozen_norms_keep_their_statistics_and_still_learn_their_scale(blocks: int) -> None:
    for norm, stays in (("frozen", True), ("trained", False)):
        network, dim = made("resnet")
        backbone = Backbone(network, dim, blocks, norm).train()  # type: ignore[arg-type]
        statistics = {name: value.clone() for name, value in backbone.tail.named_buffers()}
        backbone(pictures()).sum().backward()
        assert all(torch.equal(value, statistics[name]) for name, value in backbone.tail.named_buffers()) == stays
        scales = [m.weight for m in backbone.tail.modules() if isinstance(m, nn.BatchNorm2d)]
        assert scales and all(scale.grad is not None for scale in scales)


def test_all_leaves_no_trunk_and_trains_every_weight() -> None:
    for name in ("efficientnet", "resnet", "vit"):
        network, dim = made(name)
        backbone = Backbone(network, dim)
        assert not backbone.has_trunk
        assert {id(p) for p in backbone.parameters()} == {id(p) for p in network.parameters()}
        assert all(p.requires_grad for p in backbone.parameters())


@each_family
def test_a_copy_is_whole_and_shares_nothing(name: str) -> None:
    """A teacher is one."""
    network, dim = made(name)
    backbone = Backbone(network, dim, 1).eval()
    teacher = copy.deepcopy(backbone).requires_grad_(False)
    with torch.no_grad():
        expected = backbone(pictures())
        assert torch.equal(teacher(pictures()), expected)
        for weight in backbone.parameters():
            weight.mul_(0.5)
        assert torch.equal(teacher(pictures()), expected)
        assert not torch.equal(backbone(pictures()), expected)
        assert torch.equal(teacher.network.eval()(pictures()), expected)  # its network is its own, too
    assert all(weight.requires_grad for weight in backbone.tail.parameters())


def test_its_state_is_that_of_the_network_alone() -> None:
    """Neither is stored twice in a checkpoint."""
    network, dim = made("vit")
    backbone = Backbone(network, dim, 1)
    assert sum(p.numel() for p in backbone.parameters()) == sum(p.numel() for p in network.parameters())
    other = Backbone(*made("vit"), 1)
    with torch.no_grad():
        for weight in other.parameters():
            weight.zero_()
    other.load_state_dict(backbone.state_dict())
    with torch.no_grad():
        assert torch.equal(other.eval()(pictures()), network(pictures()))


@pytest.mark.parametrize("blocks", [0, -1, 5, 10_000])
def test_blocks_that_there_are_not(blocks: int) -> None:
    network, dim = made("resnet")
    with pytest.raises(BlocksOutOfRange, match=f"1 to 4 or all for this encoder, not {blocks}") as caught:
        Backbone(network, dim, blocks)
    assert caught.value.code == "params_invalid"


def test_networks_that_it_cannot_cut() -> None:
    with pytest.raises(NetworkUnsupported, match="Sequential") as caught:
        Backbone(nn.Sequential(nn.Flatten()), 1)
    assert caught.value.code == "encoder_untrainable"
    with pytest.raises(NetworkUnsupported, match="attention"):
        Backbone(*vit(global_pool="map"))
