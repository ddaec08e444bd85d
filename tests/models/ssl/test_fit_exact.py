"""Nothing but a run's arguments decides its weights: no label, no worker process, no kill. See test_contract, too."""

import signal
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import torch

from models.ssl.checkpoint import FileCheckpoints
from models.ssl.fit import Progress, fit
from tests.models.ssl.runs import NARROW, Killed, killed_at, shapes, small, unequal, without_time

IMAGES, STEPS = 48, 3  # an epoch's, with the batch of 16


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
    assert sorted(set(taken)) == [5, 6]  # the four steps before are not taken again
    assert unequal(whole, resumed) == []
