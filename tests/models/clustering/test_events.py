"""Events cut from times and cameras, and one vector for each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.clustering.events import units
from models.clustering.result import mean_directions

NAN = float("nan")


def test_frames_of_one_camera_belong_together_while_each_follows_the_one_before() -> None:
    times = np.array([0, 500, 40, 90, 40, NAN, 30, 30, 151.0])
    cameras = ["a", "a", "a", "a", "b", "a", None, None, "a"]
    #          0    1    0 (40 s)  0  2    3    4     5    6 (61 s after 90)
    assert units(times, cameras, 60).tolist() == [0, 1, 0, 0, 2, 3, 4, 5, 6]
    assert units(times, cameras, 61).tolist() == [0, 1, 0, 0, 2, 3, 4, 5, 0]
    with pytest.raises(ValueError, match="negative"):
        units(times, cameras, -1)


ROWS = st.lists(st.tuples(st.integers(0, 100) | st.none(), st.sampled_from(["a", "b", None])), min_size=1, max_size=30)


@given(ROWS, st.integers(0, 20))
def test_equals_joining_every_near_pair(rows: list[tuple[int | None, str | None]], gap: int) -> None:
    times = np.array([NAN if time is None else time for time, _ in rows], np.float64)
    found = units(times, [camera for _, camera in rows], gap)
    expected = list(range(len(rows)))
    for i, (time, camera) in enumerate(rows):
        for j, (other, its_camera) in enumerate(rows[:i]):
            known = None not in (time, other, camera, its_camera)
            if known and camera == its_camera and abs(time - other) <= gap:  # type: ignore[operator]
                expected = [expected[j] if one == expected[i] else one for one in expected]
    numbers = {event: number for number, event in enumerate(dict.fromkeys(expected))}
    assert found.tolist() == [numbers[event] for event in expected], "and numbered by their first row"


def test_an_events_vector_is_the_mean_direction() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(6, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[5] = -vectors[4]
    events = np.array([1, 0, 1, 2, 3, 3], np.int32)
    means = mean_directions(vectors, events)
    direction = vectors[0] + vectors[2]
    np.testing.assert_allclose(means[1], direction / np.linalg.norm(direction), rtol=1e-5)
    np.testing.assert_allclose(means[[0, 2]], vectors[[1, 3]], rtol=1e-6)
    np.testing.assert_allclose(means[3], vectors[4], rtol=1e-6)
    assert means[events].shape == vectors.shape
