"""The loop: how a run ends, early or late, well or badly."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

from models.ssl.backbone import Backbone
from models.ssl.base import Batch, Losses, Method, Setting, Views
from models.ssl.checkpoint import FileCheckpoints
from models.ssl.checks import CannotTrain
from models.ssl.fit import Progress, fit
from models.ssl.health import COLLAPSED_FOR, Collapsed, Diverged, Record
from models.ssl.networks import resnet18_cifar
from models.ssl.params import Params
from models.ssl.seeds import seed_globally
from models.ssl.views import plain
from tests.models.ssl.runs import SIZE, Killed, killed_at, shapes, unequal

IMAGES, STEPS = 48, 3  # an epoch's, with the batch of 16


class Written(Method):
    """A method whose loss is a function of the features (B, D), of one view that is always the same."""

    summary, paper = "For these tests.", ""

    def __init__(self, loss_of: Callable[[Tensor, int], Tensor], images: int = IMAGES, **params: Any) -> None:
        common = {
            "batch_size": 16,
            "train_blocks": "all",
            "norm": "trained",
            "max_minutes": None,
            "lr": 1e-3,
            "frozen_share": 0.0,
        }
        chosen = Params.model_validate(common | params)
        seed_globally(0, "network")
        encoder = Backbone(*resnet18_cifar(4), chosen.train_blocks, chosen.norm)
        super().__init__(encoder, chosen, Setting(images, SIZE, (0.5,) * 3, (0.5,) * 3))
        self.loss_of, self.steps = loss_of, 0

    def views(self) -> Views:
        return {"view": plain(self.setting)}

    def loss(self, batch: Batch) -> Losses:
        self.steps += 1
        return {"loss": self.loss_of(self.encoder(batch["view"]), self.steps)}


def apart(features: Tensor, _: int) -> Tensor:
    """A healthy loss: every picture goes its own way."""
    directions = F.normalize(features, dim=1)
    return (directions @ directions.T).square().mean()


@pytest.mark.parametrize("step", [1, 4])
def test_what_report_raises_ends_the_run_at_that_step(step: int) -> None:
    method = Written(apart, epochs=2)
    with pytest.raises(Killed):
        fit(method, shapes(IMAGES), report=killed_at(step))
    assert method.steps == step


def test_a_run_can_be_cancelled_while_it_only_looks() -> None:
    """Before its first step; with many pictures that takes minutes."""
    method = Written(apart, epochs=2)
    with pytest.raises(Killed):
        fit(method, shapes(IMAGES), report=killed_at(0))
    assert method.steps == 0


def test_progress_counts_every_step_of_every_epoch() -> None:
    seen: list[Progress] = []
    result = fit(Written(apart, epochs=2), shapes(IMAGES), shapes(4, seed=1), report=seen.append)
    assert list(dict.fromkeys((one.stage, one.done, one.total, one.epoch, one.epochs) for one in seen)) == [
        ("train", step, 2 * STEPS, 1 + max(0, step - 1) // STEPS, 2) for step in range(2 * STEPS + 1)
    ]
    assert result.ended == "epochs"
    assert [one["epoch"] for one in result.history] == [0, 1, 2]
    assert "loss" not in result.history[0] and all(one["retrieval"] is not None for one in result.history)
    assert result.history[0].keys() | {"loss", "lr", "seconds", "images_per_s"} == result.history[1].keys()


class Clock:
    """Stands still but for what is added to `now`."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("models.ssl.fit.time", made)
    return made


def test_a_budget_ends_the_run_in_time_with_a_low_rate_and_an_encoder_that_works(clock: Clock) -> None:
    """Two seconds a step: a minute has room for 30."""

    def slow(features: Tensor, step: int) -> Tensor:
        clock.now += 2
        return apart(features, step)

    method = Written(slow, epochs=1000, max_minutes=1)
    before = [weight.clone() for weight in method.encoder.parameters()]
    totals: list[int] = []
    result = fit(method, shapes(IMAGES), report=lambda progress: totals.append(progress.total))
    assert result.ended == "budget" and result.seconds == 60 and method.steps == 30
    assert totals[0] == 1000 * STEPS and totals[-1] == 30 and totals == sorted(totals, reverse=True)
    rates = [one["lr"] or 0 for one in result.history[1:]]
    assert len(rates) == 10 and 0 < rates[-1] < 0.01 * method.params.lr
    encoder = method.trained().eval()
    with torch.no_grad():
        assert encoder(torch.rand(2, 3, SIZE, SIZE)).isfinite().all()
    assert any(not torch.equal(old, new) for old, new in zip(before, encoder.parameters(), strict=True))


def test_a_budget_that_is_spent_at_once_still_ends_well(clock: Clock) -> None:
    def slow(features: Tensor, step: int) -> Tensor:
        clock.now += 1000
        return apart(features, step)

    method = Written(slow, epochs=1000, max_minutes=1)
    result = fit(method, shapes(IMAGES))
    assert result.ended == "budget" and method.steps < 10
    assert result.history[-1]["loss"] is not None and result.history[-1]["spread"] is not None


def test_an_ended_run_is_not_taken_up_again(tmp_path: Path) -> None:
    checkpoints = FileCheckpoints(tmp_path / "checkpoint")
    first = Written(apart, epochs=1)
    expected = fit(first, shapes(IMAGES), checkpoints=checkpoints)
    again = Written(apart, epochs=1)
    found = fit(again, shapes(IMAGES), checkpoints=checkpoints)
    assert (found.history, found.ended) == (expected.history, expected.ended)
    assert again.steps == 0 and unequal(first, again) == []


def test_a_loss_that_is_no_number_diverged() -> None:
    def broken(features: Tensor, step: int) -> Tensor:
        return apart(features, step) * (float("nan") if step == 2 else 1)

    method = Written(broken, epochs=9)
    with pytest.raises(Diverged, match="lower lr") as caught:
        fit(method, shapes(IMAGES))
    assert caught.value.code == "diverged"
    assert method.steps == STEPS  # noticed with the epoch's mean


def test_a_learning_rate_that_explodes_diverged() -> None:
    def steep(features: Tensor, step: int) -> Tensor:
        return -features.exp().mean()

    fit(Written(steep, epochs=4, lr=1e-5, norm="frozen"), shapes(IMAGES))
    with pytest.raises(Diverged):
        fit(Written(steep, epochs=4, lr=10.0, norm="frozen"), shapes(IMAGES))


def test_a_gradient_that_is_no_number_diverged_though_the_loss_was_one() -> None:
    """The root's slope at 0 is infinite. One step an epoch, so that no later loss tells."""

    def rooted(features: Tensor, step: int) -> Tensor:
        return (features * 0).abs().sum().sqrt()

    with pytest.raises(Diverged, match="vectors"):
        fit(Written(rooted, images=16), shapes(16))


def test_a_method_that_pulls_all_vectors_together_collapses() -> None:
    def together(features: Tensor, step: int) -> Tensor:
        return (F.normalize(features, dim=1) - torch.ones(features.shape[1]) / features.shape[1] ** 0.5).square().sum()

    seen: list[int] = []
    recorded: list[Record] = []
    method = Written(together, images=16, epochs=100, lr=1e-2)
    with pytest.raises(Collapsed, match="collapsed: the spread") as caught:
        fit(method, shapes(16), report=lambda progress: seen.append(progress.epoch), recorded=recorded.append)
    assert caught.value.code == "collapsed"
    assert [record["epoch"] for record in recorded] == list(range(seen[-1] + 1)), "the epochs that collapsed, too"
    assert COLLAPSED_FOR <= seen[-1] < 100


@pytest.fixture
def three_processes() -> Iterator[None]:
    """As far as torch knows."""
    from torch.testing._internal.distributed.fake_pg import FakeStore

    dist.init_process_group("fake", rank=0, world_size=3, store=FakeStore())
    yield
    dist.destroy_process_group()


@pytest.mark.usefixtures("three_processes")
def test_a_batch_that_the_processes_cannot_share_is_refused() -> None:
    with pytest.raises(CannotTrain, match="multiple of 3") as caught:
        fit(Written(apart), shapes(IMAGES))
    assert caught.value.code == "params_invalid"
