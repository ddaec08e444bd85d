"""The exact index: equal to brute force, whole or absent, and aware of damage."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import registry
from models.clustering.base import VectorsUnusable
from models.clustering.unit_vectors import unit_rows
from models.index import IndexDamaged, Kind, open_index, scan, sealed
from models.index.exact import IDS, ORDER, PLUGIN, VECTORS, build

COUNT, DIM = 500, 24


@pytest.fixture
def ids() -> list[UUID]:
    return [uuid4() for _ in range(COUNT)]


@pytest.fixture
def vectors() -> np.ndarray:
    return unit_rows(np.random.default_rng(0).standard_normal((COUNT, DIM)))


@pytest.fixture
def folder(tmp_path: Path, vectors: np.ndarray, ids: list[UUID]) -> Path:
    build(vectors, ids, tmp_path / "index", extra={"generation": 3})
    return tmp_path / "index"


def test_is_found_by_name():
    assert "exact" in registry.names("index")
    assert isinstance(registry.load("index", "exact"), Kind)


@pytest.mark.parametrize("queries", [1, 2, 70])
@pytest.mark.parametrize("k", [1, 10, COUNT + 5])
@pytest.mark.parametrize("rows", [64, 65_536])
def test_equals_brute_force(folder, vectors, ids, queries, k, rows, monkeypatch):
    monkeypatch.setattr(scan, "ROWS", rows)
    asked = 3 * np.random.default_rng(1).standard_normal((queries, DIM)).astype(np.float32)
    scores, found = open_index(folder).search(asked, k)
    expected = unit_rows(asked).astype(np.float64) @ vectors.astype(np.float64).T
    order = np.argsort(-expected, axis=1)[:, :k]
    np.testing.assert_allclose(scores, np.take_along_axis(expected, order, axis=1), atol=1e-6)
    assert found == [[ids[row] for row in line] for line in order]


@pytest.mark.parametrize("rows", [2, 65_536])
def test_equal_scores_come_in_the_order_of_adding(tmp_path, rows, monkeypatch):
    monkeypatch.setattr(scan, "ROWS", rows)
    ids = [uuid4() for _ in range(9)]
    build(np.eye(2, dtype=np.float32)[[1, 0, 0, 1, 0, 0, 1, 0, 0]], ids, tmp_path / "index")
    _, found = open_index(tmp_path / "index").search(np.eye(2, dtype=np.float32)[:1], 4)
    assert found == [[ids[row] for row in (1, 2, 4, 5)]]


def test_vectors_by_id(folder, vectors, ids):
    index = open_index(folder)
    assert len(index) == COUNT and index.manifest.extra == {"generation": 3}
    for row in range(COUNT):
        np.testing.assert_array_equal(index.vector(ids[row]), vectors[row])
    assert all(index.vector(stranger) is None for stranger in (uuid4(), UUID(int=0), UUID(int=2**128 - 1)))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=40, unique=True))
def test_any_ids_can_be_found(tmp_path_factory, raw):
    folder = tmp_path_factory.mktemp("any") / "index"
    ids = np.frombuffer(b"".join(raw), np.uint8).reshape(-1, 16)
    vectors = unit_rows(np.random.default_rng(len(raw)).standard_normal((len(raw), 3)))
    build(vectors, ids, folder)
    index = open_index(folder)
    for row, identity in enumerate(raw):
        np.testing.assert_array_equal(index.vector(UUID(bytes=identity)), vectors[row])


def test_blocks_give_the_same_files_as_one_array(folder, tmp_path, vectors, ids):
    blocks = ((ids[start : start + 33], 2 * vectors[start : start + 33]) for start in range(0, COUNT, 33))
    manifest = PLUGIN.build(blocks, tmp_path / "streamed")
    whole = open_index(folder).manifest
    assert manifest.count == COUNT and manifest.files[IDS] == whole.files[IDS]
    streamed = np.fromfile(tmp_path / "streamed" / VECTORS, "<f4").reshape(COUNT, DIM)
    np.testing.assert_allclose(streamed, vectors, atol=1e-7)


@pytest.mark.parametrize("name", [VECTORS, IDS, ORDER, sealed.MANIFEST])
class TestDamage:
    def test_a_missing_file(self, folder, name):
        (folder / name).unlink()
        with pytest.raises(IndexDamaged):
            open_index(folder)

    @pytest.mark.parametrize("change", [-1, 1])
    def test_another_size(self, folder, name, change):
        os.truncate(folder / name, (folder / name).stat().st_size + change)
        with pytest.raises(IndexDamaged):
            open_index(folder)

    @pytest.mark.parametrize("place", [0.0, 0.5, 0.999])
    def test_a_flipped_bit(self, folder, name, place):
        content = bytearray((folder / name).read_bytes())
        content[int(place * len(content))] ^= 1
        (folder / name).write_bytes(content)
        with pytest.raises(IndexDamaged):
            open_index(folder, verify=True)

    def test_the_file_of_another_index(self, folder, name, tmp_path, vectors):
        build(vectors[::-1], [uuid4() for _ in range(COUNT)], tmp_path / "other", extra={"generation": 4})
        shutil.copy(tmp_path / "other" / name, folder / name)
        with pytest.raises(IndexDamaged):
            open_index(folder, verify=True)


def test_no_folder_and_an_unknown_kind(folder, tmp_path):
    with pytest.raises(IndexDamaged):
        open_index(tmp_path / "nowhere")
    (folder / sealed.MANIFEST).unlink()
    sealed.write_manifest(folder, "telepathy", COUNT, DIM, None)
    with pytest.raises(IndexDamaged, match="telepathy"):
        open_index(folder)


def test_a_manifest_that_promises_more_than_the_files_hold(folder):
    (folder / sealed.MANIFEST).unlink()
    sealed.write_manifest(folder, "exact", COUNT + 1, DIM, None)
    with pytest.raises(IndexDamaged, match="does not hold"):
        open_index(folder)


def test_a_whole_index_verifies(folder):
    open_index(folder, verify=True).verify()


def test_failing_while_blocks_come_leaves_nothing(tmp_path, vectors, ids):
    def blocks():
        yield ids[:10], vectors[:10]
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError, match="went away"):
        PLUGIN.build(blocks(), tmp_path / "index")
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from models.index import exact
def blocks():
    yield np.zeros((4, 16), np.uint8) + np.arange(4, dtype=np.uint8)[:, None], np.ones((4, 3), np.float32)
if sys.argv[2] == "manifest":
    exact.write_manifest = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "rename":
    Path.rename = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
exact.PLUGIN.build(blocks(), Path(sys.argv[1]))
"""


@pytest.mark.parametrize(("point", "built"), [("manifest", False), ("rename", False), ("never", True)])
def test_killed_while_building_leaves_the_folder_absent(tmp_path, point, built):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "index"), point], check=built)
    assert (tmp_path / "index").exists() == built
    if not built:
        build(np.eye(2, dtype=np.float32), [uuid4(), uuid4()], tmp_path / "index")
    open_index(tmp_path / "index", verify=True)


def test_an_index_is_never_overwritten(folder, vectors, ids):
    before = (folder / VECTORS).read_bytes()
    with pytest.raises(FileExistsError):
        build(vectors[::-1], ids, folder)
    assert (folder / VECTORS).read_bytes() == before


@pytest.mark.parametrize(
    ("ids", "vectors", "message"),
    [
        ([UUID(int=1), UUID(int=1)], np.eye(2), "more than once"),
        ([UUID(int=1)], np.eye(2), "block of 1 ids"),
        (np.zeros((2, 8), np.uint8), np.eye(2), r"\(N, 16\)"),
    ],
)
def test_what_cannot_be_indexed_is_refused(tmp_path, ids, vectors, message):
    with pytest.raises(ValueError, match=message):
        build(vectors.astype(np.float32), ids, tmp_path / "index")
    assert list(tmp_path.iterdir()) == []


def test_nothing_and_blocks_of_different_width_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no vectors"):
        PLUGIN.build([], tmp_path / "index")
    blocks = [([uuid4()], np.ones((1, 2), np.float32)), ([uuid4()], np.ones((1, 3), np.float32))]
    with pytest.raises(ValueError, match="width 2 expected"):
        PLUGIN.build(blocks, tmp_path / "index")


def test_bad_queries_are_refused(folder):
    index = open_index(folder)
    with pytest.raises(ValueError, match="queries"):
        index.search(np.ones((1, DIM + 1), np.float32), 3)
    with pytest.raises(ValueError, match="k >= 1"):
        index.search(np.ones((1, DIM), np.float32), 0)
    with pytest.raises(VectorsUnusable):
        index.search(np.full((1, DIM), np.nan, np.float32), 3)


def test_searching_imports_nothing_slow(folder):
    code = (
        "import sys, numpy as np; from pathlib import Path; from models.index import open_index; "
        f"index = open_index(Path(sys.argv[1])); index.search(np.ones((1, {DIM}), np.float32), 3); "
        "print(sorted({'torch', 'sklearn', 'scipy', 'pyarrow', 'timm', 'faiss'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
