"""Guarded children that hang, grow, crash, or lose their parent."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from PIL import Image

import models.guard
from models.guard import Guard, Outcome, Task
from models.guard_process import ChildUnavailable
from tests.models.guarding import children, endless, gone, in_background, picture, until, working
from tests.models.images.scene import encoded
from tests.models.images.test_header import gif_of, png_claiming

PARENT = """
import sys, threading
from pathlib import Path
from models.guard import Guard, Task
guard = Guard(2, seconds=60)
ready = guard.run(Task(Path(sys.argv[1]), None, "a.jpg")).ready
for _ in range(2):
    threading.Thread(target=guard.run, args=(Task(Path(sys.argv[2]), None, "a.jpg"),)).start()
print("hanging" if ready else "broken", flush=True)
threading.Event().wait()
"""


def test_a_hanging_decoder_is_killed_and_replaced(tmp_path: Path) -> None:
    fifo = endless(tmp_path)
    with Guard(1, seconds=0.5) as guard:
        outcome = guard.run(Task(fifo, None, "a.jpg"))
        assert (outcome.code, outcome.detail) == ("image_corrupt", "Decoding took longer than 0.5 s.")
        assert guard.run(Task(picture(tmp_path), None, "a.jpg")).ready


def test_too_much_memory_is_too_large(tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    source.write_bytes(encoded(Image.new("RGBA", (5000, 5000)), "png", compress_level=1))
    with Guard(1, memory_mb=256) as guard:
        outcome = guard.run(Task(source, None, "a.png"))
        assert outcome.code == "image_too_large"
        assert guard.run(Task(picture(tmp_path), None, "a.jpg")).ready


@pytest.mark.parametrize(("mode", "side"), [("RGB", 5000), ("RGBA", 4000)])
def test_a_picture_is_in_memory_no_more_often_than_it_must(tmp_path: Path, mode: str, side: int) -> None:
    """Once, and once more with its alpha multiplied in: in the largest that are taken, each time is 200 MB."""
    source = tmp_path / "a.png"
    source.write_bytes(encoded(Image.new(mode, (side, side)), "png", compress_level=1))
    with Guard(1, memory_mb=256) as guard:
        assert guard.run(Task(source, None, "a.png")).ready


def test_bombs_take_little_memory(tmp_path: Path) -> None:
    with Guard(1) as guard:
        for name, bomb in (("a.png", png_claiming(65_000, 65_000)), ("a.gif", gif_of(10_000))):
            (tmp_path / name).write_bytes(bomb)
            assert guard.run(Task(tmp_path / name, None, name)).code == "image_too_large"
        (pid,) = guard.pids
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        assert peak and int(peak[1]) < 512 << 10


def test_a_huge_file_is_too_large(tmp_path: Path) -> None:
    source = tmp_path / "a.jpg"
    with source.open("wb") as file:
        file.truncate(2 << 30)
    with Guard(1, memory_mb=256) as guard:
        assert guard.run(Task(source, None, "a.jpg")).code == "image_too_large"


def test_a_child_that_cannot_start_is_not_blamed_on_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Guard(1) as guard, pytest.raises(ChildUnavailable, match="exit status 1"):
        guard.run(Task(picture(tmp_path), None, "a.jpg"))


@pytest.mark.parametrize("cause", [signal.SIGSEGV, signal.SIGABRT])
def test_a_crash_is_corrupt_and_names_the_signal(cause: signal.Signals, tmp_path: Path) -> None:
    fifo = endless(tmp_path)
    with Guard(1, seconds=30) as guard:
        assert guard.run(Task(picture(tmp_path), None, "a.jpg")).ready
        (child,) = children(guard)
        thread, results = in_background(guard, Task(fifo, None, "a.jpg"))
        assert until(lambda: child.status() == psutil.STATUS_SLEEPING)
        time.sleep(0.1)
        child.send_signal(cause)
        thread.join(20)
        (outcome,) = results
        assert isinstance(outcome, Outcome)
        assert (outcome.code, outcome.detail) == ("image_corrupt", f"Decoding crashed ({cause.name}).")
        assert guard.run(Task(picture(tmp_path), None, "a.jpg")).ready


def test_a_child_killed_from_outside_gets_one_more_try(tmp_path: Path) -> None:
    fifo = endless(tmp_path)
    with Guard(1, seconds=30) as guard:
        assert guard.run(Task(picture(tmp_path), None, "a.jpg")).ready
        (idle,) = children(guard)
        idle.kill()
        assert guard.run(Task(picture(tmp_path), None, "a.jpg")).ready  # killed while it waited
        thread, results = in_background(guard, Task(fifo, None, "a.jpg"))
        for _ in range(2):
            assert until(lambda: [child for child in children(guard) if working(child)])
            (busy,) = children(guard)
            busy.kill()
            assert until(lambda busy=busy: gone(busy))
        thread.join(20)
        (outcome,) = results
        assert isinstance(outcome, Outcome)
        assert (outcome.code, outcome.detail) == ("image_corrupt", "Decoding crashed (SIGKILL).")


def test_nothing_survives_a_killed_parent(tmp_path: Path) -> None:
    fifo = endless(tmp_path)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(picture(tmp_path)), str(fifo)],
        stdout=subprocess.PIPE,
        cwd=Path(models.guard.__file__).parents[1],
    )
    try:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"hanging\n"
        watched = psutil.Process(parent.pid)
        assert until(lambda: len(watched.children()) == 2)
        orphans = watched.children()
        time.sleep(0.5)  # until both are in the middle of a task that never ends
        assert not any(gone(child) for child in orphans)
    finally:
        parent.kill()
        parent.wait()
    assert until(lambda: all(gone(child) for child in orphans), seconds=5)


def test_a_child_is_renewed_after_its_share_of_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.guard, "TASKS_PER_CHILD", 2)
    with Guard(1) as guard:
        pids = []
        for _ in range(4):
            assert guard.run(Task(picture(tmp_path), None, "a.jpg")).ready
            pids += [child.pid for child in children(guard)]
    assert len(set(pids)) == 2


def test_children_start_late_small_and_without_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOST_DATABASE_URL", "postgresql://roost:secret@db/roost")
    with Guard(1) as guard:
        assert children(guard) == []
        guard.run(Task(picture(tmp_path), None, "a.jpg"))
        (child,) = children(guard)
        assert not any("secret" in value for value in child.environ().values())
        assert child.rlimit(psutil.RLIMIT_CORE) == (0, 0)
        assert child.rlimit(psutil.RLIMIT_AS) == (1 << 30, 1 << 30)
        assert 0 < child.rlimit(psutil.RLIMIT_CPU)[0] <= 40, "twenty seconds more than its start and one task took"
        assert child.rlimit(psutil.RLIMIT_NOFILE)[1] == 64 and child.rlimit(psutil.RLIMIT_FSIZE)[1] == 64 << 20
        assert child.num_threads() == 1
        assert os.getpgid(child.pid) != os.getpgid(0)


def test_the_child_reads_no_module_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = picture(tmp_path)
    (tmp_path / "numpy.py").write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    with Guard(1) as guard:
        assert guard.run(Task(source, None, "a.jpg")).ready
