"""The tree: exact Ward where leaves are single images, k-means leaves above, and every k without a new run."""

from __future__ import annotations

import numpy as np
from scipy.cluster.hierarchy import fcluster, is_valid_linkage, linkage

from models.clustering.agglomerative import Agglomerative, Params, leaves_for
from models.clustering.representatives import cohesion, representatives
from models.clustering.tree import leaf_clustering, regroup
from models.clustering.unit_vectors import unit_rows
from models.evaluation.labelled import score


def cloud(count: int, dim: int = 6) -> np.ndarray:
    return unit_rows(np.random.default_rng(count).standard_normal((count, dim)))


def test_with_a_leaf_for_each_image_it_is_wards_method():
    vectors = cloud(150)
    found = Agglomerative().cluster(vectors, 6)
    reference = fcluster(linkage(vectors.astype(float), "ward"), 6, "maxclust")
    assert score(found.labels.tolist(), reference.tolist())["nmi"] == 1
    assert found.tree is not None and found.tree.leaves.tolist() == list(range(150))


def test_one_run_answers_every_k():
    vectors = cloud(500)
    found = Agglomerative().cluster(vectors, 8, Params(leaves=60))
    assert found.tree is not None and is_valid_linkage(found.tree.merges)
    leaves = leaf_clustering(vectors, found.tree)
    assert 50 < leaves.k <= 60
    stand = [rows.tolist() for rows in representatives(vectors, leaves)]
    for k in (3, 8, 20):
        shown = regroup(found.tree.merges, k, leaves.sizes, cohesion(leaves), stand)
        asked = Agglomerative().cluster(vectors, k, Params(leaves=60))
        assert shown.labels[found.tree.leaves].tolist() == asked.labels.tolist()
        np.testing.assert_allclose(shown.cohesion, cohesion(asked), atol=1e-5)


def test_more_clusters_than_leaves_make_more_leaves():
    found = Agglomerative().cluster(cloud(300), 90, Params(leaves=20))
    assert found.k == 90 and found.tree is not None and found.tree.leaves.max() + 1 >= 90


def test_centres_are_the_mean_directions_of_all_their_images():
    vectors = cloud(400)
    found = Agglomerative().cluster(vectors, 5, Params(leaves=40))
    means = unit_rows(np.stack([vectors[found.labels == one].mean(axis=0) for one in range(5)]))
    np.testing.assert_allclose(found.centres, means, atol=1e-5)


def test_images_that_cancel_out_have_a_centre_all_the_same():
    vectors = np.array([[1, 0], [-1, 0]], np.float32)
    assert Agglomerative().cluster(vectors, 1).centres.tolist() == [[1, 0]]


def test_the_number_of_leaves_grows_with_the_root():
    assert [leaves_for(count) for count in (10, 40_000, 90_000, 1_000_000)] == [200, 200, 300, 1000]
