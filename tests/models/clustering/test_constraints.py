"""Corrections on a new run: what each rule does, and what holds whatever the run and the corrections are."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.clustering.base import OUTLIER, Clustering
from models.clustering.constraints import NO_GROUP, OUTSIDE, RETIRED, UNKNOWN, Carried, carry
from models.clustering.result import mean_directions
from models.clustering.unit_vectors import unit_rows


def rows_at(*degrees: float) -> Any:
    """Unit vectors in the plane at these angles."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def a_run(vectors: Any, labels: list[int]) -> Clustering:
    """A run with these labels, around mean directions."""
    codes = np.array(labels, np.int32)
    centres = mean_directions(vectors, codes)
    distances = (1 - (vectors @ centres.T)[np.arange(len(codes)), codes]).astype(np.float32)
    return Clustering(codes, centres, distances)


def soft(*groups: int) -> Any:
    return np.array(groups, np.int32)


def test_nothing_said_changes_nothing() -> None:
    vectors = rows_at(0, 5, 90, 95)
    run = a_run(vectors, [0, 0, 1, 1])
    carried = carry(vectors, run, soft(*[NO_GROUP] * 4), 0, {})
    assert (carried.labels == run.labels).all() and (carried.distances == run.distances).all()
    assert (carried.centres == run.centres).all() and carried.homes.tolist() == [0, 1]
    assert carried.groups.tolist() == [NO_GROUP, NO_GROUP]


def test_a_name_goes_where_most_of_its_images_are() -> None:
    vectors = rows_at(0, 2, 4, 90, 92, 94)
    run = a_run(vectors, [1, 1, 1, 0, 0, 0])
    carried = carry(vectors, run, soft(0, 0, NO_GROUP, 0, NO_GROUP, UNKNOWN), 1, {})
    assert carried.groups.tolist() == [NO_GROUP, 0] and (carried.labels == run.labels).all()


def test_a_merged_group_takes_in_the_clusters_it_falls_into() -> None:
    vectors = rows_at(0, 2, 4, 90, 92, 180, 182, 184)
    run = a_run(vectors, [0, 0, 0, 1, 1, 2, 2, 2])
    carried = carry(vectors, run, soft(0, 0, 0, 0, UNKNOWN, 0, NO_GROUP, NO_GROUP), 1, {})
    assert carried.groups[0] == 0 and carried.homes.tolist() == [0, 0, 2], "one third of a cluster is not most of it"
    assert carried.labels.tolist() == [0, 0, 0, 0, 0, 2, 2, 2]
    assert (carried.distances == run.distances).all(), "each image still lies at its own centre"


def test_two_groups_divide_the_cluster_they_share() -> None:
    vectors = rows_at(0, 2, 3, 40, 42, 38)
    run = a_run(vectors, [0] * 6)
    carried = carry(vectors, run, soft(0, 0, UNKNOWN, 1, 1, UNKNOWN), 2, {})
    assert sorted(carried.groups.tolist()) == [0, 1]
    first, second = carried.groups.tolist().index(0), carried.groups.tolist().index(1)
    assert carried.labels.tolist() == [first] * 3 + [second] * 3, "new images go to the nearest mean"
    assert carried.homes.tolist()[0] == RETIRED and sorted(carried.homes.tolist()[1:]) == [0, 1]
    assert (carried.distances < 1e-3).all()


def test_a_small_group_is_taken_out_of_a_cluster_of_others() -> None:
    vectors = rows_at(0, 2, 4, 6, 8, 30, 33)
    run = a_run(vectors, [0] * 7)
    carried = carry(vectors, run, soft(*[NO_GROUP] * 5, 0, UNKNOWN), 1, {})
    assert carried.groups.tolist() == [NO_GROUP, 0]
    assert carried.labels.tolist() == [0, 0, 0, 0, 0, 1, 1]


def test_a_group_whose_images_were_all_left_out_comes_back() -> None:
    vectors = rows_at(0, 2, 90, 92)
    run = Clustering(np.array([0, 0, -1, -1], np.int32), rows_at(1), np.array([0, 0, 1, 1], np.float32))
    carried = carry(vectors, run, soft(NO_GROUP, NO_GROUP, 0, 0), 1, {})
    assert carried.labels.tolist() == [0, 0, 1, 1] and carried.groups.tolist() == [NO_GROUP, 0]
    assert (carried.distances[2:] < 1e-3).all()


def test_parts_of_a_split_stay_apart_where_the_run_mixes_them() -> None:
    vectors = rows_at(0, 2, 4, 90, 92, 3)
    run = a_run(vectors, [0, 0, 0, 1, 1, 0])
    known = soft(0, 0, 0, 1, 1, 1)  # the last one was in the other part
    assert carry(vectors, run, known, 2, {}).labels[5] == 0, (
        "a run may move an image between groups that only have names"
    )
    assert carry(vectors, run, known, 2, {}, apart=[(1, 0)]).labels[5] == 1


def test_parts_of_a_split_do_not_meet_elsewhere() -> None:
    vectors = rows_at(0, 2, 4, 90, 92, 45, 46, 47, 48, 49, 44)
    run = a_run(vectors, [1, 1, 1, 2, 2, *[0] * 6])
    known = soft(0, 0, 0, 1, 1, *[NO_GROUP] * 4, 0, 1)
    assert carry(vectors, run, known, 2, {}).labels.tolist()[-2:] == [0, 0]
    assert carry(vectors, run, known, 2, {}, apart=[(0, 1)]).labels.tolist()[-2:] == [1, 2]


def test_what_was_said_of_single_images() -> None:
    vectors = rows_at(0, 2, 4, 90, 92, 94, 45)
    run = a_run(vectors, [0, 0, 0, 1, 1, 1, 0])
    known = soft(0, 0, 0, 1, 1, 1, UNKNOWN)
    carried = carry(vectors, run, known, 2, {0: 1, 1: OUTSIDE}, never=[(6, 0)])
    assert carried.labels.tolist() == [1, -1, 0, 1, 1, 1, 1]
    assert carried.distances[1] == pytest.approx(1 - float(max(vectors[1] @ run.centres.T)), abs=1e-6)
    everywhere = carry(vectors, run, known, 2, {}, never=[(6, 0), (6, 1)])
    assert everywhere.labels[6] == OUTLIER, "excluded from all there is"


def test_contradictions_are_refused() -> None:
    vectors = rows_at(0, 90)
    run = a_run(vectors, [0, 1])
    with pytest.raises(ValueError, match="row 0"):
        carry(vectors, run, soft(0, NO_GROUP), 1, {0: 0}, never=[(0, 0)])
    with pytest.raises(ValueError, match="2 vectors"):
        carry(vectors, run, soft(0), 1, {})


@st.composite
def galleries(
    draw: Any,
) -> tuple[Any, Clustering, Any, int, dict[int, int], set[tuple[int, int]], list[tuple[int, int]]]:
    n, k, groups = draw(st.integers(2, 30)), draw(st.integers(1, 5)), draw(st.integers(0, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    vectors = unit_rows(rng.normal(size=(n, 3)))
    k = min(k, n)
    labels = rng.integers(-1, k, n).astype(np.int32)
    labels[rng.permutation(n)[:k]] = np.arange(k)
    centres = mean_directions(vectors, labels)
    own = (vectors @ centres.T)[np.arange(n), np.maximum(labels, 0)]
    distances = np.where(labels < 0, 1 - (vectors @ centres.T).max(axis=1), 1 - own).astype(np.float32)
    known = rng.integers(UNKNOWN, groups, n).astype(np.int32)
    images = st.integers(0, n - 1)
    hard = draw(st.dictionaries(images, st.integers(OUTSIDE, groups - 1), max_size=6))
    pairs = draw(st.sets(st.tuples(images, st.integers(0, max(groups - 1, 0))), max_size=6 if groups else 0))
    never = {(row, group) for row, group in pairs if hard.get(row) != group}
    parts = st.tuples(st.integers(0, max(groups - 1, 0)), st.integers(0, max(groups - 1, 0)))
    apart = draw(st.lists(parts, max_size=4 if groups else 0))
    return vectors, Clustering(labels, centres, distances), known, groups, hard, never, apart


@settings(max_examples=300, deadline=None)
@given(galleries())
def test_corrections_hold_whatever_the_run(gallery: Any) -> None:
    vectors, run, known, groups, hard, never, apart = gallery
    carried = carry(vectors, run, known, groups, hard, never, apart)
    home = {int(group): number for number, group in enumerate(carried.groups) if group != NO_GROUP}
    assert len(home) == np.count_nonzero(carried.groups != NO_GROUP), "no group has two clusters"
    present = {int(g) for r, g in enumerate(known) if g >= 0 and r not in hard} | {g for g in hard.values() if g >= 0}
    assert set(home) == present
    for row, group in hard.items():
        assert carried.labels[row] == (OUTLIER if group == OUTSIDE else home[group])
    for row, group in never:
        assert carried.labels[row] != home.get(group, -2)
    _check_apart(carried, known, hard, apart)
    _check_form(carried, run, vectors)


def _check_apart(carried: Carried, known: Any, hard: dict[int, int], apart: list[tuple[int, int]]) -> None:
    pairs = {(a, b) for one in apart for a, b in (one, one[::-1]) if a != b}
    for number, group in enumerate(carried.groups):
        there = {int(known[row]) for row in np.flatnonzero(carried.labels == number) if row not in hard}
        there |= {int(group)} if group != NO_GROUP else set()
        assert not {(a, b) for a in there for b in there} & pairs


def _check_form(carried: Carried, run: Clustering, vectors: Any) -> None:
    assert carried.labels.min() >= OUTLIER and carried.labels.max() < len(carried.groups)
    assert len(carried.homes) == len(carried.centres) >= run.k
    assert (carried.centres[: run.k] == run.centres).all(), "the run's own centres come first"
    assert np.isfinite(carried.distances).all()
    assert ((carried.distances > -1e-5) & (carried.distances < 2 + 1e-5)).all()
    for number in np.unique(carried.labels[carried.labels >= 0]):
        assert (carried.homes == number).any(), "a cluster with images has a centre"
