"""Answers that go on after the route has returned know their caller too, and end with its key."""

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

    def revoke(left: list[Message]) -> None:
        if len(left) == 3:
            with keyed.resources.database.transaction() as session:
                session.execute(
                    update(ApiKey).where(ApiKey.sha256 == keys.digest(key)).values(revoked_at=ApiKey.created_at)
                )

    assert len(_sent(keyed, key, revoke)) == 3, "the start, two pieces, and no end that makes it look whole"
    assert len(_sent(keyed, keyed.key("ada", "read"), lambda _: None)) == PIECES + 2
