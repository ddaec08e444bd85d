"""Search among some ids only: exactly the best of those, for every kind of index."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import registry
from models.clustering.unit_vectors import unit_rows
from models.index import ivf, open_index, scan
from models.index.base import Index

COUNT, DIM = 600, 8


@pytest.fixture(scope="module")
def ids() -> list[UUID]:
    return [uuid4() for _ in range(COUNT)]


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return unit_rows(np.random.default_rng(0).standard_normal((COUNT, DIM)))


@pytest.fixture(scope="module", params=["exact", "ivf"])
def index(request, tmp_path_factory, vectors, ids) -> Index:
    folder: Path = tmp_path_factory.mktemp("subset") / "index"
    registry.load("index", request.param).build([(ids, vectors)], folder)
    return open_index(folder)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.integers(0, COUNT - 1), max_size=80), k=st.integers(1, 90), strangers=st.integers(0, 3))
def test_is_the_best_of_those(index, vectors, ids, rows, k, strangers):
    asked = unit_rows(np.random.default_rng(k).standard_normal((2, DIM)))
    only = [ids[row] for row in rows] + [uuid4() for _ in range(strangers)]
    scores, found = index.search(asked, k, only)
    distinct = np.unique(np.array(rows, np.int64))
    expected = asked @ vectors[distinct].T
    order = np.argsort(-expected, axis=1)[:, :k]
    assert found == [[ids[distinct[place]] for place in line] for line in order]
    np.testing.assert_allclose(scores, np.take_along_axis(expected, order, axis=1), atol=1e-6)


def test_a_large_subset_is_never_short(index, vectors, ids, monkeypatch):
    """Beyond SUBSET the lists are visited, and all of them when too little of the subset is in the nearest."""
    monkeypatch.setattr(ivf, "SUBSET", 10)
    monkeypatch.setattr(scan, "ROWS", 64)
    far = np.argsort(vectors @ vectors[0])[:300]
    only = [ids[row] for row in far]
    scores, found = index.search(vectors[:1], 200, only)
    assert len(set(found[0])) == 200 and set(found[0]) <= set(only)
    np.testing.assert_allclose(scores[0], np.sort(vectors[far] @ vectors[0])[::-1][:200], atol=1e-6)


def test_ids_as_bytes(index, vectors, ids):
    raw = np.frombuffer(b"".join(one.bytes for one in ids[5:9]), np.uint8).reshape(-1, 16)
    assert index.search(vectors[:1], 9, raw)[1] == index.search(vectors[:1], 9, ids[5:9])[1]
    assert len(index.search(vectors[:1], 9, raw)[1][0]) == 4
