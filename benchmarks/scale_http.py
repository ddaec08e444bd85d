"""Search over HTTP in a collection of a million images, of which there are only rows and vectors.

OMP_NUM_THREADS=1 python -m benchmarks.scale_http 1000000
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import numpy as np
from sqlalchemy import insert, select

from app.db.migrate import migrate
from app.db.session import now
from app.db.tables import Collection, EmbeddingSet, Encoder, Image, SearchIndex
from app.embeddings.service import indexes
from app.encoders import repository as encoders
from app.ids import new_id
from app.resources import Resources
from app.settings import Settings
from benchmarks.scale_index import DIM, Mixture
from models import registry
from models.index import kind_for
from tests.fixtures.servers import free_port

ASKED = 1000
BATCH = 20_000


def fill(data: Path, count: int) -> UUID:
    """A collection of `count` images, each ten seconds after the one before, and its index; the collection's id."""
    resources = Resources.open(Settings(data=data))
    migrate(resources.database)
    with resources.database.transaction() as session:
        encoders.register(session)
        encoder = session.scalars(select(Encoder).where(Encoder.name == "efficientnet-lite0")).one()
        moment = now(session)
        session.add(collection := Collection(name="large", created_at=moment, updated_at=moment))
        session.flush()
        kept = EmbeddingSet(
            collection_id=collection.id, encoder_id=encoder.id, sha256="0" * 64, dim=DIM, created_at=moment
        )
        session.add(kept)
    folder = data / "tmp" / "index"
    registry.load("index", kind_for(count)).build(Mixture().blocks(count), folder)
    with resources.database.transaction() as session:
        row = SearchIndex(set_id=kept.id, kind=kind_for(count), count=count, newest_shard=new_id(), created_at=moment)
        row.id = new_id()
        row.key = f"{indexes(kept)}/{row.id}"
        resources.storage.put([(folder, row.key)])
        session.add(row)
        for start in range(0, count, BATCH):
            images = [_image(collection.id, n, moment) for n in range(start, min(start + BATCH, count))]
            session.execute(insert(Image), images)
    resources.close()
    return collection.id


def _image(collection_id: UUID, number: int, moment: Any) -> dict[str, Any]:
    return {
        "id": UUID(int=number), "collection_id": collection_id, "name": f"card{number % 50:02}/{number}.jpg",
        "sha256": f"{number:064x}", "bytes": 1, "format": "jpeg", "status": "ready", "created_at": moment,
        "camera": f"Trap {number % 200}",
    }  # fmt: skip


def ask(http: httpx.Client, path: str, count: int, asked: int, **filters: str) -> str:
    """Median and 99th percentile of searches by an image, in milliseconds, after a first one."""
    rows = np.random.default_rng(0).integers(0, count, asked)
    times = []
    for row in [rows[0], *rows]:
        started = time.perf_counter()
        answer = http.post(path, json={"image_id": str(UUID(int=int(row)))}, params=filters).raise_for_status()
        times.append(1000 * (time.perf_counter() - started))
        assert len(answer.json()["hits"]) == 10
    median, slow = np.percentile(times[1:], [50, 99])
    return f"{median:.1f} | {slow:.1f}"


def main(count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="roost-http-") as folder:
        started = time.perf_counter()
        collection = fill(Path(folder), count)
        print(f"filled in {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
        port = free_port()
        command = [sys.executable, "-m", "app.cli", "serve", "--data", folder, "--port", str(port)]
        process = subprocess.Popen(command, env=os.environ | {"ROOST_LOG_LEVEL": "error"})
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
                _await(http)
                path = f"/v1/collections/{collection}/search"
                print(f"| {count:,} images, over HTTP | median ms | p99 ms |\n| --- | --- | --- |")
                print(f"| by an image | {ask(http, path, count, ASKED)} |", flush=True)
                print(f"| among a fiftieth, by name | {ask(http, path, count, 20, name='card07/')} |", flush=True)
                print(f"| among a two-hundredth, by camera | {ask(http, path, count, 20, camera='Trap 7')} |")
        finally:
            process.terminate()
            process.wait(60)


def _await(http: httpx.Client) -> None:
    for _ in range(300):
        try:
            if http.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise RuntimeError("the service did not start")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
