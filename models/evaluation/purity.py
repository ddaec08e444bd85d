"""How pure a cluster is, from a few of its images drawn at random and answered yes or no.

The interval is the exact one of a finite population, from both tails of the hypergeometric distribution: Clopper and
Pearson's (1934) for draws without replacement (Buonaccorsi 1987, https://doi.org/10.1080/00031305.1987.10475484). It
never covers less often than it says, and narrows to a point when every image was answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, lgamma

LEVEL = 0.95
ROUNDING = 1e-7  # of a probability, relative: what is just at the limit counts as refuted, whatever rounding says


@dataclass(frozen=True)
class Purity:
    """Shares of the cluster, 0 to 1: the answers' own, and the ends of the interval."""

    estimate: float
    low: float
    high: float


def purity(yes: int, answered: int, size: int, level: float = LEVEL) -> Purity:
    """`yes` of `answered` images, drawn without replacement from a cluster of `size`. Raises ValueError."""
    if not 0 <= yes <= answered <= size or answered == 0:
        raise ValueError(f"{yes} of {answered} answers from {size} images can't be")
    tail = (1 - level) / 2 * (1 + ROUNDING)
    least, most = yes, size - (answered - yes)  # images that belong: as many as were seen, up to all but those seen not

    def plausible_low(belong: int) -> bool:
        return _share(belong, size, answered, range(yes, answered + 1)) > tail

    def too_many(belong: int) -> bool:
        return _share(belong, size, answered, range(yes + 1)) <= tail

    low = _first(plausible_low, least, most)
    high = _first(too_many, least, most + 1) - 1
    return Purity(yes / answered, low / size, high / size)


def _first(holds: Callable[[int], bool], start: int, stop: int) -> int:
    """The first number from start on for which something holds that goes on holding; stop when for none before it."""
    while start < stop:
        middle = (start + stop) // 2
        start, stop = (start, middle) if holds(middle) else (middle + 1, stop)
    return start


def _share(belong: int, size: int, drawn: int, counts: range) -> float:
    """The probability that one of `counts` of the `drawn` images are among those that belong."""
    possible = range(max(counts.start, drawn - (size - belong)), min(counts.stop, belong + 1))
    whole = _log_choose(size, drawn)
    rest = size - belong
    return sum(exp(_log_choose(belong, i) + _log_choose(rest, drawn - i) - whole) for i in possible)


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
