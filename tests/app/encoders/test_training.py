"""POST /v1/collections/{id}/encoders: what is wrong is said before a job starts, and what a job then holds."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.db.tables import Job
from app.resources import Resources
from tests.app.calls import NOWHERE, files_below, new_collection, problem, upload
from tests.fixtures.pictures import jpeg


def resources(api: TestClient) -> Resources:
    found: Resources = api.app.state.resources  # type: ignore[attr-defined]
    return found


def filled(api: TestClient, count: int = 32) -> str:
    """A new collection with that many images, all pending."""
    collection_id = new_collection(api)
    pictures = [(f"{seed}.jpg", jpeg("red", seed, (32, 24))) for seed in range(count)]
    assert upload(api, collection_id, pictures).json()["created"] == count
    return collection_id


@pytest.fixture(scope="session")
def collection(shared_api: TestClient) -> str:
    """For requests that are refused, so that none changes it."""
    return filled(shared_api)


def ask(api: TestClient, collection_id: str, headers: dict[str, str] | None = None, **body: Any) -> Any:
    content = json.dumps({"method": "simclr"} | body)  # also what JSON should not hold, like NaN
    headers = {"Content-Type": "application/json"} | (headers or {})
    return api.post(f"/v1/collections/{collection_id}/encoders", content=content, headers=headers)


def job_row(api: TestClient, job_id: str) -> Job:
    with resources(api).database.reading() as session:
        return session.get_one(Job, UUID(job_id))


@pytest.fixture(autouse=True)
def nothing_left_in_scratch(shared_api: TestClient) -> Iterator[None]:
    yield
    assert files_below(resources(shared_api).settings.scratch) == []


def test_a_job_that_has_all_it_needs(shared_api: TestClient) -> None:
    collection_id = filled(shared_api)
    answer = ask(shared_api, collection_id, params={"epochs": 3, "temperature": 0.5}, name="  mine ")
    assert answer.status_code == 202, answer.text
    shown = answer.json()
    assert answer.headers["Location"] == f"/v1/jobs/{shown['id']}" and answer.headers["Retry-After"]
    assert (shown["kind"], shown["state"], shown["collection_id"]) == ("finetune", "queued", collection_id)
    job = job_row(shared_api, shown["id"])
    base = shared_api.get("/v1/encoders").json()["items"]
    assert job.params["base"] == next(one["id"] for one in base if one["name"] == "efficientnet-lite0")
    assert (job.params["method"], job.params["name"]) == ("simclr", "mine")
    assert job.params["given"] == ["epochs", "temperature"]
    assert (job.params["params"]["epochs"], job.params["params"]["temperature"]) == (3, 0.5)
    assert job.params["params"]["batch_size"] == 64, "a default that is too large is the job's to shrink"
    assert job.input_key is None and job.queue == resources(shared_api).settings.embed_queue
    other = shared_api.post(f"/v1/collections/{collection_id}/clusterings", json={"k": 3}).json()
    assert job_row(shared_api, other["id"]).lock != job.lock, "neither waits for the other"


def test_labels_are_a_file_and_no_parameter(shared_api: TestClient) -> None:
    collection_id = filled(shared_api)
    labels = {"0.jpg": "wren \u2603", "1.jpg": "robin", "nobody.jpg": "\ud800"}
    job = job_row(shared_api, ask(shared_api, collection_id, labels=labels).json()["id"])
    assert "wren" not in json.dumps(job.params)
    assert job.input_key and job.input_key.startswith(f"collections/{collection_id}/")
    assert json.loads(resources(shared_api).storage.local(job.input_key).read_text()) == labels
    image_id = shared_api.get(f"/v1/collections/{collection_id}/images").json()["items"][0]["id"]
    assert ask(shared_api, collection_id, labels={image_id: "wren"}).status_code == 202


def test_names_that_nobody_chose(shared_api: TestClient) -> None:
    collection_id = filled(shared_api)
    ask(shared_api, collection_id, name="simclr-2")
    jobs = [ask(shared_api, collection_id, **more).json()["id"] for more in ({}, {}, {"method": "byol"})]
    assert [job_row(shared_api, job).params["name"] for job in jobs] == ["simclr-1", "simclr-3", "byol-1"]
    shared_api.post(f"/v1/jobs/{jobs[0]}/cancel")
    again = ask(shared_api, collection_id).json()["id"]
    assert job_row(shared_api, again).params["name"] == "simclr-1", "a job that is over holds no name"


def test_names_that_are_taken(shared_api: TestClient) -> None:
    collection_id = filled(shared_api)
    assert ask(shared_api, collection_id, name="mine").status_code == 202
    for name in ("mine", " mine", "efficientnet-lite1", "dinov2-small"):
        problem(ask(shared_api, collection_id, name=name), 409, "encoder_name_taken")
    assert ask(shared_api, filled(shared_api), name="mine").status_code == 202, "another collection, other names"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"method": "magic"}, 404, "method_not_found"),
        ({"base": "magic"}, 404, "encoder_not_found"),
        ({"base": NOWHERE}, 404, "encoder_not_found"),
        ({"params": {"magic": 1}}, 422, "params_invalid"),
        ({"params": {"epochs": 0}}, 422, "params_invalid"),
        ({"method": "deepcluster", "params": {"k": -1}}, 422, "params_invalid"),
        ({"method": "hierarchy", "params": {"k": 1}}, 422, "params_invalid"),
        ({"params": {"lr": "fast"}}, 422, "params_invalid"),
        ({"params": {"lr": float("nan")}}, 422, "params_invalid"),
        ({"params": {"\ud800": 1}}, 422, "params_invalid"),
        ({"method": "mae"}, 422, "method_needs_vit"),
        ({"params": {"batch_size": 33}}, 422, "batch_too_large"),
        ({"labels": {"nobody.jpg": "wren"}}, 422, "labels_unknown"),
        ({"labels": {}}, 422, "invalid"),
        ({"labels": {"0.jpg": 1}}, 422, "invalid"),
        ({"name": ""}, 422, "invalid"),
        ({"name": "a\tb"}, 422, "invalid"),
        ({"name": "x" * 201}, 422, "invalid"),
        ({"magic": 1}, 422, "invalid"),
    ],
)
def test_what_is_wrong(shared_api: TestClient, collection: str, body: dict[str, Any], status: int, code: str) -> None:
    problem(ask(shared_api, collection, **body), status, code)
    with resources(shared_api).database.reading() as session:
        kinds = session.scalars(select(Job.kind).where(Job.collection_id == UUID(collection))).all()
    assert kinds == ["ingest"], "no job was started"
    assert not list((resources(shared_api).settings.data / "blobs" / "collections" / collection).glob("inputs/*"))


def test_collections_that_can_not_be(shared_api: TestClient) -> None:
    problem(ask(shared_api, NOWHERE), 404, "collection_not_found")
    problem(ask(shared_api, filled(shared_api, 31)), 409, "collection_too_small")


def test_an_encoder_whose_weights_are_not_here(
    shared_api: TestClient, collection: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOST_ENCODER_DIR", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    body = problem(ask(shared_api, collection, base="dino-small", method="mae"), 503, "encoder_unavailable")
    assert "model.safetensors" in body["detail"]


def test_asked_for_once(shared_api: TestClient) -> None:
    collection_id = filled(shared_api)
    key, labels = {"Idempotency-Key": collection_id}, {"0.jpg": "wren"}
    first, second = (ask(shared_api, collection_id, key, labels=labels) for _ in range(2))
    assert first.status_code == second.status_code == 202 and first.json() == second.json()
    problem(ask(shared_api, collection_id, key, labels={"0.jpg": "robin"}), 422, "idempotency_mismatch")
    inputs = resources(shared_api).settings.data / "blobs" / "collections" / collection_id / "inputs"
    assert len(files_below(inputs)) == 1, "the labels of requests that made no job are gone"


def test_a_collection_that_goes_takes_its_training_along(shared_api: TestClient) -> None:
    collection_id = filled(shared_api)
    ask(shared_api, collection_id)
    assert shared_api.delete(f"/v1/collections/{collection_id}").status_code == 204
    jobs = shared_api.get("/v1/jobs", params={"collection": collection_id}).json()["items"]
    states = sorted((job["kind"], job["state"]) for job in jobs)
    assert states == [("finetune", "cancelled"), ("ingest", "cancelled"), ("sweep", "queued"), ("sweep", "queued")]
    sweeps = [job_row(shared_api, job["id"]) for job in jobs if job["kind"] == "sweep"]
    assert len({sweep.lock for sweep in sweeps}) == 2, "one of them waits for the training to stop"
