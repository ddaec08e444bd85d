"""The same on a store on the network: what is there is asked of the store, and a blob's age is the store's word."""

from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.maintenance.backup import backup
from app.maintenance.collect import collect
from app.maintenance.orphans import GRACE_S
from app.maintenance.verify import verify
from app.resources import Resources
from app.settings import Settings
from app.storage import Storage
from app.storage.s3 import S3Storage
from tests.app.calls import new_collection, new_image


def quietly(done: int, total: int) -> None:
    pass


def _damage(storage: Storage, key: str) -> None:
    """As somebody does who copies files about; and this machine's own copy goes."""
    assert isinstance(storage, S3Storage)
    storage.bucket._client.put_object(Bucket=storage.bucket.name, Key=storage.prefix + key, Body=b"other")
    storage.copies.drop(key)


def test_verify_collect_and_back_up(
    s3: dict[str, str], new_s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    url = f"s3://{new_s3_bucket}/{uuid4()}"
    with TestClient(create_app(Settings(data=tmp_path / "data", cache=tmp_path / "cache", storage_url=url))) as client:
        for seed in (1, 2):
            new_image(client, new_collection(client), seed)
        res: Resources = client.app.state.resources  # type: ignore[attr-defined]
        assert verify(res, 0, quietly) == []
        (tmp_path / "stray").write_bytes(b"12345")
        res.storage.put([(tmp_path / "stray", "collections/elsewhere/z")])
        assert [one.kind for one in verify(res, 0, quietly)] == ["orphaned"]
        assert collect(res, GRACE_S, dry_run=False).blobs == []
        found = collect(res, 0, dry_run=False)
        assert (found.blobs, found.bytes) == (["collections/elsewhere/z"], 5)
        made = backup(res, tmp_path / "copy", quietly, quietly)
        assert (made.lost, made.seal.files) == ([], 3)
        _damage(res.storage, key := min(res.storage.keys("")))
        made = backup(res, tmp_path / "again", quietly, quietly)
        assert (made.lost, made.seal.files) == ([key], 2)
        res.storage.delete(next(iter(res.storage.keys(""))))
        assert [(one.kind, one.what) for one in verify(res, GRACE_S, quietly)] == [("missing", "original")]
