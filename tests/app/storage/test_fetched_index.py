"""An index that the API fetches from a store is the one that was built, or it is not opened."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.db.tables import SearchIndex
from app.errors import Unavailable
from app.ids import new_id
from app.search.opened import Opened
from app.storage.s3 import S3Storage
from models import registry
from tests.fixtures.clusterings import blobs

KEY = "indexes/one"


@pytest.fixture
def ids() -> list[UUID]:
    return [new_id() for _ in range(20)]


@pytest.fixture
def stored(s3_storage: S3Storage, tmp_path: Path, ids: list[UUID]) -> dict[str, bytes]:
    """An index in the store; its files."""
    folder = tmp_path / "index"
    registry.load("index", "exact").build([(ids, blobs(2, 10)[0].astype(np.float32))], folder)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    s3_storage.put([(folder, KEY)])
    return files


def opened(api: TestClient, storage: S3Storage) -> Opened:
    """As a new API process has it."""
    return Opened(replace(api.app.state.resources, storage=storage))  # type: ignore[attr-defined]


def row(count: int = 20) -> SearchIndex:
    return SearchIndex(id=new_id(), kind="exact", key=KEY, count=count)


def overwrite(storage: S3Storage, name: str, data: bytes) -> None:
    """As somebody does who copies files about: without what Roost says of the content."""
    client, bucket = storage.bucket._client, storage.bucket.name
    client.put_object(Bucket=bucket, Key=f"{storage.prefix}{KEY}/{name}", Body=data)


def test_every_file_is_compared_as_it_is_fetched(
    api: TestClient, s3_storage: S3Storage, stored: dict[str, bytes], ids: list[UUID]
) -> None:
    for name, data in stored.items():
        flipped = bytearray(data)
        flipped[len(data) // 2] ^= 1
        overwrite(s3_storage, name, bytes(flipped))
        with pytest.raises(Unavailable, match="damaged") as refused:
            opened(api, s3_storage).index(row())
        assert refused.value.code == "index_damaged"
        overwrite(s3_storage, name, data)
    index = opened(api, s3_storage).index(row())
    vector = index.vector(ids[3])
    assert vector is not None and index.search(vector[None], 1)[1] == [[ids[3]]]


def test_all_processes_of_a_machine_open_one_copy(
    api: TestClient, s3_storage: S3Storage, stored: dict[str, bytes]
) -> None:
    assert len(opened(api, s3_storage).index(row())) == 20
    s3_storage.bucket.delete_all(f"{s3_storage.prefix}{KEY}/{name}" for name in stored)
    assert len(opened(api, s3_storage).index(row())) == 20, "fetched once"


def test_another_index_in_its_place_is_not_opened(
    api: TestClient, s3_storage: S3Storage, stored: dict[str, bytes]
) -> None:
    with pytest.raises(Unavailable, match="20 vectors, and its row says exact of 21"):
        opened(api, s3_storage).index(row(21))
