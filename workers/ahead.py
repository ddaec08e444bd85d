"""Work done a few at once and a little ahead, its results taken in order."""

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, wait
from typing import Generic, TypeVar

T = TypeVar("T")
LOOK_EVERY_S = 0.2


class Ahead(Generic[T]):
    """Calls work(0), ..., work(count - 1) in `threads` threads, at most `most` beyond the result that was taken last.

    The threads are daemons: a process that ends does not wait for what they wait for.
    """

    def __init__(self, work: Callable[[int], T], count: int, threads: int, most: int) -> None:
        self._work = work
        self._futures: list[Future[T]] = [Future() for _ in range(count)]
        self._numbers = iter(range(count))
        self._room = threading.Semaphore(most)
        self._lock = threading.Lock()
        self._ended = False
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(min(threads, count))]

    def results(self, meanwhile: Callable[[], None]) -> Generator[T, None, None]:
        """In order; while the next one is awaited, `meanwhile` is called again and again. Raises what work raised."""
        for thread in self._threads:
            thread.start()
        try:
            for future in self._futures:
                while not wait([future], LOOK_EVERY_S).done:
                    meanwhile()
                yield future.result()
                self._room.release()
        finally:
            self._ended = True
            self._room.release(len(self._threads) or 1)

    def _run(self) -> None:
        while True:
            self._room.acquire()
            with self._lock:
                number = next(self._numbers, None)
            if number is None or self._ended:
                return
            try:
                self._futures[number].set_result(self._work(number))
            except BaseException as error:  # for who takes the result
                self._futures[number].set_exception(error)
