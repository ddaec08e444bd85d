"""How many steps a run takes, and the learning rate of each."""

from __future__ import annotations

import math
from dataclasses import dataclass

SURE_AFTER = 5  # steps, before the time of one is believed


@dataclass
class Plan:
    """A cosine schedule that shrinks to fit its budget of time, so that it always ends with a small learning rate."""

    planned: int  # steps, if there is time
    warmup: float  # share of them
    total: int = 0  # steps that there will be
    done: int = 0
    seconds: float = 0.0  # that the run has taken so far, over all its attempts
    training: float = 0.0  # of them, what was not preparation

    def __post_init__(self) -> None:
        self.total = self.total or self.planned

    @property
    def t(self) -> float:
        """The share of the run that is done, 0..1."""
        return min(1.0, self.done / self.total)

    @property
    def shortened(self) -> bool:
        return self.total < self.planned

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

    def fit_into(self, budget: float | None) -> None:
        """Takes as many of the planned steps as the budget's seconds allow at the pace so far.

        An epoch begins slowly where a method clusters or looks for neighbours, so `total` may grow again.
        """
        if budget is not None and self.done >= SURE_AFTER and self.training:
            possible = self.done + max(0, math.floor((budget - self.seconds) * self.done / self.training))
            self.total = min(self.planned, possible)
