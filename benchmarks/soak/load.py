"""Fifty people at one service while an encoder trains on the same cores: how soon a search answers, does memory grow.

    python -m benchmarks.page fill --images 20000 --data DIR                   the collection, once
    python -m benchmarks.soak.load --data DIR [--clients 50] [--minutes 30]    uploads go into it, too

Each client asks, waits for the answer, pauses (exponential, `--pause` seconds on average), and asks again: 60% searches
by an image, 10% by a picture of its own, 28% lists, 2% uploads of one new picture. Trainings on a sample gallery
follow each other until the end. Everything runs on this machine, the clients too.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import linear_regression

import httpx
import numpy as np
import psutil
from PIL import Image

from benchmarks.results import table
from tests.fixtures.servers import free_port

KINDS = {"search": 60, "search by picture": 10, "list": 28, "upload": 2}
SAMPLE_EVERY_S = 5.0
WARM_S = 60.0  # before memory counts: caches fill
TRAINED_ON = 1000  # images
TRAINING = {"method": "neighbours", "params": {"epochs": 1000, "max_minutes": 10}}


class Load:
    """What the clients share: whom to ask, and what they have seen."""

    def __init__(self, base: str, collection: str, images: list[str], pause: float) -> None:
        self.base, self.collection, self.images, self.pause = base, collection, images, pause
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.searches: dict[int, list[float]] = defaultdict(list)  # seconds, by the minute in which they began
        self.began = time.monotonic()
        self.errors: list[str] = []

    async def client(self, seed: int, until: float) -> None:
        dice = random.Random(seed)
        async with httpx.AsyncClient(base_url=self.base, timeout=60) as http:
            while time.monotonic() < until:
                kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
                request = self.request(kind, dice, http)
                started = time.perf_counter()
                try:
                    answer = await http.send(request)
                    if answer.status_code >= 400:
                        self.errors.append(f"{kind} {answer.status_code} {answer.text[:100]}")
                except httpx.HTTPError as error:
                    self.errors.append(f"{kind} {error!r}")
                took = time.perf_counter() - started
                self.seconds[kind].append(took)
                if kind == "search":
                    self.searches[int((time.monotonic() - took - self.began) // 60)].append(took)
                await asyncio.sleep(dice.expovariate(1 / self.pause))

    def request(self, kind: str, dice: random.Random, http: httpx.AsyncClient) -> httpx.Request:
        search = f"/v1/collections/{self.collection}/search"
        if kind == "search":
            return http.build_request("POST", search, json={"image_id": dice.choice(self.images)})
        if kind == "search by picture":
            return http.build_request("POST", search, files={"file": ("query.jpg", noise(dice))})
        if kind == "upload":
            files = [("files", (f"{dice.getrandbits(64):x}.jpg", noise(dice)))]
            return http.build_request("POST", f"/v1/collections/{self.collection}/images", files=files)
        paths = (f"/v1/collections/{self.collection}/images?limit=50", "/v1/collections", "/v1/jobs?limit=20")
        return http.build_request("GET", dice.choice(paths))


def noise(dice: random.Random) -> bytes:
    """A picture that nobody has sent before."""
    pixels = np.random.default_rng(dice.getrandbits(64)).integers(0, 256, (12, 16, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).resize((480, 360), Image.Resampling.BICUBIC).save(out, "JPEG")
    return out.getvalue()


async def trainings(base: str, collection: str, until: float, done: list[str]) -> None:
    """One after the other; what still runs at the end is cancelled."""
    async with httpx.AsyncClient(base_url=base, timeout=60) as http:
        while time.monotonic() < until:
            job = (await http.post(f"/v1/collections/{collection}/encoders", json=TRAINING)).raise_for_status().json()
            while job["state"] in ("queued", "running") and time.monotonic() < until:
                await asyncio.sleep(2)
                job = (await http.get(f"/v1/jobs/{job['id']}")).json()
            done.append(job["state"])
        await http.post(f"/v1/jobs/{job['id']}/cancel")


async def memory(process: psutil.Process, until: float, seen: list[tuple[float, float]]) -> None:
    """(seconds, MB) of the serving process alone: jobs have processes of their own, which end."""
    started = time.monotonic()
    while time.monotonic() < until:
        seen.append((time.monotonic() - started, process.memory_info().rss / 2**20))
        await asyncio.sleep(SAMPLE_EVERY_S)


async def run(options: argparse.Namespace, base: str, process: psutil.Process) -> None:
    collection, images, gallery = prepared(base)
    load, rss, done = Load(base, collection, images, options.pause), list[tuple[float, float]](), list[str]()
    until = time.monotonic() + 60 * options.minutes
    clients = [load.client(seed, until) for seed in range(options.clients)]
    await asyncio.gather(*clients, memory(process, until, rss), trainings(base, gallery, until, done))
    print(report(load, rss, done, options))


def prepared(base: str) -> tuple[str, list[str], str]:
    """The largest collection, some of its images, and a sample gallery to train on."""
    with httpx.Client(base_url=base, timeout=300) as http:
        every = http.get("/v1/collections?limit=500").json()["items"]
        largest = max(every, key=lambda one: int(one["images"]["ready"]))
        listed = http.get(f"/v1/collections/{largest['id']}/images?limit=500&status=ready").json()["items"]
        sample = http.post("/v1/samples", json={"images": TRAINED_ON}).raise_for_status().json()
        while (job := http.get(f"/v1/jobs/{sample['id']}").json())["state"] in ("queued", "running"):
            time.sleep(1)
        print(f"{largest['images']['ready']} images; the sample gallery {job['state']}", flush=True)
        return largest["id"], [one["id"] for one in listed], job["collection_id"]


def report(load: Load, rss: list[tuple[float, float]], done: list[str], options: argparse.Namespace) -> str:
    head = ["request", "count", "per second", "median ms", "p99 ms", "slowest ms"]
    rows = [
        [
            kind,
            str(len(times)),
            f"{len(times) / (60 * options.minutes):.1f}",
            *(f"{1000 * float(np.quantile(times, share)):.0f}" for share in (0.5, 0.99, 1)),
        ]
        for kind, times in sorted(load.seconds.items())
    ]
    warm = [one for one in rss if one[0] >= min(WARM_S, rss[-1][0] / 2)]
    slope = linear_regression(*zip(*warm, strict=True)).slope * 3600
    return "\n".join(
        [
            table(head, rows),
            f"{options.clients} clients, {options.minutes} minutes; {len(load.errors)} errors {load.errors[:3]}",
            f"p99 of searches by minute, ms: {by_minute(load)}",
            f"trainings: {', '.join(done) or 'none'}",
            f"memory of the service: {warm[0][1]:.0f} MB -> {warm[-1][1]:.0f} MB, slope {slope:+.1f} MB an hour",
            f"every fifth minute, MB: {' '.join(f'{mb:.0f}' for _, mb in rss[:: int(300 / SAMPLE_EVERY_S)])}",
        ]
    )


def by_minute(load: Load) -> str:
    return " ".join(f"{1000 * float(np.quantile(times, 0.99)):.0f}" for _, times in sorted(load.searches.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--pause", type=float, default=2, help="seconds between answer and next request, on average")
    options = parser.parse_args()
    port = free_port()
    command = [Path(sys.executable).with_name("roost"), "serve", "--data", options.data, "--port", str(port)]
    service = subprocess.Popen(command, env=os.environ | {"ROOST_LOG_LEVEL": "error"})
    base = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                if httpx.get(f"{base}/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.2)
        asyncio.run(run(options, base, psutil.Process(service.pid)))
    finally:
        service.terminate()
        service.wait(60)


if __name__ == "__main__":
    main()
