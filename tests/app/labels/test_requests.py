"""Asking for names to be spread: what is queued, and what is refused and why."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.app.calls import NOWHERE, problem
from tests.app.labels.spreading import Written, write
from tests.fixtures.clusterings import blobs


@pytest.fixture
def written(shared_api: TestClient) -> Written:
    return write(shared_api, [4, 3], {0: "wren"})


def propagate(api: TestClient, written: Written, **body: Any) -> Any:
    return api.post(f"/v1/clusterings/{written.clustering_id}/propagate", json=body)


def test_a_job_is_queued(shared_api: TestClient, written: Written) -> None:
    names = {str(written.images[0][0]): "wren", str(written.images[1][0]): " robin "}
    answer = propagate(shared_api, written, names=names)
    assert answer.status_code == 202, answer.text
    job = shared_api.get(answer.headers["Location"]).json()
    assert (job["kind"], job["state"], job["collection_id"]) == (
        "propagate",
        "queued",
        str(written.gallery.collection_id),
    )
    nothing_yet = shared_api.get(f"/v1/clusterings/{written.clustering_id}/propagations").json()
    assert nothing_yet == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("clusters", [True, {"0": "wren"}])
def test_a_cluster_and_an_image(shared_api: TestClient, written: Written, clusters: Any) -> None:
    answer = propagate(shared_api, written, names={str(written.images[1][0]): "robin"}, clusters=clusters)
    assert answer.status_code == 202, answer.text


def test_names_that_can_not_be_told_apart(shared_api: TestClient, written: Written) -> None:
    first, second = map(str, written.images[0][:2])
    for body in ({}, {"names": {first: "wren", second: "wren"}}, {"clusters": True}, {"clusters": {"1": "wren"}}):
        problem(propagate(shared_api, written, **body), 422, "too_few_names")


def test_images_and_clusters_that_are_not_there(shared_api: TestClient, written: Written) -> None:
    elsewhere = write(shared_api, [2, 1], {})
    for image in (NOWHERE, str(elsewhere.images[0][0])):
        problem(propagate(shared_api, written, names={image: "wren"}), 422, "image_not_in_collection")
    problem(propagate(shared_api, written, clusters={"7": "wren"}), 422, "cluster_unknown")
    problem(propagate(shared_api, written, **{"from": NOWHERE}), 404, "propagation_not_found")
    problem(shared_api.post(f"/v1/clusterings/{NOWHERE}/propagate", json={}), 404, "clustering_not_found")
    for rest in ("", "/labels", "/review", "/labels.csv"):
        problem(shared_api.get(f"/v1/propagations/{NOWHERE}{rest}"), 404, "propagation_not_found")


def test_an_image_that_came_later(shared_api: TestClient, written: Written) -> None:
    (later,) = written.gallery.add(blobs(1, 1)[0])
    problem(propagate(shared_api, written, names={str(later): "wren"}), 409, "image_not_assigned")


@pytest.mark.parametrize(
    "body",
    [{"names": {"a.jpg": "wren"}}, {"names": {NOWHERE: ""}}, {"names": {NOWHERE: "a\x00b"}}, {"unknown_below": 1.5},
     {"clusters": {"-1": "wren"}}, {"clusters": {"x": "wren"}}, {"colour": 1}, {"seed": -1}],
)  # fmt: skip
def test_what_is_no_request(shared_api: TestClient, written: Written, body: dict[str, Any]) -> None:
    problem(propagate(shared_api, written, **body), 422, "invalid")
