"""Results in order from work that is done a few at once."""

import threading
from typing import Any

import pytest

from workers.ahead import Ahead


def nothing() -> None:
    """What is done while a result is awaited."""


def test_results_come_in_order_whatever_ends_first() -> None:
    second_done = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert second_done.wait(20)
        if number == 1:
            second_done.set()
        return number * number

    assert list(Ahead(work, 50, 4, 8).results(nothing)) == [number * number for number in range(50)]
    assert list(Ahead(work, 0, 4, 8).results(nothing)) == []


def test_it_works_only_so_far_ahead() -> None:
    begun: list[int] = []
    gate = threading.Semaphore(0)

    def work(number: int) -> int:
        begun.append(number)
        gate.release()
        return number

    results = Ahead(work, 100, 3, 5).results(nothing)
    assert next(results) == 0
    for _ in range(5):
        assert gate.acquire(timeout=20)
    assert len(begun) <= 6, "five beyond the one that was taken"
    results.close()
    assert len(begun) < 100


def test_what_the_work_raises_reaches_who_takes_the_result() -> None:
    def work(number: int) -> int:
        return 1 // (2 - number)

    results = Ahead(work, 5, 2, 5).results(nothing)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_while_it_waits_it_can_be_stopped() -> None:
    gate = threading.Event()

    def stop() -> None:
        raise KeyError("stopped")

    def work(number: int) -> Any:
        return gate.wait(20)

    with pytest.raises(KeyError):
        next(Ahead(work, 5, 2, 5).results(stop))
    gate.set()
