"""From few named images to a label, a confidence and a place in the review queue for every image.

Up to SAMPLE images take part in the learning, all that are named among them; the others are labelled by what was
learnt, a block at a time, so that memory does not grow with the gallery.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.clustering.unit_vectors import unit_rows
from models.labels.calibration import Calibration, calibrate
from models.labels.given import FOLDS, Given
from models.labels.learner import Learner, Placed
from models.labels.review import Queue

SAMPLE = 20_000
CLUSTER_TRUST = 0.3  # of a name that an image has from its cluster, beside 1 for one that a person gave it
STEPS = FOLDS + 3  # that `progress` counts

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Labelled:
    """For each image: its likeliest label (B,), its probability (B,), whether it is unlike all named (B,), and
    about how many doubtful images an answer about it would help (B,)."""

    codes: NDArray[np.int64]
    confidence: NDArray[np.float32]
    new: NDArray[np.bool_]
    worth: NDArray[np.float32]

    def __getitem__(self, part: slice) -> Labelled:
        return Labelled(self.codes[part], self.confidence[part], self.new[part], self.worth[part])


class Spreading:
    """What the names taught. `sample` is what they say of the images that took part."""

    def __init__(
        self, vectors: NDArray[np.float32], given: Given, images: int, seed: int = 0, progress: Progress | None = None
    ) -> None:
        """(N, D) embeddings, the names given to some, and how many images there are in all.

        `progress(done, total)` is called between steps; what it raises ends the run. Raises VectorsUnusable, and
        ValueError for fewer than two images or labels.
        """
        if len(vectors) < 2 or len(np.unique(given.codes)) < 2:
            raise ValueError("names spread from two labels on")
        report = progress or (lambda done, total: None)
        report(0, STEPS)
        self.learner = Learner.of(unit_rows(vectors))
        report(1, STEPS)
        self.calibration: Calibration = calibrate(
            self.learner, given, images, seed, lambda fold: report(1 + fold, STEPS)
        )
        self.learnt = self.learner.learn(given)
        report(STEPS - 1, STEPS)
        self.sample = self._sample(given, images, seed)
        report(STEPS, STEPS)

    def label(self, vectors: NDArray[np.float32]) -> Labelled:
        """(B, D) embeddings of images that are not in the sample."""
        placed, reach = self.learner.join(unit_rows(vectors), self.learnt)
        codes, confidence, new = self._judged(placed, reach)
        gains = self.queue.gains(np.asarray(placed.directions, np.float32))
        return Labelled(codes, confidence, new, gains * self.per_image)

    def _sample(self, given: Given, images: int, seed: int) -> Labelled:
        placed = self.learner.sample
        codes, confidence, new = self._judged(placed, self.learnt.reach)
        surely = given.trust == 1
        codes[given.rows[surely]], confidence[given.rows[surely]] = given.codes[surely], 1
        new[given.rows[surely]] = False
        doubt = np.where(new, 1, 1 - confidence).astype(np.float32)
        units = np.asarray(placed.directions, np.float32)
        self.queue = Queue(units, doubt, given.rows[surely], seed)
        self.per_image = np.float32(images / len(codes))
        asked = np.setdiff1d(np.arange(len(codes)), given.rows[surely])
        worth = np.zeros(len(codes), np.float32)
        order, gains = self.queue.ask(units[asked])
        worth[asked] = self.queue.gains(units[asked])
        worth[asked[order]] = gains
        return Labelled(codes, confidence, new, worth * self.per_image)

    def _judged(
        self, placed: Placed, reach: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.bool_]]:
        probabilities = self.calibration.probabilities(self.learnt.likelihood(placed))
        new = self.calibration.new(reach) if self.calibration.novelty else np.zeros(len(reach), bool)
        return probabilities.argmax(axis=1), probabilities.max(axis=1).astype(np.float32), new
