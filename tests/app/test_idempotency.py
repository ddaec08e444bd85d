"""Idempotency-Key on every POST that creates: the first answer again, and nothing done twice."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.resources import Resources
from tests.app.calls import files_below, new_collection, problem, upload
from tests.app.conftest import Sorted
from tests.fixtures.pictures import jpeg, zipped

KEY = {"Idempotency-Key": "one"}
ZIP = {"Content-Type": "application/zip"}


def blobs(api: TestClient) -> list[Path]:
    resources: Resources = api.app.state.resources  # type: ignore[attr-defined]
    assert files_below(resources.settings.scratch) == [], "nothing stays in scratch"
    return files_below(resources.settings.data / "blobs")


def same(first: Any, second: Any) -> bool:
    kept = ("location", "retry-after", "content-type")
    return (first.status_code, first.json(), *map(first.headers.get, kept)) == (
        second.status_code,
        second.json(),
        *map(second.headers.get, kept),
    )


def test_a_collection_is_made_once(either_api: TestClient) -> None:
    first, second = (either_api.post("/v1/collections", json={"name": "a"}, headers=KEY) for _ in range(2))
    assert first.status_code == 201 and same(first, second)
    other = either_api.post("/v1/collections", json={"name": "b"}, headers=KEY)
    problem(other, 422, "idempotency_mismatch")
    assert len(either_api.get("/v1/collections").json()["items"]) == 1
    assert either_api.post("/v1/collections", json={"name": "a"}, headers={"Idempotency-Key": "two"}).status_code == 201


def test_an_upload_is_taken_once(either_api: TestClient) -> None:
    collection_id = new_collection(either_api)
    files = [("a.jpg", jpeg("red", 0)), ("b.txt", b"no picture")]
    first, second = (upload(either_api, collection_id, files, **KEY) for _ in range(2))
    assert first.json()["created"] == 1 and same(first, second), "not a duplicate: the first answer again"
    problem(upload(either_api, collection_id, [("c.jpg", jpeg("red", 1))], **KEY), 422, "idempotency_mismatch")
    problem(upload(either_api, collection_id, [("renamed.jpg", files[0][1])], **KEY), 422, "idempotency_mismatch")
    assert len(blobs(either_api)) == 1 and len(either_api.get("/v1/jobs").json()["items"]) == 1


def test_an_archive_is_taken_once(either_api: TestClient) -> None:
    path = f"/v1/collections/{new_collection(either_api)}/images"
    content = zipped({"a": b"1"})
    first, second = (either_api.post(path, content=content, headers=KEY | ZIP) for _ in range(2))
    assert first.status_code == 202 and same(first, second) and first.headers["Retry-After"]
    problem(either_api.post(path, content=zipped({"a": b"2"}), headers=KEY | ZIP), 422, "idempotency_mismatch")
    assert len(blobs(either_api)) == 1 and len(either_api.get("/v1/jobs").json()["items"]) == 1


def test_a_clustering_is_asked_for_once(either_api: TestClient) -> None:
    path = f"/v1/collections/{new_collection(either_api)}/clusterings"
    first, second = (either_api.post(path, json={"k": 3}, headers=KEY) for _ in range(2))
    assert first.status_code == 202 and same(first, second)
    problem(either_api.post(path, json={"k": 4}, headers=KEY), 422, "idempotency_mismatch")
    assert len(either_api.get("/v1/jobs").json()["items"]) == 1


def test_assigning_is_asked_for_once(sorted_gallery: Sorted) -> None:
    path = f"/v1/clusterings/{sorted_gallery.clustering['id']}/assign"
    first, second = (sorted_gallery.client.post(path, headers=KEY) for _ in range(2))
    assert first.status_code == 202 and first.json()["id"] == second.json()["id"]
    assert sorted_gallery.service.job(first.json()["id"])["state"] == "succeeded"


@pytest.mark.parametrize("what", ["collection", "upload", "archive"])
def test_many_at_the_same_time(either_api: TestClient, what: str) -> None:
    """Each gets the first answer, or hears that it is under way; one thing is made and no blob left over."""
    path = "/v1/collections"
    content: dict[str, Any] = {"json": {"name": "racing"}, "headers": KEY}
    if what != "collection":
        path = f"/v1/collections/{new_collection(either_api)}/images"
        content = {"files": [("files", ("a.jpg", jpeg()))], "headers": KEY}
    if what == "archive":
        content = {"content": zipped({"a": b"1"}), "headers": KEY | ZIP}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: either_api.post(path, **content), range(8)))
    done = [answer for answer in answers if answer.status_code < 300]
    assert done and all(same(done[0], other) for other in done)
    for other in answers:
        if other not in done:
            assert problem(other, 409, "idempotency_in_progress") and other.headers["Retry-After"]
    assert same(done[0], either_api.post(path, **content)), "whoever asks again gets the answer"
    assert len(either_api.get("/v1/collections").json()["items"]) == 1
    assert len(either_api.get("/v1/jobs").json()["items"]) == len(blobs(either_api)) == (what != "collection")


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb"])
def test_what_is_no_key(api: TestClient, key: str) -> None:
    problem(api.post("/v1/collections", json={"name": "a"}, headers={"Idempotency-Key": key}), 422, "invalid")


def test_a_failed_request_does_not_use_up_its_key(api: TestClient) -> None:
    problem(api.post("/v1/collections", json={"name": ""}, headers=KEY), 422, "invalid")
    assert api.post("/v1/collections", json={"name": "a"}, headers=KEY).status_code == 201
