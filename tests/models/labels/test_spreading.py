"""Names that spread, whole: labels, confidence, the unknown, images that took no part, the review queue."""

import numpy as np
import pytest

from models.clustering.base import VectorsUnusable
from models.labels.given import Given
from models.labels.spreading import STEPS, Spreading
from tests.models.labels.kinds import kinds, named


def test_few_names_reach_every_image() -> None:
    vectors, codes = kinds(5, 60)
    given = named(codes, 4, 5)
    steps: list[tuple[int, int]] = []
    found = Spreading(vectors, given, len(vectors), progress=lambda done, total: steps.append((done, total)))
    assert (found.sample.codes == codes).mean() > 0.98
    assert (found.sample.codes[given.rows] == given.codes).all() and (found.sample.confidence[given.rows] == 1).all()
    assert steps == [(done, STEPS) for done in range(STEPS + 1)]
    estimate = found.calibration.estimate
    assert estimate is not None and estimate.names == 20 and estimate.low <= estimate.accuracy <= estimate.high


def test_the_same_seed_gives_the_same_bits() -> None:
    vectors, codes = kinds(3, 30)
    first, again = (Spreading(vectors, named(codes, 3, 3), 90, seed=4) for _ in range(2))
    for one, other in zip(vars(first.sample).values(), vars(again.sample).values(), strict=True):
        assert (one == other).all()


def test_images_that_took_no_part() -> None:
    vectors, codes = kinds(4, 100)
    part = np.sort(np.random.default_rng(1).permutation(400)[:200])
    rest = np.setdiff1d(np.arange(400), part)
    found = Spreading(vectors[part], named(codes[part], 6, 4), 400)
    labelled = found.label(vectors[rest])
    assert (labelled.codes == codes[rest]).mean() > 0.97
    assert ((labelled.confidence > 0.25) & (labelled.confidence <= 1)).all()
    assert labelled.worth.max() <= found.sample.worth.max()  # the best questions were found in the sample


def test_a_kind_that_nobody_named_is_new() -> None:
    vectors, codes = kinds(5, 80, noise=0.35)
    given = named(codes, 12, 4)
    found = Spreading(vectors, given, len(vectors)).sample
    rest = np.setdiff1d(np.arange(len(vectors)), given.rows)
    stranger = codes[rest] == 4
    assert found.new[rest][stranger].mean() > 0.9
    assert found.new[rest][~stranger].mean() < 0.15  # a twentieth is promised


def test_with_few_names_nothing_is_called_new() -> None:
    vectors, codes = kinds(3, 30)
    found = Spreading(vectors, named(codes, 3, 2), 90)
    assert not found.calibration.novelty and not found.sample.new.any()


def test_one_name_a_label_is_enough_to_begin() -> None:
    vectors, codes = kinds(3, 40)
    found = Spreading(vectors, named(codes, 1, 3), 120)
    assert (found.sample.codes == codes).mean() > 0.95 and found.calibration.estimate is None


def test_names_of_clusters_give_way_to_names_of_images() -> None:
    """A cluster's name is wrong for the half of it that is another kind, of which three images are named."""
    vectors, codes = kinds(3, 40)
    clustered = np.flatnonzero(codes <= 1)
    images = np.flatnonzero(codes == 1)[:3]
    other = np.flatnonzero(codes == 2)[:3]
    weak = np.setdiff1d(clustered, images)
    given = Given(
        np.concatenate([images, other, weak]),
        np.concatenate([[1] * 3, [2] * 3, [0] * len(weak)]),
        np.concatenate([np.ones(6), np.full(len(weak), 0.3)]),
        3,
    )
    found = Spreading(vectors, given, 120).sample
    assert (found.codes[images] == 1).all()
    assert (found.codes[codes == 0] == 0).mean() > 0.95 and (found.codes[codes == 2] == 2).mean() > 0.95


def test_the_first_questions_are_not_of_one_kind() -> None:
    vectors, codes = kinds(6, 50)
    found = Spreading(vectors, named(codes, 2, 2), 300).sample  # four kinds without a name
    first = np.argsort(-found.worth, kind="stable")[:8]
    assert set(codes[first]) >= {2, 3, 4, 5}


def test_images_that_are_equal_and_images_few() -> None:
    vectors = np.repeat(np.eye(2, 8, dtype=np.float32), 3, axis=0)
    given = Given(np.array([0, 3]), np.array([0, 1]), np.ones(2), 2)
    assert Spreading(vectors, given, 6).sample.codes.tolist() == [0, 0, 0, 1, 1, 1]
    pair = Spreading(vectors[[0, 3]], Given(np.array([0, 1]), np.array([0, 1]), np.ones(2), 2), 2)
    assert pair.sample.codes.tolist() == [0, 1]


def test_what_can_not_spread() -> None:
    vectors, _ = kinds(2, 5)
    one = Given(np.array([0, 1]), np.array([0, 0]), np.ones(2), 1)
    with pytest.raises(ValueError, match="two labels"):
        Spreading(vectors, one, 10)
    with pytest.raises(VectorsUnusable):
        Spreading(np.zeros((4, 3)), Given(np.array([0, 1]), np.array([0, 1]), np.ones(2), 2), 4)


def test_a_progress_that_raises_ends_the_run() -> None:
    def stop(done: int, total: int) -> None:
        raise InterruptedError

    vectors, codes = kinds(2, 10)
    with pytest.raises(InterruptedError):
        Spreading(vectors, named(codes, 2, 2), 20, progress=stop)
