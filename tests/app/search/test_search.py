"""Nearest neighbours by an image of the collection or a picture that is sent along."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.app.calls import NOWHERE, files_below, new_collection, new_image, problem, upload
from tests.app.conftest import Sorted
from tests.fixtures.pictures import gallery, jpeg
from tests.fixtures.services import Service


def search(client: Any, collection_id: str, body: Any, **params: Any) -> Any:
    return client.post(f"/v1/collections/{collection_id}/search", json=body, params=params)


def by_picture(client: Any, collection_id: str, data: bytes, name: str = "query.jpg", **params: Any) -> Any:
    return client.post(f"/v1/collections/{collection_id}/search", files={"file": (name, data)}, params=params)


def cluster(service: Service, collection_id: str) -> None:
    job = service.client.post(f"/v1/collections/{collection_id}/clusterings", json={"k": 2}).json()
    assert service.job(job["id"])["state"] == "succeeded"


def indexed(service: Service, collection_id: str, files: dict[str, bytes]) -> list[str]:
    """Upload and cluster; the ids of the images in the order of `files`."""
    answer = upload(service.client, collection_id, files.items()).json()
    assert service.job(answer["job_id"])["state"] == "succeeded"
    cluster(service, collection_id)
    return [item["image_id"] for item in answer["items"]]


def test_by_an_image_of_the_collection(sorted_gallery: Sorted) -> None:
    image = sorted_gallery.images[0]
    answer = search(sorted_gallery.client, sorted_gallery.collection_id, {"image_id": image["id"]}, k=5)
    assert answer.status_code == 200
    found = answer.json()
    assert found["encoder"] == "efficientnet-lite0" and len(found["hits"]) == 5
    scores = [hit["score"] for hit in found["hits"]]
    assert scores == sorted(scores, reverse=True) and scores[0] <= 1
    assert image["id"] not in [hit["image_id"] for hit in found["hits"]], "a query is not its own neighbour"
    assert {hit["name"].split("/")[0] for hit in found["hits"][:3]} == {image["name"].split("/")[0]}
    named = search(
        sorted_gallery.client,
        sorted_gallery.collection_id,
        {"image_id": image["id"]},
        k=5,
        encoder="efficientnet-lite0",
    )
    assert named.json() == found
    everything = search(sorted_gallery.client, sorted_gallery.collection_id, {"image_id": image["id"]}, k=500).json()
    assert len(everything["hits"]) == 11


def test_by_a_picture(sorted_gallery: Sorted) -> None:
    answer = by_picture(sorted_gallery.client, sorted_gallery.collection_id, gallery(4)["green/0002.jpg"], k=3)
    assert answer.status_code == 200
    hits = answer.json()["hits"]
    assert hits[0]["name"] == "green/0002.jpg" and hits[0]["score"] > 0.999
    assert not list((sorted_gallery.service.data / "tmp").glob("upload-*")), "the query is not kept"


def test_pictures_that_are_none(sorted_gallery: Sorted) -> None:
    for name, data, code in (
        ("a.jpg", b"", "image_corrupt"),
        ("a.jpg", b"text", "image_type_unsupported"),
        ("a.png", jpeg(), "image_type_mismatch"),
        ("a.jpg", jpeg()[:900], "image_corrupt"),
    ):
        problem(by_picture(sorted_gallery.client, sorted_gallery.collection_id, data, name), 422, code)
    path = f"/v1/collections/{sorted_gallery.collection_id}/search"
    problem(sorted_gallery.client.post(path, files={"photo": ("a.jpg", jpeg())}), 422, "no_files")
    two = [("file", ("a.jpg", jpeg())), ("file", ("b.jpg", jpeg()))]
    problem(sorted_gallery.client.post(path, files=two), 413, "too_many_files")
    assert not list((sorted_gallery.service.data / "tmp").glob("upload-*"))


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        ("{", "application/json", 422, "invalid"),
        ("{}", "application/json", 422, "invalid"),
        ('{"image_id": "x"}', "application/json", 422, "invalid"),
        (json.dumps({"image_id": NOWHERE, "k": 3}), "application/json", 422, "invalid"),
        ("[" * 9000, "application/json", 422, "invalid"),
        (b"\xff", "application/json", 422, "invalid"),
        (" " * 10_001, "application/json", 413, "query_too_large"),
        ("x", "text/plain", 415, "content_type_unsupported"),
        ("x", "multipart/form-data", 422, "multipart_invalid"),
    ],
)
def test_what_is_no_query(shared_api: TestClient, content: bytes | str, kind: str, status: int, code: str) -> None:
    path = f"/v1/collections/{new_collection(shared_api)}/search"
    problem(shared_api.post(path, content=content, headers={"Content-Type": kind}), status, code)


def test_what_is_not_there(sorted_gallery: Sorted) -> None:
    client, own = sorted_gallery.client, {"image_id": sorted_gallery.images[0]["id"]}
    here = sorted_gallery.collection_id
    problem(search(client, NOWHERE, own), 404, "collection_not_found")
    problem(by_picture(client, NOWHERE, jpeg()), 404, "collection_not_found")
    problem(search(client, here, {"image_id": NOWHERE}), 404, "image_not_found")
    problem(search(client, here, own, encoder="nothing"), 404, "encoder_not_found")
    problem(search(client, here, own, encoder="efficientnet-lite1"), 409, "not_indexed")
    for k in ("0", "501", "x"):
        problem(search(client, here, own, k=k), 422, "invalid")
    problem(search(client, here, own, encoder="\x00"), 422, "invalid")
    elsewhere = new_collection(client)
    foreign = {"image_id": new_image(client, elsewhere, 40)}
    problem(search(client, here, foreign), 404, "image_not_found")
    problem(search(client, elsewhere, foreign), 409, "not_indexed")
    later = {"image_id": new_image(client, here, 41)}
    problem(search(client, here, later), 409, "not_embedded")
    assert client.delete(f"/v1/images/{later['image_id']}").status_code == 204


def test_what_was_deleted_is_no_longer_found(running: Service) -> None:
    client = running.client
    collection_id = new_collection(client)
    ids = indexed(running, collection_id, gallery(3))
    for gone in ids[1:4]:
        client.delete(f"/v1/images/{gone}")
        problem(search(client, collection_id, {"image_id": gone}), 404, "image_not_found")
    hits = search(client, collection_id, {"image_id": ids[0]}, k=5).json()["hits"]
    assert sorted(hit["image_id"] for hit in hits) == sorted(ids[4:]), (
        "five of those that are left, and none that is not"
    )
    assert by_picture(client, collection_id, jpeg("red", 1), k=1).json()["hits"][0]["image_id"] in {ids[0], *ids[4:]}


@pytest.mark.embedded
def test_a_damaged_index_is_a_coded_error(running: Service) -> None:
    """The index is gone before anybody opened it; the database still has the vectors, and another job mends it."""
    client = running.client
    collection_id = new_collection(client)
    ask = {"image_id": indexed(running, collection_id, gallery(1))[0]}
    for file in files_below(running.data / "blobs" / "collections" / collection_id / "indexes"):
        file.unlink()
    problem(search(client, collection_id, ask), 503, "index_damaged")
    cluster(running, collection_id)
    assert len(search(client, collection_id, ask).json()["hits"]) == 2
