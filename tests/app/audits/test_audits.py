"""Audits: random images of a cluster, answers, purity."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from app.audits import service
from app.db.tables import Cluster, Clustering
from tests.app.calls import NOWHERE, problem
from tests.fixtures.clusterings import Gallery, blobs


@dataclass
class Written:
    """A clustering of 60 and of 5 images, and a cluster 2 that is empty."""

    clustering_id: UUID
    images: list[list[UUID]]


@pytest.fixture
def written(shared_api: TestClient) -> Written:
    gallery = Gallery.make(shared_api.app.state.resources)  # type: ignore[attr-defined]
    gallery.add(blobs(1, 65)[0])
    clustering_id = gallery.cluster(np.repeat([0, 1], [60, 5]))
    with gallery.resources.database.transaction() as session:
        empty = {"label": None, "size": 0, "cohesion": 0.0, "outlier_distance": 0.0, "representatives": []}
        session.add(Cluster(clustering_id=clustering_id, number=2, **empty))
    return Written(clustering_id, [gallery.images[:60], gallery.images[60:]])


def audit(api: TestClient, written: Written, cluster: int, images: int) -> Any:
    path = f"/v1/clusterings/{written.clustering_id}/clusters/{cluster}/audits"
    return api.post(path, json={"images": images})


def test_drawing(shared_api: TestClient, written: Written) -> None:
    answer = audit(shared_api, written, 0, 20)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert answer.headers["Location"] == f"/v1/audits/{made['id']}"
    drawn = [UUID(one["image_id"]) for one in made["images"]]
    assert len(set(drawn)) == 20 and set(drawn) <= set(written.images[0])
    assert (made["size"], made["cluster"], made["purity"], made["stale"]) == (60, 0, None, False)
    assert all(one["name"].startswith(one["image_id"]) and one["answer"] is None for one in made["images"])
    other = [UUID(one["image_id"]) for one in audit(shared_api, written, 0, 20).json()["images"]]
    assert set(other) != set(drawn)
    listed = shared_api.get(f"/v1/clusterings/{written.clustering_id}/audits").json()["items"]
    assert len(listed) == 2 and listed[1] == made


def test_every_image_is_drawn_as_often(shared_api: TestClient, written: Written) -> None:
    counts = dict.fromkeys(map(str, written.images[1]), 0)
    with shared_api.app.state.resources.database.transaction() as session:  # type: ignore[attr-defined]
        for _ in range(120):
            counts[service.draw(session, written.clustering_id, 1, 1).images[0]] += 1
    assert min(counts.values()) >= 6  # of 24 expected: less has a chance of one in a hundred thousand


def test_answers_and_what_they_show(shared_api: TestClient, written: Written) -> None:
    made = audit(shared_api, written, 1, 20).json()
    path, ids = f"/v1/audits/{made['id']}", [one["image_id"] for one in made["images"]]
    assert len(ids) == 5  # all there are
    seen = shared_api.get(path).headers["ETag"]
    first = {"answers": {ids[0]: True, ids[1]: False}}
    problem(shared_api.patch(path, json=first), 428, "precondition_required")
    answered = shared_api.patch(path, json=first, headers={"If-Match": seen})
    assert answered.status_code == 200, answered.text
    purity = answered.json()["purity"]
    assert (answered.json()["yes"], answered.json()["no"], purity["estimate"]) == (1, 1, 0.5)
    assert (purity["low"], purity["high"], purity["level"]) == (0.2, 0.8, 0.95)
    problem(shared_api.patch(path, json=first, headers={"If-Match": seen}), 412, "stale")
    tag = {"If-Match": answered.headers["ETag"]}
    rest = shared_api.patch(path, json={"answers": {ids[1]: None} | dict.fromkeys(ids[2:], True)}, headers=tag)
    assert (rest.json()["yes"], rest.json()["no"]) == (4, 0)
    assert [one["answer"] for one in rest.json()["images"]] == [True, None, True, True, True]
    assert rest.json() == shared_api.get(path).json()


def test_answers_about_other_images(shared_api: TestClient, written: Written) -> None:
    made = audit(shared_api, written, 0, 3).json()
    answer = shared_api.patch(f"/v1/audits/{made['id']}", json={"answers": {NOWHERE: True}}, headers={"If-Match": "*"})
    problem(answer, 422, "image_not_in_audit")


def test_an_audit_of_what_has_changed_says_so(shared_api: TestClient, written: Written) -> None:
    made = audit(shared_api, written, 0, 3).json()
    with shared_api.app.state.resources.database.transaction() as session:  # type: ignore[attr-defined]
        session.execute(update(Clustering).where(Clustering.id == written.clustering_id).values(revision=2))
    later = shared_api.get(f"/v1/audits/{made['id']}").json()
    assert (later["stale"], later["revision"]) == (True, 1)


def test_what_can_not_be_audited(shared_api: TestClient, written: Written) -> None:
    problem(audit(shared_api, written, 2, 20), 409, "cluster_empty")
    problem(audit(shared_api, written, 3, 20), 404, "cluster_not_found")
    problem(audit(shared_api, written, 0, 0), 422, "invalid")
    problem(audit(shared_api, written, 0, 501), 422, "invalid")
    problem(shared_api.get(f"/v1/audits/{NOWHERE}"), 404, "audit_not_found")
    problem(shared_api.get(f"/v1/clusterings/{NOWHERE}/audits"), 404, "clustering_not_found")
