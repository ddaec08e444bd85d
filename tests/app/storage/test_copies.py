"""Copies of blobs: the limit, what it spares, and processes that share them or are killed."""

import errno
import multiprocessing
import os
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from app.errors import Unavailable
from app.storage.copies import GRACE_S, LocalCopies


def writes(data: bytes) -> Callable[[Path], None]:
    return lambda target: target.write_bytes(data) and None


def aged(path: Path, seconds: float) -> Path:
    """Make a copy look unused for so long."""
    moment = time.time() - seconds
    os.utime(path.parent, (moment, moment))
    return path


def test_the_oldest_go_above_the_limit(tmp_path: Path) -> None:
    copies = LocalCopies(tmp_path, 100)
    paths = [aged(copies.path(f"key/{n}", writes(b"x" * 30)), 2 * GRACE_S - n) for n in range(3)]
    assert copies.path("key/0", writes(b"fetched again")) == paths[0], "asked for: no longer the oldest"
    copies.path("key/3", writes(b"x" * 30))
    assert [path.exists() for path in paths] == [True, False, True]
    assert copies.path("key/0", writes(b"")).read_bytes() == b"x" * 30


def test_what_was_just_asked_for_stays_above_the_limit(tmp_path: Path) -> None:
    copies = LocalCopies(tmp_path, 10)
    paths = [copies.path(f"key/{n}", writes(b"x" * 30)) for n in range(3)]
    assert all(path.exists() for path in paths)


def test_a_removed_copy_stays_readable_for_who_has_it_open(tmp_path: Path) -> None:
    copies = LocalCopies(tmp_path, 100)
    with copies.path("key", writes(b"kept")).open("rb") as file:
        copies.drop("key")
        assert not copies.path("key", _missing).exists()
        assert file.read() == b"kept"


def _missing(target: Path) -> None:
    raise FileNotFoundError(target)


def test_a_failed_fetch_leaves_nothing(tmp_path: Path) -> None:
    copies = LocalCopies(tmp_path, 100)

    def full(target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(Unavailable, match="ROOST_CACHE") as caught:
        copies.path("key", full)
    assert caught.value.code == "cache_full"
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.parent.name != "locks"]
    assert copies.path("key", writes(b"whole")).read_bytes() == b"whole"


def _fetch_slowly(folder: Path, reached: Event) -> None:
    def fetch(target: Path) -> None:
        target.write_bytes(b"ha")
        reached.set()
        time.sleep(60)

    LocalCopies(folder, 100).path("key", fetch)


def test_a_process_killed_while_it_fetches_leaves_no_half_copy(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    reached = context.Event()
    process = context.Process(target=_fetch_slowly, args=(tmp_path, reached))
    process.start()
    assert reached.wait(60)
    process.kill()
    process.join()
    assert LocalCopies(tmp_path, 100).path("key", writes(b"whole")).read_bytes() == b"whole"
