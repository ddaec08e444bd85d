"""Outliers of a clustering over the API."""

from uuid import UUID

from fastapi.testclient import TestClient
from sqlalchemy import update

from app.db.session import now
from app.db.tables import Assignment, Cluster, Clustering, Encoder, Image
from app.ids import new_id
from tests.app.calls import NOWHERE, new_collection, problem
from tests.app.conftest import Sorted


def clustered(client: TestClient, scores: list[float | None]) -> tuple[str, list[UUID]]:
    """A clustering of one cluster whose images have these scores; the first image is in no cluster."""
    collection_id = UUID(new_collection(client))
    clustering_id, ids = new_id(), [new_id() for _ in scores]
    with client.app.state.resources.database.transaction() as session:  # type: ignore[attr-defined]
        moment = now(session)
        encoder = session.query(Encoder).filter_by(name="efficientnet-lite0").one()
        session.add_all(
            Image(
                id=one, collection_id=collection_id, name=f"{n}.jpg", sha256=one.hex * 2, bytes=1, format="jpeg",
                status="ready", created_at=moment,
            )
            for n, one in enumerate(ids)
        )  # fmt: skip
        session.add(
            Clustering(
                id=clustering_id, collection_id=collection_id, encoder_id=encoder.id, encoder_sha256="a" * 64,
                algorithm="kmeans", k=1, k_requested="1", params={}, seed=0, version="0", images=len(ids), outliers=0,
                metrics={}, centres_key="none", job_id=new_id(), created_at=moment,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            Cluster(
                clustering_id=clustering_id, number=0, size=len(ids), cohesion=1, outlier_distance=1, representatives=[]
            )
        )
        session.flush()
        session.add_all(
            Assignment(
                clustering_id=clustering_id, image_id=one, number=None if n == 0 else 0, run_number=0, distance=0.5,
                outlier_score=score,
            )
            for n, (one, score) in enumerate(zip(ids, scores, strict=True))
        )  # fmt: skip
    return str(clustering_id), ids


def test_most_odd_first_page_by_page(shared_api: TestClient) -> None:
    clustering_id, ids = clustered(shared_api, [1.5, 0.2, 3.25, 1.0, None, 1.5])
    path = f"/v1/clusterings/{clustering_id}/outliers"
    first = shared_api.get(path, params={"limit": 3}).json()
    rest = shared_api.get(path, params={"limit": 3, "cursor": first["next_cursor"]}).json()
    items = first["items"] + rest["items"]
    assert [one["score"] for one in items] == [3.25, 1.5, 1.5, 1.0] and rest["next_cursor"] is None
    assert {one["image_id"] for one in items} == {str(ids[n]) for n in (2, 0, 5, 3)}
    assert items[0] | {"score": None} == {"image_id": str(ids[2]), "name": "2.jpg", "cluster": 0, "score": None}
    assert [one["cluster"] for one in items if one["image_id"] == str(ids[0])] == [None]
    assert len(shared_api.get(path, params={"at_least": 0}).json()["items"]) == 5
    assert shared_api.get(path, params={"at_least": 4}).json()["items"] == []


def test_what_is_refused(shared_api: TestClient) -> None:
    clustering_id, _ = clustered(shared_api, [None, None])
    path = f"/v1/clusterings/{clustering_id}/outliers"
    problem(shared_api.get(path), 409, "outliers_not_scored")
    with shared_api.app.state.resources.database.transaction() as session:  # type: ignore[attr-defined]
        session.execute(
            update(Assignment).where(Assignment.clustering_id == UUID(clustering_id)).values(outlier_score=0.1)
        )
    assert shared_api.get(path).json() == {"items": [], "next_cursor": None}
    problem(shared_api.get(path, params={"at_least": "nan"}), 422, "invalid")
    problem(shared_api.get(path, params={"at_least": -1}), 422, "invalid")
    problem(shared_api.get(path, params={"cursor": "abc"}), 422, "cursor_invalid")
    problem(shared_api.get(f"/v1/clusterings/{NOWHERE}/outliers"), 404, "clustering_not_found")


def test_a_run_scores_every_image(sorted_gallery: Sorted) -> None:
    path = f"/v1/clusterings/{sorted_gallery.clustering['id']}/outliers"
    every = sorted_gallery.service.pages(path, at_least=0)
    assert {one["image_id"] for one in every} == {image["id"] for image in sorted_gallery.images}
    odd = sorted_gallery.service.pages(path)
    assert len(odd) == sorted_gallery.clustering["outliers"]
