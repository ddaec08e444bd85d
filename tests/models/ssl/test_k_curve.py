"""Influence of k: what is asked for which k, and that the true k shows."""

import numpy as np
import pytest

from models.ssl.k_curve import MOST, influence_of_k

KINDS = 4


def grouped(count: int, kinds: int = KINDS) -> tuple[np.ndarray, list[str | None]]:
    """(N, 8) of length one in `kinds` groups, and their labels."""
    rows = np.eye(8)[np.arange(count) % kinds] + np.random.default_rng(0).normal(0, 0.05, (count, 8))
    unit = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit, [f"kind {row % kinds}" for row in range(count)]


def ignore(done: int, total: int) -> None:
    pass


def test_k_doubles_up_to_an_eighth_of_the_images() -> None:
    found = influence_of_k(grouped(140)[0], None, 0, ignore)
    assert [one["k"] for one in found] == [2, 4, 8, 16]
    assert all(one["nmi_labels"] is None for one in found)


def test_both_curves_are_highest_at_the_true_k() -> None:
    vectors, labels = grouped(160)
    found = {one["k"]: one for one in influence_of_k(vectors, labels, 0, ignore)}
    assert found[KINDS]["nmi_labels"] == pytest.approx(1) and found[KINDS]["nmi_seeds"] == pytest.approx(1)
    for k in (2, 8, 16):
        assert (found[k]["nmi_labels"] or 0) < 0.95
        assert 0 <= (found[k]["nmi_seeds"] or 0) < 1


def test_images_without_a_label_are_clustered_but_do_not_count() -> None:
    vectors, labels = grouped(160)
    some = [label if row < 80 else None for row, label in enumerate(labels)]
    wrong = ["wrong" if label is None else label for label in some]
    found, misled = (influence_of_k(vectors, one, 0, ignore)[1]["nmi_labels"] for one in (some, wrong))
    assert found == pytest.approx(1) and misled is not None and misled < 0.9
    assert influence_of_k(vectors, [None] * 160, 0, ignore) == influence_of_k(vectors, None, 0, ignore)


def test_the_same_seed_gives_the_same_curve() -> None:
    vectors, labels = grouped(80)
    assert influence_of_k(vectors, labels, 3, ignore) == influence_of_k(vectors, labels, 3, ignore)


def test_it_ends_where_there_are_no_more_vectors_that_differ() -> None:
    """A gallery of a few pictures copied again and again."""
    vectors = np.tile(np.eye(8, dtype=np.float32)[:5], (40, 1))
    seen: list[tuple[int, int]] = []
    found = influence_of_k(vectors, None, 0, lambda done, total: seen.append((done, total)))
    assert [one["k"] for one in found] == [2, 4]
    assert seen[-1][0] == seen[-1][1]


def test_progress_counts_every_k_and_may_end_it() -> None:
    seen: list[tuple[int, int]] = []
    influence_of_k(grouped(80)[0], None, 0, lambda done, total: seen.append((done, total)))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]  # 2, 4, 8

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        influence_of_k(grouped(80)[0], None, 0, stop)


def test_of_many_images_a_sample_is_clustered_with_its_own_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.ssl.k_curve.MOST", 80)
    vectors, labels = grouped(400)
    found = influence_of_k(vectors, labels, 0, ignore)
    assert [one["k"] for one in found] == [2, 4, 8]
    assert found[1]["nmi_labels"] == pytest.approx(1)
    assert MOST == 10_000
