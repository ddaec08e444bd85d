"""Hierarchy: groups are those of umap-ward, found once; the loss is that of a loop over pictures and cuts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from models.clustering import umap_ward
from models.clustering.base import KTooLarge
from models.ssl.backbone import Backbone
from models.ssl.base import Setting
from models.ssl.methods.hierarchy import Hierarchy, Params, cuts
from models.ssl.networks import resnet18_cifar
from models.ssl.seeds import seed_of

SIZE = 16  # pixels
IMAGES = 96


def method(**params: object) -> Hierarchy:
    torch.manual_seed(0)
    setting = Setting(IMAGES, SIZE, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    chosen = Params(train_blocks="all", norm="trained", batch_size=16, **params)
    return Hierarchy(Backbone(*resnet18_cifar(2), norm="trained"), chosen, setting).train()


@dataclass
class Epochs:
    """A run with four kinds of pictures in an order of their own, that counts how often it is asked."""

    different: int = IMAGES
    epoch: int = 0
    seed: int = 0
    asked: int = 0
    signs: list[int] = field(default_factory=list)

    def alive(self) -> None:
        self.signs.append(self.epoch)

    def features(self) -> Tensor:
        self.asked += 1
        draw = torch.Generator().manual_seed(1)
        rows = torch.eye(16)[self.kinds()] + 0.2 * torch.randn(IMAGES, 16, generator=draw)
        return rows[torch.arange(IMAGES) % self.different]

    def kinds(self) -> Tensor:
        return torch.arange(IMAGES) % 4


def test_groups_are_those_of_umap_ward_and_their_centres_mean_directions():
    ours, run = method(k=4), Epochs()
    ours.start_epoch(run)
    rows = torch.nn.functional.normalize(run.features(), dim=1)
    expected = umap_ward.PLUGIN.cluster(rows.numpy(), 4, seed=seed_of(0, "hierarchy")).labels
    found = ours.groups[:, 0]
    assert len(set(zip(found.tolist(), expected.tolist(), strict=True))) == len(found.unique()) == 4
    assert len(set(zip(found.tolist(), run.kinds().tolist(), strict=True))) == 4
    for group in range(4):
        mean = rows[found == group].mean(0)
        torch.testing.assert_close(ours.centres[group], mean / mean.norm())
    assert run.signs, "it may be cancelled meanwhile"


def test_finer_groups_lie_within_coarser_ones():
    ours = method()
    ours.start_epoch(Epochs())
    assert ours.sizes == [2, 3, 5, 7, 10, 14] == [len(labels.unique()) for labels in ours.groups.T]
    for coarse, fine in zip(ours.groups.T, ours.groups.T[1:], strict=False):
        assert len(set(zip(coarse.tolist(), fine.tolist(), strict=True))) == len(fine.unique())


def test_groups_are_found_once_and_survive_a_checkpoint():
    ours, run = method(), Epochs()
    for run.epoch in range(3):
        ours.start_epoch(run)
    assert run.asked == 1
    restored, later = method(), Epochs(epoch=3)
    restored.load_state_dict(ours.state_dict())
    restored.start_epoch(later)
    assert (
        later.asked == 0 and torch.equal(restored.groups, ours.groups) and torch.equal(restored.centres, ours.centres)
    )


def test_a_step_is_that_of_a_loop():
    ours = method(temperature=0.3)
    ours.start_epoch(Epochs())
    ours = ours.double()
    batch = {"index": torch.tensor([5, 90, 17]), "view": torch.randn(3, 3, SIZE, SIZE, dtype=torch.float64)}
    losses, right = [], []
    for row, image in zip(ours.encoder(batch["view"]), batch["index"].tolist(), strict=True):
        for cut, k in enumerate(ours.sizes):
            centres = ours.centres[sum(ours.sizes[:cut]) :][:k]
            weights = [math.exp(float((row @ centre / row.norm()).detach()) / 0.3) for centre in centres]
            losses.append(-math.log(weights[ours.groups[image, cut]] / sum(weights)))
            right.append(max(range(k), key=weights.__getitem__) == ours.groups[image, cut])
    found = ours.loss(batch)
    assert float(found["loss"]) == pytest.approx(sum(losses) / len(losses), abs=1e-6)
    assert float(found["accuracy"]) == pytest.approx(sum(right) / len(right))


@pytest.mark.parametrize("different", [1, 6])
def test_copies_of_few_pictures_have_few_groups(different):
    ours = method()
    ours.start_epoch(Epochs(different=different))
    assert [len(labels.unique()) for labels in ours.groups.T] == [min(k, different) for k in ours.sizes]
    with pytest.raises(KTooLarge):
        method(k=7).start_epoch(Epochs(different=different))


def test_more_groups_than_pictures_are_refused():
    with pytest.raises(KTooLarge):
        method(k=IMAGES + 1)


@given(st.integers(32, 10**7))
def test_cuts_rise_and_leave_groups_to_learn_from(images):
    found = cuts("auto", images)
    assert found == sorted(set(found)) and found[0] >= 2 and images / found[-1] >= 4
