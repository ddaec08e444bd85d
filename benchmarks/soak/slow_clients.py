"""Two hundred clients that hardly send anything, and bodies of a million part headers: does the service still answer?

    python -m benchmarks.soak.slow_clients --clients 200 --seconds 60

A third of the clients sends its request line and headers a byte a second, a third the body of a JSON request, a third
a multipart upload. One more sends multipart bodies with a million headers in one part, then with a million parts, again
and again. Meanwhile /healthz is asked twenty times a second and a picture is uploaded every second. Exits with 1 when
the 99th percentile of /healthz is not below a second, or an upload fails.
"""

from __future__ import annotations

import argparse
import socket
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import numpy as np

from benchmarks.results import table
from tests.app.calls import BOUNDARY, new_collection, part, upload
from tests.fixtures.pictures import jpeg
from tests.fixtures.services import Service, environment

MILLION = 1_000_000
LIMIT_S = 1.0
LENGTH = 10_000_000


class Slow:
    """One connection that sends a byte a second of what it never ends."""

    def __init__(self, port: int, number: int, collection_id: str) -> None:
        self.kind = ("headers", "body", "upload")[number % 3]
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.open = True
        host = f"Host: 127.0.0.1:{port}\r\n"
        if self.kind == "headers":
            self._send(f"GET /healthz HTTP/1.1\r\n{host}X-Slow: ".encode())
        elif self.kind == "body":
            head = f"POST /v1/collections HTTP/1.1\r\n{host}Content-Type: application/json\r\n"
            self._send(f'{head}Content-Length: {LENGTH}\r\n\r\n{{"name": "'.encode())
        else:
            head = f"POST /v1/collections/{collection_id}/images HTTP/1.1\r\n{host}"
            head += f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {LENGTH}\r\n\r\n"
            self._send(head.encode() + f"--{BOUNDARY}\r\n".encode() + part(b"a.jpg") + b"\r\n\r\n")

    def trickle(self) -> None:
        """One byte more, and a look whether the other side has closed."""
        if not self.open:
            return
        try:
            self._send(b"x")
            if not self.socket.recv(4096):
                self.open = False
        except BlockingIOError:
            return
        except OSError:
            self.open = False

    def _send(self, data: bytes) -> None:
        self.socket.send(data)


def headers() -> bytes:
    """One part with a million headers."""
    return f"--{BOUNDARY}\r\n".encode() + b"X-Header: value\r\n" * MILLION


def parts() -> bytes:
    """A million parts with a header each."""
    return (f"--{BOUNDARY}\r\n".encode() + part(b"a.jpg") + b"\r\n\r\n\r\n") * MILLION + f"--{BOUNDARY}--\r\n".encode()


def bombard(url: str, stop: threading.Event, answers: Counter[str]) -> None:
    bodies = {"a million headers": headers(), "a million parts": parts()}
    content_type = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    with httpx.Client(timeout=120) as client:
        while not stop.is_set():
            for name, body in bodies.items():
                try:
                    answer = client.post(url, content=body, headers=content_type)
                    answers[f"{name}: {answer.status_code} {answer.json().get('code')}"] += 1
                except httpx.TransportError as error:  # answered, and closed, before all of it was sent
                    answers[f"{name}: {type(error).__name__}"] += 1


def look(service: Service, collection_id: str, slow: list[Slow], seconds: float) -> tuple[list[float], list[float]]:
    """Seconds that each /healthz and each upload took, while the slow ones trickle."""
    health, uploads = [], []
    end = time.monotonic() + seconds
    number = 0
    with service.client as client:
        while time.monotonic() < end:
            began = time.monotonic()
            assert client.get("/healthz").status_code == 200
            health.append(time.monotonic() - began)
            if number % 20 == 0:
                for one in slow:
                    one.trickle()
                began = time.monotonic()
                answer = upload(client, collection_id, [("a.jpg", jpeg() + time.time_ns().to_bytes(8))])
                assert answer.status_code == 200 and answer.json()["created"] == 1, answer.text
                uploads.append(time.monotonic() - began)
            number += 1
            time.sleep(0.05)
    return health, uploads


def main() -> int:
    options = argparse.ArgumentParser(description="Slow clients and bodies of a million headers.")
    options.add_argument("--clients", type=int, default=200)
    options.add_argument("--seconds", type=float, default=60)
    asked = options.parse_args()
    with TemporaryDirectory() as folder:
        data = Path(folder, "data")
        service = Service(data, environment(data, ROOST_RATE_PER_MINUTE="0")).start()
        try:
            return run(service, asked.clients, asked.seconds)
        finally:
            service.stop()


def run(service: Service, clients: int, seconds: float) -> int:
    collection_id = new_collection(service.client)
    quiet, _ = look(service, collection_id, [], 5)
    slow = [Slow(service.port, number, collection_id) for number in range(clients)]
    stop, answers = threading.Event(), Counter[str]()
    url = f"http://127.0.0.1:{service.port}/v1/collections/{collection_id}/images"
    bomber = threading.Thread(target=bombard, args=(url, stop, answers), daemon=True)
    bomber.start()
    health, uploads = look(service, collection_id, slow, seconds)
    stop.set()
    bomber.join(120)
    rows = [(name, str(len(times)), *(f"{1000 * np.percentile(times, share):.0f}" for share in (50, 99, 100)))
            for name, times in (("/healthz before", quiet), ("/healthz", health), ("upload", uploads))]  # fmt: skip
    print(table(("request", "count", "p50, ms", "p99, ms", "slowest, ms"), rows))
    still = Counter(one.kind for one in slow if one.open)
    print(f"still open after {seconds:g} s, of {clients}: {dict(still)}")
    print("\n".join(f"{name}: {number}" for name, number in sorted(answers.items())))
    return 1 if np.percentile(health, 99) >= LIMIT_S else 0


if __name__ == "__main__":
    sys.exit(main())
