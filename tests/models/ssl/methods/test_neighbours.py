"""Neighbours: the nearest are found as by a loop, remembered, and the loop is told where the second view is from."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import torch
from lightly.loss import NTXentLoss
from torch import Tensor

from models.ssl.backbone import Backbone
from models.ssl.base import Setting
from models.ssl.fit import fit
from models.ssl.methods import neighbours
from models.ssl.methods.neighbours import Neighbours, Params, nearest
from models.ssl.networks import resnet18_cifar
from models.ssl.seeds import generator

SIZE = 16  # pixels


def method(images: int = 64, **params: object) -> Neighbours:
    torch.manual_seed(0)
    setting = Setting(images, SIZE, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    given = {"hidden": 16, "projection": 8, "epochs": 2, "batch_size": 16, "max_minutes": None} | params
    encoder = Backbone(*resnet18_cifar(2), norm="trained")
    return Neighbours(encoder, Params(train_blocks="all", norm="trained", **given), setting).train()


@dataclass
class Epochs:
    """A run whose features are others in every epoch, and that counts how often it is asked."""

    images: int = 64
    epoch: int = 0
    seed: int = 0
    asked: list[int] = field(default_factory=list)

    def alive(self) -> None:
        pass

    def features(self) -> Tensor:
        self.asked.append(self.epoch)
        return torch.randn(self.images, 16, generator=torch.Generator().manual_seed(self.epoch))


def looped(features: Tensor, k: int) -> list[list[int]]:
    found = []
    for i, row in enumerate(features):
        others = [j for j in range(len(features)) if j != i]
        cosine = {j: float(row @ features[j] / (row.norm() * features[j].norm())) for j in others}
        found.append(sorted(others, key=lambda j: -cosine[j])[:k])
    return found


@pytest.mark.parametrize(("images", "k", "block"), [(40, 5, 512), (40, 5, 7), (6, 5, 2), (2, 1, 1)])
def test_nearest_are_those_of_a_loop(images, k, block, monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK", block)
    torch.manual_seed(k)
    features = torch.randn(images, 8, dtype=torch.float64) * (0.1 + torch.rand(images, 1, dtype=torch.float64))
    blocks: list[int] = []
    assert nearest(features, k, lambda: blocks.append(1)).tolist() == looped(features, k)
    assert len(blocks) == -(-images // block), "it may be cancelled after each block"


def test_the_second_view_is_of_a_neighbour_and_every_neighbour_has_its_turn():
    ours = method()
    ours.start_epoch(Epochs())
    index = torch.arange(64).flip(0)
    seen: list[set[int]] = [set() for _ in range(64)]
    for draw in range(100):
        sources = ours.sources(index, generator(draw))
        assert set(sources) == {"second"}
        for image, source in zip(index.tolist(), sources["second"].tolist(), strict=True):
            seen[image].add(source)
    assert [sorted(images) for images in seen] == [sorted(row) for row in ours.neighbours.tolist()]
    assert torch.equal(ours.sources(index, generator(1))["second"], ours.sources(index, generator(1))["second"])


@pytest.mark.parametrize(("renew", "asked"), [(0, [0]), (1, [0, 1, 2, 3, 4]), (2, [0, 2, 4])])
def test_neighbours_are_renewed_when_due(renew, asked):
    ours, run = method(renew=renew), Epochs()
    for run.epoch in range(5):
        ours.start_epoch(run)
    assert run.asked == asked
    assert torch.equal(ours.neighbours, nearest(Epochs(epoch=asked[-1]).features(), 5, run.alive))


def test_neighbours_survive_a_checkpoint():
    ours = method()
    ours.start_epoch(Epochs())
    restored, run = method(), Epochs(epoch=3)
    restored.load_state_dict(ours.state_dict())
    restored.start_epoch(run)
    assert torch.equal(restored.neighbours, ours.neighbours) and run.asked == []


def test_a_small_collection_has_fewer_neighbours():
    ours = method(images=3)
    ours.start_epoch(Epochs(images=3))
    assert [sorted(row) for row in ours.neighbours.tolist()] == [[1, 2], [0, 2], [0, 1]]


def test_a_step_is_lightlys_nt_xent():
    ours = method().double()
    draw = torch.Generator().manual_seed(3)
    given = {name: torch.randn(16, 3, SIZE, SIZE, generator=draw, dtype=torch.float64) for name in ("first", "second")}
    first, second = ours.projector(ours.encoder(torch.cat(list(given.values())))).chunk(2)
    expected = NTXentLoss(0.2)(first, second)
    torch.testing.assert_close(ours.loss(given)["loss"], expected, atol=1e-6, rtol=0)


def test_trains_with_the_neighbours_of_the_untrained_encoder():
    pixels = torch.randint(0, 256, (64, 3, SIZE, SIZE), dtype=torch.uint8)
    trained, copies = method(), []
    start = trained.start_epoch

    def noting(run: object) -> None:
        start(run)
        copies.append(trained.neighbours.clone())

    trained.start_epoch = noting
    assert len(fit(trained, pixels).history) == 3
    assert torch.equal(copies[0], copies[1]) and torch.equal(copies[1], trained.neighbours)
    assert int(trained.neighbours.min()) >= 0
