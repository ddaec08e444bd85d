"""Algorithms, clusterings, their clusters, exports and evaluations."""

import csv
import io
import json
from typing import Any

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from tests.app.calls import NOWHERE, new_collection, problem
from tests.app.conftest import Sorted


def test_algorithms_show_their_parameters(shared_api: TestClient) -> None:
    found = {one["name"]: one for one in shared_api.get("/v1/algorithms").json()}
    assert found["kmeans"]["summary"]
    schema = found["kmeans"]["params"]
    assert schema["type"] == "object" and schema["properties"]["restarts"]["type"] == "integer"


def test_asking_for_a_clustering(shared_api: TestClient) -> None:
    collection_id = new_collection(shared_api)
    answer = shared_api.post(f"/v1/collections/{collection_id}/clusterings", json={})
    assert answer.status_code == 202 and answer.headers["Retry-After"]
    assert answer.headers["Location"] == f"/v1/jobs/{answer.json()['id']}"
    job = shared_api.get(answer.headers["Location"]).json()
    assert (job["kind"], job["state"], job["collection_id"]) == ("cluster", "queued", collection_id)
    assert job == answer.json()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"k": 0}, 422, "invalid"),
        ({"k": "many"}, 422, "invalid"),
        ({"k": 2.5}, 422, "invalid"),
        ({"k": True}, 422, "invalid"),
        ({"k": 100_001}, 422, "invalid"),
        ({"seed": -1}, 422, "invalid"),
        ({"seed": 2**31}, 422, "invalid"),
        ({"colour": 1}, 422, "invalid"),
        ({"encoder": ""}, 422, "invalid"),
        ({"encoder": "a\x00b"}, 422, "invalid"),
        ({"encoder": "resnet-9000"}, 404, "encoder_not_found"),
        ({"encoder": NOWHERE}, 404, "encoder_not_found"),
        ({"algorithm": "magic"}, 404, "algorithm_not_found"),
        ({"algorithm": "../kmeans"}, 404, "algorithm_not_found"),
        ({"algorithm": "base"}, 404, "algorithm_not_found"),
        ({"params": {"restarts": 0}}, 422, "params_invalid"),
        ({"params": {"colour": 1}}, 422, "params_invalid"),
        ({"params": {"restarts": 1e400}}, 422, "params_invalid"),
    ],
)
def test_what_is_no_request(shared_api: TestClient, body: dict[str, Any], status: int, code: str) -> None:
    collection_id = new_collection(shared_api)
    path = f"/v1/collections/{collection_id}/clusterings"
    raw = shared_api.post(path, content=json.dumps(body), headers={"Content-Type": "application/json"})
    problem(raw, status, code)
    assert shared_api.get("/v1/jobs", params={"collection": collection_id}).json()["items"] == []


def test_an_encoder_by_id_or_name(shared_api: TestClient) -> None:
    (encoder,) = [e for e in shared_api.get("/v1/encoders").json()["items"] if e["name"] == "efficientnet-lite0"]
    path = f"/v1/collections/{new_collection(shared_api)}/clusterings"
    for wanted in (encoder["id"], encoder["name"]):
        assert shared_api.post(path, json={"encoder": wanted}).status_code == 202


def test_a_clustering_in_full(sorted_gallery: Sorted) -> None:
    shown = sorted_gallery.clustering
    assert set(shown) == {
        "id", "collection_id", "encoder", "algorithm", "k", "k_requested", "params", "seed", "version", "images",
        "outliers", "metrics", "created_at", "job_id", "revision", "event_gap_s", "parent_id", "every_k",
        "sampled",
    }  # fmt: skip
    assert (shown["k"], shown["k_requested"], shown["images"], shown["algorithm"]) == (3, 3, 12, "kmeans")
    assert shown["encoder"]["name"] == "efficientnet-lite0" and len(shown["encoder"]["sha256"]) == 64
    listed = sorted_gallery.client.get(f"/v1/collections/{sorted_gallery.collection_id}/clusterings").json()
    assert listed == {"items": [shown], "next_cursor": None}


@pytest.mark.parametrize(
    "rest",
    ["", "/suggestions", "/clusters", "/clusters/0", "/clusters/0/images", "/assignments", "/evaluations", "/assign"],
)
def test_clusterings_that_are_not_there(shared_api: TestClient, rest: str) -> None:
    method, more = ("POST", {"json": {"labels": {"a": "b"}}}) if rest in ("/evaluations", "/assign") else ("GET", {})
    problem(shared_api.request(method, f"/v1/clusterings/{NOWHERE}{rest}", **more), 404, "clustering_not_found")
    problem(shared_api.request(method, f"/v1/clusterings/..%2fx{rest}", **more), 404, "not_found")
    problem(shared_api.request(method, f"/v1/clusterings/17{rest}", **more), 422, "invalid")


def test_clusters_that_are_not_there(sorted_gallery: Sorted) -> None:
    path = f"/v1/clusterings/{sorted_gallery.clustering['id']}/clusters"
    for n in ("3", str(2**31), str(2**63), "9" * 40):
        for rest in ("", "/images"):
            problem(sorted_gallery.client.get(f"{path}/{n}{rest}"), 404, "cluster_not_found")
    for n in ("-1", "x", "1.5"):
        problem(sorted_gallery.client.get(f"{path}/{n}"), 422, "invalid")


def test_every_export_says_the_same(sorted_gallery: Sorted) -> None:
    path = f"/v1/clusterings/{sorted_gallery.clustering['id']}/assignments"
    answers = {f: sorted_gallery.client.get(path, params={"format": f}) for f in ("csv", "json", "parquet")}
    assert answers["csv"].headers["content-type"] == "text/csv; charset=utf-8"
    for form, answer in answers.items():
        assert answer.headers["content-disposition"].endswith(f'.{form}"')
    rows = [(r["image_id"], r["name"], int(r["cluster_id"])) for r in csv.DictReader(io.StringIO(answers["csv"].text))]
    assert len(rows) == 12
    for objects in (answers["json"].json(), pq.read_table(io.BytesIO(answers["parquet"].content)).to_pylist()):
        assert [(one["image_id"], one["name"], one["cluster_id"]) for one in objects] == rows
    problem(sorted_gallery.client.get(path, params={"format": "xlsx"}), 422, "invalid")


def evaluate(sorted_gallery: Sorted, content: bytes | str, kind: str) -> Any:
    path = f"/v1/clusterings/{sorted_gallery.clustering['id']}/evaluations"
    return sorted_gallery.client.post(path, content=content, headers={"Content-Type": kind})


def test_evaluation_by_name_by_id_and_as_csv(sorted_gallery: Sorted) -> None:
    kinds = {image["name"]: image["name"].split("/")[0] for image in sorted_gallery.images}
    by_id = {image["id"]: kinds[image["name"]] for image in sorted_gallery.images}
    lines = "\r\n".join(f"{name},{kind}" for name, kind in kinds.items())
    answers = [
        evaluate(sorted_gallery, json.dumps({"labels": kinds | {"unknown.jpg": "x"}}), "application/json"),
        evaluate(sorted_gallery, json.dumps({"labels": by_id}), "application/json"),
        evaluate(sorted_gallery, lines, "text/csv"),
        evaluate(sorted_gallery, "\ufeffName,Label\n" + lines + "\n\n", "text/csv; charset=utf-8"),
    ]
    for answer in answers:
        assert answer.status_code == 200 and answer.json() == answers[0].json()
    found = answers[0].json()
    assert (found["n"], found["k"]) == (12, 3) and found["accuracy"] == found["purity"] == 1.0
    wrong = evaluate(sorted_gallery, json.dumps({"labels": dict.fromkeys(kinds, "one")}), "application/json").json()
    assert wrong["accuracy"] == pytest.approx(1 / 3) and wrong["nmi"] == 0.0


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        ("{", "application/json", 422, "labels_invalid"),
        ("[]", "application/json", 422, "labels_invalid"),
        ('{"labels": {}}', "application/json", 422, "labels_invalid"),
        ('{"labels": {"a": 1}}', "application/json", 422, "labels_invalid"),
        ('{"labels": {"\\ud800": "a"}}', "application/json", 422, "labels_unknown"),
        ("[" * 100_000, "application/json", 422, "labels_invalid"),
        (b"\xff\xfe", "application/json", 422, "labels_invalid"),
        ('{"labels": {"nobody.jpg": "a"}}', "application/json", 422, "labels_unknown"),
        ("", "text/csv", 422, "labels_unknown"),
        ("name,label\n", "text/csv", 422, "labels_unknown"),
        ("a,b,c", "text/csv", 422, "labels_invalid"),
        ("a", "text/csv", 422, "labels_invalid"),
        (b"\xff\xfe,b", "text/csv", 422, "labels_invalid"),
        ('"' + "x" * 200_000 + '",b', "text/csv", 422, "labels_invalid"),
        ("a,b", "text/plain", 415, "content_type_unsupported"),
        ("a,b", "", 415, "content_type_unsupported"),
    ],
)
def test_what_are_no_labels(sorted_gallery: Sorted, content: bytes | str, kind: str, status: int, code: str) -> None:
    problem(evaluate(sorted_gallery, content, kind), status, code)
