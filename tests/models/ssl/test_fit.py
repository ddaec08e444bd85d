"""The loop: how a run ends, early or late, well or badly, and that nothing but its arguments decides the weights."""

import signal
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from models.ssl.backbone import Backbone
from models.ssl.base import Batch, Losses, Method, Setting, Views
from models.ssl.checkpoint import FileCheckpoints
from models.ssl.checks import CannotTrain
from models.ssl.fit import Progress, Result, fit
from models.ssl.health import COLLAPSED_FOR, Collapsed, Diverged
from models.ssl.networks import resnet18_cifar
from models.ssl.params import Params
from models.ssl.seeds import seed_globally
from models.ssl.views import plain
from tests.models.ssl.runs import SIZE, shapes, small

MEASURED_TIME = ("seconds", "images_per_s")
NARROW: dict[str, Any] = {"hidden": 16, "projection": 8}
IMAGES, STEPS = 48, 3  # an epoch's, with the batch of 16


class Killed(Exception):
    pass


def killed_at(step: int) -> Callable[[Progress], None]:
    def report(progress: Progress) -> None:
        if progress.stage == "train" and progress.done == step:
            raise Killed

    return report


def without_time(result: Result) -> list[dict[str, float | None]]:
    return [{name: value for name, value in one.items() if name not in MEASURED_TIME} for one in result.history]


def unequal(one: nn.Module, other: nn.Module) -> list[str]:
    states = one.state_dict(), other.state_dict()
    assert states[0].keys() == states[1].keys()
    return [name for name, value in states[0].items() if not torch.equal(value, states[1][name])]


class Written(Method):
    """A method whose loss is a function of the features (B, D), of one view that is always the same."""

    summary, paper = "For these tests.", ""

    def __init__(self, loss_of: Callable[[Tensor, int], Tensor], images: int = IMAGES, **params: Any) -> None:
        common = {"batch_size": 16, "train_blocks": "all", "norm": "trained", "max_minutes": None, "lr": 1e-3}
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


# How a run ends


@pytest.mark.parametrize("step", [1, 4])
def test_what_report_raises_ends_the_run_at_that_step(step: int) -> None:
    method = Written(apart, epochs=2)
    with pytest.raises(Killed):
        fit(method, shapes(IMAGES), report=killed_at(step))
    assert method.steps == step


def test_progress_counts_every_step_of_every_epoch() -> None:
    seen: list[Progress] = []
    result = fit(Written(apart, epochs=2), shapes(IMAGES), shapes(4, seed=1), report=seen.append)
    assert [(one.stage, one.done, one.total, one.epoch, one.epochs) for one in seen] == [
        ("train", step, 2 * STEPS, 1 + (step - 1) // STEPS, 2) for step in range(1, 2 * STEPS + 1)
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
    method = Written(together, images=16, epochs=100, lr=1e-2)
    with pytest.raises(Collapsed, match="collapsed: the spread") as caught:
        fit(method, shapes(16), report=lambda progress: seen.append(progress.epoch))
    assert caught.value.code == "collapsed"
    assert COLLAPSED_FOR <= seen[-1] < 100


# What decides the weights


def test_labels_are_measured_against_and_change_no_weight() -> None:
    """Neither right nor wrong ones."""
    methods = [small("deepcluster", images=IMAGES, epochs=2, k=4) for _ in range(3)]
    right, wrong = ([f"kind {row % kinds}" for row in range(IMAGES)] for kinds in (4, 7))
    results = [
        fit(method, shapes(IMAGES), labels=labels) for method, labels in zip(methods, (None, right, wrong), strict=True)
    ]
    assert unequal(methods[0], methods[1]) == unequal(methods[0], methods[2]) == []
    measured = [{name for one in result.history for name in one} for result in results]
    assert measured[1] == measured[2] == measured[0] | {"knn", "nmi_labels"}
    bare = [{k: v for k, v in one.items() if k not in ("knn", "nmi_labels")} for one in without_time(results[1])]
    assert bare == without_time(results[0])


def test_worker_processes_change_nothing() -> None:
    methods = [small("simclr", images=IMAGES, epochs=1, **NARROW) for _ in range(2)]
    results = [
        fit(method, shapes(IMAGES), shapes(8, seed=1), workers=workers) for workers, method in enumerate(methods)
    ]
    assert unequal(*methods) == []
    assert without_time(results[0]) == without_time(results[1])


@pytest.mark.parametrize("name", ["deepcluster", "neighbours"])
def test_a_run_killed_between_two_epochs_starts_its_epoch_as_it_would_have(name: str, tmp_path: Path) -> None:
    """start_epoch is called once more, by a process whose generators are elsewhere."""
    whole, killed, resumed = (small(name, images=IMAGES, epochs=2) for _ in range(3))
    expected = fit(whole, shapes(IMAGES))
    checkpoints = FileCheckpoints(tmp_path / "checkpoint")
    with pytest.raises(Killed):
        fit(killed, shapes(IMAGES), checkpoints=checkpoints, report=killed_at(STEPS + 1))
    torch.rand(7)
    found = fit(resumed, shapes(IMAGES), checkpoints=checkpoints)
    assert unequal(whole, resumed) == []
    assert without_time(found) == without_time(expected)


def test_a_run_on_maps_of_its_trunk_is_taken_up_exactly_and_leaves_the_trunk_as_it_was(tmp_path: Path) -> None:
    cached = {"images": IMAGES, "epochs": 2, "train_blocks": 1, "cached_views": 2, **NARROW}
    whole, killed, resumed = (small("simclr", **cached) for _ in range(3))
    trunk = {name: value.clone() for name, value in whole.encoder.trunk.state_dict().items()}
    stages: list[str] = []
    expected = fit(whole, shapes(IMAGES), scratch=tmp_path / "1", report=lambda at: stages.append(at.stage))
    assert stages[0] == "prepare" and stages[-1] == "train"
    checkpoints = FileCheckpoints(tmp_path / "checkpoint")
    with pytest.raises(Killed):
        fit(killed, shapes(IMAGES), scratch=tmp_path / "2", checkpoints=checkpoints, save_every_s=0,
            report=killed_at(5))  # fmt: skip
    found = fit(resumed, shapes(IMAGES), scratch=tmp_path / "3", checkpoints=checkpoints)
    assert unequal(whole, resumed) == []
    assert without_time(found) == without_time(expected)
    assert all(torch.equal(value, trunk[name]) for name, value in whole.encoder.trunk.state_dict().items())


def run_until_killed(path: Path, says: Connection) -> None:
    """In a process of its own: five steps, then it waits for its end."""
    torch.set_num_threads(1)

    def report(progress: Progress) -> None:
        if progress.done == 5:
            says.send(progress.done)
            signal.pause()

    method = small("moco", images=IMAGES, epochs=2, **NARROW)
    fit(method, shapes(IMAGES), checkpoints=FileCheckpoints(path), save_every_s=0, report=report)


def test_a_run_that_the_system_kills_is_taken_up_where_it_was(tmp_path: Path) -> None:
    """A real SIGKILL; another process goes on."""
    path, context = tmp_path / "checkpoint", get_context("forkserver")
    hears, says = context.Pipe(duplex=False)
    child = context.Process(target=run_until_killed, args=(path, says))
    child.start()
    says.close()  # the child's is the last one open: were it to fail, recv would raise
    assert hears.recv() == 5
    child.kill()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    whole, resumed = (small("moco", images=IMAGES, epochs=2, **NARROW) for _ in range(2))
    fit(whole, shapes(IMAGES))
    taken: list[int] = []
    fit(resumed, shapes(IMAGES), checkpoints=FileCheckpoints(path), report=lambda at: taken.append(at.done))
    assert taken == [5, 6]  # the four steps before are not taken again
    assert unequal(whole, resumed) == []


# Several processes


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
