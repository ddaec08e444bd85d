"""tus as others speak it: the stock client of Python, over a line that breaks, to a service that is killed."""

import hashlib
import io
import os
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx
import pytest
from tusclient.client import TusClient

from tests.app.calls import new_collection
from tests.app.uploads.speaking import OFFSETS, TUS, metadata
from tests.fixtures.cutting import line
from tests.fixtures.pictures import jpeg, zipped
from tests.fixtures.services import Service, environment

PICTURES = {f"{n}.jpg": jpeg("green", n, (96, 64)) for n in range(6)}


def tarred(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
    return buffer.getvalue()


@pytest.mark.parametrize(("chunk", "checked"), [(2**30, False), (15_000, True)], ids=["one request", "checksums"])
def test_the_stock_client_with_cuts(piecewise: Service, chunk: int, checked: bool) -> None:
    files = PICTURES | {"rest.bin": os.urandom(150_000)}
    data, collection_id = zipped(files), new_collection(piecewise.client)
    said = {"filename": "a.zip", "collection": collection_id, "sha256": hashlib.sha256(data).hexdigest()}
    with line(piecewise.port) as cut:
        cut.budgets = [300, 70_000, 25_000, 45_000] if not checked else [300, 9_000, 14_000]
        cuts = len(cut.budgets)
        client = TusClient(f"http://127.0.0.1:{cut.port}/v1/uploads")
        uploader = client.uploader(
            file_stream=io.BytesIO(data), chunk_size=chunk, metadata=said, retries=20, retry_delay=0,
            upload_checksum=checked,
        )  # fmt: skip
        uploader.upload()
        assert cut.cuts == cuts and uploader.url
    shown = httpx.get(uploader.url.replace(str(cut.port), str(piecewise.port))).json()
    job = piecewise.job(shown["job_id"])
    assert job["result"] == {"created": 6, "duplicates": 0, "rejected": 1}, job
    images = piecewise.pages(f"/v1/collections/{collection_id}/images")
    assert {image["name"] for image in images} == set(PICTURES)


def with_kills(service: Service, size: int, kills: int) -> None:
    """Upload a tar of pictures and `size` random bytes while the service is killed; the job checks the whole's hash."""
    data = tarred({"rest.bin": os.urandom(size), **PICTURES})
    collection_id = new_collection(service.client)
    said = metadata(filename="a.tar", collection=collection_id, sha256=hashlib.sha256(data).hexdigest())
    made = service.client.post("/v1/uploads", headers=TUS | {"Upload-Length": str(len(data)), "Upload-Metadata": said})
    address, offset = made.headers["Location"], 0
    for round_ in count():
        try:
            answer = service.client.patch(
                address,
                content=killing(service, data, offset, round_ < kills, len(data) // (kills + 1)),
                headers=TUS | {"Upload-Offset": str(offset), "Content-Type": OFFSETS},
            )
        except httpx.TransportError:
            service.start()
            before, offset = offset, int(service.client.head(address, headers=TUS).headers["Upload-Offset"])
            assert before <= offset < len(data)
        else:
            assert answer.status_code == 204, answer.text
            break
    job = service.job(answer.headers["Roost-Job"])
    assert job["result"] == {"created": 6, "duplicates": 0, "rejected": 1}, job
    verified_tidy(service)


def killing(service: Service, data: bytes, offset: int, kill: bool, after: int) -> Iterator[bytes]:
    """The bytes from `offset` on; the service dies once it has been sent `after` of them."""
    for start in range(offset, len(data), 8_000):
        if kill and start - offset >= after:
            service.kill()
            kill = False
        yield data[start : start + 8_000]


def verified_tidy(service: Service) -> None:
    """Pieces go when the job is over."""
    deadline = time.monotonic() + 30
    while left := list((service.data / "blobs").rglob("uploads/*/*")):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


@contextmanager
def started(data: Path, piece: int) -> Iterator[Service]:
    service = Service(data, environment(data, ROOST_UPLOAD_PIECE_BYTES=str(piece))).start()
    try:
        yield service
        assert service.stop() == [0]
    finally:
        for process in service.processes:
            process.kill()


def test_a_kill_between_pieces(piecewise: Service) -> None:
    with_kills(piecewise, size=200_000, kills=1)


@pytest.mark.slow
def test_many_kills(tmp_path: Path) -> None:
    with started(tmp_path / "data", 300_000) as service:
        with_kills(service, size=12_000_000, kills=8)
