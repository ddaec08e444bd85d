"""Where there is too little memory to embed."""

from collections.abc import Iterable, Iterator

import pytest

from models.engines.base import Pixels, Vectors
from models.engines.openvino import OpenVinoEngine
from tests.workers.vectorless import Gallery, made

__all__ = ["made"]  # a fixture


def test_where_memory_runs_short_batches_are_halved(made: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    leader, begun = made.submit(), list[int]()

    def without_room(self: OpenVinoEngine, batches: Iterable[Pixels]) -> Iterator[Vectors]:
        begun.append(self.batch)
        if self.batch > 2:
            next(iter(batches))
            raise RuntimeError("std::bad_alloc")
        yield from run(self, batches)

    run = OpenVinoEngine.run
    with monkeypatch.context() as short:
        short.setattr(OpenVinoEngine, "run", without_room)
        made.lead(leader)
    assert begun == [begun[0] >> n for n in range(len(begun))] and begun[-1] == 2 < begun[0]
    made.check()


def test_a_batch_of_one_that_finds_no_room_is_the_end(made: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_room(self: OpenVinoEngine, batches: Iterable[Pixels]) -> Iterator[Vectors]:
        raise MemoryError
        yield

    monkeypatch.setattr(OpenVinoEngine, "run", without_room)
    with pytest.raises(MemoryError):
        made.lead(made.submit())
