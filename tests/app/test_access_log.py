"""A request's id is in its answer, in the log and on the job it starts."""

import json
import time
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.db.session import Database
from app.db.tables import Job
from tests.app.calls import new_collection, upload
from tests.fixtures.pictures import jpeg, zipped
from tests.fixtures.services import Service


def lines(service: Service) -> list[dict[str, Any]]:
    text = (service.data.parent / f"{service.data.name}.log").read_text()
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_the_log_tells_requests_apart(running: Service) -> None:
    answers = [running.client.get("/v1/collections"), running.client.get("/nothing?secret=1")]
    ids = [answer.headers["X-Request-Id"] for answer in answers]
    assert len({UUID(one) for one in ids}) == 2
    found: dict[str, Any] = {}
    deadline = time.monotonic() + 20
    while not set(ids) <= found.keys():  # a line is written once its answer is out
        assert time.monotonic() < deadline, f"no line for {ids}"
        found = {line["request_id"]: line for line in lines(running) if line["event"] == "request"}
    assert [(found[one]["path"], found[one]["status"]) for one in ids] == [("/v1/collections", 200), ("/nothing", 404)]
    assert all(found[one]["method"] == "GET" and found[one]["ms"] >= 0 for one in ids)


@pytest.mark.embedded
def test_a_job_carries_the_id_of_its_request(running: Service) -> None:
    client = running.client
    collection_id = new_collection(client)
    zipped_up = {"content": zipped({"a.jpg": jpeg()}), "headers": {"Content-Type": "application/zip"}}
    answers = {
        "ingest": upload(client, collection_id, [("a.jpg", jpeg())]),
        "archive": client.post(f"/v1/collections/{collection_id}/images", **zipped_up),
        "cluster": client.post(f"/v1/collections/{collection_id}/clusterings", json={"k": 1}),
        "sweep": client.delete(f"/v1/collections/{collection_id}"),
    }
    wanted = [answer.headers["X-Request-Id"] for answer in answers.values()]
    database = Database(f"sqlite:///{running.data / 'roost.db'}")
    with database.reading() as session:
        query = select(Job.request_id).where(Job.collection_id == UUID(collection_id)).order_by(Job.id)
        assert list(session.scalars(query)) == wanted
    database.close()
