"""The job finetune by real processes over HTTP: from an upload to an encoder like any other."""

import html
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.pictures import KINDS, gallery
from tests.fixtures.services import Service
from tests.models.ssl.ranks import running
from tests.test_main_job import cluster, collection, upload_archive

QUICK = {"epochs": 2, "batch_size": 8, "cached_views": 2}


def ask(service: Service, collection_id: str, **body: Any) -> str:
    answer = service.client.post(
        f"/v1/collections/{collection_id}/encoders", json={"method": "simclr", "params": QUICK, **body}
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def encoder_of(service: Service, job_id: str) -> dict[str, Any]:
    job = service.job(job_id, seconds=300)
    assert job["state"] == "succeeded", job
    found: dict[str, Any] = service.client.get(f"/v1/encoders/{job['result']['encoder_id']}").json()
    return found


def followed(service: Service, job_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.client.get(f"/v1/jobs/{job_id}/training").json()["epochs"]
    return found


def untrained(service: Service) -> str:
    """The id of an encoder that was not trained here."""
    items = service.client.get("/v1/encoders").json()["items"]
    return str(next(item["id"] for item in items if item["origin"] == "builtin"))


@pytest.mark.parametrize("service", ["embedded", pytest.param("server", marks=pytest.mark.slow)], indirect=True)
def test_a_tuned_encoder_is_one_like_any_other(service: Service) -> None:
    files = gallery(12)
    collection_id = collection(service)
    upload_archive(service, collection_id, files)
    labels = {name: name.split("/")[0] for name in files}
    encoder = encoder_of(service, ask(service, collection_id, name="mine", labels=labels))
    assert encoder["origin"] == "finetuned" and encoder["base"] == "efficientnet-lite0" and encoder["available"]
    assert isinstance(encoder["recommended"], bool) and encoder["verdict"].endswith(".")
    assert {"retrieval", "knn", "nmi", "linear_1", "linear_100", "frozen"} <= encoder["metrics"].keys()

    training = service.client.get(f"/v1/encoders/{encoder['id']}/training").json()
    assert [one["epoch"] for one in training["epochs"]] == [0, 1, 2] and training["ended"] == "epochs"
    assert {"loss", "lr", "spread", "rankme", "retrieval", "nmi_prev", "knn", "seconds"} <= training["epochs"][2].keys()

    (job,) = [one for one in service.pages("/v1/jobs", collection=collection_id) if one["kind"] == "finetune"]
    curves = service.client.get(f"/v1/jobs/{job['id']}/training").json()
    assert curves["epochs"] == training["epochs"] and curves["encoder_id"] == encoder["id"]
    assert (curves["state"], curves["planned"], curves["method"]) == ("succeeded", 2, "simclr")

    page = service.client.get(f"/v1/encoders/{encoder['id']}/training.html")
    assert page.headers["content-type"].startswith("text/html")
    assert encoder["verdict"] in html.unescape(re.sub("<[^>]+>", "", page.text))
    assert service.client.get(f"/v1/encoders/{untrained(service)}/training.html").json()["code"] == "training_not_found"

    compared = service.client.get(f"/v1/collections/{collection_id}/encoders/compare").json()
    assert [item["encoder"]["name"] for item in compared["items"]] == ["efficientnet-lite0", "mine"]
    assert all(item["current"] for item in compared["items"]) and compared["held_out"]["images"] == 8

    clustering = cluster(service, collection_id, encoder="mine", k=len(KINDS))
    assert clustering["encoder"] == {"id": encoder["id"], "name": "mine", "sha256": encoder["sha256"]}
    image = service.pages(f"/v1/collections/{collection_id}/images")[0]
    found = service.client.post(
        f"/v1/collections/{collection_id}/search?encoder=mine", json={"image_id": image["id"]}
    ).json()
    assert len(found["hits"]) == 10


@pytest.mark.slow
@pytest.mark.timeout(600)  # two whole trainings and two starts of the service: 75 s on two free cores
def test_a_killed_training_goes_on_and_gives_the_same_encoder(make_service: Callable[[str], Service]) -> None:
    service = make_service("embedded")
    collection_id = collection(service)
    upload_archive(service, collection_id, gallery(12))
    whole = encoder_of(service, ask(service, collection_id))
    job_id = ask(service, collection_id)
    states = service.data / "blobs" / "collections" / collection_id / "checkpoints" / job_id / "states"
    deadline = time.monotonic() + 120
    while not list(states.glob("*.pt")):
        assert time.monotonic() < deadline, service.log()
        time.sleep(0.02)
    assert followed(service, job_id)[0]["epoch"] == 0, "shown while it runs"
    service.kill()
    service.start()
    again = encoder_of(service, job_id)
    assert service.client.get(f"/v1/jobs/{job_id}").json()["attempt"] == 2
    assert again["name"] == "simclr-2" and again["sha256"] == whole["sha256"]
    assert not states.parent.exists(), "checkpoints are of no more use"
    assert [one["epoch"] for one in followed(service, job_id)] == [0, 1, 2]


@pytest.mark.slow
def test_a_training_is_cancelled_within_a_step(make_service: Callable[[str], Service]) -> None:
    service = make_service("embedded")
    collection_id = collection(service)
    upload_archive(service, collection_id, gallery(12))
    job_id = ask(service, collection_id, params=QUICK | {"epochs": 5000, "max_minutes": None})
    deadline = time.monotonic() + 120
    while (job := service.client.get(f"/v1/jobs/{job_id}").json())["stage"] != "train" or not followed(service, job_id):
        assert time.monotonic() < deadline and job["state"] in ("queued", "running"), job
        time.sleep(0.05)
    assert job["progress"]["unit"] == "steps"
    service.client.post(f"/v1/jobs/{job_id}/cancel")
    assert service.job(job_id)["state"] == "cancelled"
    assert followed(service, job_id)[0]["epoch"] == 0, "what it had measured stays"
    assert service.client.get("/v1/encoders").json()["items"][-1]["origin"] != "finetuned"


@pytest.mark.slow
def test_a_training_in_two_processes_outlives_one_of_them(make_service: Callable[[str], Service]) -> None:
    service = make_service("embedded")
    service.stop()
    service.environment["ROOST_TRAIN_PROCESSES"] = "2"
    service.start()
    collection_id = collection(service)
    upload_archive(service, collection_id, gallery(12))
    job_id = ask(service, collection_id, params=QUICK | {"epochs": 6})
    ranks = service.data.resolve() / "tmp" / f"{job_id}-1" / "maps" / "ranks"
    states = service.data / "blobs" / "collections" / collection_id / "checkpoints" / job_id / "states"
    deadline = time.monotonic() + 240
    while not list(states.glob("*.pt")):
        assert time.monotonic() < deadline, service.log()
        time.sleep(0.02)
    os.kill(max(running(ranks)), signal.SIGKILL)
    encoder_of(service, job_id)
    assert service.client.get(f"/v1/jobs/{job_id}").json()["attempt"] == 2
    assert [one["epoch"] for one in followed(service, job_id)] == [0, 1, 2, 3, 4, 5, 6]
    assert "SIGKILL" in Path(f"{service.data}.log").read_text() and not running(ranks)
