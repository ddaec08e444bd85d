"""Checkpoints are there whole or not at all, also where the disk has no room for them."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from models.disk import DiskFull, disk_full_named
from models.ssl.checkpoint import FileCheckpoints, State, read, write

STATE: State = {"method": {"weight": torch.arange(5000.0)}, "epoch": 3, "history": [{"loss": 0.5, "knn": None}]}


def same(found: State | None, expected: State) -> bool:
    return found is not None and str(found) == str(expected) and torch.equal(*(
        state["method"]["weight"] for state in (found, expected)
    ))  # fmt: skip


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    checkpoints = FileCheckpoints(tmp_path / "checkpoint")
    assert checkpoints.load() is None
    checkpoints.save(STATE)
    assert same(checkpoints.load(), STATE)
    checkpoints.save({**STATE, "epoch": 4})
    assert same(checkpoints.load(), {**STATE, "epoch": 4})
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint"]


def test_a_file_that_is_no_state_runs_no_code(tmp_path: Path) -> None:
    """A checkpoint holds tensors, numbers and strings; anything a pickle could do beyond that is refused."""
    torch.save({"path": Path("anything")}, tmp_path / "checkpoint")
    with pytest.raises(Exception, match="weights_only"):
        read(tmp_path / "checkpoint")


def test_a_failed_save_leaves_the_old_checkpoint_and_nothing_else(tmp_path: Path) -> None:
    """And what is wrong, here a state that cannot be pickled, is not called a full disk."""
    checkpoints = FileCheckpoints(tmp_path / "checkpoint")
    checkpoints.save(STATE)
    with pytest.raises(Exception, match="pickle") as caught:
        checkpoints.save({"report": lambda: None})
    assert not isinstance(caught.value, DiskFull)
    assert same(checkpoints.load(), STATE)
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("values", [1, 100_000])
def test_a_full_disk_has_its_name_and_keeps_the_old_checkpoint(values: int, tmp_path: Path) -> None:
    """/dev/full says at every write that there is no room: at the last flush for a little, inside torch for much."""
    checkpoints = FileCheckpoints(tmp_path / "checkpoint")
    checkpoints.save(STATE)
    (tmp_path / "checkpoint.partial").symlink_to("/dev/full")
    with pytest.raises(DiskFull) as caught:
        checkpoints.save({**STATE, "method": {"weight": torch.zeros(values)}})
    assert caught.value.code == "storage_full"
    assert same(checkpoints.load(), STATE)
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint"]
    checkpoints.save({**STATE, "epoch": 4})  # there is room again
    assert same(checkpoints.load(), {**STATE, "epoch": 4})


SMALL_DISK = """
import os, sys
from pathlib import Path
import torch
from models.disk import DiskFull
from models.ssl.checkpoint import FileCheckpoints
disk = Path(sys.argv[1])
checkpoints = FileCheckpoints(disk / "checkpoint")
checkpoints.save({"weight": torch.ones(2**16)})
room = os.statvfs(disk).f_bavail
try:
    checkpoints.save({"weight": torch.zeros(2**18)})
except DiskFull as error:
    print(error.code, [file.name for file in disk.iterdir()], os.statvfs(disk).f_bavail == room)
print(float(checkpoints.load()["weight"].mean()))
"""


def test_a_disk_that_fills_within_a_save_is_given_back_its_room(tmp_path: Path) -> None:
    """A real one of one megabyte, that holds the old checkpoint of 256 kB but not the new one of 1 MB."""
    mount = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=1m none "$0" && exec "$@"', str(tmp_path)]
    if not shutil.which("unshare") or subprocess.run([*mount, "true"], capture_output=True).returncode:
        pytest.skip("this user may not mount a small disk of its own")
    command = [*mount, sys.executable, "-c", SMALL_DISK, str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert run.stdout.splitlines() == ["storage_full ['checkpoint'] True", "1.0"], run.stderr


@pytest.mark.parametrize("error", [PermissionError(13, "no"), RuntimeError("no"), KeyError("no")], ids=repr)
def test_other_errors_pass_as_they_are(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, disk_full_named("Free some."):
        raise error
    assert caught.value is error


def test_a_folder_that_is_not_there_is_no_full_disk(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write(STATE, tmp_path / "nowhere" / "checkpoint")


def test_it_lasts_when_the_power_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it calls: the file's bytes reach the disk before it gets its name, and its name before `save` returns."""
    order: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(handle: int) -> None:
        order.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def noted_replace(source: Path, target: Path) -> None:
        order.append("renamed")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    FileCheckpoints(tmp_path / "checkpoint").save(STATE)
    assert order == ["file", "renamed", "folder"]
