"""Which images to ask a person about: those whose answer settles most doubt, and not twenty alike.

An answer helps every doubtful image that is alike: the doubt of an image times its likeness to the one asked about,
beyond what names given and earlier questions settle already. The queue takes the greatest gain again and again, which
is within 1 - 1/e of the best queue of any length (Nemhauser, Wolsey and Fisher 1978: facility location is submodular).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WITNESSES = 4096  # images that stand for all when gains are counted
ASKED = 500  # questions that are put in an order that minds the earlier ones
SHARPNESS = 8.0  # likeness is exp(SHARPNESS * (cosine - 1)): .45 at a cosine of .9, .02 at .5
BLOCK = 2048

Rows = NDArray[np.float32]


class Queue:
    """Gains are in images: about how many doubtful ones an answer settles."""

    def __init__(self, units: Rows, doubt: Rows, named: NDArray[np.int64], seed: int) -> None:
        """(N, P) unit rows, (N,) the probability that their label is wrong, rows that are named."""
        chosen = np.random.default_rng(seed).permutation(len(units))[:WITNESSES]
        self.witnesses, self.doubt = units[chosen], doubt[chosen] * (len(units) / len(chosen))
        self.settled = np.zeros(len(chosen), np.float32)
        for start in range(0, len(named), BLOCK):
            near = _likeness(units[named[start : start + BLOCK]], self.witnesses)
            self.settled = np.maximum(self.settled, near.max(axis=0))
        self.floor = np.inf

    def gains(self, units: Rows) -> Rows:
        """(B, P) -> (B,) what an answer about each would settle now; never more than the last question's gain."""
        result = np.empty(len(units), np.float32)
        for start in range(0, len(units), BLOCK):
            near = _likeness(units[start : start + BLOCK], self.witnesses)
            result[start : start + BLOCK] = np.maximum(near - self.settled, 0) @ self.doubt
        return np.minimum(result, self.floor)

    def ask(self, units: Rows, questions: int = ASKED) -> tuple[NDArray[np.int64], Rows]:
        """(B, P) candidates -> the first questions, best first, and each one's gain when it is asked."""
        gains, stale = self.gains(units), np.zeros(len(units), bool)
        order, worth = [], []
        for _ in range(min(questions, len(units))):
            while stale[best := int(gains.argmax())]:  # gains only fall: one that is fresh and leads, leads
                gains[best], stale[best] = self.gains(units[best : best + 1])[0], False
            order.append(best)
            worth.append(gains[best])
            self.settled = np.maximum(self.settled, _likeness(units[best : best + 1], self.witnesses)[0])
            self.floor, gains[best] = float(gains[best]), -1
            stale[:] = True
            stale[order] = False
        return np.array(order, np.int64), np.array(worth, np.float32)


def _likeness(rows: Rows, others: Rows) -> Rows:
    return np.asarray(np.exp(SHARPNESS * (rows @ others.T - 1)), np.float32)
