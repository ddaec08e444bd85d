"""BYOL: the regression is lightly's negative cosine, 2 + 2 times it, and the teacher comes to rest."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from lightly.loss import NegativeCosineSimilarity

from models.ssl.backbone import Backbone
from models.ssl.base import Setting
from models.ssl.fit import fit
from models.ssl.methods.byol import BYOL, Params, regression
from models.ssl.networks import resnet18_cifar
from models.ssl.objective import move_teachers

SIZE = 16  # pixels


def method(**params: object) -> BYOL:
    torch.manual_seed(0)
    setting = Setting(64, SIZE, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    given = {"hidden": 16, "projection": 8, "epochs": 2, "batch_size": 16, "max_minutes": None} | params
    encoder = Backbone(*resnet18_cifar(2), norm="trained")
    return BYOL(encoder, Params(train_blocks="all", norm="trained", **given), setting).train()


def batch(dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(3)
    views = {name: torch.randn(16, 3, SIZE, SIZE, generator=draw, dtype=dtype) for name in ("first", "second")}
    return views | {"index": torch.arange(16)}


def test_regression_and_gradient_are_two_plus_two_lightly():
    torch.manual_seed(1)
    predicted = torch.randn(6, 8, dtype=torch.float64, requires_grad=True)
    target = torch.randn(6, 8, dtype=torch.float64)
    expected = 2 + 2 * NegativeCosineSimilarity()(predicted, target)
    found = regression(predicted, target)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    gradients = [torch.autograd.grad(loss, predicted)[0] for loss in (found, expected)]
    torch.testing.assert_close(*gradients, atol=1e-6, rtol=0)


def test_a_step_predicts_each_view_from_the_other():
    ours = method().double()
    for teacher in (ours.teacher, ours.teacher_projector):
        for parameter in teacher.parameters():
            parameter.mul_(1.1)
    given = batch(torch.float64)
    views = [given["first"], given["second"]]
    predicted = ours.predictor(ours.projector(torch.cat([ours.encoder(view) for view in views])))
    target = ours.teacher_projector(torch.cat([ours.teacher(view) for view in views])).detach()
    cosine = F.cosine_similarity(predicted, target.roll(16, 0))
    expected = 4 - 2 * cosine[:16].mean() - 2 * cosine[16:].mean()
    found = ours.loss(given)["loss"]
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    found.backward()
    assert all(p.grad is None for p in [*ours.teacher.parameters(), *ours.teacher_projector.parameters()])
    students = (ours.encoder, ours.projector, ours.predictor)
    assert all(p.grad is not None for student in students for p in student.parameters())


def test_momentum_rises_to_one_by_a_cosine():
    ours = method(momentum=0.9)
    assert [ours.momentum(t) for t in (0.0, 0.5, 1.0)] == pytest.approx([0.9, 0.95, 1.0], abs=1e-12)
    rising = [ours.momentum(t / 20) for t in range(21)]
    assert rising == sorted(rising)


def test_the_teacher_follows_and_at_the_end_rests():
    ours = method(momentum=0.9)
    with torch.no_grad():
        for student, _ in ours.pairs():
            for parameter in student.parameters():
                parameter.add_(1.0)
    before = [p.clone() for _, teacher in ours.pairs() for p in teacher.parameters()]
    move_teachers(ours, 1.0)
    rested = [p.clone() for _, teacher in ours.pairs() for p in teacher.parameters()]
    assert all(torch.equal(old, new) for old, new in zip(before, rested, strict=True))
    move_teachers(ours, 0.0)
    moved = [p for _, teacher in ours.pairs() for p in teacher.parameters()]
    for old, new in zip(before, moved, strict=True):
        torch.testing.assert_close(new, old + 0.1)


def test_trains_and_is_restored_with_its_teacher():
    trained = method()
    pixels = torch.randint(0, 256, (64, 3, SIZE, SIZE), dtype=torch.uint8)
    result = fit(trained, pixels)
    assert len(result.history) == 3 and 0 < result.history[-1]["loss"] < 8
    restored = method()
    restored.load_state_dict(trained.state_dict())
    given = batch()
    assert torch.equal(restored.loss(given)["loss"], trained.loss(given)["loss"])
