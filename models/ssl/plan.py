"""How many steps a run takes, and the learning rate of each."""

from __future__ import annotations

import math
from dataclasses import dataclass

SURE_AFTER = 5  # steps, before the time of one is believed


@dataclass
class Plan:
    """A cosine schedule that shrinks to fit its budget of time, so that it always ends with a small learning rate."""

    total: int  # steps
    warmup: float  # share of them
    done: int = 0
    seconds: float = 0.0  # that the run has taken so far, over all its attempts
    training: float = 0.0  # of them, what was not preparation

    @property
    def t(self) -> float:
        """The share of the run that is done, 0..1."""
        return min(1.0, self.done / self.total)

    @property
    def over(self) -> bool:
        return self.done >= self.total

    def rate(self) -> float:
        """The next step's share of the peak learning rate: a linear rise, then half a cosine down to zero."""
        rising = self.warmup * self.total
        if self.done < rising:
            return (self.done + 1) / (rising + 1)
        return 0.5 * (1 + math.cos(math.pi * (self.done - rising) / max(1.0, self.total - rising)))

    def spend(self, seconds: float, *, training: bool) -> None:
        self.seconds += seconds
        self.training += seconds if training else 0.0

    def fit_into(self, budget: float | None) -> bool:
        """Shrinks `total` to what the budget's seconds still allow at the pace so far; whether that was necessary."""
        if budget is None or self.done < SURE_AFTER or not self.training:
            return False
        possible = self.done + max(0, math.floor((budget - self.seconds) * self.done / self.training))
        shrunk = possible < self.total
        self.total = min(self.total, possible)
        return shrunk
