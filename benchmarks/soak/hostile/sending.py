"""Samples on their way to a running service, and what it answered to each."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import httpx

from benchmarks.soak.hostile.sample import Sample
from tests.fixtures.services import Service

IMAGE_CODES = {"image_corrupt", "image_too_large", "image_type_mismatch", "image_type_unsupported", "file_too_large"}
ARCHIVE_CODES = {"archive_corrupt", "archive_limit"}
REQUEST_CODES = {"multipart_invalid", "no_files"} | ARCHIVE_CODES
BOUNDARY = "a-boundary-that-no-picture-has-3f9c1e"
ARCHIVE_TYPES = {"zip": "application/zip", "tar": "application/x-tar"}
PATIENCE_S = 1_800  # for a job: hundreds wait for each other


@dataclass
class Answers:
    """By kind: how many samples, and how many ended with which code. `good`: hashes that must be ready in the end."""

    counts: Counter[str] = field(default_factory=Counter)
    codes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    slowest_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    details: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    good: set[str] = field(default_factory=set)

    def note(self, kind: str, code: str, allowed: set[str], detail: str = "") -> None:
        self.codes[kind][code] += 1
        if detail:
            self.details[detail] += 1
        if code not in allowed | {"ready", "duplicate"}:
            self.wrong.append(f"{kind}: {code} {detail}")


class Sender:
    """Sends to collections of its own."""

    def __init__(self, service: Service, answers: Answers) -> None:
        self.service, self.answers = service, answers
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{service.port}", timeout=300)
        self._waiting: dict[str, tuple[str, str]] = {}  # image id -> kind, name

    def collection(self, name: str) -> str:
        return str(self.client.post("/v1/collections", json={"name": name}).json()["id"])

    def pictures(self, collection_id: str, batch: list[Sample]) -> str | None:
        """One multipart body. The id of the job that decodes."""
        kind = batch[0].kind if len(batch) == 1 else "batch"
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        answer = self._post(kind, collection_id, body(batch), headers)
        self.answers.counts.update(sample.kind for sample in batch)
        if answer.status_code != 200:
            assert len(batch) == 1, f"a whole batch was refused: {answer.text}"
            self.answers.note(kind, problem_code(answer), REQUEST_CODES)
            return None
        items = answer.json()["items"]
        assert len(items) == len(batch), "every file has its answer"
        for sample, item in zip(batch, items, strict=True):
            if item["status"] == "created":
                self._waiting[item["image_id"]] = sample.kind, sample.name
            else:
                self.answers.note(sample.kind, item["code"] or item["status"], IMAGE_CODES, item["detail"] or "")
        return str(answer.json()["job_id"]) if answer.json()["job_id"] else None

    def decoded(self, collection_id: str, jobs: Iterable[str]) -> None:
        """Wait for the jobs, then look how each image ended."""
        for job_id in jobs:
            job = self.service.job(job_id, PATIENCE_S)
            assert job["state"] == "succeeded", job
        for image in self.service.pages(f"/v1/collections/{collection_id}/images"):
            kind, _ = self._waiting.pop(image["id"])
            error = image["error"] or {}
            self.answers.note(kind, error.get("code", image["status"]), IMAGE_CODES, error.get("detail", ""))
        assert not self._waiting, "every image that was accepted is there"

    def archive(self, collection_id: str, sample: Sample) -> str | None:
        """The id of the job that unpacks it."""
        self.answers.counts[sample.kind] += 1
        answer = self._post(sample.kind, collection_id, sample.data, {"Content-Type": ARCHIVE_TYPES[sample.name]})
        if answer.status_code != 202:
            self.answers.note(sample.kind, problem_code(answer), REQUEST_CODES)
            return None
        if sample.good:
            self.answers.good.add(sha256(sample.data if sample.good is None else sample.good).hexdigest())
        return str(answer.json()["job_id"])

    def unpacked(self, kind: str, job_id: str) -> None:
        job = self.service.job(job_id, PATIENCE_S)
        self.answers.note(f"{kind} (job)", (job["error"] or {}).get("code", "ready"), ARCHIVE_CODES)
        for line in self._report(job):
            code = line.get("code") or line["status"]
            self.answers.note(f"{kind} (entries)", code, IMAGE_CODES, line.get("detail") or "")

    def _report(self, job: dict[str, Any]) -> Iterator[dict[str, Any]]:
        answer = self.client.get(f"/v1/jobs/{job['id']}/report")
        assert answer.status_code == 200, answer.text
        return map(json.loads, filter(None, answer.text.split("\n")))

    def _post(self, kind: str, collection_id: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
        began = time.monotonic()
        answer = self.client.post(f"/v1/collections/{collection_id}/images", content=content, headers=headers)
        self.answers.slowest_s[kind] = max(self.answers.slowest_s[kind], time.monotonic() - began)
        assert answer.status_code < 500, f"{kind}: {answer.text}\n{self.service.log()}"
        return answer


def body(batch: list[Sample]) -> bytes:
    """multipart/form-data with names as they are; only what would end the header is written otherwise."""
    parts = []
    for sample in batch:
        name = sample.name.replace("\\", "\\\\").replace('"', '\\"').encode()
        head = b'Content-Disposition: form-data; name="files"; filename="' + name + b'"\r\n\r\n'
        parts.append(b"--" + BOUNDARY.encode() + b"\r\n" + head + sample.data + b"\r\n")
    return b"".join(parts) + b"--" + BOUNDARY.encode() + b"--\r\n"


def problem_code(answer: httpx.Response) -> str:
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    return str(answer.json()["code"])
