"""What a list of collections shows of each: covers, the newest clustering, the newest job that is not over."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, update

from app.db.tables import Cluster, Image, Job
from app.resources import Resources
from tests.app.calls import new_collection, new_image
from tests.fixtures.clusterings import Gallery, blobs


@pytest.fixture
def resources(shared_api: TestClient) -> Resources:
    found: Resources = shared_api.app.state.resources  # type: ignore[attr-defined]
    return found


@pytest.fixture
def gallery(resources: Resources) -> Gallery:
    made = Gallery.make(resources)
    made.add(blobs(5, 8)[0])
    return made


def shown(api: TestClient, collection_id: object) -> dict[str, Any]:
    one: dict[str, Any] = api.get(f"/v1/collections/{collection_id}").json()
    (listed,) = [row for row in api.get("/v1/collections?limit=500").json()["items"] if row["id"] == one["id"]]
    assert listed == one
    return one


def clusters(api: TestClient, clustering_id: UUID) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api.get(f"/v1/clusterings/{clustering_id}/clusters").json()["items"]
    return items


def test_without_a_clustering_the_first_that_are_ready(
    shared_api: TestClient, resources: Resources, gallery: Gallery
) -> None:
    with resources.database.transaction() as session:
        unfit = {gallery.images[0]: "rejected", gallery.images[2]: "pending"}
        session.execute(update(Image), [{"id": image, "status": status} for image, status in unfit.items()])
    found = shown(shared_api, gallery.collection_id)
    assert found["covers"] == [str(gallery.images[n]) for n in (1, 3, 4, 5)] and found["clustering_id"] is None


def test_as_many_covers_as_there_are(shared_api: TestClient, resources: Resources) -> None:
    few = Gallery.make(resources)
    few.add(blobs(1, 3)[0])
    assert shown(shared_api, few.collection_id)["covers"] == [str(image) for image in few.images]


def test_the_most_typical_of_the_four_biggest_clusters_of_the_newest_clustering(
    shared_api: TestClient, gallery: Gallery
) -> None:
    gallery.cluster(np.repeat([0, 1], [30, 10]))
    newest = gallery.cluster(np.repeat([0, 1, 2, 3, 4], [4, 14, 6, 9, 7]))
    found = shown(shared_api, gallery.collection_id)
    assert found["clustering_id"] == str(newest)
    assert found["covers"] == [one["representatives"][0] for one in clusters(shared_api, newest)[:4]]


def test_biggest_as_corrected(shared_api: TestClient, resources: Resources, gallery: Gallery) -> None:
    """Corrections keep the numbers, so that these do not tell the biggest any more; merged clusters have no images."""
    newest = gallery.cluster(np.repeat([0, 1, 2, 3, 4], 8))
    sizes = [0, 3, 20, 3, 20]
    with resources.database.transaction() as session:
        rows = [{"clustering_id": newest, "number": n, "size": size} for n, size in enumerate(sizes)]
        session.execute(update(Cluster), rows)
    typical = {one["id"]: one["representatives"][0] for one in clusters(shared_api, newest)}
    assert shown(shared_api, gallery.collection_id)["covers"] == [typical[n] for n in (2, 4, 1, 3)]


def test_a_deleted_image_is_no_cover(shared_api: TestClient, gallery: Gallery) -> None:
    newest = gallery.cluster(np.repeat([0, 1], [30, 10]))
    first, second = (one["representatives"] for one in clusters(shared_api, newest))
    assert shared_api.delete(f"/v1/images/{first[0]}").status_code == 204
    for image in second:
        shared_api.delete(f"/v1/images/{image}")
    assert shown(shared_api, gallery.collection_id)["covers"] == [first[1]]


def test_a_clustering_that_all_images_were_taken_out_of(
    shared_api: TestClient, resources: Resources, gallery: Gallery
) -> None:
    newest = gallery.cluster(np.repeat([0, 1], 20))
    with resources.database.transaction() as session:
        session.execute(update(Cluster), [{"clustering_id": newest, "number": n, "size": 0} for n in range(2)])
    found = shown(shared_api, gallery.collection_id)
    assert found["clustering_id"] == str(newest) and found["covers"] == [str(image) for image in gallery.images[:4]]


def test_the_newest_job_that_is_not_over(shared_api: TestClient, resources: Resources) -> None:
    collection_id = new_collection(shared_api)
    new_image(shared_api, collection_id)
    path = f"/v1/collections/{collection_id}/clusterings"
    jobs = [shared_api.post(path, json={"seed": seed}).json()["id"] for seed in range(2)]
    assert shown(shared_api, collection_id)["job_id"] == jobs[1]
    own = update(Job).where(Job.collection_id == UUID(collection_id))
    for over, left in ((own.where(Job.id == UUID(jobs[1])), jobs[0]), (own, None)):
        with resources.database.transaction() as session:
            session.execute(over.values(state="succeeded"))
        assert shown(shared_api, collection_id)["job_id"] == left


def test_a_page_takes_as_many_queries_as_one_collection(either_api: TestClient) -> None:
    resources: Resources = either_api.app.state.resources  # type: ignore[attr-defined]
    either_api.get("/v1/collections")
    # whether there are keys is asked once a second, whatever is counted meanwhile
    either_api.app.state.gate.open_for_s = float("inf")  # type: ignore[attr-defined]
    statements: list[str] = []

    def queries(collections: int) -> int:
        statements.clear()
        assert len(either_api.get("/v1/collections").json()["items"]) == collections
        return len(statements)

    def note(*arguments: Any) -> None:
        statements.append(arguments[2])

    event.listen(resources.database.engine, "before_cursor_execute", note)
    counted = []
    for number in range(1, 7):
        made = Gallery.make(resources)
        made.add(blobs(2, 3)[0])
        if number % 2:
            made.cluster(np.repeat([0, 1], 3))
        counted.append(queries(number))
    assert len(set(counted[1:])) == 1 and max(counted) <= 7, counted
