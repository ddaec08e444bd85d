"""k-means: exactly k groups, the same bits every time, and an objective no worse than scikit-learn's."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.cluster import KMeans as Reference

from models import registry
from models.clustering.algorithm import Algorithm
from models.clustering.base import ClusteringError, KTooLarge, VectorsUnusable
from models.clustering.kmeans import KMeans, Params
from models.clustering.unit_vectors import unit_rows

QUICK = Params(restarts=2, iterations=10)


def blobs(groups: int, each: int, dim: int = 16, spread: float = 0.2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = unit_rows(rng.standard_normal((groups, dim)))
    truth = np.repeat(np.arange(groups), each)
    noise = spread * unit_rows(rng.standard_normal((len(truth), dim)))
    return unit_rows(centres[truth] + noise), truth


def test_is_found_by_name_and_keeps_the_contract():
    plugin = registry.load("clustering", "kmeans")
    assert isinstance(plugin, KMeans) and isinstance(plugin, Algorithm)
    assert registry.names("clustering").count("kmeans") == 1
    assert all(field.description for field in plugin.Params.model_fields.values())


def test_finds_separated_groups_exactly_and_numbers_them_by_size():
    vectors, truth = blobs(5, 40)
    keep = np.concatenate([np.flatnonzero(truth == group)[: 10 + 5 * group] for group in range(5)])
    found = KMeans().cluster(vectors[keep], 5)
    assert found.sizes.tolist() == [30, 25, 20, 15, 10]
    assert found.labels.tolist() == (4 - truth[keep]).tolist()


def test_equal_sizes_are_numbered_by_their_first_image():
    vectors = np.eye(4, dtype=np.float32)[[2, 0, 2, 0, 3, 3]]
    assert KMeans().cluster(vectors, 3).labels.tolist() == [0, 1, 0, 1, 2, 2]


def test_centres_and_distances_are_those_of_the_labels():
    vectors, _ = blobs(6, 30, spread=0.9)
    found = KMeans().cluster(vectors, 6)
    similarity = vectors @ found.centres.T
    assert found.labels.dtype == np.int32 and found.distances.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found.centres, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(found.labels, similarity.argmax(axis=1))
    np.testing.assert_allclose(found.distances, 1 - similarity.max(axis=1), atol=1e-6)


def test_is_as_tight_as_scikit_learn_on_data_without_structure():
    vectors = unit_rows(np.random.default_rng(3).standard_normal((400, 12)))
    found = KMeans().cluster(vectors, 10)
    reference = Reference(10, n_init=20, random_state=0).fit(vectors)
    sums = np.stack([vectors[reference.labels_ == cluster].sum(axis=0) for cluster in range(10)])
    best = np.linalg.norm(sums, axis=1).sum()  # the sum of cosines to each cluster's own mean direction
    assert (1 - found.distances).sum() >= 0.99 * best


def test_length_of_the_vectors_does_not_matter():
    vectors, _ = blobs(4, 20)
    scaled = vectors * np.random.default_rng(1).uniform(0.1, 9, (len(vectors), 1)).astype(np.float32)
    np.testing.assert_array_equal(KMeans().cluster(scaled, 4).labels, KMeans().cluster(vectors, 4).labels)


def test_a_sample_for_the_restarts_still_assigns_every_image():
    vectors, truth = blobs(3, 1000)
    found = KMeans().cluster(vectors, 3, Params(restarts=2, search_images=256))
    assert found.sizes.tolist() == [1000, 1000, 1000]
    assert found.labels.tolist() == truth.tolist()


def test_every_image_counts_for_its_centre():
    vectors = unit_rows(1 + np.random.default_rng(4).standard_normal((2000, 6)))
    mean = vectors.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(KMeans().cluster(vectors, 1).centres[0], mean / np.linalg.norm(mean), atol=1e-5)


def test_small_collections_print_no_warning(capfd):
    KMeans().cluster(blobs(5, 4)[0], 5)
    assert capfd.readouterr() == ("", "")


@settings(max_examples=60, deadline=None)
@given(
    vectors=arrays(np.float32, st.tuples(st.integers(1, 24), st.integers(1, 4)), elements=st.integers(-2, 2)),
    k=st.integers(1, 24),
    seed=st.integers(0, 2**63 - 1),
)
def test_exactly_k_clusters_or_a_clear_no(vectors, k, seed):
    vectors = vectors[np.abs(vectors).sum(axis=1) > 0]
    if not len(vectors):
        return
    distinct = len(np.unique(unit_rows(vectors), axis=0))
    if k > distinct:
        with pytest.raises(KTooLarge) as caught:
            KMeans().cluster(vectors, k, QUICK, seed)
        assert (caught.value.k, caught.value.distinct) == (k, distinct)
        return
    found = KMeans().cluster(vectors, k, QUICK, seed)
    again = KMeans().cluster(vectors, k, QUICK, seed)
    assert found.sizes.min() > 0 and len(found.sizes) == k and found.sizes.sum() == len(vectors)
    assert (np.diff(found.sizes) <= 0).all()
    assert found.labels.tobytes() == again.labels.tobytes() and found.centres.tobytes() == again.centres.tobytes()
    _, group = np.unique(unit_rows(vectors), axis=0, return_inverse=True)
    assert all(len(set(found.labels[group == one])) == 1 for one in set(group.tolist())), "equal vectors were parted"


@pytest.mark.parametrize("gap", [1e-3, 1e-5, 1e-7])
def test_vectors_closer_than_a_cosine_can_tell_are_still_parted(gap):
    vectors = np.ones((6, 3), np.float32)
    vectors[:, 0] += gap * np.arange(6)
    distinct = len(np.unique(unit_rows(vectors), axis=0))
    assert KMeans().cluster(vectors, distinct, QUICK).sizes.min() >= 1


def test_as_many_clusters_as_images_and_two_points():
    vectors, _ = blobs(20, 1)
    assert KMeans().cluster(vectors, 20).sizes.tolist() == [1] * 20
    assert KMeans().cluster(vectors[:2], 2).labels.tolist() == [0, 1]
    assert KMeans().cluster(vectors[:2], 1).labels.tolist() == [0, 0]


@pytest.mark.parametrize("k", [0, -3])
def test_k_below_one_is_refused(k):
    with pytest.raises(ClusteringError, match="at least 1"):
        KMeans().cluster(np.eye(3, dtype=np.float32), k)


def test_too_many_clusters_has_its_code():
    with pytest.raises(ValueError, match="only 2 distinct") as caught:
        KMeans().cluster(np.eye(2, dtype=np.float32)[[0, 1, 0]], 3)
    assert caught.value.code == "k_too_large"


@pytest.mark.parametrize("bad", [np.zeros((2, 3)), np.full((2, 3), np.nan), np.ones(3), np.ones((0, 3))])
def test_vectors_without_direction_are_refused(bad):
    with pytest.raises(VectorsUnusable):
        KMeans().cluster(bad.astype(np.float32), 1)


@pytest.mark.parametrize("k", [4, "auto"])
def test_progress_rises_to_its_total_and_what_it_raises_stops_the_run(k):
    vectors, _ = blobs(4, 20)
    seen: list[tuple[int, int]] = []
    KMeans().cluster(vectors, k, QUICK, progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen) and len({total for _, total in seen}) == 1
    assert seen[0][0] == 0 and seen[-1][0] == seen[-1][1]

    def stop(done: int, total: int) -> None:
        if done > 0:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        KMeans().cluster(vectors, k, QUICK, progress=stop)


SAME_BITS = """
import sys, numpy as np
from hashlib import sha256
from models.clustering.kmeans import KMeans, Params
vectors = np.random.default_rng(0).standard_normal((3000, 200)).astype(np.float32)
found = KMeans().cluster(vectors, 17, Params(restarts=2, search_images=1000), seed=5)
print(sha256(found.labels.tobytes() + found.distances.tobytes() + found.centres.tobytes()).hexdigest())
assert "torch" not in sys.modules and "sklearn" not in sys.modules
"""


def test_the_number_of_threads_changes_nothing():
    def run(threads: str) -> str:
        limits = {name: threads for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        done = subprocess.run(
            [sys.executable, "-c", SAME_BITS], env=os.environ | limits, capture_output=True, text=True, check=True
        )
        assert done.stderr == "", "FAISS printed a warning"
        return done.stdout.strip()

    assert run("1") == run("2") == run("3") != sha256(b"").hexdigest()
