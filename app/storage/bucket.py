"""The few calls of S3 that Roost makes, typed: boto3 itself has no types.

Endpoint, region and keys come from the environment variables that every S3 client knows.
"""

import io
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import botocore.loaders
import botocore.session
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from app.storage.base import Stat
from app.storage.faults import PAST_THE_END, TAKEN, busy, code_of, store_errors

PART = 16 * 2**20  # bytes; a store takes at most 10,000 parts of at least 5 MB
PARTS = 9_000
SENDING = 4  # parts under way at a time, each in memory
DELETED_AT_ONCE = 1_000  # as many as the protocol allows
log = structlog.get_logger("roost.storage")
# What describes S3 to a client takes longer to read than all else in making one: read once, a fork has it, too.
_DESCRIPTIONS = botocore.loaders.create_loader()


def read_descriptions() -> None:
    """What every Bucket will need."""
    for kind in ("service-2", "endpoint-rule-set-1"):
        _DESCRIPTIONS.load_service_model("s3", kind)
    for name in ("endpoints", "partitions", "_retry", "sdk-default-configuration"):
        _DESCRIPTIONS.load_data(name)


class Body(NamedTuple):
    """An answer under way: botocore's stream, the bytes in it, and what was said of the whole blob when it was put."""

    stream: Any
    size: int
    etag: str
    sha256: str | None


class Bucket:
    def __init__(self, name: str) -> None:
        self.name = name
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        config = Config(
            connect_timeout=5,
            read_timeout=30,
            max_pool_connections=32,
            retries={"mode": "standard"},  # three attempts, or AWS_MAX_ATTEMPTS
            s3={"addressing_style": "path" if endpoint else "auto"},  # bucket.host has a name only with AWS
        )
        known = botocore.session.get_session()
        known.register_component("data_loader", _DESCRIPTIONS)
        session = boto3.session.Session(botocore_session=known)
        region = os.environ.get("AWS_REGION") or session.region_name or "us-east-1"
        self._client: Any = session.client("s3", region_name=region, config=config)
        self.endpoint: str = self._client.meta.endpoint_url
        self._senders = ThreadPoolExecutor(SENDING, "s3-part")

    def put(self, source: Path, key: str, sha256: str) -> bool:
        """Store a file unless the key is taken; whether it was stored. Raises StorageFull, Unavailable."""
        with store_errors(self.name, key):
            for pause in (0.1, 0.5, 2.0):
                try:
                    self._send(source, key, {"sha256": sha256})
                    return True
                except ClientError as error:
                    if code_of(error) in TAKEN:
                        return False
                    if code_of(error) != "ConditionalRequestConflict":  # another writer is at this key right now
                        raise
                    time.sleep(pause)
        raise busy(key)

    def get(self, key: str, start: int = 0, stop: int | None = None, etag: str | None = None) -> Body:
        """A blob, or bytes [start, stop) of it, of this very `etag` if one is given. Raises FileNotFoundError."""
        part = {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"} if start or stop is not None else {}
        same = {"IfMatch": etag} if etag else {}
        with store_errors(self.name, key):
            try:
                answer = self._client.get_object(Bucket=self.name, Key=key, **part, **same)
            except ClientError as error:
                if code_of(error) not in PAST_THE_END:
                    raise
                return Body(io.BytesIO(), 0, "", None)
        sha256 = answer["Metadata"].get("sha256")
        return Body(answer["Body"], int(answer["ContentLength"]), str(answer["ETag"]), sha256)

    def stat(self, key: str) -> Stat:
        """Raises FileNotFoundError."""
        with store_errors(self.name, key):
            answer = self._client.head_object(Bucket=self.name, Key=key)
        return Stat(int(answer["ContentLength"]), answer["LastModified"].timestamp())

    def keys(self, prefix: str) -> Iterator[str]:
        """Keys that begin with these characters."""
        with store_errors(self.name, prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
            for page in pages:
                for entry in page.get("Contents", []):
                    yield str(entry["Key"])

    def delete(self, key: str) -> None:
        with store_errors(self.name, key):
            self._client.delete_object(Bucket=self.name, Key=key)

    def delete_all(self, keys: Iterator[str]) -> None:
        while batch := [{"Key": key} for key in islice(keys, DELETED_AT_ONCE)]:
            with store_errors(self.name, batch[0]["Key"]):
                wanted = {"Objects": batch, "Quiet": True}
                answer = self._client.delete_objects(Bucket=self.name, Delete=wanted)
                for failed in answer.get("Errors", [])[:1]:
                    raise ClientError({"Error": failed}, "DeleteObjects")

    def _send(self, source: Path, key: str, metadata: dict[str, str]) -> None:
        if source.stat().st_size > PART:
            return self._send_parts(source, key, metadata)
        with source.open("rb") as file:
            self._client.put_object(Bucket=self.name, Key=key, Body=file, Metadata=metadata, IfNoneMatch="*")

    def _send_parts(self, source: Path, key: str, metadata: dict[str, str]) -> None:
        """Several parts at a time. The blob appears with the last call or not at all, and never over another."""
        started = self._client.create_multipart_upload(Bucket=self.name, Key=key, Metadata=metadata)
        upload = {"Bucket": self.name, "Key": key, "UploadId": started["UploadId"]}
        size = source.stat().st_size
        step = max(PART, -(-size // PARTS))
        try:
            parts = list(
                self._senders.map(lambda start: self._send_part(upload, source, start, step), range(0, size, step))
            )
            self._client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*")
        except BaseException:
            self._abort(upload)
            raise

    def _send_part(self, upload: dict[str, Any], source: Path, start: int, size: int) -> dict[str, Any]:
        with source.open("rb") as file:
            file.seek(start)
            number = start // size + 1
            answer = self._client.upload_part(**upload, PartNumber=number, Body=file.read(size))
        sums = {name: value for name, value in answer.items() if name.startswith("Checksum") and name != "ChecksumType"}
        return {"PartNumber": number, "ETag": answer["ETag"], **sums}

    def _abort(self, upload: dict[str, Any]) -> None:
        try:
            self._client.abort_multipart_upload(**upload)
        except (ClientError, BotoCoreError) as error:  # the first error matters more; a rule of the bucket cleans up
            log.warning("parts of an upload are left behind", key=upload["Key"], error=str(error))
