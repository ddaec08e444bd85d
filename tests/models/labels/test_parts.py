"""The parts of spreading names, each against an independent reference."""

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture

from models.evaluation import logistic
from models.labels import mixture
from models.labels.calibration import USUAL, Calibration, calibration_error, temperature
from models.labels.given import FOLDS, Given
from models.labels.mixture import Mixture, softmax
from models.labels.neighbourhood import FAR, Neighbourhood
from models.labels.review import Queue
from tests.models.labels.kinds import kinds, named


def test_spreading_solves_zhous_equation() -> None:
    vectors, codes = kinds(3, 20)
    hood = Neighbourhood.of(vectors)
    sources = named(codes, 2, 3).sources(60)
    exact = (1 - FAR) * np.linalg.solve(np.eye(60) - FAR * hood.steps.toarray(), sources)
    assert np.abs(hood.spread(sources) - exact).max() < 0.01  # what is left after the last step
    assert np.abs(np.linalg.eigvalsh(hood.steps.toarray())).max() == pytest.approx(1, abs=1e-5)


def test_reach_is_a_share() -> None:
    vectors, codes = kinds(3, 20)
    hood = Neighbourhood.of(vectors)
    assert hood.reach(np.ones(60, np.float32)) == pytest.approx(np.ones(60))
    some = hood.reach(named(codes, 2, 2).sources(60).sum(axis=1))
    assert (some >= 0).all() and (some <= 1).all() and some[codes == 2].max() < some[codes == 0].min()


def test_one_step_of_the_mixture_is_discriminant_analysis(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every row named and hardly any shrinkage the scores differ as Gaussians' with one covariance do."""
    monkeypatch.setattr(mixture, "SHRINKAGE", 0.0)
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], 50)
    rows = rng.normal(size=(150, 4)) @ rng.normal(size=(4, 4)) + rng.normal(size=(3, 4))[codes]
    found = Mixture.learnt(rows, np.eye(3)[codes], np.ones(150)).scores(rows)
    reference = GaussianMixture(3, covariance_type="tied", max_iter=1)
    reference.weights_ = np.full(3, 1 / 3)
    reference.means_ = np.stack([rows[codes == code].mean(axis=0) for code in range(3)])
    within = rows - reference.means_[codes]
    reference.covariances_ = within.T @ within / 150
    reference.precisions_cholesky_ = np.linalg.cholesky(np.linalg.inv(reference.covariances_))
    assert softmax(found) == pytest.approx(reference.predict_proba(rows), abs=1e-6)


def test_a_soft_target_of_whole_classes_is_the_usual_regression() -> None:
    vectors, codes = kinds(3, 20)
    points = vectors.astype(np.float64)
    found = logistic.coefficients(points, np.eye(3)[codes], 10.0)
    reference = LogisticRegression(C=10.0, tol=1e-8, max_iter=1000).fit(points, codes).predict_proba(points)
    assert softmax(points @ found[:-1] + found[-1]) == pytest.approx(reference, abs=2e-3)


def test_a_row_that_counts_half_twice_counts_once() -> None:
    """The sum over the rows stays what it was, and so does its balance with the penalty."""
    vectors, codes = kinds(2, 20)
    points, target = vectors.astype(np.float64), np.eye(2)[codes]
    halves = logistic.coefficients(np.repeat(points, 2, axis=0), np.repeat(target / 2, 2, axis=0), 1.0)
    assert halves == pytest.approx(logistic.coefficients(points, target, 1.0), abs=5e-3)


def test_temperature_repairs_what_is_too_sure() -> None:
    """Probabilities that were right, cooled threefold: with names enough the temperature finds the three again."""
    rng = np.random.default_rng(0)
    honest = rng.normal(size=(4000, 4)) * 1.5
    codes = (softmax(honest).cumsum(axis=1) > rng.random((4000, 1))).argmax(axis=1)
    assert temperature(honest * 3, codes) == pytest.approx(3, rel=0.12)
    assert temperature(honest[:0], codes[:0]) == USUAL
    few = temperature(honest[:3] * 3, codes[:3])
    assert USUAL / 1.5 < few < 3  # three names say little


def test_calibration_error_of_known_gaps() -> None:
    sure = np.array([[0.99, 0.01]] * 4 + [[0.4, 0.6]] * 4)
    codes = np.array([0, 0, 0, 1, 1, 1, 1, 1])
    assert calibration_error(sure, codes) == pytest.approx((4 * abs(0.99 - 0.75) + 4 * abs(0.6 - 1)) / 8)


def test_novelty_keeps_its_promise() -> None:
    """Of images that the names reach as far as each other, one in twenty is called new, whatever the distribution."""
    rng = np.random.default_rng(0)
    called = []
    for _ in range(400):
        reach = rng.exponential(size=60)
        calibration = Calibration(1.0, np.sort(reach[:39]), None)
        called.append(calibration.new(reach[39:].astype(np.float32)).mean())
    assert np.mean(called) == pytest.approx(0.05, abs=0.008)
    assert not Calibration(1.0, np.arange(18.0), None).novelty


@drawn(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(0, 99))
def test_folds_leave_no_label_without_a_name(codes: list[int], seed: int) -> None:
    given = Given(np.arange(len(codes)), np.array(codes), np.ones(len(codes)), 5)
    folds = given.folds(seed)
    for fold in range(FOLDS):
        kept = given.only(folds != fold)
        assert set(kept.codes.tolist()) == set(codes)
    for code in set(codes):
        own = folds[given.codes == code]
        assert len(own) == 1 or np.ptp(np.bincount(own, minlength=FOLDS)) <= 1


def test_clusters_names_are_never_left_out() -> None:
    given = Given(np.arange(6), np.array([0, 0, 0, 1, 1, 1]), np.array([1, 0.3, 0.3, 1, 1, 0.3]), 2)
    folds = given.folds(0)
    assert (folds[[1, 2, 5]] == -1).all() and (folds[[0, 3, 4]] >= 0).all()


def test_the_queue_is_the_greedy_one() -> None:
    """Against the plain greedy algorithm, which counts every gain anew before every question."""
    vectors, _ = kinds(4, 25)
    doubt = np.random.default_rng(0).random(100).astype(np.float32)
    named_rows = np.array([3, 60])
    order, worth = Queue(vectors, doubt, named_rows, 0).ask(vectors, 30)
    like = np.exp(8 * (vectors @ vectors.T - 1))
    settled = like[named_rows].max(axis=0)
    for asked, gain in zip(order, worth, strict=True):
        gains = np.maximum(like - settled, 0) @ doubt
        assert gain == pytest.approx(gains.max(), rel=1e-3) and gains[asked] == pytest.approx(gains.max(), rel=1e-3)
        settled = np.maximum(settled, like[asked])
