"""Which of the two encoders to use, told without labels.

That one view of a picture finds the other says little: every method trains just that, and it rises where clusters get
worse as well as where they get better. What tells them apart is whether a changed view still leads to the picture's
neighbours: to the ten that the frozen encoder holds for nearest when it sees the pictures as they are. A tuned encoder
that learnt to overlook crop and colour finds more of them than the frozen one does from the same view. One that learnt
to tell every picture from every other finds fewer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.evaluation.features import retrieval
from models.evaluation.neighbourhood import found, nearest


@dataclass(frozen=True)
class Vectors:
    """By one encoder, of length one: of every picture (N, D), and of some views of each held-out one (H, V, D)."""

    plain: np.ndarray
    views: np.ndarray


@dataclass(frozen=True)
class Verdict:
    """Whether to use the tuned encoder, and why, in a sentence. The shares are of neighbours found from a view."""

    recommended: bool
    sentence: str
    frozen: float
    tuned: float


def judge(frozen: Vectors, tuned: Vectors, held_out: list[int]) -> Verdict:
    """held_out: the rows of `plain` that the views show."""
    near = nearest(frozen.plain[held_out], frozen.plain, held_out)
    before, after = (float(found(near, one.views, one.plain, held_out).mean()) for one in (frozen, tuned))
    rise = retrieval(tuned.views[:, 0], tuned.views[:, 1]) - retrieval(frozen.views[:, 0], frozen.views[:, 1])
    recommended = after > before
    shares = f"a changed view of a held-out picture finds {after:.1%} of its neighbours, {before:.1%} before"
    other = f"the other view itself {abs(rise):.1%} {'more' if rise >= 0 else 'less'} often"
    choice = "Use the fine-tuned encoder" if recommended else "Stay with the frozen encoder"
    return Verdict(recommended, f"{choice}: {shares}, and {other}.", before, after)
