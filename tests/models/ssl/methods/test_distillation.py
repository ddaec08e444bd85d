"""Distillation: teachers are the means of a loop, found once; a step, with its gradients, is that of a loop."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from models.ssl.backbone import Backbone
from models.ssl.base import Setting
from models.ssl.fit import fit
from models.ssl.methods import distillation
from models.ssl.methods.distillation import Distillation, Params
from models.ssl.networks import resnet18_cifar
from tests.models.ssl.methods.test_neighbours import Epochs, looped

SIZE = 16  # pixels


def method(images: int = 64, **params: object) -> Distillation:
    torch.manual_seed(0)
    setting = Setting(images, SIZE, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    given = {"epochs": 2, "batch_size": 16, "max_minutes": None} | params
    encoder = Backbone(*resnet18_cifar(2), norm="trained")
    return Distillation(encoder, Params(train_blocks="all", norm="trained", **given), setting).train()


def means(features: Tensor, k: int) -> Tensor:
    """Of every row and its k nearest, by a loop."""
    unit = [row / row.norm() for row in features]
    found = [sum((unit[j] for j in near), unit[i]) for i, near in enumerate(looped(features, k))]
    return torch.stack([row / row.norm() for row in found])


@pytest.mark.parametrize(("k", "block"), [(5, 512), (5, 7), (1, 3)])
def test_a_teacher_is_the_mean_direction_of_a_neighbourhood(k, block, monkeypatch):
    monkeypatch.setattr(distillation, "BLOCK", block)
    ours, run = method(neighbours=k), Epochs()
    ours.start_epoch(run)
    torch.testing.assert_close(ours.teachers.float(), means(run.features(), k), atol=1e-3, rtol=0)


def test_teachers_are_found_once_and_survive_a_checkpoint():
    ours = method()
    first = Epochs()
    for first.epoch in range(3):
        ours.start_epoch(first)
    assert first.asked == [0]
    restored, later = method(), Epochs(epoch=3)
    restored.load_state_dict(ours.state_dict())
    restored.start_epoch(later)
    assert torch.equal(restored.teachers, ours.teachers) and later.asked == []


@pytest.mark.parametrize("images", [1, 2, 3])
def test_a_small_collection_has_fewer_neighbours(images):
    ours, run = method(images=images), Epochs(images=images)
    ours.start_epoch(run)
    expected = means(run.features()[:images], images - 1)
    torch.testing.assert_close(ours.teachers.float(), expected, atol=1e-3, rtol=0)


def test_a_step_and_its_gradients_are_those_of_a_loop(monkeypatch):
    monkeypatch.setattr(distillation, "ANCHORS", 40)
    ours = method(temperature=0.1)
    ours.teachers.copy_(torch.nn.functional.normalize(torch.randn(ours.teachers.shape), dim=1))
    ours = ours.double()
    view, index = torch.randn(4, 3, SIZE, SIZE, dtype=torch.float64), torch.tensor([3, 0, 63, 7])
    total, least = torch.zeros((), dtype=torch.float64), 0.0
    for row, image in zip(ours.encoder(view), index, strict=True):
        anchors = [ours.teachers[which] for which in ours.anchors]
        wanted = [math.exp(float(ours.teachers[image] @ one) / 0.1) for one in anchors]
        logits = [row @ one / row.norm() / 0.1 for one in anchors]
        whole = torch.stack([logit.exp() for logit in logits]).sum().log()
        for share, logit in zip([one / sum(wanted) for one in wanted], logits, strict=True):
            total = total - share * (logit - whole) / 4
            least -= share * math.log(share) / 4
    found = ours.loss({"view": view, "index": index})
    torch.testing.assert_close(found["loss"], total, atol=1e-6, rtol=0)
    assert float(found["entropy"]) == pytest.approx(least, abs=1e-6) and float(total.detach()) > least
    weights = [weight for weight in ours.parameters() if weight.requires_grad]
    torch.testing.assert_close(
        torch.autograd.grad(found["loss"], weights), torch.autograd.grad(total, weights), atol=1e-6, rtol=0
    )


def test_anchors_are_bounded_drawn_by_the_seed_and_ascending(monkeypatch):
    assert method(images=50).anchors.tolist() == list(range(50))
    monkeypatch.setattr(distillation, "ANCHORS", 20)
    drawn = method(images=50).anchors
    assert len(set(drawn.tolist())) == 20 and drawn.tolist() == sorted(drawn.tolist())
    assert torch.equal(drawn, method(images=50).anchors)
    assert not torch.equal(drawn, method(images=50, seed=1).anchors)


def test_the_student_nears_its_teachers():
    pixels = torch.randint(0, 256, (64, 3, SIZE, SIZE), dtype=torch.uint8)
    history = fit(method(epochs=8, lr=1e-3), pixels).history
    gaps = [one["loss"] - one["entropy"] for one in history[1:]]
    assert gaps[-1] < 0.8 * gaps[0], gaps
