"""Any number of clusters from one run, the numbers suggested, and images of one event as one."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from app.db.tables import Encoder, Image
from models.clustering.run import best_for
from models.evaluation.labelled import score
from tests.app.conftest import shared_api  # noqa: F401 - a fixture
from tests.fixtures.clusterings import ENCODER, Gallery, blobs
from tests.fixtures.jobs import run_job

KINDS, EACH = 6, 12
SEED = 4  # of groups that are well apart


class Run:
    def __init__(self, client: TestClient, gallery: Gallery, **params: Any) -> None:
        with gallery.resources.database.reading() as session:
            encoder = session.scalars(select(Encoder.id).where(Encoder.name == ENCODER)).one()
        given = {"encoder": str(encoder), "algorithm": "agglomerative", "k": 3, "seed": 0, "params": {}} | params
        result = run_job(gallery.resources, "cluster", gallery.collection_id, **given)
        self.client, self.gallery, self.id = client, gallery, UUID(result["clustering_id"])
        self.path = f"/v1/clusterings/{self.id}"

    def get(self, path: str = "", **query: Any) -> Any:
        answer = self.client.get(self.path + path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, path: str, **query: Any) -> tuple[int, str]:
        answer = self.client.get(self.path + path, params=query)
        return answer.status_code, answer.json()["code"]

    def labels(self, k: int) -> list[int]:
        by_image = {row["image_id"]: row["cluster_id"] for row in self.get("/assignments", k=k, format="json")}
        return [by_image[str(image)] for image in self.gallery.images]


@pytest.fixture
def gallery(shared_api: TestClient) -> Gallery:  # noqa: F811
    made = Gallery.make(shared_api.app.state.resources)  # type: ignore[attr-defined]
    made.add(blobs(KINDS, EACH, seed=SEED)[0])
    return made


def test_one_run_gives_every_k(shared_api: TestClient, gallery: Gallery) -> None:  # noqa: F811
    run = Run(shared_api, gallery)
    assert run.get()["every_k"] and run.get()["k"] == 3
    truth = [str(one) for one in np.repeat(np.arange(KINDS), EACH)]
    coarser: list[int] | None = None
    for k in (72, 6, 2, 1):
        labels = run.labels(k)
        clusters = run.get("/clusters", k=k, limit=500)["items"]
        assert [one["size"] for one in clusters] == sorted(np.bincount(labels).tolist(), reverse=True)
        assert len(clusters) == k and [one["id"] for one in clusters] == list(range(k))
        if coarser is not None:
            assert len(set(zip(coarser, labels, strict=True))) == len(set(coarser)), "a cut joins whole clusters"
        coarser = labels
    assert score(run.labels(KINDS), truth)["nmi"] == 1
    own = {row["image_id"]: row["cluster_id"] for row in run.get("/assignments", format="json")}
    assert [own[str(image)] for image in gallery.images] == run.labels(3), "the run's own k is one of the cuts"


def test_a_cut_is_paged_and_its_clusters_show_their_images(shared_api: TestClient, gallery: Gallery) -> None:  # noqa: F811
    run = Run(shared_api, gallery)
    first = run.get("/clusters", k=6, limit=4)
    second = run.get("/clusters", k=6, limit=4, cursor=first["next_cursor"])
    assert [one["id"] for one in first["items"] + second["items"]] == list(range(6)) and second["next_cursor"] is None
    one = run.get("/clusters/2", k=6)
    assert one == first["items"][2]
    images = {row["image_id"] for row in run.get("/clusters/2/images", k=6)["items"]}
    assert len(images) == one["size"] and set(one["representatives"]) <= images
    assert run.refused("/clusters/6", k=6) == (404, "cluster_not_found")
    assert run.refused("/clusters", k=73) == (422, "k_too_large")
    assert run.refused("/assignments", k=73) == (422, "k_too_large")


def test_a_cut_in_every_order(shared_api: TestClient, gallery: Gallery) -> None:  # noqa: F811
    run = Run(shared_api, gallery)
    whole = run.get("/clusters", k=9, limit=500)["items"]
    tight = sorted(whole, key=lambda one: (-one["cohesion"], one["id"]))
    assert tight != whole, "or the test would not see the order"
    for order, expected in (("number", whole), ("size", whole), ("cohesion", tight)):
        pages = [run.get("/clusters", k=9, order=order, limit=4)]
        while cursor := pages[-1]["next_cursor"]:
            assert run.refused("/clusters", k=8, order=order, cursor=cursor) == (422, "cursor_invalid")
            pages.append(run.get("/clusters", k=9, order=order, limit=4, cursor=cursor))
        assert [len(page["items"]) for page in pages] == [4, 4, 1]
        assert [one for page in pages for one in page["items"]] == expected
    cursor = run.get("/clusters", k=9, order="size", limit=4)["next_cursor"]
    for order in ("number", "cohesion"):
        assert run.refused("/clusters", k=9, order=order, cursor=cursor) == (422, "cursor_invalid")


def test_without_a_tree_there_is_one_k(shared_api: TestClient, gallery: Gallery) -> None:  # noqa: F811
    run = Run(shared_api, gallery, algorithm="kmeans")
    assert not run.get()["every_k"]
    for path in ("/clusters", "/clusters/0", "/clusters/0/images", "/assignments"):
        assert run.refused(path, k=4) == (409, "tree_missing")


def test_images_that_join_are_in_the_cuts(shared_api: TestClient, gallery: Gallery) -> None:  # noqa: F811
    run = Run(shared_api, gallery)
    gallery.add(blobs(KINDS, EACH + 1, seed=SEED)[0].reshape(KINDS, EACH + 1, -1)[:, -1])
    run_job(gallery.resources, "assign", gallery.collection_id, clustering=str(run.id))
    labels = run.labels(KINDS)
    assert labels[-KINDS:] == labels[: KINDS * EACH : EACH]


def test_auto_keeps_what_was_suggested(shared_api: TestClient, gallery: Gallery) -> None:  # noqa: F811
    run = Run(shared_api, gallery, algorithm="kmeans", k="auto")
    found = run.get("/suggestions")
    assert found["k"] == run.get()["k"] and found["k"] in {one["k"] for one in found["suggested"]}
    assert len(found["curve"]) > len(found["suggested"]) >= 2
    assert Run(shared_api, gallery).refused("/suggestions") == (409, "suggestions_missing")


def test_auto_is_an_algorithm_for_so_many_images(shared_api: TestClient, gallery: Gallery) -> None:  # noqa: F811
    shown = Run(shared_api, gallery, algorithm="auto").get()
    assert shown["algorithm"] == best_for(len(gallery.images)) == "kmeans" and shown["params"]["restarts"] == 20
    assert best_for(199) == "kmeans" and best_for(200) == "temi"
    answer = shared_api.post(
        f"/v1/collections/{gallery.collection_id}/clusterings", json={"algorithm": "auto", "params": {"restarts": 3}}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "params_invalid")


def test_hdbscan_takes_no_number(shared_api: TestClient, gallery: Gallery) -> None:  # noqa: F811
    answer = shared_api.post(
        f"/v1/collections/{gallery.collection_id}/clusterings", json={"algorithm": "hdbscan", "k": 3}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "k_not_supported")


def test_images_of_one_event_stay_together(shared_api: TestClient, gallery: Gallery) -> None:  # noqa: F811
    """A burst of one picture of each kind: apart by look, together by time."""
    burst = [gallery.images[kind * EACH] for kind in range(KINDS)]
    with gallery.resources.database.transaction() as session:
        session.execute(update(Image).where(Image.id.in_(burst)).values(camera="trap 3", taken_at=Image.created_at))
    apart, together = (Run(shared_api, gallery, algorithm="kmeans", k=6, event_gap_s=gap) for gap in (None, 30.0))
    assert together.get()["event_gap_s"] == 30.0 and apart.get()["event_gap_s"] is None

    def clusters_of_the_burst(run: Run) -> int:
        own = {row["image_id"]: row["cluster_id"] for row in run.get("/assignments", format="json")}
        return len({own[str(image)] for image in burst})

    assert clusters_of_the_burst(apart) == KINDS and clusters_of_the_burst(together) == 1
