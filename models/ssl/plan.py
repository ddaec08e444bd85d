"""How many steps a run takes, and the learning rate of each."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

SURE_AFTER = 5  # steps, before the time of one is believed


@dataclass
class Plan:
    """A cosine schedule that shrinks to fit its budget of time, so that it always ends with a small learning rate."""

    total: int  # steps
    warmup: float  # share of them
    done: int = 0
    seconds: float = 0.0  # that the run has taken so far, over all attempts

    @property
    def t(self) -> float:
        """The share of the run that is done, 0..1."""
        return min(1.0, self.done / self.total)

    @property
    def over(self) -> bool:
        return self.done >= self.total

    def rate(self) -> float:
        """Of the peak learning rate, for the next step: a linear rise, then half a cosine down to zero."""
        rising = self.warmup * self.total
        if self.done < rising:
            return (self.done + 1) / (rising + 1)
        return 0.5 * (1 + math.cos(math.pi * (self.done - rising) / max(1.0, self.total - rising)))

    def fit_into(self, budget: float | None, prepared: float) -> None:
        """Shrinks `total` to what the budget's seconds still allow, at the pace so far.

        prepared: seconds that went by before the first step, which no further step will cost.
        """
        if budget is None or self.done < SURE_AFTER:
            return
        pace = (self.seconds - prepared) / self.done
        possible = self.done + max(0, math.floor((budget - self.seconds) / pace)) if pace > 0 else self.total
        self.total = min(self.total, max(self.done, possible))

    def state(self) -> dict[str, float]:
        return asdict(self)
