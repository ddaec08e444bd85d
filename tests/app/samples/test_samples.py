"""POST /v1/samples: a collection at once, and a job that fills it as an uploaded archive would."""

import hashlib
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from app.demo.pictures import pictures, shares
from tests.app.calls import new_collection, problem
from tests.fixtures.jobs import run_job
from tests.fixtures.services import Service
from tests.fixtures.watching import JOB, children, wait_for


def test_the_collection_is_there_before_its_pictures(either_api: TestClient) -> None:
    answer = either_api.post("/v1/samples", json={"name": "Birds", "images": 20, "seed": 3})
    job = answer.json()
    assert answer.status_code == 202 and answer.headers["Retry-After"]
    assert answer.headers["Location"] == f"/v1/jobs/{job['id']}"
    assert (job["kind"], job["state"], job["result"]) == ("sample", "queued", None)
    collection = either_api.get(f"/v1/collections/{job['collection_id']}").json()
    assert collection["name"] == "Birds" and collection["images"]["ready"] == 0


def test_nothing_need_be_said(shared_api: TestClient) -> None:
    job = shared_api.post("/v1/samples", json={}).json()
    assert shared_api.get(f"/v1/collections/{job['collection_id']}").json()["name"] == "Sample gallery"


@pytest.mark.parametrize("body", [{"images": 19}, {"images": 2001}, {"seed": -1}, {"name": ""}, {"kinds": 3}])
def test_what_is_refused(shared_api: TestClient, body: dict[str, object]) -> None:
    problem(shared_api.post("/v1/samples", json=body), 422, "invalid")


def test_a_request_sent_twice_makes_one_collection(either_api: TestClient) -> None:
    key = {"Idempotency-Key": "one"}
    first, second = (either_api.post("/v1/samples", json={"images": 20}, headers=key) for _ in range(2))
    assert first.status_code == second.status_code == 202 and first.json() == second.json()
    assert first.headers["Location"] == second.headers["Location"]
    assert len(either_api.get("/v1/collections").json()["items"]) == 1
    problem(either_api.post("/v1/samples", json={"images": 21}, headers=key), 422, "idempotency_mismatch")


def test_the_pictures_are_those_of_the_gallery(either_api: TestClient) -> None:
    collection_id = new_collection(either_api)
    result = run_job(either_api.app.state.resources, "sample", UUID(collection_id), images=20, seed=3)  # type: ignore[attr-defined]
    assert result == {"created": 18, "duplicates": 1, "rejected": 1}
    drawn = {picture.name: picture for picture in pictures(3, shares(20), processes=1)}
    images = either_api.get(f"/v1/collections/{collection_id}/images").json()["items"]
    assert {image["name"] for image in images} == {name for name, one in drawn.items() if one.role != "same"}
    for image in images:
        picture = drawn[image["name"]]
        assert image["sha256"] == hashlib.sha256(picture.data).hexdigest()
        assert image["status"] == ("rejected" if picture.role == "corrupt" else "ready")
    thumbnail = either_api.get(f"/v1/images/{images[0]['id']}/thumbnail")
    assert thumbnail.status_code == 200 and thumbnail.headers["content-type"] == "image/jpeg"


@pytest.mark.slow
@pytest.mark.timeout(480)
def test_killed_it_goes_on_and_cancelled_it_stops(make_service: Callable[[str], Service]) -> None:
    service = make_service("embedded")
    client = service.client

    def job(job_id: str) -> Any:
        return client.get(f"/v1/jobs/{job_id}").json()

    asked = client.post("/v1/samples", json={"images": 100}).json()
    wait_for(lambda: client.get(f"/v1/collections/{asked['collection_id']}").json()["images"]["pending"], 120)
    service.kill()
    service.start()
    done = service.job(asked["id"], 240)
    assert done["result"] == {"created": 98, "duplicates": 1, "rejected": 1} and done["attempt"] == 2
    images = service.pages(f"/v1/collections/{asked['collection_id']}/images")
    assert len({image["name"] for image in images}) == len(images) == 99
    report = [json.loads(line) for line in client.get(f"/v1/jobs/{asked['id']}/report").text.splitlines()]
    assert len(report) == 100 and len({line["name"] for line in report}) == 100
    stored = [path for path in (service.data / "blobs").rglob("originals/*/*") if path.is_file()]
    assert len(stored) == 99, "every original once on disk"

    long = client.post("/v1/samples", json={"images": 2000}).json()["id"]
    wait_for(lambda: job(long)["progress"]["done"] > 1, 120)
    shown = job(long)
    assert (shown["stage"], shown["progress"]["total"], shown["progress"]["unit"]) == ("draw", 2000, "images")
    client.post(f"/v1/jobs/{long}/cancel")
    assert service.job(long)["state"] == "cancelled"
    wait_for(lambda: not children(service, JOB))
