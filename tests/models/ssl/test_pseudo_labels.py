"""Pseudo-labels: whitening against FAISS's own, k-means against plain loops, no cluster empty, the uniform sampler."""

import faiss
import numpy as np
import pytest
import torch

from models.clustering.base import KTooLarge
from models.ssl.pseudo_labels import (
    clusters_for,
    nearest_centroid,
    pseudo_labels,
    uniform_over_clusters,
    whitened,
    whitened_width,
)


def features(rows: int, dim: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (3 + rng.normal(size=(rows, dim)) @ rng.normal(size=(dim, dim))).astype(np.float32)


@pytest.mark.parametrize(("images", "k"), [(12, 2), (700, 70), (10_000, 1000), (1_281_167, 11_319)])
def test_k_grows_with_the_images_then_with_their_root(images: int, k: int) -> None:
    assert clusters_for("auto", images) == k
    assert clusters_for(5, images) == 5


def test_more_clusters_than_images_are_refused() -> None:
    with pytest.raises(KTooLarge):
        clusters_for(13, 12)


def test_whitening_is_that_of_faiss() -> None:
    rows = features(400, 24)
    matrix = faiss.PCAMatrix(24, 8, -0.5)
    matrix.train(rows)
    theirs = matrix.apply(rows)
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    ours = whitened(rows, 8)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-3)  # each component's sign is anyone's choice
    np.testing.assert_allclose(ours @ ours.T, theirs @ theirs.T, atol=1e-3)


def test_whitening_leaves_directions_without_variance_at_zero_and_bears_equal_rows() -> None:
    flat = np.hstack([features(50, 3), np.ones((50, 4), np.float32)])
    rows = whitened(flat, 5)
    assert not rows[:, 3:].any()
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert not whitened(np.ones((6, 4), np.float32), 3).any()


@pytest.mark.parametrize(("images", "dim", "width"), [(700, 1280, 70), (100_000, 1280, 256), (5000, 64, 64), (5, 9, 1)])
def test_few_images_whiten_few_dimensions(images: int, dim: int, width: int) -> None:
    assert whitened_width(images, dim) == width


def test_labels_are_the_nearest_centroids_and_centroids_the_means_as_in_plain_k_means() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(5, size=200)
    directions = np.eye(5, 6)[truth] + 0.05 * rng.normal(size=(200, 6))
    rows = (directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype(np.float32)
    found = pseudo_labels(rows, 8, seed=3)
    for row, label in zip(rows, found.labels, strict=True):
        assert label == max(range(8), key=lambda cluster: float(row @ found.centroids[cluster]))
    for cluster, centroid in enumerate(found.centroids):
        mean = rows[found.labels == cluster].mean(axis=0)
        np.testing.assert_allclose(centroid, mean / np.linalg.norm(mean), atol=0.02)  # up to the last iteration
    for cluster in range(8):
        assert len(set(truth[found.labels == cluster])) == 1  # over-clustered: each inside one true group
    sizes = [int((found.labels == cluster).sum()) for cluster in range(8)]
    assert found.imbalance == pytest.approx(8 * sum((size / 200) ** 2 for size in sizes))


def test_no_cluster_is_empty_and_filling_them_is_counted() -> None:
    groups = np.eye(4, dtype=np.float32).repeat(50, axis=0)
    stray = np.eye(4, dtype=np.float32)[[0] * 6] + np.linspace(0.01, 0.06, 6, dtype=np.float32)[:, None]
    rows = np.vstack([groups, stray / np.linalg.norm(stray, axis=1, keepdims=True)])
    found = pseudo_labels(rows, 10, seed=0)  # as many as there are distinct rows
    assert np.bincount(found.labels, minlength=10).min() >= 1
    assert found.splits > 0
    with pytest.raises(KTooLarge):
        pseudo_labels(rows, 11, seed=0)


def test_the_same_rows_and_seed_give_the_same_labels() -> None:
    rows = whitened(features(300, 20), 10)
    one, same, other = (pseudo_labels(rows, 12, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.labels, same.labels)
    np.testing.assert_array_equal(one.centroids, same.centroids)
    assert (one.labels != other.labels).any()


def test_the_classifier_of_centroids_gives_cosines_to_them_over_a_temperature() -> None:
    torch.manual_seed(0)
    directions = torch.nn.functional.normalize(torch.randn(20, 8), dim=1)
    features = 5 + 3 * torch.cat([directions, -directions])  # all at distance 3 from their mean
    labels = torch.randint(0, 4, (40,))
    weight, bias = nearest_centroid(features, labels, 5)
    for cluster in range(4):
        centroid = torch.stack([(features[i] - 5) / 3 for i in range(40) if labels[i] == cluster]).mean(0)
        for row in features:
            cosine = torch.dot(row - 5, centroid) / (3 * centroid.norm())
            torch.testing.assert_close(weight[cluster] @ row + bias[cluster], cosine / 0.1, rtol=1e-4, atol=1e-4)
    assert not weight[4].any()  # a cluster without images
    assert all(part.isfinite().all() for part in nearest_centroid(torch.ones(3, 4), torch.arange(3), 3))


def test_the_sampler_draws_every_cluster_equally_often() -> None:
    labels = torch.tensor([7] * 90 + [3] * 8 + [0] * 2)[torch.randperm(100, generator=torch.Generator().manual_seed(0))]
    order = uniform_over_clusters(labels, torch.Generator().manual_seed(1))
    assert len(order) == 100
    drawn = labels[order]
    counts = {cluster: int((drawn == cluster).sum()) for cluster in (7, 3, 0)}
    assert set(counts.values()) == {33, 34}
    times = torch.bincount(order, minlength=100)
    assert times[labels == 7].max() == 1  # a large cluster repeats no image
    for cluster in (3, 0):  # a small one repeats all of them alike
        assert times[labels == cluster].max() - times[labels == cluster].min() <= 1
    assert drawn[:50].unique().tolist() == [0, 3, 7]  # in mixed order
    again = uniform_over_clusters(labels, torch.Generator().manual_seed(1))
    assert torch.equal(order, again)
    assert not torch.equal(order, uniform_over_clusters(labels, torch.Generator().manual_seed(2)))


def test_more_clusters_than_images_to_draw_are_no_trouble() -> None:
    order = uniform_over_clusters(torch.arange(9), torch.Generator().manual_seed(0))
    assert sorted(order.tolist()) == list(range(9))
