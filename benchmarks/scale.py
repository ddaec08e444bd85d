"""A whole service at two sizes: time an image, resident memory, search latency over HTTP.

python -m benchmarks.scale 2000 20000
"""

import io
import os
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np
import psutil
from PIL import Image

from app.demo.client import Client
from tests.fixtures.servers import free_port


def draw(path: Path, count: int) -> None:
    """A zip of small JPEGs (160 x 120), each its own mixture of waves."""
    y, x = np.mgrid[:120, :160].astype(np.float32)
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(count):
            rng = np.random.default_rng(number)
            waves = sum(
                rng.uniform(20, 60, 3) * np.sin(x * fx + y * fy + rng.uniform(0, 6))[..., None]
                for fx, fy in rng.uniform(-0.6, 0.6, (3, 2))
            )
            buffer = io.BytesIO()
            pixels = (rng.uniform(60, 200, 3) + waves).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(buffer, "JPEG", quality=88)
            archive.writestr(f"{number:06}.jpg", buffer.getvalue())


class Memory(threading.Thread):
    """The largest resident memory of a process and all its descendants, and of itself alone, in MB."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.root = psutil.Process(pid)
        self.all = self.own = 0.0
        self.running = True

    def run(self) -> None:
        while self.running:
            own = self.root.memory_info().rss
            total = own + sum(_rss(child) for child in self.root.children(recursive=True))
            self.own, self.all = max(self.own, own / 2**20), max(self.all, total / 2**20)
            time.sleep(0.2)


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def run(count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="roost-scale-") as folder:
        archive = Path(folder, "gallery.zip")
        draw(archive, count)
        port = free_port()
        command = [sys.executable, "-m", "app.cli", "serve", "--data", f"{folder}/data", "--port", str(port)]
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"ROOST_LOG_LEVEL": "warning"})
        memory = Memory(process.pid)
        memory.start()
        try:
            client = Client(f"http://127.0.0.1:{port}")
            client.ready(lambda: process.poll() is None)
            return _measured(client, archive, count, memory)
        finally:
            memory.running = False
            process.terminate()
            process.wait(30)


def _measured(client: Client, archive: Path, count: int, memory: Memory) -> dict[str, Any]:
    collection = client.post("/v1/collections", json={"name": "scale"})["id"]
    started = time.perf_counter()
    job = client.upload(collection, archive, lambda sent: None)["job_id"]
    result = client.follow(job, lambda job: None)["result"]
    assert result["created"] == count, result
    read = time.perf_counter()
    stages: dict[str, float] = {}
    job = client.post(f"/v1/collections/{collection}/clusterings", json={"k": 20})["id"]
    client.follow(job, lambda job: stages.setdefault(job["stage"] or "start", time.perf_counter()))
    ended = time.perf_counter()
    print({name: round(at - read, 1) for name, at in stages.items()}, file=sys.stderr)
    found = {
        "images": count,
        "ms an image": 1000 * (ended - started) / count,
        "unpack and decode": 1000 * (read - started) / count,
        "embed": 1000 * (stages.get("cluster", ended) - read) / count,
        "cluster and index": 1000 * (ended - stages.get("cluster", ended)) / count,
        "MB, whole service": memory.all,
        "MB, serving process": memory.own,
    }
    return found | _latencies(client, collection)


def _latencies(client: Client, collection: str) -> dict[str, float]:
    images = client.get(f"/v1/collections/{collection}/images", limit=500)["items"]
    path = f"/v1/collections/{collection}/search"
    by_id = [_timed(client.http, path, json={"image_id": images[n % len(images)]["id"]}) for n in range(1000)]
    pictures = [client.http.get(f"/v1/images/{one['id']}/file").content for one in images[:100]]
    by_picture = [_timed(client.http, path, files={"file": ("query.jpg", data)}) for data in pictures]
    return {
        "search by id, median ms": median(by_id),
        "search by id, p99 ms": sorted(by_id)[int(0.99 * len(by_id))],
        "search by picture, first ms": by_picture[0],
        "search by picture, median ms": median(by_picture[1:]),
        "search by picture, worst ms": max(by_picture[1:]),
    }


def _timed(http: httpx.Client, path: str, **body: Any) -> float:
    started = time.perf_counter()
    http.post(path, **body).raise_for_status()
    return 1000 * (time.perf_counter() - started)


def main() -> None:
    results = [run(int(size)) for size in sys.argv[1:] or ("2000", "20000")]
    for name in results[0]:
        print(f"| {name} | " + " | ".join(f"{result[name]:.1f}" for result in results) + " |")


if __name__ == "__main__":
    main()
