"""The main job by real processes over HTTP, in the embedded and in the server setting."""

import csv
import hashlib
import io
import json
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from tests.fixtures.pictures import KINDS, distinct, gallery, jpeg, zipped
from tests.fixtures.services import EMBEDDED_ONLY, Service
from tests.fixtures.watching import wait_for


def collection(service: Service, name: str = "gallery") -> str:
    answer = service.client.post("/v1/collections", json={"name": name})
    assert answer.status_code == 201
    return str(answer.json()["id"])


def upload_archive(service: Service, collection_id: str, files: dict[str, bytes]) -> dict[str, Any]:
    answer = service.client.post(
        f"/v1/collections/{collection_id}/images",
        content=zipped(files),
        headers={"Content-Type": "application/zip"},
    )
    assert answer.status_code == 202 and answer.headers["Location"] == f"/v1/jobs/{answer.json()['job_id']}"
    return service.job(answer.json()["job_id"])


def cluster(service: Service, collection_id: str, **body: Any) -> dict[str, Any]:
    answer = service.client.post(f"/v1/collections/{collection_id}/clusterings", json={"k": 3, **body})
    assert answer.status_code == 202, answer.text
    job = service.job(answer.json()["id"])
    assert job["state"] == "succeeded", job
    clustering: dict[str, Any] = service.client.get(f"/v1/clusterings/{job['result']['clustering_id']}").json()
    return clustering


def test_from_upload_to_neighbours(service: Service) -> None:
    files = gallery(8)
    broken = jpeg("red", 99)[:900]
    collection_id = collection(service)

    job = upload_archive(service, collection_id, files | {"red/broken.jpg": broken, "notes.txt": b"no picture"})
    assert job["result"] == {"created": 24, "duplicates": 0, "rejected": 2}
    report = [json.loads(line) for line in service.client.get(f"/v1/jobs/{job['id']}/report").text.splitlines()]
    assert {line["name"]: line.get("code") for line in report if line["status"] == "rejected"} == {
        "red/broken.jpg": "image_corrupt",
        "notes.txt": "image_type_unsupported",
    }
    counts = service.client.get(f"/v1/collections/{collection_id}").json()["images"]
    assert counts == {"pending": 0, "ready": 24, "rejected": 1}, "the refused file was never an image"

    images = service.pages(f"/v1/collections/{collection_id}/images", status="ready")
    for image in images:
        original = service.client.get(f"/v1/images/{image['id']}/file").content
        assert hashlib.sha256(original).hexdigest() == image["sha256"] and original == files[image["name"]]

    clustering = cluster(service, collection_id)
    assert (clustering["images"], clustering["k"], clustering["k_requested"]) == (24, 3, 3)
    _check_clusters(service, clustering, images)
    _check_exports(service, clustering["id"])
    _check_evaluation(service, clustering["id"], images)
    _check_search(service, collection_id, images)


def _check_clusters(service: Service, clustering: dict[str, Any], images: list[dict[str, Any]]) -> None:
    clusters = service.pages(f"/v1/clusterings/{clustering['id']}/clusters")
    assert [one["size"] for one in clusters] == [8, 8, 8]
    names = {image["id"]: image["name"] for image in images}
    for one in clusters:
        path = f"/v1/clusterings/{clustering['id']}/clusters/{one['id']}"
        assert service.client.get(path).json() == one
        members = service.pages(f"{path}/images")
        assert [m["distance"] for m in members] == sorted(m["distance"] for m in members)
        assert len({m["name"].split("/")[0] for m in members}) == 1, "three kinds as different as these come apart"
        assert one["representatives"][0] == members[0]["image_id"]
        assert all(names[member["image_id"]] == member["name"] for member in members)
        filtered = service.pages(
            f"/v1/collections/{clustering['collection_id']}/images", cluster=f"{clustering['id']}:{one['id']}"
        )
        assert {image["id"] for image in filtered} == {member["image_id"] for member in members}


def _check_exports(service: Service, clustering_id: str) -> None:
    def export(kind: str) -> httpx.Response:
        return service.client.get(f"/v1/clusterings/{clustering_id}/assignments", params={"format": kind})

    as_csv = list(csv.DictReader(io.StringIO(export("csv").text)))
    as_json = export("json").json()
    as_parquet = pq.read_table(io.BytesIO(export("parquet").content)).to_pylist()
    assert len(as_csv) == 24 and list(as_csv[0]) == ["image_id", "name", "cluster_id", "label", "distance"]
    assert as_json == as_parquet
    assert [row["image_id"] for row in as_csv] == [row["image_id"] for row in as_json]


def _check_evaluation(service: Service, clustering_id: str, images: list[dict[str, Any]]) -> None:
    path = f"/v1/clusterings/{clustering_id}/evaluations"
    by_name = {image["name"]: image["name"].split("/")[0] for image in images}
    scores = service.client.post(path, json={"labels": by_name}).json()
    assert (scores["n"], scores["k"], scores["nmi"], scores["accuracy"]) == (24, 3, 1.0, 1.0)
    table = "name,label\n" + "".join(f"{image['id']},{image['name'].split('/')[0]}\n" for image in images)
    assert service.client.post(path, content=table, headers={"Content-Type": "text/csv"}).json() == scores


def _check_search(service: Service, collection_id: str, images: list[dict[str, Any]]) -> None:
    path = f"/v1/collections/{collection_id}/search"
    query = images[0]
    kind = query["name"].split("/")[0]
    by_id = service.client.post(path, params={"k": 7}, json={"image_id": query["id"]}).json()
    assert len(by_id["hits"]) == 7 and query["id"] not in {hit["image_id"] for hit in by_id["hits"]}
    assert {hit["name"].split("/")[0] for hit in by_id["hits"]} == {kind}
    picture = service.client.get(f"/v1/images/{query['id']}/file").content
    by_picture = service.client.post(path, params={"k": 8}, files={"file": ("query.jpg", picture)}).json()
    assert by_picture["hits"][0]["image_id"] == query["id"] and by_picture["hits"][0]["score"] > 0.999
    again = [hit["image_id"] for hit in by_picture["hits"][1:]]
    assert again == [hit["image_id"] for hit in by_id["hits"]]


@pytest.mark.parametrize("service", ["embedded", pytest.param("server", marks=pytest.mark.slow)], indirect=True)
def test_later_images_are_embedded_alone_and_join(service: Service) -> None:
    collection_id = collection(service)
    upload_archive(service, collection_id, gallery(6))
    clustering = cluster(service, collection_id)
    before = service.client.get(f"/v1/clusterings/{clustering['id']}/assignments", params={"format": "json"}).json()
    home = {row["name"].split("/")[0]: row["cluster_id"] for row in before}

    late = {f"{kind}/late{n}.jpg": jpeg(kind, 50 + n) for kind in KINDS for n in range(2)}
    files = [("files", (name, data)) for name, data in late.items()]
    answer = service.client.post(f"/v1/collections/{collection_id}/images", files=files).json()
    assert (answer["created"], answer["duplicates"], answer["rejected"]) == (6, 0, 0)
    answer = service.client.post(f"/v1/clusterings/{clustering['id']}/assign")
    assert answer.status_code == 202
    job = service.job(answer.json()["id"])
    assert job["result"] == {"clustering_id": clustering["id"], "assigned": 6}

    after = service.client.get(f"/v1/clusterings/{clustering['id']}/assignments", params={"format": "json"}).json()
    assert {row["image_id"]: row["cluster_id"] for row in before}.items() <= {
        row["image_id"]: row["cluster_id"] for row in after
    }.items(), "nothing that was assigned moves"
    joined = [row for row in after if "late" in row["name"]]
    assert len(joined) == 6 and all(row["cluster_id"] == home[row["name"].split("/")[0]] for row in joined)
    changed = service.client.get(f"/v1/clusterings/{clustering['id']}").json()
    assert (changed["images"], changed["revision"]) == (24, clustering["revision"] + 1)
    found = service.client.post(
        f"/v1/collections/{collection_id}/search", json={"image_id": joined[0]["image_id"]}, params={"k": 23}
    ).json()
    assert len(found["hits"]) == 23, "the new images are in the index"


@EMBEDDED_ONLY
def test_the_same_seed_gives_the_same_clusters(service: Service) -> None:
    collection_id = collection(service)
    upload_archive(service, collection_id, gallery(5))

    def assignments(seed: int) -> list[tuple[str, int, float]]:
        made = cluster(service, collection_id, k=4, seed=seed)
        rows = service.client.get(f"/v1/clusterings/{made['id']}/assignments", params={"format": "json"}).json()
        return sorted((row["image_id"], row["cluster_id"], row["distance"]) for row in rows)

    assert assignments(3) == assignments(3)


def test_events_tell_the_whole_job_and_resume(service: Service) -> None:
    collection_id = collection(service)
    upload_archive(service, collection_id, gallery(4))
    job_id = service.client.post(f"/v1/collections/{collection_id}/clusterings", json={"k": 3}).json()["id"]
    events = _events(service, job_id)
    assert events[-1]["event"] == "state" and json.loads(events[-1]["data"])["state"] == "succeeded"
    ids = [int(event["id"]) for event in events]
    assert ids == sorted(set(ids))
    assert _events(service, job_id, after=ids[-1]) == [], "nothing new after the last"
    resumed = _events(service, job_id, after=ids[0])
    assert resumed and all(int(event["id"]) > ids[0] for event in resumed)


def _events(service: Service, job_id: str, after: int | None = None) -> list[dict[str, str]]:
    headers = {"Last-Event-ID": str(after)} if after else {}
    events: list[dict[str, str]] = []
    with service.client.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers, timeout=90) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        current: dict[str, str] = {}
        for line in answer.iter_lines():
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                current[name] = value
            elif current:
                events.append(current)
                current = {}
    return events


def test_a_stopped_service_hands_back_and_goes_on(make_service: Any) -> None:
    service: Service = make_service("embedded")
    collection_id = collection(service)
    files = distinct(150, size=(640, 480))
    answer = service.client.post(
        f"/v1/collections/{collection_id}/images", content=zipped(files), headers={"Content-Type": "application/zip"}
    )
    job_id = answer.json()["job_id"]
    wait_for(lambda: service.client.get(f"/v1/jobs/{job_id}").json()["stage"])
    assert service.stop() == [0]
    service.start()
    job = service.job(job_id)
    assert job["result"] == {"created": 150, "duplicates": 0, "rejected": 0}


def test_cancelling_a_running_job(service: Service) -> None:
    collection_id = collection(service)
    files = distinct(80, size=(1600, 1200))
    answer = service.client.post(
        f"/v1/collections/{collection_id}/images", content=zipped(files), headers={"Content-Type": "application/zip"}
    )
    job_id = answer.json()["job_id"]
    wait_for(lambda: service.client.get(f"/v1/jobs/{job_id}").json()["state"] != "queued")
    assert service.client.post(f"/v1/jobs/{job_id}/cancel").status_code == 202
    assert service.job(job_id, seconds=30)["state"] == "cancelled"
    again = upload_archive(service, collection_id, files)["result"]
    assert again["created"] + again["duplicates"] == 80 and again["rejected"] == 0
    counts = service.client.get(f"/v1/collections/{collection_id}").json()["images"]
    assert counts == {"pending": 0, "ready": 80, "rejected": 0}, "what the cancelled job left is taken up"
