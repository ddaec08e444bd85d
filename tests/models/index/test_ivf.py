"""The IVF index: recall as its manifest says, exact scores, the same files for the same input, aware of damage."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest

from models import disk, registry
from models.clustering.unit_vectors import unit_rows
from models.disk import DiskFull
from models.index import IndexDamaged, Kind, exact, ivf, kind_for, open_index
from models.index.ivf import LISTS, PLUGIN, Params, lists_for

COUNT, DIM = 4000, 24


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((40, DIM))
    return unit_rows(centres[rng.integers(0, 40, COUNT)] + 0.5 * rng.standard_normal((COUNT, DIM)))


@pytest.fixture(scope="module")
def ids() -> list[UUID]:
    return [uuid4() for _ in range(COUNT)]


def blocks(ids: list[UUID], vectors: np.ndarray, size: int = 333):
    return ((ids[start : start + size], vectors[start : start + size]) for start in range(0, len(ids), size))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, vectors, ids) -> Path:
    folder = tmp_path_factory.mktemp("ivf") / "index"
    PLUGIN.build(blocks(ids, vectors), folder, extra={"generation": 3})
    return folder


def test_is_found_by_name_and_chosen_by_size():
    assert isinstance(registry.load("index", "ivf"), Kind)
    assert [kind_for(count) for count in (1, 49_999, 50_000, 10**7)] == ["exact", "exact", "ivf", "ivf"]
    assert [lists_for(count) for count in (1, 100, 50_000, 200_000, 10**6)] == [1, 2, 512, 1024, 2048]


def test_finds_what_its_manifest_says(folder, vectors, ids):
    index = open_index(folder)
    about = index.manifest.extra["ivf"]
    assert index.manifest.extra["generation"] == 3 and about["recall_at_10"] >= 0.95
    assert about["probes"] < about["lists"], "else it would be no better than comparing with all"
    queries = unit_rows(vectors[:300] + 0.05 * np.random.default_rng(1).standard_normal((300, DIM)))
    truth = np.argsort(-(queries @ vectors.T), axis=1)[:, :10]
    _, found = index.search(queries, 10)
    hits = sum(len({ids[row] for row in line} & set(got)) for line, got in zip(truth, found, strict=True))
    assert hits / 3000 >= 0.93


def test_scores_are_exact_and_in_order(folder, vectors, ids):
    scores, found = open_index(folder).search(vectors[:20], 7)
    place = {identity: row for row, identity in enumerate(ids)}
    for query, line, got in zip(vectors, scores, found, strict=False):
        np.testing.assert_allclose(line, vectors[[place[one] for one in got]] @ query, atol=1e-6)
        assert (np.diff(line) <= 0).all()
    assert [got[0] for got in found] == ids[:20]


def test_all_lists_give_the_same_as_comparing_with_all(tmp_path, vectors, ids):
    PLUGIN.build(blocks(ids, vectors), tmp_path / "ivf", Params(lists=8, recall=1.0))
    exact.build(vectors, ids, tmp_path / "exact")
    assert open_index(tmp_path / "ivf").manifest.extra["ivf"]["probes"] == 8
    mine, theirs = (open_index(tmp_path / kind).search(vectors[::100], 10) for kind in ("ivf", "exact"))
    np.testing.assert_allclose(mine[0], theirs[0], atol=1e-6)
    assert mine[1] == theirs[1]


@pytest.mark.parametrize("k", [150, COUNT - 1, COUNT + 5])
def test_never_gives_fewer_than_there_are(folder, vectors, k):
    scores, found = open_index(folder).search(vectors[:2], k)
    assert scores.shape == (2, min(k, COUNT)) and all(len(set(line)) == min(k, COUNT) for line in found)


def test_the_same_input_gives_the_same_files(folder, tmp_path, vectors, ids):
    again = PLUGIN.build(blocks(ids, vectors, 1000), tmp_path / "again", extra={"generation": 3})
    assert again == open_index(folder).manifest


def test_searches_from_many_threads_agree(folder, vectors):
    index = open_index(folder)
    expected = [index.search(vectors[row : row + 1], 5)[1] for row in range(200)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda row: index.search(vectors[row : row + 1], 5)[1], range(200))) == expected


@pytest.mark.parametrize("count", [1, 2, 11, 50])
def test_few_vectors(tmp_path, vectors, ids, count):
    PLUGIN.build([(ids[:count], vectors[:count])], tmp_path / "index")
    assert open_index(tmp_path / "index", verify=True).search(vectors[:1], 20)[1][0][0] == ids[0]


def test_equal_vectors(tmp_path, ids):
    PLUGIN.build([(ids[:200], np.ones((200, 4), np.float32))], tmp_path / "index")
    scores, found = open_index(tmp_path / "index").search(np.ones((1, 4), np.float32), 200)
    np.testing.assert_allclose(scores, 1, atol=1e-6)
    assert found == [ids[:200]], "equal scores in the order of adding"


def test_progress_ends_the_building_when_it_raises(tmp_path, vectors, ids, monkeypatch):
    monkeypatch.setattr(ivf, "ADDED", 1000)
    seen = []
    PLUGIN.build(blocks(ids, vectors), tmp_path / "whole", progress=lambda *at: seen.append(at))
    assert seen == [(done, COUNT) for done in range(0, COUNT + 1, 1000)]

    def stop(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        PLUGIN.build(blocks(ids, vectors), tmp_path / "stopped", progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_a_full_disk_has_its_name(tmp_path, vectors, ids, monkeypatch):
    """FAISS only says that it could not write."""
    monkeypatch.setattr(disk, "has_room", lambda folder: False)
    monkeypatch.setattr(ivf, "LISTS", "no such folder/lists")
    with pytest.raises(DiskFull, match="free some space"):
        PLUGIN.build(blocks(ids, vectors), tmp_path / "index")
    assert list(tmp_path.iterdir()) == []


class TestDamage:
    @pytest.fixture
    def copy(self, folder, tmp_path) -> Path:
        return Path(shutil.copytree(folder, tmp_path / "copy"))

    def test_a_missing_file_and_another_size(self, copy):
        content = (copy / LISTS).read_bytes()
        (copy / LISTS).write_bytes(content[:-1])
        with pytest.raises(IndexDamaged):
            open_index(copy)
        (copy / LISTS).unlink()
        with pytest.raises(IndexDamaged):
            open_index(copy)

    def test_a_flipped_bit(self, copy):
        content = bytearray((copy / LISTS).read_bytes())
        content[len(content) // 2] ^= 1
        (copy / LISTS).write_bytes(content)
        with pytest.raises(IndexDamaged):
            open_index(copy, verify=True)

    def test_what_is_no_index_of_faiss(self, copy):
        (copy / LISTS).write_bytes(bytes((copy / LISTS).stat().st_size))
        with pytest.raises(IndexDamaged, match="cannot be opened"):
            open_index(copy)

    def test_the_lists_of_another_index(self, copy, tmp_path, vectors, ids):
        PLUGIN.build(blocks(ids[:-1], vectors[:-1]), tmp_path / "other", Params(lists=1))
        size = (copy / LISTS).stat().st_size
        other = (tmp_path / "other" / LISTS).read_bytes()
        (copy / LISTS).write_bytes(other + bytes(size - len(other)))
        with pytest.raises(IndexDamaged, match="does not hold"):
            open_index(copy)


def test_listing_and_exact_search_import_no_faiss(tmp_path, vectors, ids):
    exact.build(vectors[:50], ids[:50], tmp_path / "index")
    code = (
        "import sys; from pathlib import Path; from models import registry; from models.index import ivf, open_index; "
        "registry.names('index'); open_index(Path(sys.argv[1])); print('faiss' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "index")], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
