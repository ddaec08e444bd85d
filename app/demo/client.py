"""Roost over HTTP, as a person's own script would use it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

PIECE = 2**20


class JobEnded(Exception):
    """A job ended otherwise than well; the message is its own."""


class Client:
    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=60)

    def ready(self, alive: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until the service has its database, storage, broker and a worker."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not alive():
                raise JobEnded("the service ended while it started; its log says why")
            try:
                if self.http.get("/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass  # not listening yet
            time.sleep(0.1)
        raise JobEnded("the service did not become ready")

    def post(self, path: str, **more: Any) -> Any:
        return self.http.post(path, **more).raise_for_status().json()

    def get(self, path: str, **params: Any) -> Any:
        return self.http.get(path, params=params).raise_for_status().json()

    def pages(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        cursor: dict[str, str] = {}
        while True:
            page = self.get(path, limit=500, **params, **cursor)
            yield from page["items"]
            if not page["next_cursor"]:
                return
            cursor = {"cursor": page["next_cursor"]}

    def upload(self, collection: str, archive: Path, progress: Callable[[int], None]) -> Any:
        """Stream a zip; the job that unpacks it."""

        def body() -> Iterator[bytes]:
            sent = 0
            with archive.open("rb") as file:
                while piece := file.read(PIECE):
                    yield piece
                    sent += len(piece)
                    progress(sent)

        return self.post(
            f"/v1/collections/{collection}/images", content=body(), headers={"Content-Type": "application/zip"}
        )

    def follow(self, job_id: str, progress: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Watch a job to its end. Raises JobEnded unless it succeeded, and where it waits for an outage to end."""
        while True:
            job: dict[str, Any] = self.get(f"/v1/jobs/{job_id}")
            progress(job)
            if job["state"] == "succeeded":
                return job
            if job["state"] in ("failed", "cancelled", "dead") or (job["state"] == "queued" and job["error"]):
                raise JobEnded(f"the job is {job['state']}: {(job['error'] or {}).get('detail', 'no reason given')}")
            time.sleep(0.15)
