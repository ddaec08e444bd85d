"""DINO against lightly's loss and head, and what keeps its teacher from collapsing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightly.loss import DINOLoss
from lightly.models.modules.heads import DINOProjectionHead
from pydantic import ValidationError
from timm.models import ResNet, VisionTransformer
from timm.models.resnet import BasicBlock
from torch import Tensor, nn
from torchvision.transforms import v2

from models.ssl.backbone import Backbone
from models.ssl.base import Setting
from models.ssl.methods.dino import DINO, Head, Params, cross_view, local_size, recentred, sharpened
from models.ssl.networks import resnet18_cifar, vit_tiny
from models.ssl.views import contrastive

SETTING = Setting(images=8, size=32, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
SMALL = {"local_crops": 2, "prototypes": 24, "hidden": 32, "bottleneck": 16}


def fixed_vit() -> tuple[nn.Module, int]:
    return VisionTransformer(img_size=32, patch_size=8, embed_dim=64, depth=2, num_heads=1, num_classes=0), 64


def tiny(kind: str, train_blocks: Any = "all", **params: Any) -> DINO:
    torch.manual_seed(0)
    networks = {"vit": lambda: vit_tiny(dim=64, depth=2), "fixed": fixed_vit, "conv": lambda: resnet18_cifar(width=8)}
    network, dim = networks[kind]()
    chosen = Params.model_validate({**SMALL, "train_blocks": train_blocks, **params})
    return DINO(Backbone(network, dim, train_blocks, "frozen"), chosen, SETTING).train()


def batch_of(method: DINO, count: int = 4) -> dict[str, Tensor]:
    pictures = torch.randint(0, 256, (count, 3, 40, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    views = {name: torch.stack([view(p) for p in pictures]) for name, view in method.views().items()}
    return {**views, "index": torch.arange(count)}


def epoch(number: int) -> Any:
    return SimpleNamespace(epoch=number, seed=0)


def test_loss_gradient_and_centre_are_those_of_lightly() -> None:
    generator = torch.Generator().manual_seed(0)
    oracle = DINOLoss(output_dim=20, student_temp=0.1, center_momentum=0.9).double()
    centre = torch.zeros(20, dtype=torch.float64)
    for temperature in (0.04, 0.055, 0.07):  # three steps: the second and third see a centre that has moved
        teacher = torch.randn(2, 5, 20, dtype=torch.float64, generator=generator)
        student = torch.randn(6, 5, 20, dtype=torch.float64, generator=generator)
        ours, theirs = student.clone().requires_grad_(), student.clone().requires_grad_()
        loss = cross_view(ours, sharpened(teacher, centre, temperature), 0.1)
        centre = recentred(centre, teacher)
        expected = oracle(list(teacher), list(theirs), teacher_temp=temperature)
        loss.backward()
        expected.backward()
        assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-6, atol=1e-9)
        torch.testing.assert_close(centre, oracle.center[0, 0], rtol=1e-6, atol=1e-9)
    assert centre.abs().max() > 0.05


def test_head_is_that_of_lightly() -> None:
    theirs = DINOProjectionHead(12, 32, 16, 24).double()
    ours = Head(12, 32, 16, 24).double()
    for mine, other in zip(ours.layers, theirs.layers, strict=True):
        mine.load_state_dict(other.state_dict())
    with torch.no_grad():
        ours.prototypes.copy_(theirs.last_layer.weight_v)
    x = torch.randn(5, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", ["vit", "fixed", "conv"])
def test_method_gives_each_crop_to_whom_it_belongs(kind: str) -> None:
    """The loss is lightly's of one forward pass a view; every trained weight learns, and no weight of the teacher."""
    method = tiny(kind)
    method.start_epoch(epoch(1))
    with torch.no_grad():
        for weight in [*method.teacher.parameters(), *method.teacher_head.parameters()]:
            weight.add_(0.01 * torch.randn_like(weight))
    batch = batch_of(method)
    names = ["global_0", "global_1", "local_0", "local_1"]
    with torch.no_grad():
        student = [method.head(method.encoder(batch[name])) for name in names]
        teacher = [method.teacher_head(method.teacher(batch[name])) for name in names[:2]]
        oracle = DINOLoss(output_dim=24)
        expected = oracle(teacher, student, teacher_temp=0.04)
    losses = method.loss(batch)
    assert losses["loss"].item() == pytest.approx(expected.item(), rel=1e-5)
    torch.testing.assert_close(method.centre, oracle.center[0, 0])
    losses["loss"].backward()
    assert all(p.grad is not None and p.grad.any() for p in method.head.parameters())
    assert sum(p.grad is not None and bool(p.grad.any()) for p in method.encoder.parameters()) > 10
    assert all(p.grad is None for p in [*method.teacher.parameters(), *method.teacher_head.parameters()])


@pytest.mark.parametrize("kind", ["vit", "conv"])
def test_maps_of_the_frozen_trunk_stand_for_the_pixels(kind: str) -> None:
    method = tiny(kind, train_blocks=1)
    batch = batch_of(method)
    expected = method.loss(batch)["loss"]
    method.centre.zero_()
    with torch.no_grad():
        maps = {name: view if name == "index" else method.encoder.trunk(view) for name, view in batch.items()}
    method.encoder.from_maps = method.teacher.from_maps = True
    assert method.loss(maps)["loss"].item() == pytest.approx(expected.item(), rel=1e-6)


def test_prototypes_stay_for_the_first_epoch_only() -> None:
    method = tiny("vit")
    optimizer = torch.optim.AdamW(method.param_groups(), lr=1e-2)
    batch, before = batch_of(method), method.head.prototypes.detach().clone()
    first_layer = method.head.layers[0].weight.detach().clone()

    def steps(number: int) -> None:
        method.start_epoch(epoch(number))
        for _ in range(2):
            optimizer.zero_grad()
            method.loss(batch)["loss"].backward()
            optimizer.step()

    steps(0)
    assert torch.equal(method.head.prototypes, before)  # neither stepped nor decayed
    assert not torch.equal(method.head.layers[0].weight, first_layer)
    steps(1)
    assert not torch.equal(method.head.prototypes, before)


def test_what_outlives_a_step_is_saved() -> None:
    method, other = tiny("vit"), tiny("vit")
    method.start_epoch(epoch(1))
    batch = batch_of(method)
    method.loss(batch)
    method.after_step(batch, 0.2)
    other.load_state_dict(method.state_dict())
    assert other.centre.any() and not other.frozen
    assert other.loss(batch)["loss"] == method.loss(batch)["loss"]


def test_temperature_and_momentum_follow_the_run() -> None:
    method = tiny("vit")
    seen = []
    for t in (0.0, 0.15, 0.3, 1.0):
        method.after_step({}, t)
        seen.append(method.temperature.item())
    assert seen == pytest.approx([0.04, 0.055, 0.07, 0.07])
    assert [method.momentum(t) for t in (0.0, 0.5, 1.0)] == pytest.approx([0.996, 0.998, 1.0])


@pytest.mark.parametrize(
    ("kind", "size", "expected"),
    [("vit", 32, 16), ("vit", 64, 28), ("conv", 32, 16), ("conv", 224, 96), ("fixed", 32, 32)],
)
def test_small_crops_have_three_sevenths_of_the_side(kind: str, size: int, expected: int) -> None:
    assert local_size(tiny(kind).encoder.network, size) == expected


def test_small_crops_end_where_large_ones_begin() -> None:
    views = tiny("vit").views()
    assert list(views) == ["global_0", "global_1", "local_0", "local_1"]
    assert views["global_0"] is views["global_1"] and views["local_0"] is views["local_1"]
    large, small = (_crops(views[name]) for name in ("global_0", "local_0"))
    assert [crop.scale for crop in large + small] == [(0.5, 1.0), (0.05, 0.5)]
    with pytest.raises(ValidationError, match="smallest_crop"):
        Params(crop=0.3, smallest_crop=0.3)


def _crops(transform: Any) -> list[v2.RandomResizedCrop]:
    if isinstance(transform, v2.Compose):
        return [crop for part in transform.transforms for crop in _crops(part)]
    return [transform] if isinstance(transform, v2.RandomResizedCrop) else []


def test_small_crops_do_not_repeat_the_large_ones_random_numbers() -> None:
    picture = torch.randint(0, 256, (3, 40, 40), dtype=torch.uint8)
    small = tiny("vit").views()["local_0"]
    torch.manual_seed(3)
    drawn = small(picture)
    torch.manual_seed(3)
    assert not torch.equal(drawn, contrastive(SETTING, 0.05, size=16, largest=0.5)(picture))
    torch.manual_seed(3)
    assert torch.equal(drawn, small(picture))


def test_without_small_crops_the_large_ones_are_compared() -> None:
    method = tiny("conv", local_crops=0)
    assert torch.isfinite(method.loss(batch_of(method))["loss"])


def test_pretrained_resnet_family_works_too() -> None:
    network = ResNet(BasicBlock, [1, 1, 1, 1], channels=(8, 16, 16, 16), num_classes=0)
    method = DINO(Backbone(network, 16, 1, "frozen"), Params(**SMALL), SETTING).train()
    method.loss(batch_of(method))["loss"].backward()
    assert any(p.grad is not None and p.grad.any() for p in method.encoder.tail.parameters())
