"""A large resumable upload while the line is cut and the service killed: the file, the bytes sent twice, the time.

python -m benchmarks.soak.resumable [--bytes 1000000000 --cuts 50 --kills 20]

The client sends requests of one piece (8 MB). At places drawn beforehand it cuts the connection, half of the times so
that what is on the way is thrown away, or the service gets SIGKILL; then it asks how far it is and goes on from there.
The file is a tar: pictures around one member of random bytes. The upload says its SHA-256, and the job compares it
with what it joined.
"""

import argparse
import hashlib
import http.client
import io
import os
import random
import socket
import struct
import tarfile
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from tests.app.calls import new_collection
from tests.app.uploads.speaking import OFFSETS, TUS, metadata
from tests.fixtures.pictures import gallery
from tests.fixtures.services import Service, environment

PIECE = 8 * 2**20
BLOCK = 2**16


def made(path: Path, size: int) -> str:
    """A tar of about `size` bytes; its SHA-256."""
    files = gallery(4)
    with tarfile.open(path, "w") as archive, open("/dev/urandom", "rb") as noise:
        for number, (name, data) in enumerate(files.items()):
            if number == len(files) // 2:
                header = tarfile.TarInfo("rest.bin")
                header.size = size
                archive.addfile(header, noise)
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass
class Run:
    """One upload. `again` has for each cut and kill the bytes that had to be sent once more because of it."""

    service: Service
    address: str
    size: int
    offset: int = 0
    sent: int = 0
    again: dict[str, list[int]] = field(default_factory=lambda: {"cut": [], "kill": []})
    refused: int = 0

    def to_the_end(self, file: BinaryIO, events: list[tuple[int, str]]) -> str:
        """The job's id."""
        while True:
            stop = min(self.size, self.offset + PIECE)
            event = events.pop(0) if events and events[0][0] < stop else None
            begun = self.sent
            job_id = self._request(file, stop, event)
            before, self.offset = self.offset, self._asked()
            lost = self.sent - begun - (self.offset - before)
            if event:
                self.again[event[1]].append(lost)
            elif lost:  # the service had not noticed the cut before, and kept its bytes after we asked
                self.again["cut"][-1] += lost
                self.refused += 1
            if job_id:
                return job_id

    def _request(self, file: BinaryIO, stop: int, event: tuple[int, str] | None) -> str | None:
        """Send the bytes up to `stop`, or up to where something happens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=60)
        connection.putrequest("PATCH", self.address)
        length = {"Content-Length": str(stop - self.offset), "Content-Type": OFFSETS}
        for name, value in (TUS | length | {"Upload-Offset": str(self.offset)}).items():
            connection.putheader(name, value)
        file.seek(self.offset)
        try:
            connection.endheaders()
            self._send(connection, file, (max(event[0], self.offset) if event else stop) - self.offset)
            if event:
                self._break(connection, event[1])
                return None
            answer = connection.getresponse()
            assert answer.status in (204, 409), answer.read()
            return answer.headers.get("Roost-Job")
        except (ConnectionError, http.client.BadStatusLine):
            assert event is None  # a 409 that came while we were still sending
            return None
        finally:
            connection.close()

    def _send(self, connection: http.client.HTTPConnection, file: BinaryIO, count: int) -> None:
        while count and (block := file.read(min(BLOCK, count))):
            connection.send(block)
            self.sent += len(block)
            count -= len(block)

    def _break(self, connection: http.client.HTTPConnection, how: str) -> None:
        if how == "kill":
            self.service.kill()
            self.service.start()
        elif len(self.again["cut"]) % 2:  # a reset: what is on the way is lost
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _asked(self) -> int:
        answer = self.service.client.head(self.address, headers=TUS)
        assert answer.status_code == 200, answer
        return int(answer.headers["Upload-Offset"])


def measured(folder: Path, size: int, cuts: int, kills: int, seed: int) -> None:
    """Prints one table."""
    path, data = folder / "sent.tar", folder / "data"
    sha256, whole = made(path, size), path.stat().st_size
    service = Service(data, environment(data)).start()
    try:
        collection_id = new_collection(service.client)
        said = metadata(filename="sent.tar", collection=collection_id, sha256=sha256)
        headers = TUS | {"Upload-Length": str(whole), "Upload-Metadata": said}
        address = service.client.post("/v1/uploads", headers=headers).headers["Location"]
        rng = random.Random(seed)
        events = sorted((rng.randrange(whole), how) for how in ["cut"] * cuts + ["kill"] * kills)
        run, began = Run(service, address, whole), time.monotonic()
        with path.open("rb") as file:
            job_id = run.to_the_end(file, events)
        seconds = time.monotonic() - began
        job = service.job(job_id, 900)
        assert job["state"] == "succeeded", job
        assert job["result"]["created"] == len(gallery(4)), job
        _print(run, whole, seconds, time.monotonic() - began, sha256)
    finally:
        for process in service.processes:
            process.kill()


def _print(run: Run, whole: int, seconds: float, to_the_end: float, sha256: str) -> None:
    cuts, kills = run.again["cut"], run.again["kill"]
    rows = {
        "bytes of the file": f"{whole:,}",
        "cuts, kills": f"{len(cuts)}, {len(kills)}",
        "SHA-256 of what the job joined": f"equal ({sha256[:16]}...)",
        "bytes sent in all": f"{run.sent:,} ({run.sent / whole:.4f} of the file)",
        "sent again for a cut: median, most": _spread(cuts),
        "sent again for a kill: median, most": _spread(kills),
        "one request, the most that may be sent again": f"{PIECE:,}",
        "requests answered 409 after a cut noticed late": str(run.refused),
        "seconds of uploading, restarts included": f"{seconds:.0f}",
        "seconds until the pictures are there": f"{to_the_end:.0f}",
    }
    print("| what | measured |\n| --- | --- |")
    for what, figure in rows.items():
        print(f"| {what} | {figure} |")
    assert max([*cuts, *kills], default=0) <= PIECE, "more than one request was sent again"


def _spread(values: list[int]) -> str:
    return f"{sorted(values)[len(values) // 2]:,}, {max(values):,}" if values else "none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=1_000_000_000)
    parser.add_argument("--cuts", type=int, default=50)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("ROOST_TEST_SEED", "0")))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="roost-resumable-") as folder:
        measured(Path(folder), chosen.bytes, chosen.cuts, chosen.kills, chosen.seed)


if __name__ == "__main__":
    main()
