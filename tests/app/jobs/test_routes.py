"""/v1/jobs: listing, following, cancelling."""

import json

import pytest
from fastapi.testclient import TestClient

from tests.app.calls import NOWHERE, new_collection, problem, upload
from tests.fixtures.pictures import jpeg
from tests.fixtures.services import Service


def clustering_job(api: TestClient, collection_id: str) -> str:
    return str(api.post(f"/v1/collections/{collection_id}/clusterings", json={"k": 2}).json()["id"])


def test_a_job_in_full(shared_api: TestClient) -> None:
    job = shared_api.get(f"/v1/jobs/{clustering_job(shared_api, new_collection(shared_api))}").json()
    assert set(job) == {
        "id", "kind", "collection_id", "state", "stage", "progress", "eta_s", "attempt", "result", "error",
        "created_at", "started_at", "finished_at",
    }  # fmt: skip
    assert (job["kind"], job["state"], job["attempt"], job["result"]) == ("cluster", "queued", 0, None)


def test_filters(either_api: TestClient) -> None:
    here, there = new_collection(either_api), new_collection(either_api)
    first, second = clustering_job(either_api, here), clustering_job(either_api, there)
    either_api.post(f"/v1/jobs/{first}/cancel")

    def listed(**params: str) -> list[str]:
        return [job["id"] for job in either_api.get("/v1/jobs", params=params).json()["items"]]

    assert listed() == [second, first], "newest first"
    assert listed(state="queued") == [second] and listed(state="cancelled") == [first] and listed(state="dead") == []
    assert listed(collection=here) == [first] and listed(collection=here, state="queued") == []
    assert listed(collection=NOWHERE) == []
    problem(either_api.get("/v1/jobs", params={"state": "lost"}), 422, "invalid")
    problem(either_api.get("/v1/jobs", params={"collection": "x"}), 422, "invalid")


def test_cancelling_and_doing_it_again(shared_api: TestClient) -> None:
    path = f"/v1/jobs/{clustering_job(shared_api, new_collection(shared_api))}"
    for _ in range(2):
        answer = shared_api.post(f"{path}/cancel")
        assert answer.status_code == 202 and answer.headers["Location"] == path and answer.headers["Retry-After"]
        assert answer.json()["state"] == "cancelled"
    assert shared_api.get(path).json()["finished_at"]


@pytest.mark.parametrize("rest", ["", "/events", "/report", "/training", "/cancel"])
def test_jobs_that_are_not_there(shared_api: TestClient, rest: str) -> None:
    method = "POST" if rest == "/cancel" else "GET"
    problem(shared_api.request(method, f"/v1/jobs/{NOWHERE}{rest}"), 404, "job_not_found")
    problem(shared_api.request(method, f"/v1/jobs/17{rest}"), 422, "invalid")
    problem(shared_api.request(method, f"/v1/jobs/..%2f..%2fx{rest}"), 404, "not_found")


def events(api: TestClient, job_id: str, **headers: str) -> list[dict[str, str]]:
    answer = api.get(f"/v1/jobs/{job_id}/events", headers=headers)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/event-stream")
    blocks = [block for block in answer.text.replace("\r\n", "\n").split("\n\n") if "data:" in block]
    return [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]


def test_following_a_job_that_is_over(api: TestClient) -> None:
    job_id = clustering_job(api, new_collection(api))
    api.post(f"/v1/jobs/{job_id}/cancel")
    (event,) = events(api, job_id)
    assert event["event"] == "state" and json.loads(event["data"])["state"] == "cancelled"
    assert events(api, job_id, **{"Last-Event-ID": event["id"]}) == [], "nothing that was not told before"
    for wrong in ("x", "-1", "9" * 30):
        problem(api.get(f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": wrong}), 422, "invalid")


def test_following_a_job_to_its_end(running: Service) -> None:
    files = [(f"{n}.jpg", jpeg("red", n, (32, 24))) for n in range(3)]
    job_id = upload(running.client, new_collection(running.client), files).json()["job_id"]
    states, ids = [], []
    with running.client.stream("GET", f"/v1/jobs/{job_id}/events") as answer:
        for line in answer.iter_lines():
            if line.startswith("id: "):
                ids.append(int(line[4:]))
            if line.startswith("data: "):
                states.append(json.loads(line[6:])["state"])
    assert states[-1] == "succeeded" and ids == sorted(set(ids))
