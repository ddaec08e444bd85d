"""Instance discrimination: the losses are what plain loops say, and the bank follows its rule."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.ssl.backbone import Backbone
from models.ssl.base import Setting
from models.ssl.fit import fit
from models.ssl.methods import instance
from models.ssl.methods.instance import Instance, Params, non_parametric
from models.ssl.networks import resnet18_cifar

SIZE = 16  # pixels


def method(images: int = 64, **params: object) -> Instance:
    torch.manual_seed(0)
    setting = Setting(images, SIZE, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    given = {"projection": 8, "epochs": 2, "batch_size": 16, "max_minutes": None} | params
    encoder = Backbone(*resnet18_cifar(2), norm="trained")
    return Instance(encoder, Params(train_blocks="all", norm="trained", **given), setting).train()


def batch(images: list[int], dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(sum(images))
    view = torch.randn(len(images), 3, SIZE, SIZE, generator=draw, dtype=dtype)
    return {"view": view, "index": torch.tensor(images)}


@dataclass
class FirstEpoch:
    features: Callable[[], Tensor]
    epoch: int = 0
    seed: int = 0


def looped(vectors: Tensor, index: Tensor, bank: Tensor, temperature: float, drawn: list[int] | None = None) -> Tensor:
    rows = []
    for vector, own in zip(vectors, index.tolist(), strict=True):
        entries = range(len(bank)) if drawn is None else drawn
        weight = len(bank) / len(entries)
        others = sum(weight * torch.exp(vector @ bank[j] / temperature) for j in entries if j != own)
        right = torch.exp(vector @ bank[own] / temperature)
        rows.append(-torch.log(right / (right + others)))
    return torch.stack(rows).mean()


@pytest.mark.parametrize("drawn", [None, [0, 3, 3, 8, 11, 2, 19]])
def test_loss_and_gradient_are_those_of_a_loop(drawn):
    torch.manual_seed(1)
    bank = F.normalize(torch.randn(20, 8, dtype=torch.float64), dim=1)
    vectors = F.normalize(torch.randn(5, 8, dtype=torch.float64), dim=1).requires_grad_()
    index = torch.tensor([3, 0, 19, 7, 8])
    expected = looped(vectors, index, bank, 0.1, drawn)
    found = non_parametric(vectors, index, bank, 0.1, None if drawn is None else torch.tensor(drawn))
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    gradients = [torch.autograd.grad(loss, vectors)[0] for loss in (found, expected)]
    torch.testing.assert_close(*gradients, atol=1e-6, rtol=0)


def test_every_entry_drawn_once_is_the_whole_softmax():
    torch.manual_seed(2)
    bank, index = F.normalize(torch.randn(30, 8), dim=1), torch.tensor([4, 9])
    vectors = F.normalize(torch.randn(2, 8), dim=1)
    drawn = non_parametric(vectors, index, bank, 0.1, torch.randperm(30))
    torch.testing.assert_close(drawn, non_parametric(vectors, index, bank, 0.1))


@pytest.mark.parametrize("proximal", [0.0, 0.7])
def test_a_step_adds_the_proximal_term(proximal):
    ours = method(proximal=proximal).double()
    given = batch(list(range(8, 24)), torch.float64)
    losses = ours.loss(given)
    vectors = F.normalize(ours.head(ours.encoder(given["view"])), dim=1)
    pulls = [((v - ours.bank[i]) ** 2).sum() for v, i in zip(vectors, given["index"].tolist(), strict=True)]
    expected = looped(vectors, given["index"], ours.bank, 0.1) + proximal * torch.stack(pulls).mean()
    torch.testing.assert_close(losses["loss"], expected, atol=1e-6, rtol=0)
    parameters = [*ours.encoder.parameters(), *ours.head.parameters()]
    found, wanted = (torch.autograd.grad(loss, parameters) for loss in (losses["loss"], expected))
    for mine, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=0)


def test_many_images_meet_a_sample_of_the_bank(monkeypatch):
    ours = method(negatives=10)
    given = batch(list(range(16)))
    whole = ours.loss(given)["loss"]
    monkeypatch.setattr(instance, "EXACT", 63)
    torch.manual_seed(4)
    sampled = ours.loss(given)["loss"]
    torch.manual_seed(4)
    drawn = torch.randint(64, (10,))
    vectors = F.normalize(ours.head(ours.encoder(given["view"])), dim=1)
    torch.testing.assert_close(sampled, non_parametric(vectors, given["index"], ours.bank, 0.1, drawn))
    assert sampled != whole


def test_the_bank_moves_by_its_momentum_and_only_where_the_batch_was():
    ours = method(momentum=0.75)
    given, before = batch(list(range(5, 21))), ours.bank.clone()
    ours.loss(given)["loss"].backward()
    assert torch.equal(ours.bank, before)
    vectors = F.normalize(ours.head(ours.encoder(given["view"])), dim=1).detach()
    ours.after_step(given, 0.5)
    for image in range(64):
        expected = before[image]
        if 5 <= image < 21:
            mixed = 0.75 * expected + 0.25 * vectors[image - 5]
            expected = mixed / math.sqrt(float(mixed @ mixed))
        torch.testing.assert_close(ours.bank[image], expected)


def test_the_bank_starts_from_the_encoder_and_only_once():
    ours = method()
    features = torch.randn(64, 16)
    ours.start_epoch(FirstEpoch(lambda: features))
    torch.testing.assert_close(ours.bank, F.normalize(ours.head(features), dim=1).detach())
    restored = method()
    restored.load_state_dict(ours.state_dict())
    restored.start_epoch(FirstEpoch(lambda: torch.zeros(64, 16), epoch=1))
    assert torch.equal(restored.bank, ours.bank)


def test_the_classifier_starts_from_the_encoder_and_only_once():
    ours = method(parametric=True, temperature=0.2)
    features = 3 * F.normalize(torch.randn(64, 16), dim=1)
    ours.start_epoch(FirstEpoch(lambda: features))
    cosines = F.normalize(features, dim=1) @ F.normalize(features, dim=1).T
    torch.testing.assert_close(ours.classifier(features).detach(), cosines / 0.2)
    restored = method(parametric=True, temperature=0.2)
    restored.load_state_dict(ours.state_dict())
    restored.start_epoch(FirstEpoch(lambda: torch.zeros(64, 16), epoch=1))
    assert torch.equal(restored.classifier.weight, ours.classifier.weight)


def test_parametric_is_a_smoothed_classifier_over_the_images():
    ours = method(parametric=True).double()
    given = batch(list(range(16)), torch.float64)
    features, weights = ours.encoder(given["view"]), ours.classifier.weight
    rows = []
    for feature, image in zip(features, range(16), strict=True):
        logits = torch.stack([feature @ weight for weight in weights])
        logs = logits - torch.log(torch.exp(logits).sum())
        rows.append(-(0.7 * logs[image] + 0.3 * logs.mean()))
    expected, found = torch.stack(rows).mean(), ours.loss(given)["loss"]
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    gradients = [torch.autograd.grad(loss, [weights])[0] for loss in (found, expected)]
    torch.testing.assert_close(*gradients, atol=1e-6, rtol=0)
    assert not hasattr(ours, "bank") and not hasattr(ours, "head")


@pytest.mark.parametrize("parametric", [False, True])
def test_trains_and_keeps_its_state(parametric):
    pixels = torch.randint(0, 256, (64, 3, SIZE, SIZE), dtype=torch.uint8)
    trained = method(parametric=parametric, lr=1e-2, epochs=3)
    history = fit(trained, pixels).history
    assert history[-1]["loss"] < history[1]["loss"]
    restored = method(parametric=parametric)
    restored.load_state_dict(trained.state_dict())
    for name, value in trained.state_dict().items():
        assert torch.equal(restored.state_dict()[name], value)
    if not parametric:
        assert bool(restored.filled)
        torch.testing.assert_close(restored.bank.norm(dim=1), torch.ones(64))
