"""/v1/collections: creating, reading, changing under If-Match, deleting."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from app.settings import Settings
from tests.app.calls import NOWHERE, files_below, new_collection, new_image, problem
from tests.fixtures.services import Service


def test_a_collection_is_created_and_shown(shared_api: TestClient) -> None:
    made = shared_api.post("/v1/collections", json={"name": "  Garten 2026 🐦 ", "description": "line\r\nline\tend"})
    assert made.status_code == 201
    shown = made.json()
    assert made.headers["Location"] == f"/v1/collections/{shown['id']}"
    assert shown["name"] == "Garten 2026 🐦" and shown["description"] == "line\nline\tend"
    assert shown["images"] == {"pending": 0, "ready": 0, "rejected": 0} and shown["bytes"] == 0
    assert (shown["covers"], shown["clustering_id"], shown["job_id"]) == ([], None, None)
    assert datetime.fromisoformat(shown["created_at"]).utcoffset() == timedelta(0)
    read = shared_api.get(made.headers["Location"])
    assert read.json() == shown and read.headers["ETag"]


def test_names_are_normalised(shared_api: TestClient) -> None:
    made = shared_api.post("/v1/collections", json={"name": "u\u0308ber"})
    assert made.json()["name"] == "über"


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": "   "}, {"name": "x" * 201}, {"name": "a\nb"}, {"name": "a\x00b"}, {"name": 3},
     {"name": "x", "description": "a\x00"}, {"name": "x", "colour": "red"}, [], None],
)  # fmt: skip
def test_what_is_no_collection(api: TestClient, body: object) -> None:
    assert problem(api.post("/v1/collections", json=body), 422, "invalid")["errors"]
    assert api.get("/v1/collections").json()["items"] == []


def test_changing_needs_the_newest_etag(shared_api: TestClient) -> None:
    path = f"/v1/collections/{new_collection(shared_api)}"
    etag = shared_api.get(path).headers["ETag"]
    problem(shared_api.patch(path, json={"name": "b"}), 428, "precondition_required")
    problem(shared_api.patch(path, json={"name": "b"}, headers={"If-Match": '"nonsense"'}), 412, "stale")
    changed = shared_api.patch(path, json={"name": "b"}, headers={"If-Match": etag})
    assert changed.status_code == 200 and changed.json()["name"] == "b"
    assert changed.headers["ETag"] != etag == '"1"'
    problem(shared_api.patch(path, json={"name": "c"}, headers={"If-Match": etag}), 412, "stale")
    problem(
        shared_api.patch(path, json={"name": "c"}, headers={"If-Match": "W/" + changed.headers["ETag"]}), 412, "stale"
    )
    assert shared_api.patch(path, json={"name": "c"}, headers={"If-Match": "*"}).json()["name"] == "c"
    assert shared_api.get(path).json()["name"] == "c"


def test_what_is_left_out_stays_and_null_takes_away(shared_api: TestClient) -> None:
    made = shared_api.post("/v1/collections", json={"name": "a", "description": "d"})
    path = made.headers["Location"]
    renamed = shared_api.patch(path, json={"name": "b"}, headers={"If-Match": '"1"'}).json()
    assert (renamed["name"], renamed["description"]) == ("b", "d")
    emptied = shared_api.patch(path, json={"description": None}, headers={"If-Match": '"2"'}).json()
    assert (emptied["name"], emptied["description"]) == ("b", None)


def test_of_a_hundred_racing_renames_one_succeeds(shared_api: TestClient) -> None:
    path = f"/v1/collections/{new_collection(shared_api)}"

    def rename(n: int) -> int:
        return shared_api.patch(path, json={"name": f"name {n}"}, headers={"If-Match": '"1"'}).status_code

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(rename, range(100)))
    assert sorted(answers) == [200] + [412] * 99
    winner = shared_api.get(path)
    assert winner.json()["name"] == f"name {answers.index(200)}" and winner.headers["ETag"] == '"2"'


def test_deleting(shared_api: TestClient) -> None:
    collection_id = new_collection(shared_api)
    image_id = new_image(shared_api, collection_id)
    path = f"/v1/collections/{collection_id}"
    problem(shared_api.delete(path, headers={"If-Match": '"7"'}), 412, "stale")
    gone = shared_api.delete(path, headers={"If-Match": '"1"'})
    assert gone.status_code == 204 and gone.content == b""
    problem(shared_api.get(path), 404, "collection_not_found")
    problem(shared_api.delete(path), 404, "collection_not_found")
    problem(shared_api.get(f"/v1/images/{image_id}"), 404, "image_not_found")
    jobs = shared_api.get("/v1/jobs", params={"collection": collection_id}).json()["items"]
    assert [(job["kind"], job["state"]) for job in jobs] == [("sweep", "queued"), ("ingest", "cancelled")]


@pytest.mark.embedded
def test_a_deleted_collection_leaves_no_file(running: Service) -> None:
    collection_id = new_collection(running.client)
    new_image(running.client, collection_id)
    folder = running.data / "blobs" / "collections" / collection_id
    assert files_below(folder)
    running.client.delete(f"/v1/collections/{collection_id}")
    (sweep,) = running.client.get("/v1/jobs", params={"collection": collection_id}).json()["items"][:1]
    assert running.job(sweep["id"])["state"] == "succeeded"
    assert not folder.exists()


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_what_is_not_there(shared_api: TestClient, method: str) -> None:
    body = {"json": {"name": "x"}, "headers": {"If-Match": '"1"'}} if method == "PATCH" else {}
    problem(shared_api.request(method, f"/v1/collections/{NOWHERE}", **body), 404, "collection_not_found")
    problem(shared_api.request(method, "/v1/collections/17", **body), 422, "invalid")


@pytest.mark.parametrize("below", ["images", "clusterings"])
def test_lists_below_what_is_not_there(shared_api: TestClient, below: str) -> None:
    problem(shared_api.get(f"/v1/collections/{NOWHERE}/{below}"), 404, "collection_not_found")


@pytest.mark.embedded
def test_blobs_are_below_their_collection(api: TestClient, settings: Settings) -> None:
    collection_id = new_collection(api)
    new_image(api, collection_id)
    (blob,) = files_below(settings.data / "blobs")
    assert blob.is_relative_to(settings.data / "blobs" / "collections" / collection_id)
