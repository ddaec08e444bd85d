"""What the epochs' measures say, and when they say that a training has failed."""

import numpy as np
import pytest

from models.ssl.health import COLLAPSED_FOR, Collapsed, Diverged, Health
from models.ssl.methods.mae import MAE
from models.ssl.methods.simclr import SimCLR

COUNT, DIM, KINDS = 60, 16, 3
PROBE = np.arange(10, 10 + COUNT)
LABELS = ["none"] * 10 + [f"kind {row % KINDS}" for row in range(COUNT)] + ["none"] * 5


def features(scale: float = 1.0, centre: float = 0.0, seed: int = 0) -> np.ndarray:
    """(COUNT, DIM): in all directions, or with a large centre all in nearly one."""
    rng = np.random.default_rng(seed)
    return (scale * rng.normal(size=(COUNT, DIM)) + centre).astype(np.float32)


def grouped() -> np.ndarray:
    """As the labels say."""
    return np.eye(DIM, dtype=np.float32)[np.arange(COUNT) % KINDS] + features(0.05)


def health(labels: list[str] | None = None) -> Health:
    return Health(0, PROBE, labels)


def test_directions_in_all_ways_have_a_spread_of_one_and_full_rank() -> None:
    record = health().measure(features(), None, None)
    assert record["spread"] == pytest.approx(1, abs=0.03)
    assert DIM * 0.8 < (record["rankme"] or 0) <= DIM
    assert record["retrieval"] is None and record["nmi_prev"] is None
    assert record.keys() == {"spread", "rankme", "retrieval", "nmi_prev"}


def test_retrieval_is_of_one_view_by_the_other() -> None:
    plain = features()
    perfect = np.stack([plain, plain + features(0.01, seed=1)], axis=1)
    assert health().measure(plain, perfect, None)["retrieval"] == 1
    strangers = np.stack([plain, features(seed=2)], axis=1)
    assert (health().measure(plain, strangers, None)["retrieval"] or 0) < 0.2
    assert health().measure(plain, perfect[:1], None)["retrieval"] is None  # one image finds itself among itself


def test_clusters_are_compared_with_those_of_the_epoch_before() -> None:
    found = health()
    assert found.measure(grouped(), None, None)["nmi_prev"] is None
    same = found.measure(grouped(), None, None)["nmi_prev"]
    other = found.measure(features(seed=5), None, None)["nmi_prev"]
    assert same == pytest.approx(1) and other is not None and other < 0.6


def test_a_method_s_own_clusters_count_where_it_has_some() -> None:
    found, every = health(LABELS), len(LABELS)
    found.measure(features(), None, np.arange(every) % 5)
    record = found.measure(features(), None, np.arange(every) % 5)
    assert record["nmi_prev"] == pytest.approx(1)
    own = np.unique(LABELS, return_inverse=True)[1]
    assert found.measure(features(), None, own)["nmi_labels"] == pytest.approx(1)  # of all images, not the probed ones


def test_a_method_s_clusters_are_not_compared_with_those_made_without_it() -> None:
    """DeepCluster has none before its first epoch."""
    found, own = health(), np.arange(len(LABELS)) % 5
    found.measure(grouped(), None, None)
    assert found.measure(grouped(), None, own)["nmi_prev"] is None
    assert found.measure(grouped(), None, own)["nmi_prev"] == pytest.approx(1)


def test_labels_give_neighbours_and_clusters_against_them() -> None:
    good = health(LABELS).measure(grouped(), None, None)
    assert good["knn"] == 1 and good["nmi_labels"] == pytest.approx(1)
    bad = health(LABELS).measure(features(), None, None)
    assert (bad["knn"] or 0) < 0.6 and (bad["nmi_labels"] or 0) < 0.4


def test_labels_change_no_other_measure() -> None:
    without = health().measure(grouped(), None, None)
    found = health(LABELS).measure(grouped(), None, None)
    assert {name: found[name] for name in without} == without


def seen(found: Health, *spreads: float) -> None:
    """An epoch each."""
    for spread in spreads:
        found.spreads.append(spread)
        found.check()


def test_a_collapse_is_noticed_after_two_epochs_and_not_before() -> None:
    found = health()
    found.measure(features(), None, None)
    found.check()
    for epoch in range(1, COLLAPSED_FOR + 1):
        found.measure(features(0.01, centre=1), None, None)
        if epoch < COLLAPSED_FOR:
            found.check()
    with pytest.raises(Collapsed, match=r"from 0\.98 to 0\.0\d\d\. Use a lower lr") as caught:
        found.check()
    assert caught.value.code == "collapsed"


def test_a_method_whose_loss_a_constant_cannot_make_small_goes_on() -> None:
    """From scratch, MAE's vectors come to share one direction, and still tell pictures apart."""
    seen(Health(0, np.arange(COUNT), can_collapse=False), 0.63, 0.1, 0.07, 0.07)
    assert not MAE.can_collapse and SimCLR.can_collapse


def test_one_low_epoch_among_healthy_ones_is_no_collapse() -> None:
    seen(health(), 1.0, 0.01, 0.9, 0.01, 0.5, 0.19, 0.21)


def test_healthy_is_what_the_run_began_with() -> None:
    """An untrained network gives nearly one vector for everything, and that is no collapse."""
    seen(health(), 0.05, 0.02, 0.03, 0.011, 0.4)
    with pytest.raises(Collapsed):
        seen(health(), 0.05, 0.009, 0.009)


def test_a_start_above_one_does_not_make_less_of_what_is_healthy() -> None:
    seen(health(), 1.4, 0.25, 0.25)


def test_the_start_itself_is_no_epoch() -> None:
    seen(health(), 0.0, 0.0, 0.0)  # nothing is below a fifth of nothing
    found = health()
    found.spreads = [1.0, 0.1]
    found.check()


def test_features_that_are_all_one_or_zero_are_measured_too() -> None:
    """What a full collapse gives must come to `check`, with labels or without."""
    for collapsed in (np.ones((COUNT, DIM), np.float32), np.zeros((COUNT, DIM), np.float32)):
        found = health(LABELS)
        found.measure(features(), None, None)
        for _ in range(COLLAPSED_FOR):
            record = found.measure(collapsed, np.stack([collapsed, collapsed], axis=1), None)
            assert record["spread"] == pytest.approx(0, abs=1e-6)
            assert record["retrieval"] == pytest.approx(1 / COUNT)
        with pytest.raises(Collapsed):
            found.check()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_no_numbers_mean_that_it_diverged(value: float) -> None:
    broken = features()
    broken[3, 2] = value
    for plain, views in ((broken, None), (features(), np.stack([broken, broken], axis=1))):
        with pytest.raises(Diverged, match="lower lr") as caught:
            health().measure(plain, views, None)
        assert caught.value.code == "diverged"
