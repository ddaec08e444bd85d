"""Numbers that are dear to count, and counters made of numbers that may fall."""

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

KEPT_S = 10.0
SHARE = 0.02  # of the time, at most, that one process spends counting one thing

Counted = TypeVar("Counted")
Key = TypeVar("Key", bound=Hashable)


class Kept(Generic[Counted]):
    """A count that is made anew after `kept_s` seconds, or later where a million rows make the counting slow."""

    def __init__(self, kept_s: float = KEPT_S) -> None:
        self.kept_s = kept_s
        self._counting = threading.Lock()
        self._known: tuple[Counted, float] | None = None

    def get(self, count: Callable[[], Counted]) -> Counted:
        """Who comes while another counts waits for that."""
        with self._counting:
            began = time.monotonic()
            if self._known is None or began >= self._known[1]:
                counted, ended = count(), time.monotonic()
                self._known = counted, ended + max(self.kept_s, (ended - began) / SHARE) * (self.kept_s > 0)
            return self._known[0]


class Growth(Generic[Key]):
    """Adds up by how much numbers grow. A deleted collection takes its numbers away, and a counter must not fall."""

    def __init__(self) -> None:
        self.total = 0
        self._adding = threading.Lock()
        self._before: Mapping[Key, int] = {}

    def see(self, numbers: Mapping[Key, int]) -> int:
        """The sum of all growth so far, that of a first sight included."""
        with self._adding:
            self.total += sum(max(0, number - self._before.get(key, 0)) for key, number in numbers.items())
            self._before = numbers
            return self.total
