"""Which labelled images a probe learns from and which it is tested on: by class, drawn with a seed."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


def usable(labels: Sequence[Hashable], most: int, rng: np.random.Generator) -> tuple[Numbers, Numbers]:
    """Labels of N images -> (M,) which of them to look at, in order, and (M,) their classes as numbers.

    A class of one image cannot be on both sides of a split and is left out. Of more than `most` a stratified sample is
    drawn that holds at least two images of each class. Raises ValueError unless two classes have two images.
    """
    numbers: dict[Hashable, int] = {}
    classes = np.fromiter((numbers.setdefault(label, len(numbers)) for label in labels), np.int64, len(labels))
    sizes = np.bincount(classes, minlength=1)
    if np.count_nonzero(sizes > 1) < 2:
        raise ValueError("a linear probe needs two classes of at least two images")
    rank = _ranks(classes, rng)
    place = np.where(rank < 2, 0.0, (rank + 0.5) / sizes[classes])  # the first two of each class come before all others
    chosen = np.flatnonzero(sizes[classes] > 1)
    chosen = np.sort(chosen[np.argsort(place[chosen], kind="stable")[:most]])
    return chosen, classes[chosen]


def deal(classes: Numbers, folds: int, rng: np.random.Generator) -> Numbers:
    """(N,) -> (N,) the fold of each image: class after class is dealt out like cards, so that folds are even."""
    order = np.lexsort((_ranks(classes, rng), classes))
    parts = np.empty(len(classes), np.int64)
    parts[order] = np.arange(len(classes)) % folds
    return parts


def take(train: Numbers, classes: Numbers, fraction: float) -> Numbers:
    """The first of each class among the images `train`: as many as the fraction says, and at least one."""
    own = classes[train]
    parts = [train[own == name] for name in np.unique(own)]
    return np.concatenate([part[: max(1, round(fraction * len(part)))] for part in parts])


def _ranks(classes: Numbers, rng: np.random.Generator) -> Numbers:
    """(N,) -> (N,) the place, from 0, of each image within its class, in an order drawn at random."""
    order = rng.permutation(len(classes))
    order = order[np.argsort(classes[order], kind="stable")]
    rank = np.empty(len(classes), np.int64)
    rank[order] = np.arange(len(classes)) - np.searchsorted(classes[order], classes[order])
    return rank
