"""A fine-tuning by two processes that torchrun starts, on the CPU by gloo, against one by this process alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from models.disk import DiskFull
from models.ssl import launch
from models.ssl.base import Method
from models.ssl.checkpoint import FileCheckpoints, State
from models.ssl.checks import CannotTrain
from models.ssl.fit import Result
from models.ssl.launch import RankDied, TrainingFailed, most_sharing, processes, train_in_processes
from models.ssl.task import LOG, Task, train
from tests.fixtures.full_disk import FOREVER, FullDisk
from tests.models.ssl.ranks import BATCH, IMAGES, method_of, pictures, running, task_of

STEPS = IMAGES // BATCH


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return pictures(tmp_path_factory.mktemp("pictures") / "copies")


@dataclass
class Heard:
    """What the process hears that started the others; at a moment it does something of its own."""

    at: Callable[[str, int], bool] = lambda stage, done: False
    then: Callable[[], None] = lambda: None
    progress: list[tuple[str, int, int, str]] = field(default_factory=list)
    records: list[dict[str, float | None]] = field(default_factory=list)

    def report(self, stage: str, done: int, total: int, unit: str) -> None:
        self.progress.append((stage, done, total, unit))
        if self.at(stage, done):
            self.then()


class Stopped(Exception):
    pass


def stop() -> None:
    raise Stopped


def trained(
    task: Task, folder: Path, count: int, heard: Heard, checkpoints: FileCheckpoints | None = None
) -> tuple[Method, Result]:
    method = method_of(task)
    calls = heard.report, checkpoints, heard.records.append
    if count == 1:
        return method, train(method, task, "cpu", folder, *calls)
    return method, train_in_processes(method, task, count, folder, *calls)


def apart(one: Method, other: Method) -> float:
    """The largest distance between two values of the same name, relative to their length."""
    expected = other.state_dict()
    return max(
        float((value.double() - expected[name].double()).norm() / expected[name].double().norm().clamp(min=1e-12))
        for name, value in one.state_dict().items()
    )


def await_ended(folder: Path) -> None:
    """Nothing is left that trains there. No limit but that of the test."""
    while running(folder):
        time.sleep(0.05)


def await_group_ended(leader: int) -> None:
    """Nor anything that made views for it."""
    with suppress(ProcessLookupError):
        while True:
            os.killpg(leader, 0)
            time.sleep(0.05)


@pytest.mark.slow
def test_two_processes_give_the_encoder_of_one(copies: list[Path], tmp_path: Path) -> None:
    task, heard, alone = task_of(copies), Heard(), Heard()
    ours, result = trained(task, tmp_path / "ranks", 2, heard)
    expected, whole = trained(task, tmp_path / "maps", 1, alone)
    assert apart(ours, expected) < 1e-4
    assert [record["epoch"] for record in heard.records] == [0, 1] and heard.records == result.history
    for record, other in zip(heard.records, alone.records, strict=True):
        assert record.keys() == other.keys()
        for name in record.keys() - {"seconds", "images_per_s"}:
            value = other[name]
            assert record[name] == (None if value is None else pytest.approx(value, rel=1e-3)), name
    assert (result.ended, result.frozen_share) == ("epochs", whole.frozen_share)
    assert result.tried == pytest.approx(whole.tried, rel=1e-3)
    stages = [stage for stage, *_ in heard.progress]
    assert list(dict.fromkeys(stages)) == ["start", "prepare", "train"]
    assert heard.progress[-1] == ("train", STEPS, STEPS, "steps")
    assert not running(tmp_path / "ranks")


@pytest.mark.parametrize(("devices", "batch", "count"), [(0, 64, 1), (1, 64, 1), (2, 64, 2), (3, 64, 2), (8, 37, 1)])
def test_as_many_devices_train_as_can_share_a_batch(devices: int, batch: int, count: int) -> None:
    assert most_sharing(devices, batch) == count


def test_how_many_train_on_the_cpu() -> None:
    assert processes(0, "cpu", 64) == 1
    assert processes(2, "cpu", 64) == 2
    with pytest.raises(CannotTrain, match="multiple of 3"):
        processes(3, "cpu", 64)


def test_processes_that_are_stopped_while_they_start_are_gone(copies: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "ranks"

    def stop_when_all_are_there() -> None:
        if len(running(folder)) == 3:
            raise Stopped

    with pytest.raises(Stopped):
        trained(task_of(copies), folder, 2, Heard(lambda stage, done: stage == "start", stop_when_all_are_there))
    await_ended(folder)


@pytest.mark.slow
def test_a_training_that_is_stopped_leaves_no_process(copies: list[Path], tmp_path: Path) -> None:
    heard = Heard(lambda stage, done: stage == "train" and done > 0, stop)
    with pytest.raises(Stopped):
        trained(task_of(copies, epochs=10_000), tmp_path / "ranks", 2, heard)
    await_ended(tmp_path / "ranks")
    assert heard.progress[-1][1] > 0


@pytest.mark.slow
def test_a_process_that_is_killed_ends_the_training(copies: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "ranks"
    killed: list[int] = []

    def kill_one() -> None:
        if not killed:
            killed.append(max(running(folder)))  # torchrun was there before those it started
            os.kill(killed[0], signal.SIGKILL)

    heard = Heard(lambda stage, done: stage == "train" and done > 0, kill_one)
    with pytest.raises(RankDied, match="One of the 2") as caught:
        trained(task_of(copies, workers=1, cached_views=0, epochs=10_000), folder, 2, heard)
    assert "SIGKILL" in caught.value.__notes__[0]
    await_ended(folder)
    await_group_ended(killed[0])


@pytest.mark.slow
def test_the_processes_end_with_the_one_that_started_them(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-m", "tests.models.ssl.ranks", str(tmp_path)])
    while len(running(tmp_path / "ranks")) < 3:
        assert parent.poll() is None, (tmp_path / "ranks" / LOG).read_text()
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    await_ended(tmp_path / "ranks")


@pytest.mark.slow
def test_a_process_s_reason_is_the_training_s(copies: list[Path], tmp_path: Path) -> None:
    with pytest.raises(TrainingFailed, match="use that or less") as caught:
        trained(task_of(copies, batch_size=2 * IMAGES), tmp_path / "ranks", 2, Heard())
    assert caught.value.code == "batch_too_large"


@pytest.mark.slow
def test_a_full_disk_is_the_trainings_reason(
    copies: list[Path], tmp_path: Path, full_disk_library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The processes have no room to say so, nor has a line of theirs that was cut short."""
    disk = FullDisk(folder := tmp_path / "ranks", tmp_path / "control")
    for name, value in disk.environment(full_disk_library).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(launch, "has_room", lambda folder: False)  # the library is not loaded here
    times = iter([True])
    heard = Heard(lambda stage, done: stage == "train" and next(times, False), lambda: disk.fill(1, FOREVER))
    with pytest.raises(DiskFull):
        trained(task_of(copies, workers=1, cached_views=0, epochs=10_000), folder, 2, heard)
    assert disk.empty() > 0
    await_ended(folder)


class StoppedAfterOne(FileCheckpoints):
    def save(self, state: State) -> None:
        super().save(state)
        raise Stopped


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 2)])
def test_a_training_goes_on_with_another_number_of_processes(
    copies: list[Path], tmp_path: Path, before: int, after: int
) -> None:
    task, heard = task_of(copies, epochs=3), Heard()
    whole, _ = trained(task, tmp_path / "whole", 1, Heard())
    with pytest.raises(Stopped):
        trained(task, tmp_path / "before", before, Heard(), StoppedAfterOne(tmp_path / "state"))
    ours, result = trained(task, tmp_path / "after", after, heard, FileCheckpoints(tmp_path / "state"))
    assert [record["epoch"] for record in result.history] == [0, 1, 2, 3]
    assert 1 not in [record["epoch"] for record in heard.records], "it was not repeated"
    assert apart(ours, whole) < 1e-4
