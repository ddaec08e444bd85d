"""The verdict without labels."""

import numpy as np
import pytest

from models.ssl.verdict import Vectors, judge

HELD_OUT = list(range(0, 200, 5))


def unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True))


def seen_with(noise: float, plain: np.ndarray, seed: int = 1) -> Vectors:
    """Views are the held-out pictures moved by noise."""
    rng = np.random.default_rng(seed)
    moved = plain[HELD_OUT][:, None] + noise * rng.standard_normal((len(HELD_OUT), 2, plain.shape[1]))
    return Vectors(unit(plain), unit(moved))


@pytest.fixture
def plain() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.repeat(rng.standard_normal((10, 16)), 20, axis=0) + 0.5 * rng.standard_normal((200, 16))


def test_an_encoder_whose_views_find_more_neighbours_is_recommended(plain: np.ndarray) -> None:
    verdict = judge(seen_with(1.0, plain), seen_with(0.2, plain), HELD_OUT)
    assert verdict.recommended and verdict.tuned > verdict.frozen
    assert verdict.sentence.startswith("Use the fine-tuned encoder: ")
    assert f"{verdict.tuned:.1%} of its neighbours, {verdict.frozen:.1%} before" in verdict.sentence


def test_one_whose_views_find_fewer_is_not(plain: np.ndarray) -> None:
    verdict = judge(seen_with(0.2, plain), seen_with(1.0, plain), HELD_OUT)
    assert not verdict.recommended and verdict.sentence.startswith("Stay with the frozen encoder: ")


def test_one_that_is_the_same_is_not(plain: np.ndarray) -> None:
    verdict = judge(seen_with(0.3, plain), seen_with(0.3, plain), HELD_OUT)
    assert not verdict.recommended and verdict.frozen == verdict.tuned


def test_one_that_only_tells_every_picture_from_every_other_is_not(plain: np.ndarray) -> None:
    """Its views find each other always, and of the neighbours nothing: what training for retrieval alone may give."""
    rng = np.random.default_rng(2)
    own = rng.standard_normal((200, 64))
    apart = Vectors(unit(own), unit(np.repeat(own[HELD_OUT][:, None], 2, axis=1)))
    verdict = judge(seen_with(0.6, plain), apart, HELD_OUT)
    assert not verdict.recommended and "more often" in verdict.sentence


def test_shares_are_those_of_a_plain_count(plain: np.ndarray) -> None:
    encoder = seen_with(0.5, plain)
    near = encoder.plain @ encoder.plain.T
    shares = []
    for number, row in enumerate(HELD_OUT):
        others = [other for other in range(200) if other != row]
        known = sorted(others, key=lambda other, row=row: -near[row, other])[:10]
        for view in encoder.views[number]:
            found = sorted(others, key=lambda other, view=view: -float(view @ encoder.plain[other]))[:10]
            shares.append(len(set(found) & set(known)) / 10)
    assert judge(encoder, encoder, HELD_OUT).frozen == pytest.approx(np.mean(shares))
