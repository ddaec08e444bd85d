"""Answers that go on after the route has returned know their caller too, and end with its key, as bodies do."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import update
from starlette.types import Message, Receive, Scope, Send

from app.access import keys, middleware
from app.access.middleware import Access
from app.db.tables import ApiKey, Job
from app.settings import Settings
from tests.app.access.conftest import Keyed
from tests.app.uploads.speaking import TUS, metadata
from tests.fixtures.clusterings import Gallery, blobs
from tests.fixtures.loops import run

PIECES = 5


def test_a_job_is_followed_and_a_table_streamed_under_a_key(keyed: Keyed) -> None:
    with keyed.called_by("ada"):
        gallery = Gallery.make(keyed.resources)
    vectors, truth = blobs(2, 3)
    gallery.add(vectors)
    clustering = gallery.cluster(truth)
    ada, bob = keyed.headers("ada", "write"), keyed.headers("bob", "write")
    job = keyed.client.post(f"/v1/clusterings/{clustering}/assign", headers=ada).json()["id"]
    with keyed.resources.database.transaction() as session:
        session.execute(update(Job).where(Job.id == UUID(job)).values(state="succeeded"))
    told = keyed.client.get(f"/v1/jobs/{job}/events", headers=ada)
    assert told.status_code == 200 and "event: state" in told.text and job in told.text
    assert keyed.client.get(f"/v1/jobs/{job}/events", headers=bob).status_code == 404
    rows = keyed.client.get(f"/v1/clusterings/{clustering}/assignments?format=csv", headers=ada).text
    assert all(str(image) in rows for image in gallery.images)


async def _long(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(PIECES):
        await send({"type": "http.response.body", "body": b"piece", "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def revoke(keyed: Keyed, key: str) -> None:
    with keyed.resources.database.transaction() as session:
        session.execute(update(ApiKey).where(ApiKey.sha256 == keys.digest(key)).values(revoked_at=ApiKey.created_at))


def _sent(keyed: Keyed, key: str, after: Callable[[list[Message]], None]) -> list[Message]:
    """What leaves of a long answer; `after` sees it each time."""
    left: list[Message] = []

    async def send(message: Message) -> None:
        left.append(message)
        after(left)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "app": keyed.client.app, "method": "GET", "path": "/v1/jobs"}
    headers = [(b"authorization", f"Bearer {key}".encode())]
    run(Access(_long, Settings())({**scope, "headers": headers}, receive, send))
    return left


def test_nothing_of_a_long_answer_leaves_after_its_key_was_revoked(
    keyed: Keyed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "ASKED_EVERY_S", 0.0)
    key = keyed.key("ada", "read")

    def third(left: list[Message]) -> None:
        if len(left) == 3:
            revoke(keyed, key)

    assert len(_sent(keyed, key, third)) == 3, "the start, two pieces, and no end that makes it look whole"
    assert len(_sent(keyed, keyed.key("ada", "read"), lambda _: None)) == PIECES + 2


def test_nothing_of_a_long_body_is_taken_after_its_key_was_revoked(
    keyed: Keyed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "ASKED_EVERY_S", 0.0)
    key = keyed.key("ada", "write")
    scope = {"type": "http", "app": keyed.client.app, "method": "PATCH", "path": "/v1/uploads/1"}
    headers = [(b"authorization", f"Bearer {key}".encode())]
    coming, taken = iter(range(PIECES)), []

    async def receive() -> Message:
        if (number := next(coming)) == 3:
            revoke(keyed, key)
        return {"type": "http.request", "body": b"%d" % number, "more_body": number < PIECES - 1}

    async def taking(_: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] == "http.request":
            taken.append(message["body"])

    async def send(message: Message) -> None: ...

    run(Access(taking, Settings())({**scope, "headers": headers}, receive, send))
    assert taken == [b"0", b"1", b"2"], "then it is as if the connection were cut"


def test_who_may_not_see_an_upload_ends_no_request_that_brings_its_bytes(
    keyed: Keyed, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = keyed.headers("ada", "write"), keyed.headers("bob", "write")
    collection_id = keyed.client.post("/v1/collections", json={"name": "a"}, headers=ada).json()["id"]
    said = TUS | {"Upload-Length": "10", "Upload-Metadata": metadata(filename="a.jpg", collection=collection_id)}
    address = keyed.client.post("/v1/uploads", headers=ada | said).headers["Location"]
    ended: list[UUID] = []

    async def end(upload_id: UUID) -> None:
        ended.append(upload_id)

    monkeypatch.setattr(keyed.client.app.state.under_way, "end", end)  # type: ignore[attr-defined]
    assert keyed.client.head(address, headers=bob | TUS).status_code == 404 and not ended
    assert keyed.client.head(address, headers=ada | TUS).status_code == 200 and len(ended) == 1
