"""What arms a fail point, and that nothing else does."""

import subprocess
import sys
from pathlib import Path

REACH = """
import sys
from app.failpoints import reached
for point in sys.argv[1:]:
    reached(point)
    print(point, flush=True)
"""


def gone_through(armed: str | None, *points: str) -> tuple[list[str], int]:
    """What a process printed that reached these points one after the other, and its exit code."""
    environment = {"PATH": "/usr/bin"} | ({"ROOST_FAILPOINT": armed} if armed else {})
    ended = subprocess.run([sys.executable, "-c", REACH, *points], env=environment, capture_output=True, text=True)
    return ended.stdout.split(), ended.returncode


def test_without_the_variable_nothing_happens() -> None:
    assert gone_through(None, "a.b", "a.b") == (["a.b", "a.b"], 0)


def test_a_point_kills_when_it_is_reached_as_often_as_asked() -> None:
    assert gone_through("a.b", "x.y", "a.bc", "a.b", "x.y") == (["x.y", "a.bc"], -9)
    assert gone_through("a.b:3", "a.b", "a.b", "a.b") == (["a.b", "a.b"], -9)
    assert gone_through("a.bc", "a.b") == (["a.b"], 0)


def test_other_things_to_do_there() -> None:
    assert gone_through("a.b=error", "a.b") == ([], 1)
    assert gone_through("a.b:2=sleep:0.01", "a.b", "a.b") == (["a.b", "a.b"], 0)


def test_a_folder_arms_each_point_once_for_all_processes(tmp_path: Path) -> None:
    (tmp_path / "a.b").write_text(":2")
    (tmp_path / "x.y").touch()
    folder = str(tmp_path)
    assert gone_through(folder, "a.b", "x.y") == (["a.b"], -9)
    assert gone_through(folder, "a.b", "x.y", "a.b") == (["a.b", "x.y"], -9)
    assert gone_through(folder, "a.b", "a.b", "x.y") == (["a.b", "a.b", "x.y"], 0)
