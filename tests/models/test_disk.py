"""What counts as a full disk, however a library words it."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from models import disk
from models.disk import DiskFull, disk_failed, disk_full_named, has_room, no_space, reserve


def full(*_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_an_array_that_a_full_disk_cuts_short() -> None:
    with pytest.raises(OSError) as caught, open("/dev/full", "wb") as file:
        np.zeros(100_000).tofile(file)
    assert caught.value.errno is None, "NumPy names no reason"
    assert no_space(caught.value)


def test_other_errors_without_a_number_are_no_full_disk() -> None:
    assert not no_space(OSError("12 requested and 3 written, or so they say"))
    assert not no_space(ValueError("12 requested and 3 written"))


def test_room_is_taken_and_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        file.truncate(2**20)
    reserve(sparse)
    assert sparse.stat().st_blocks * 512 >= 2**20
    assert has_room(tmp_path) and list(tmp_path.iterdir()) == [sparse]
    monkeypatch.setattr(os, "posix_fallocate", full)
    assert not has_room(tmp_path)
    with pytest.raises(OSError, match="No space left"):
        reserve(sparse)


@pytest.mark.parametrize("room", [True, False])
def test_a_library_that_keeps_the_reason_to_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: bool) -> None:
    monkeypatch.setattr(disk, "has_room", lambda folder: room)
    with pytest.raises(RuntimeError if room else DiskFull) as caught, disk_full_named("Add some.", tmp_path):
        raise RuntimeError("write error")
    assert no_space(caught.value) is not room


def test_a_disk_that_fails_is_not_one_that_lacks_a_file() -> None:
    assert disk_failed(OSError(errno.ESTALE, "Stale file handle")) and disk_failed(OSError(errno.EIO, "I/O error"))
    assert not disk_failed(FileNotFoundError(errno.ENOENT, "No such file")) and not disk_failed(OSError("half a tar"))
