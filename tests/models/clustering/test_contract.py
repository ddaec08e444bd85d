"""What every clustering algorithm must do: each plug-in of models/clustering is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models import registry
from models.clustering.algorithm import Algorithm
from models.clustering.base import (
    OUTLIER,
    Clustering,
    ClusteringError,
    KNotSupported,
    KTooLarge,
    VectorsUnusable,
)
from models.clustering.representatives import cohesion, representatives
from models.clustering.tree import cut, leaf_clustering
from models.clustering.unit_vectors import own_similarity, unit_rows
from models.evaluation.labelled import score

NAMES = registry.names("clustering")
OWN_K = ["hdbscan"]  # of those that find the number of clusters themselves, these take no other
TAKES_K = [name for name in NAMES if name not in OWN_K]
SAMPLING = [name for name in NAMES if "sample" in registry.load("clustering", name).Params.model_fields]
QUICK: dict[str, dict[str, Any]] = {
    "kmeans": {"restarts": 3},
    "temi": {"heads": 8, "epochs": 200},
}  # parameters that make a run shorter


def run(name: str, vectors: np.ndarray, k: int | str, seed: int = 0, progress: Any = None, **params: Any) -> Clustering:
    plugin = registry.load("clustering", name)
    return plugin.cluster(vectors, k, plugin.Params(**QUICK.get(name, {}) | params), seed, progress)


def blobs(sizes: list[int], dim: int = 24, spread: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(len(sizes))
    centres = unit_rows(rng.standard_normal((len(sizes), dim)))
    truth = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return unit_rows(centres[truth] + spread * unit_rows(rng.standard_normal((len(truth), dim)))), truth


def cloud(count: int, dim: int = 12) -> np.ndarray:
    return unit_rows(np.random.default_rng(count).standard_normal((count, dim)))


def is_whole(found: Clustering, vectors: np.ndarray) -> bool:
    """The arrays say what Clustering promises, and fit each other."""
    assert found.labels.shape == found.distances.shape == (len(vectors),)
    assert found.labels.dtype == np.int32 and found.distances.dtype == found.centres.dtype == np.float32
    assert found.labels.min() >= OUTLIER and found.labels.max() == found.k - 1 and found.sizes.min() > 0
    first = [int(np.flatnonzero(found.labels == one)[0]) for one in range(found.k)]
    assert sorted(range(found.k), key=lambda one: (-found.sizes[one], first[one])) == list(range(found.k))
    np.testing.assert_allclose(np.linalg.norm(found.centres, axis=1), 1, atol=1e-5)
    inside, rows = found.labels != OUTLIER, unit_rows(vectors)
    own = own_similarity(rows[inside], found.centres, found.labels[inside])
    np.testing.assert_allclose(found.distances[inside], 1 - own, atol=1e-5)
    np.testing.assert_allclose(found.distances[~inside], 1 - (rows[~inside] @ found.centres.T).max(axis=1), atol=1e-5)
    return True


def parts_equals(found: Clustering, vectors: np.ndarray) -> bool:
    _, group = np.unique(unit_rows(vectors), axis=0, return_inverse=True)
    return any(len(set(found.labels[group == one].tolist())) > 1 for one in set(group.tolist()))


def test_those_of_the_house_are_there():
    assert {"agglomerative", "gmm", "hdbscan", "kmeans", "leiden", "umap-ward"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_is_described_for_people(name):
    plugin = registry.load("clustering", name)
    assert isinstance(plugin, Algorithm) and plugin.name == name
    assert plugin.finds_k in (True, False) and (plugin.finds_k or name in TAKES_K)
    assert 40 < len(plugin.summary) < 300 and plugin.summary.endswith(".")
    assert all(field.description for field in plugin.Params.model_fields.values())
    with pytest.raises(ValueError, match="extra"):
        plugin.Params(no_such_parameter=1)
    if name in SAMPLING:
        assert f"From {plugin.Params().sample:,} images on" in plugin.summary, "say where sampling begins"


@pytest.mark.parametrize("name", NAMES)
def test_finds_separated_groups_and_gives_the_same_bits_again(name):
    vectors, truth = blobs([40, 32, 27, 21])
    found = run(name, vectors, "auto" if name in OWN_K else 4, seed=3)
    assert is_whole(found, vectors) and found.k == 4 and found.sampled is None
    assert found.sizes.tolist() == [40, 32, 27, 21] and score(found.labels.tolist(), truth.tolist())["nmi"] == 1
    again = run(name, vectors.copy(), "auto" if name in OWN_K else 4, seed=3)
    assert found.labels.tobytes() == again.labels.tobytes() and found.centres.tobytes() == again.centres.tobytes()


@pytest.mark.parametrize("k", [1, 2, 9, 30])
@pytest.mark.parametrize("name", TAKES_K)
def test_as_many_clusters_as_asked_for_where_there_is_no_structure(name, k):
    vectors = cloud(60)
    found = run(name, vectors, k)
    assert is_whole(found, vectors) and found.k == k and found.labels.min() == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("k", [0, -2])
def test_fewer_than_one_cluster_is_refused(name, k):
    with pytest.raises(ClusteringError):
        run(name, cloud(20), k)


@pytest.mark.parametrize("name", OWN_K)
def test_an_algorithm_that_finds_k_itself_says_so(name):
    with pytest.raises(KNotSupported, match="auto") as caught:
        run(name, cloud(20), 3)
    assert caught.value.code == "k_not_supported"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_few_images(name, count):
    vectors = cloud(count)
    for k in range(1, count + 1) if name in TAKES_K else []:
        found = run(name, vectors, k)
        assert is_whole(found, vectors) and found.k == k and found.labels.min() == 0
    assert is_whole(run(name, vectors, "auto"), vectors)
    if name in TAKES_K:
        with pytest.raises(KTooLarge) as caught:
            run(name, vectors, count + 1)
        assert (caught.value.k, caught.value.distinct) == (count + 1, count)


@pytest.mark.parametrize("name", NAMES)
def test_as_many_clusters_as_images(name):
    vectors = cloud(25)
    found = run(name, vectors, "auto" if name in OWN_K else 25)
    assert is_whole(found, vectors) and (name in OWN_K or found.labels.tolist() == list(range(25)))


@pytest.mark.parametrize("name", NAMES)
def test_copies_only_are_one_cluster(name):
    vectors = np.repeat(cloud(1), 40, axis=0)
    found = run(name, vectors, "auto")
    assert is_whole(found, vectors) and found.k == 1
    if name in TAKES_K:
        assert run(name, vectors, 1).k == 1
        with pytest.raises(KTooLarge):
            run(name, vectors, 2)


@pytest.mark.parametrize("name", NAMES)
def test_copies_share_a_cluster(name):
    vectors = cloud(30)[np.random.default_rng(0).permutation(np.repeat(np.arange(30), [40] + [1] * 9 + [4] * 20))]
    for k in (6, 30) if name in TAKES_K else ("auto",):
        found = run(name, vectors, k)
        assert is_whole(found, vectors) and not parts_equals(found, vectors)
        assert k == "auto" or found.k == k


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", [np.zeros((4, 3)), np.full((4, 3), np.inf), np.ones(4), np.ones((0, 3))])
def test_vectors_without_direction_are_refused(name, bad):
    with pytest.raises(VectorsUnusable):
        run(name, bad.astype(np.float32), "auto" if name in OWN_K else 1)


@pytest.mark.parametrize("k", [3, "auto"])
@pytest.mark.parametrize("name", NAMES)
def test_progress_rises_to_its_total_and_what_it_raises_ends_the_run(name, k):
    vectors, _ = blobs([30, 25, 20])
    seen: list[tuple[int, int]] = []
    run(name, vectors, "auto" if name in OWN_K else k, progress=lambda done, total: seen.append((done, total)))
    assert len({total for _, total in seen}) == 1 and seen == sorted(seen)
    assert seen[0][0] == 0 and seen[-1][0] == seen[-1][1] and len({done for done, _ in seen}) > 3

    def stop(done: int, total: int) -> None:
        if 2 * done > total:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run(name, vectors, "auto" if name in OWN_K else k, progress=stop)


@pytest.mark.parametrize("name", SAMPLING)
def test_images_outside_the_sample_join_their_neighbours(name):
    vectors, truth = blobs([150, 130, 120])
    vectors = np.concatenate([vectors, vectors[:50]])
    found = run(name, vectors, "auto" if name in OWN_K else 3, sample=256)
    assert is_whole(found, vectors) and found.sampled == 256 and found.labels.min() == 0
    assert score(found.labels[:400].tolist(), truth.tolist())["nmi"] == 1
    assert not parts_equals(found, vectors)
    if name in TAKES_K:
        many = run(name, vectors, 140, sample=256)  # the sample grows with k
        assert is_whole(many, vectors) and many.k == 140 and many.sampled == 280 and many.labels.min() == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_tree_says_what_the_run_says(name):
    vectors = cloud(50)
    found = run(name, vectors, "auto" if name in OWN_K else 7)
    if found.tree is None:
        return
    leaves = leaf_clustering(vectors, found.tree)
    assert cut(found.tree.merges, leaves.k, found.k)[found.tree.leaves].tolist() == _in_order(found.labels)
    assert len(cohesion(leaves)) == len(representatives(vectors, leaves)) == leaves.k >= found.k


def _in_order(labels: np.ndarray) -> list[int]:
    seen: dict[int, int] = {}
    return [seen.setdefault(label, len(seen)) for label in labels.tolist()]


@pytest.mark.parametrize("name", [name for name in TAKES_K if name in ("agglomerative", "gmm", "leiden", "umap-ward")])
@settings(max_examples=20, deadline=None)
@given(
    vectors=arrays(np.float32, st.tuples(st.integers(1, 14), st.integers(1, 3)), elements=st.integers(-2, 2)),
    k=st.integers(1, 14),
)
def test_exactly_k_clusters_or_a_clear_no(name, vectors, k):
    vectors = vectors[np.abs(vectors).sum(axis=1) > 0]
    if not len(vectors):
        return
    distinct = len(np.unique(unit_rows(vectors), axis=0))
    if k > distinct:
        with pytest.raises(KTooLarge):
            run(name, vectors, k)
        return
    found = run(name, vectors, k)
    assert is_whole(found, vectors) and found.k == k and not parts_equals(found, vectors)
