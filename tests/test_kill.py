"""SIGKILL of the serving process at any moment: every job finishes after the restart, no image is lost or doubled."""

import hashlib
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.fixtures.pictures import KINDS, jpeg, zipped
from tests.fixtures.services import FINAL, Service
from tests.test_main_job import collection

SEED = int(os.environ.get("ROOST_TEST_SEED", "0"))
STAGES = ("unpack", "ingest", "embed", "cluster", "index")


def drawn(count: int) -> dict[str, bytes]:
    kinds = list(KINDS)
    return {f"{kinds[n % 3]}/{n:04}.jpg": jpeg(kinds[n % 3], n, (320, 240)) for n in range(count)}


class Killer:
    """Runs jobs to their end while it kills the service, each time in the stage it has killed least in."""

    def __init__(self, service: Service, kills: int) -> None:
        self.service, self.left = service, kills
        self.rng = random.Random(SEED)
        self.killed: Counter[str] = Counter()

    def to_the_end(self, job_id: str) -> dict[str, Any]:
        while True:
            job: dict[str, Any] = self.service.client.get(f"/v1/jobs/{job_id}").json()
            if job["state"] in FINAL:
                return job
            if self.left and job["state"] == "running" and self._wanted(job["stage"]):
                time.sleep(self.rng.random() * 0.4)
                self._kill(job["stage"])
            time.sleep(0.01)

    def _wanted(self, stage: str | None) -> bool:
        """Stages are met in order, so each gets its share of the kills before the next."""
        if stage is None:
            return self.rng.random() < 0.02  # now and then before a job's process has begun anything
        share = -(-(self.left + sum(self.killed.values())) // len(STAGES))
        return self.killed[stage] < share

    def _kill(self, stage: str | None) -> None:
        self.service.kill()
        self.killed[stage or "start"] += 1
        self.left -= 1
        self.service.start()


def run_with_kills(service: Service, pictures: int, kills: int) -> Counter[str]:
    """Upload, cluster (again while kills are left), and compare everything with what was sent."""
    files = drawn(pictures)
    collection_id = collection(service)
    killer = Killer(service, kills)
    answer = service.client.post(
        f"/v1/collections/{collection_id}/images", content=zipped(files), headers={"Content-Type": "application/zip"}
    )
    job = killer.to_the_end(answer.json()["job_id"])
    assert job["result"] == {"created": pictures, "duplicates": 0, "rejected": 0}, job
    seed = 0
    while seed == 0 or killer.left:
        body = {"k": 3, "seed": seed, "params": {"restarts": 100}}
        job_id = service.client.post(f"/v1/collections/{collection_id}/clusterings", json=body).json()["id"]
        job = killer.to_the_end(job_id)
        assert job["state"] == "succeeded", job
        _whole(service, collection_id, job["result"]["clustering_id"], files)
        seed += 1
        if seed > 4 * kills:
            pytest.fail(f"the kills found no moment: {killer.killed}")
        if killer.left:  # something to embed and index in the next round
            late = {f"late/{seed}-{n}.jpg": jpeg("blue", 10_000 + 100 * seed + n) for n in range(6)}
            parts = [("files", (name, data)) for name, data in late.items()]
            uploaded = service.client.post(f"/v1/collections/{collection_id}/images", files=parts).json()
            assert uploaded["created"] == 6
            files |= late
            killer.to_the_end(uploaded["job_id"])
    return killer.killed


def _whole(service: Service, collection_id: str, clustering_id: str, files: dict[str, bytes]) -> None:
    images = service.pages(f"/v1/collections/{collection_id}/images", status="ready")
    assert sorted(image["name"] for image in images) == sorted(files), "none lost, none doubled"
    for image in images[:: max(1, len(images) // 50)]:
        data = service.client.get(f"/v1/images/{image['id']}/file").content
        assert hashlib.sha256(data).hexdigest() == image["sha256"] == hashlib.sha256(files[image["name"]]).hexdigest()
    clusterings = service.pages(f"/v1/collections/{collection_id}/clusterings")
    assert len({one["job_id"] for one in clusterings}) == len(clusterings), "a job made one clustering"
    rows = service.client.get(f"/v1/clusterings/{clustering_id}/assignments", params={"format": "json"}).json()
    assert sorted(row["image_id"] for row in rows) == sorted(image["id"] for image in images)
    hits = service.client.post(
        f"/v1/collections/{collection_id}/search", params={"k": 500}, json={"image_id": images[0]["id"]}
    ).json()["hits"]
    assert len({hit["image_id"] for hit in hits}) == len(hits) == min(500, len(images) - 1)
    stored = sum(1 for path in (service.data / "blobs").rglob("originals/*/*") if path.is_file())
    assert stored == len(images), "every original once on disk"


@pytest.mark.slow
def test_twenty_kills(make_service: Callable[[str], Service]) -> None:
    killed = run_with_kills(make_service("embedded"), pictures=900, kills=20)
    print(f"killed in {dict(killed)}, seed {SEED}")
    assert sum(killed.values()) == 20
    assert set(STAGES) <= set(killed), f"some stage was never hit: {killed}"
