"""The linear probe and the scores of k-means against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from models.clustering.base import VectorsUnusable
from models.clustering.kmeans import KMeans
from models.evaluation import probe
from models.evaluation.probe import clustering_scores, linear_probe


def drawn(images: int, dims: int, classes: int, noise: float, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.arange(images) % classes)
    vectors = rng.standard_normal((classes, dims))[codes] + noise * rng.standard_normal((images, dims))
    return (vectors + 1).astype(np.float32), [f"class {code}" for code in codes]


@pytest.mark.parametrize(("images", "dims"), [(200, 300), (300, 40)])
def test_equals_scikit_learn_on_the_same_splits(images, dims, monkeypatch):
    vectors, labels = drawn(images, dims, 5, 3.5)
    splits = []
    fit = probe.fit
    monkeypatch.setattr(probe, "DRAWS", 2)

    def watched(points, classes, strength):
        predict = fit(points, classes, strength)

        def told(rows):
            splits.append((points, classes, rows, found := predict(rows)))
            return found

        return told

    monkeypatch.setattr(probe, "fit", watched)
    scores = linear_probe(vectors, labels, fractions=(0.1, 1.0))
    assert len(splits) == 5 * 2 + 5 and 0.3 < scores["linear_10"] < scores["linear_100"] < 0.99
    equal = []
    for points, classes, rows, found in splits:
        oracle = LogisticRegression(C=probe.STRENGTH, tol=1e-6, max_iter=5000).fit(points, classes)
        equal.append(np.mean(oracle.predict(rows) == found))
    assert np.mean(equal) >= 0.99


def test_near_scikit_learn_on_the_vectors_themselves():
    """All of the preparation, turning included, is as good as plain centred unit vectors."""
    vectors, labels = drawn(300, 400, 4, 4.0)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    unit -= unit.mean(axis=0)
    unit /= np.sqrt((unit**2).sum(axis=1).mean())
    right = []
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(unit, labels):
        oracle = LogisticRegression(C=10, tol=1e-6, max_iter=5000).fit(unit[train], np.array(labels)[train])
        right.append(oracle.score(unit[test], np.array(labels)[test]))
    assert linear_probe(vectors, labels, fractions=(1.0,))["linear_100"] == pytest.approx(np.mean(right), abs=0.04)


def test_turning_keeps_every_product():
    for shape in ((30, 50), (50, 30)):
        rows = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
        points = probe._principal(rows)
        centred = rows - rows.mean(axis=0, dtype=np.float64)
        gram = centred @ centred.T
        assert points.shape == (shape[0], min(shape))
        assert np.allclose(points @ points.T, gram / np.trace(gram) * shape[0], atol=1e-6)


def test_more_labels_help_and_the_keys_are_the_contract():
    vectors, labels = drawn(400, 64, 4, 4.0)
    scores = linear_probe(vectors, labels)
    assert list(scores) == ["linear_1", "linear_10", "linear_20", "linear_100"]
    assert list(scores.values()) == sorted(scores.values())
    assert scores["linear_100"] - scores["linear_1"] > 0.2


def test_labels_that_say_nothing_give_chance():
    vectors, labels = drawn(600, 32, 4, 1.0)
    shuffled = np.random.default_rng(3).permutation(labels).tolist()
    assert linear_probe(vectors, shuffled, fractions=(1.0,))["linear_100"] == pytest.approx(0.25, abs=0.06)


def test_repeatable_and_seeded():
    vectors, labels = drawn(150, 20, 3, 4.0)
    first, second, other = (linear_probe(vectors, labels, (0.1, 0.2), seed) for seed in (1, 1, 2))
    assert first == second != other


def test_scale_does_not_matter():
    vectors, labels = drawn(120, 20, 3, 3.0)
    assert linear_probe(1000 * vectors, labels, (1.0,)) == linear_probe(vectors, labels, (1.0,))


def test_a_class_of_one_image_is_left_out():
    vectors, labels = drawn(90, 16, 3, 2.0)
    more = np.vstack([vectors, -vectors[:1]])
    assert linear_probe(more, [*labels, "alone"], (0.2, 1.0)) == pytest.approx(
        linear_probe(vectors, labels, (0.2, 1.0)), abs=0.05
    )


def test_a_collapsed_encoder_is_scored_as_chance():
    _, labels = drawn(100, 8, 4, 1.0)
    same = np.tile(np.arange(1, 9, dtype=np.float32), (100, 1))
    assert linear_probe(same, labels, (1.0,))["linear_100"] == pytest.approx(0.25, abs=0.01)
    assert clustering_scores(same, labels, seeds=2) == pytest.approx({"nmi": 0, "ari": 0, "accuracy": 0.25}, abs=1e-9)


@pytest.mark.parametrize(
    ("labels", "options"),
    [
        (["a"] * 10, {}),
        (["a"] * 9 + ["b"], {}),
        (["a", "b"] * 4, {}),
        (["a", "b"] * 5, {"folds": 1}),
        (["a", "b"] * 5, {"fractions": (0.0,)}),
        (["a", "b"] * 5, {"fractions": (1.5,)}),
    ],
)
def test_what_cannot_be_probed_is_an_error(labels, options):
    with pytest.raises(ValueError, match=r"two classes|vectors"):
        linear_probe(np.eye(10), labels, **options)


def test_broken_vectors_are_an_error():
    with pytest.raises(VectorsUnusable):
        linear_probe(np.full((4, 2), np.nan), list("abab"))
    with pytest.raises(VectorsUnusable):
        clustering_scores(np.zeros((4, 2)), list("abab"))


def test_clustering_scores_are_means_over_seeds():
    vectors, labels = drawn(200, 16, 6, 1.6)
    with threadpool_limits(1):
        runs = [KMeans().cluster(vectors, 6, seed=seed).labels for seed in range(3)]
    scores = clustering_scores(vectors, labels, seeds=3)
    assert scores["nmi"] == pytest.approx(np.mean([normalized_mutual_info_score(labels, run) for run in runs]))
    assert scores["ari"] == pytest.approx(np.mean([adjusted_rand_score(labels, run) for run in runs]))
    assert 0.2 < scores["nmi"] < 0.99 and scores["ari"] < scores["accuracy"] < 1


@pytest.mark.parametrize("seeds", [0, -1])
def test_clustering_needs_a_seed_and_labels(seeds):
    with pytest.raises(ValueError, match="seed"):
        clustering_scores(np.eye(4), list("abab"), seeds)
    with pytest.raises(ValueError, match="labels"):
        clustering_scores(np.eye(4), list("aba"))
