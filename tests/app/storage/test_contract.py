"""What holds for every kind of storage: whole or absent, written once, nothing beside what was asked for."""

import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.storage import Storage, open_storage

KEYS = st.sampled_from(["a/1.jpg", "a/2.jpg", "a/b/1.jpg", "ab/1.jpg", "ä b/%2e+&?.npy", "single"])


def put(storage: Storage, folder: Path, key: str, content: bytes) -> None:
    source = folder / uuid4().hex
    source.write_bytes(content)
    storage.put([(source, key)])
    assert not source.exists(), "the source is moved"


def content(storage: Storage, key: str) -> bytes:
    with storage.reader(key) as reader:
        return reader.read()


def test_files_and_folders_are_moved_to_their_keys(storage: Storage, tmp_path: Path) -> None:
    file, folder = tmp_path / "file", tmp_path / "folder"
    file.write_bytes(b"one")
    (folder / "deep").mkdir(parents=True)
    (folder / "part").write_bytes(b"two")
    (folder / "deep" / "part").write_bytes(b"three")
    storage.put(iter([(file, "a/b/one"), (folder, "a/c")]))
    assert storage.local("a/b/one").read_bytes() == b"one" and storage.local("a/b/one").name == "one"
    assert (storage.local("a/c") / "part").read_bytes() == b"two"
    assert (storage.local("a/c") / "deep" / "part").read_bytes() == b"three"
    assert storage.local("a/c/part").read_bytes() == b"two"
    assert not file.exists() and not folder.exists()
    assert sorted(storage.keys("a")) == ["a/b/one", "a/c/deep/part", "a/c/part"]


def test_a_key_is_written_once(storage: Storage, tmp_path: Path) -> None:
    put(storage, tmp_path, "key", b"first")
    put(storage, tmp_path, "key", b"second")
    assert content(storage, "key") == b"first" and storage.local("key").read_bytes() == b"first"


def test_of_many_writers_one_wins_and_nobody_sees_a_mixture(storage: Storage, tmp_path: Path) -> None:
    written = [bytes([number]) * 1000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: put(storage, tmp_path, "key", one), written))
    winner = content(storage, "key")
    assert winner in written
    put(storage, tmp_path, "key", b"late")
    assert content(storage, "key") == winner


def test_the_age_counts_from_being_put(storage: Storage, tmp_path: Path) -> None:
    """However long the content had been waiting: `roost gc` must not take what has just come for an old orphan."""
    file, folder = tmp_path / "file", tmp_path / "folder"
    folder.mkdir()
    for path in (file, folder / "part"):
        path.write_bytes(b"x")
        os.utime(path, (1, 1))
    before = int(time.time())  # S3 counts in seconds
    storage.put([(file, "file"), (folder, "index")])
    assert all(before <= storage.stat(key).modified <= time.time() for key in ("file", "index/part"))


@pytest.mark.parametrize(("start", "stop"), [(0, None), (0, 1), (3, 7), (9, 10), (4, None), (8, 99), (10, None)])
def test_reading_a_stretch(storage: Storage, tmp_path: Path, start: int, stop: int | None) -> None:
    put(storage, tmp_path, "key", b"0123456789")
    with storage.reader("key", start, stop) as reader:
        pieces = [reader.read(3), reader.read(3), reader.read()]
    assert b"".join(pieces) == b"0123456789"[start:stop] and len(pieces[0]) == min(3, len(b"0123456789"[start:stop]))


def test_a_large_blob_and_an_empty_one(storage: Storage, tmp_path: Path) -> None:
    large = os.urandom(2**20) * 33  # in S3: three parts
    put(storage, tmp_path, "large", large)
    put(storage, tmp_path, "empty", b"")
    assert storage.stat("large").size == len(large) and storage.stat("empty").size == 0
    assert storage.local("large").read_bytes() == large and storage.local("empty").read_bytes() == b""
    assert content(storage, "large") == large and content(storage, "empty") == b""
    put(storage, tmp_path, "large", large[::-1])
    assert content(storage, "large") == large, "nor do parts replace what is there"


def test_what_is_not_there(storage: Storage, tmp_path: Path) -> None:
    put(storage, tmp_path, "a/b", b"")
    assert storage.exists("a/b") and storage.exists("a") and not storage.exists("a/c")
    assert not storage.local("a/c").exists()
    for call in (storage.stat, storage.reader, lambda key: storage.local(key).open()):
        with pytest.raises(FileNotFoundError):
            call("a/c")
    with pytest.raises(FileNotFoundError):
        storage.stat("a")
    storage.bring(["a/b", "a/c"])
    storage.delete("never/was")
    assert list(storage.keys("never")) == []


def test_a_deleted_blob_can_be_put_again(storage: Storage, tmp_path: Path) -> None:
    put(storage, tmp_path, "key", b"old")
    assert storage.local("key").read_bytes() == b"old"
    storage.delete("key")
    assert not storage.local("key").exists()
    put(storage, tmp_path, "key", b"new")
    assert storage.local("key").read_bytes() == b"new"


def test_a_folder_is_deleted_with_its_copies(storage: Storage, tmp_path: Path) -> None:
    put(storage, tmp_path, "a/index/part", b"old")
    assert (storage.local("a/index") / "part").is_file()
    storage.delete("a")
    assert not storage.local("a/index").exists() and not storage.local("a/index/part").exists()


class Model(RuleBasedStateMachine):
    """Any order of calls against a dictionary."""

    storage: Storage
    scratch: Path

    @initialize()
    def start(self) -> None:
        self.storage.delete("model")
        self.known: dict[str, bytes] = {}

    @rule(key=KEYS, data=st.binary(max_size=20))
    def put(self, key: str, data: bytes) -> None:
        put(self.storage, self.scratch, f"model/{key}", data)
        self.known.setdefault(key, data)

    @rule(key=KEYS)
    def look(self, key: str) -> None:
        assert self.storage.exists(f"model/{key}") == (key in self.known)
        if key in self.known:
            assert self.storage.stat(f"model/{key}").size == len(self.known[key])
            assert content(self.storage, f"model/{key}") == self.known[key]
            assert self.storage.local(f"model/{key}").read_bytes() == self.known[key]
        else:
            assert not self.storage.local(f"model/{key}").exists()

    @rule(prefix=KEYS | st.sampled_from(["a", "a/b", "ab"]))
    def delete(self, prefix: str) -> None:
        self.storage.delete(f"model/{prefix}")
        self.known = {k: v for k, v in self.known.items() if k != prefix and not k.startswith(f"{prefix}/")}

    @invariant()
    def lists_what_is_there(self) -> None:
        if hasattr(self, "known"):
            assert sorted(self.storage.keys("model")) == sorted(f"model/{key}" for key in self.known)
            below = [f"model/{key}" for key in self.known if key.startswith("a/")]
            assert sorted(self.storage.keys("model/a")) == sorted(below)


def test_any_order_of_calls(storage: Storage, tmp_path: Path) -> None:
    machine = type("Bound", (Model,), {"storage": storage, "scratch": tmp_path})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=6, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


@pytest.mark.parametrize("url", ["gopher://somewhere", "s3://", "s3:///prefix", "s3://bucket?region=x"])
def test_an_unknown_url_says_what_to_use(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"{re.escape(url)}.*use"):
        open_storage(url, cache=tmp_path)
