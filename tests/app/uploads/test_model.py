"""Any order of calls, cuts included, against a model: what HEAD says is there, and it is what was sent."""

import os
from typing import ClassVar
from uuid import UUID

from fastapi.testclient import TestClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from app.uploads import repository
from tests.app.calls import new_collection
from tests.app.uploads.speaking import TUS, begin, cut_off, received, resources, send

DATA = os.urandom(6000)
LENGTHS = st.integers(0, 3500)


class UploadMachine(RuleBasedStateMachine):
    """`safe` is the model: how many bytes have been acknowledged; None without an upload."""

    api: ClassVar[TestClient]
    collection_id: ClassVar[str]
    safe: int | None = None
    size = 0
    address = ""

    @precondition(lambda self: self.safe in (None, self.size))
    @rule(size=st.integers(1, len(DATA)))
    def begin(self, size: int) -> None:
        self.size, self.safe = size, 0
        self.address = begin(self.api, self.collection_id, size)

    @precondition(lambda self: self.safe is not None)
    @rule(length=LENGTHS)
    def go_on(self, length: int) -> None:
        assert self.safe is not None
        answer = send(self.api, self.address, self.safe, DATA[self.safe : self.safe + length])
        too_long = min(length, len(DATA) - self.safe) > self.size - self.safe
        assert answer.status_code == (413 if too_long else 204)
        if not too_long:
            self.safe += min(length, len(DATA) - self.safe)

    @precondition(lambda self: self.safe is not None)
    @rule(lengths=st.lists(LENGTHS, max_size=3))
    def be_cut_off(self, lengths: list[int]) -> None:
        assert self.safe is not None
        start, chunks = self.safe, []
        for length in lengths:
            length = min(length, self.size - start)
            chunks.append(DATA[start : start + length])
            start += length
        cut_off(self.api, self.address, self.safe, chunks)
        self.safe = start

    @precondition(lambda self: self.safe is not None)
    @rule(offset=st.integers(0, len(DATA)))
    def send_elsewhere(self, offset: int) -> None:
        if offset != self.safe:
            assert send(self.api, self.address, offset, b"x").status_code == 409

    @precondition(lambda self: self.safe is not None)
    @rule()
    def give_up(self) -> None:
        complete = self.safe == self.size
        assert self.api.delete(self.address, headers=TUS).status_code == (409 if complete else 204)
        self.safe = self.safe if complete else None

    @invariant()
    def what_is_acknowledged_is_there(self) -> None:
        if self.safe is None:
            assert not self.address or self.api.head(self.address, headers=TUS).status_code == 404
            return
        assert received(self.api, self.address) == self.safe
        shown, res = self.api.get(self.address).json(), resources(self.api)
        assert (shown["job_id"] is not None) == (self.safe == self.size)
        with res.database.reading() as session:
            pieces = repository.pieces(session, UUID(shown["id"]))
        assert b"".join(res.storage.reader(one.key).read() for one in pieces) == DATA[: self.safe]
        assert list(res.settings.scratch.glob("upload-*")) == []


def test_every_order_of_calls(pieces_api: TestClient) -> None:
    UploadMachine.api, UploadMachine.collection_id = pieces_api, new_collection(pieces_api)
    checks = settings(
        max_examples=8, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    run(UploadMachine, settings=checks)
