"""The guard with real children: what a task gives, and how many tasks share them."""

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from models.guard import Guard, GuardClosed, Outcome, Task
from models.images import normalise
from tests.models.guarding import children, endless, in_background, picture
from tests.models.images.scene import encoded, scene


@pytest.fixture
def guard() -> Iterator[Guard]:
    with Guard(2, seconds=20) as guard:
        yield guard


def test_a_picture_becomes_a_working_copy_and_its_facts(guard: Guard, tmp_path: Path) -> None:
    source, target = picture(tmp_path), tmp_path / "copy"
    outcome = guard.run(Task(source, target, "wren/0012.jpg"))
    data = source.read_bytes()
    assert outcome.ready and (outcome.format, outcome.width, outcome.height) == ("jpeg", 300, 200)
    assert outcome.sha256 == hashlib.sha256(data).hexdigest()
    assert target.read_bytes() == normalise(data, "").jpeg


def test_moment_and_camera_pass_through_the_pipe(guard: Guard, tmp_path: Path) -> None:
    from tests.models.images.test_exif import taken

    source = tmp_path / "a"
    source.write_bytes(encoded(scene(), "jpeg", exif=taken("2026:05:17 06:30:00", "+02:00", "Canon", "EOS 5D")))
    outcome = guard.run(Task(source, None, "a"))
    copy = normalise(source.read_bytes(), "a")
    assert copy.taken_at is not None
    assert (outcome.taken_at, outcome.camera, outcome.shot) == (copy.taken_at, copy.camera, copy.shot)
    assert outcome.shot == {"make": "Canon", "model": "EOS 5D"}


def test_another_size_and_no_target(guard: Guard, tmp_path: Path) -> None:
    source = picture(tmp_path, width=3000)
    target = tmp_path / "large"
    guard.run(Task(source, target, "a.jpg", size=100))
    assert Image.open(target).size == (800, 100)  # 15 times as long as wide, cropped to 8
    before = set(tmp_path.iterdir())
    assert guard.run(Task(source, None, "a.jpg")).ready
    assert set(tmp_path.iterdir()) == before


def test_odd_paths_and_names_arrive_whole(guard: Guard, tmp_path: Path) -> None:
    source = picture(tmp_path, os.fsdecode(b"caf\xe9\n \xe2\x80\xae\"'.jpg"))
    assert guard.run(Task(source, None, "n" * 20_000 + "\r\n\x00.jpg")).ready


def test_a_rejected_picture_has_a_code_and_nothing_else(guard: Guard, tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "copy"
    source.write_bytes(encoded(scene(), "png"))
    task = Task(source, target, "a.jpg")
    outcome = guard.run(task)
    assert not outcome.ready and outcome.detail
    assert outcome == Outcome(task, code="image_type_mismatch", detail=outcome.detail)
    assert not target.exists()


def test_a_missing_source_or_target_folder_is_not_the_pictures_fault(guard: Guard, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.jpg"):
        guard.run(Task(tmp_path / "none.jpg", None, "a.jpg"))
    with pytest.raises(FileNotFoundError, match="nowhere"):
        guard.run(Task(picture(tmp_path), tmp_path / "nowhere" / "copy", "a.jpg"))


def test_a_full_disk_is_raised(guard: Guard, tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(OSError, match="No space left"):
        guard.run(Task(picture(tmp_path), full, "a.jpg"))


def test_limits_that_would_reject_every_picture_are_wrong_use() -> None:
    for wrong in ({"memory_mb": 100}, {"seconds": 0}, {"workers": 0}):
        with pytest.raises(ValueError, match=r"at least .* positive"):
            Guard(**wrong)  # type: ignore[arg-type]


def test_map_answers_every_task_whatever_becomes_of_others(tmp_path: Path) -> None:
    fifo = endless(tmp_path)
    good = [Task(picture(tmp_path, f"{n}.jpg", 100 + n), tmp_path / f"{n}.copy", f"{n}.jpg") for n in range(20)]
    bad = [Task(picture(tmp_path, f"bad{n}.jpg"), None, f"bad{n}.png") for n in range(5)]
    with Guard(2, seconds=2) as guard:
        outcomes = list(guard.map([*good[:10], Task(fifo, None, "a.jpg"), *bad, *good[10:]]))
    by_task = {outcome.task: outcome for outcome in outcomes}
    assert len(by_task) == len(outcomes) == 26
    assert [by_task[task].width for task in good] == list(range(100, 120))
    assert {by_task[task].code for task in bad} == {"image_type_mismatch"}
    assert outcomes[-1].task.source == fifo  # as they finish: the hanging one holds up nobody
    assert outcomes[-1].code == "image_corrupt"


def test_map_takes_tasks_lazily(guard: Guard, tmp_path: Path) -> None:
    source, taken = picture(tmp_path), 0

    def endless() -> Iterator[Task]:
        nonlocal taken
        while True:
            taken += 1
            yield Task(source, None, "a.jpg")

    outcomes = guard.map(endless())
    assert taken == 0
    for answered in range(1, 20):
        assert next(outcomes).ready
        assert taken <= answered + 2 * guard.workers + 1
    outcomes.close()  # type: ignore[attr-defined]
    assert guard.run(Task(source, None, "a.jpg")).ready


def test_an_error_of_the_task_source_comes_through_map(guard: Guard, tmp_path: Path) -> None:
    def breaking() -> Iterator[Task]:
        yield Task(picture(tmp_path), None, "a.jpg")
        raise LookupError("the database is gone")

    with pytest.raises(LookupError, match="gone"):
        list(guard.map(breaking()))
    with pytest.raises(FileNotFoundError):
        list(guard.map([Task(tmp_path / "none", None, "a")] * 9))
    assert guard.run(Task(picture(tmp_path), None, "a.jpg")).ready


def test_many_threads_may_ask(guard: Guard, tmp_path: Path) -> None:
    tasks = [Task(picture(tmp_path, f"{n}.jpg", 100 + n), None, f"{n}.jpg") for n in range(16)]
    running = [in_background(guard, task) for task in tasks]
    for (thread, results), task in zip(running, tasks, strict=True):
        thread.join(30)
        assert isinstance(results[0], Outcome)
        assert (results[0].task, results[0].width) == (task, 100 + tasks.index(task))


def test_close_ends_children_and_tasks_under_way(tmp_path: Path) -> None:
    fifo = endless(tmp_path)
    guard = Guard(1, seconds=60)
    assert guard.run(Task(picture(tmp_path), None, "a.jpg")).ready
    running = [in_background(guard, Task(fifo, None, "a.jpg")) for _ in range(3)]
    time.sleep(0.2)
    guard.close()
    for thread, results in running:
        thread.join(20)
        assert isinstance(results[0], GuardClosed)
    assert children(guard) == []
    guard.close()
    with pytest.raises(GuardClosed):
        guard.run(Task(fifo, None, "a.jpg"))
    with pytest.raises(GuardClosed):
        list(guard.map([Task(fifo, None, "a.jpg")]))
