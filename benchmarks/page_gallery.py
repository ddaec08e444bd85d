"""A large collection of real photographs for benchmarks.page: random crops, uploaded and sorted by a service."""

from __future__ import annotations

import io
import os
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

SOURCES = ("birds", "lands", "pets")
ARCHIVE = 2000  # pictures


def fill(base: str, count: int) -> None:
    """Random crops of the photographs, uploaded as archives of 2,000 and sorted into 40 clusters."""
    photographs = list(_photographs())
    rng = np.random.default_rng(0)
    with httpx.Client(base_url=base, timeout=600) as http:
        collection = http.post("/v1/collections", json={"name": f"{count} pictures"}).json()["id"]
        for start in range(0, count, ARCHIVE):
            names = range(start, min(start + ARCHIVE, count))
            packed = _packed({f"{n:06}.jpg": _crop(photographs[n % len(photographs)], rng) for n in names})
            sent = http.post(
                f"/v1/collections/{collection}/images", content=packed, headers={"Content-Type": "application/zip"}
            )
            _finish(http, sent.raise_for_status().json()["job_id"])
        job = http.post(f"/v1/collections/{collection}/clusterings", json={"k": 40}).json()
        _finish(http, job["id"])


def _photographs() -> Iterator[bytes]:
    root = Path(os.environ.get("ROOST_DATA", "../shared/data"))
    for name in SOURCES:
        for path in sorted((root / name).rglob("*.jpg")):
            yield path.read_bytes()


def _crop(photograph: bytes, rng: np.random.Generator) -> bytes:
    with Image.open(io.BytesIO(photograph)) as picture:
        picture.draft("RGB", (400, 400))
        share = rng.uniform(0.7, 1)
        width, height = int(picture.width * share), int(picture.height * share)
        left, top = rng.integers(0, picture.width - width + 1), rng.integers(0, picture.height - height + 1)
        out = io.BytesIO()
        picture.convert("RGB").crop((left, top, left + width, top + height)).save(out, "JPEG", quality=88)
    return out.getvalue()


def _packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def _finish(http: httpx.Client, job: str) -> None:
    while (now := http.get(f"/v1/jobs/{job}").json())["state"] in ("queued", "running"):
        print(f"\r{now['kind']} {now['stage']} {now['progress']['done']}", end=" " * 20, file=sys.stderr)
        time.sleep(1)
    if now["state"] != "succeeded":
        raise SystemExit(f"{now['kind']} {now['state']}: {now['error']}")
