"""What becomes of an upload once all of it is here: joined, checked, unpacked, and its pieces removed."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient

from app.db.tables import Job, UploadPiece
from app.jobs import ledger
from app.main import create_app
from app.maintenance.collect import collect
from app.maintenance.verify import verify
from app.resources import Resources
from app.settings import Settings
from tests.app.calls import new_collection
from tests.app.uploads.conftest import PIECE
from tests.app.uploads.speaking import begin, resources, send
from tests.fixtures.pictures import jpeg, zipped
from workers.context import Context, JobFailed
from workers.jobs import ingest
from workers.reconciler import Reconciler

FILES = {f"{n}.jpg": jpeg("red", n, (32, 24)) for n in range(3)}


@pytest.fixture
def s3_api(
    s3: dict[str, str], new_s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    url, cache = f"s3://{new_s3_bucket}/{uuid4()}", tmp_path / "cache"
    made = Settings(data=tmp_path / "data", storage_url=url, cache=cache, upload_piece_bytes=PIECE)
    with TestClient(create_app(made), raise_server_exceptions=False) as client:
        yield client


def uploaded(api: TestClient, collection_id: str, data: bytes, name: str = "a.zip", **more: str) -> UUID:
    """The job that takes it."""
    address = begin(api, collection_id, len(data), name, **more)
    return UUID(send(api, address, 0, data).headers["Roost-Job"])


def run(res: Resources, job_id: UUID) -> dict[str, Any]:
    """The job in this process, as workers/child.py runs it in one of its own; its result. The API outlives it: so it
    leaves nothing in its scratch folder."""
    with res.database.transaction() as session:
        assert ledger.claim(session, job_id, "test", 600) == 1
    with res.database.reading() as session:
        job = session.get_one(Job, job_id)
    folder = res.settings.scratch / f"{job_id}-1"
    folder.mkdir()
    try:
        ingest.run(Context(res, job, folder))
    finally:
        shutil.rmtree(folder)
    with res.database.reading() as session:
        done = session.get_one(Job, job_id)
        assert done.state == "succeeded" and done.result
        return done.result


def fail(res: Resources, job_id: UUID, code: str) -> None:
    with pytest.raises(JobFailed) as raised:
        run(res, job_id)
    assert raised.value.code == code
    with res.database.transaction() as session:
        ledger.finish(session, job_id, 1, "failed", code=code)


def pieces_left(res: Resources, collection_id: str) -> tuple[int, int]:
    """Rows, and blobs."""
    with res.database.reading() as session:
        rows = session.query(UploadPiece).filter(UploadPiece.key.contains(collection_id)).count()
    return rows, len(list(res.storage.keys(f"collections/{collection_id}/uploads")))


def tidy(res: Resources) -> None:
    Reconciler(res, "test", ["cpu"]).tick()


def check_archive(api: TestClient) -> None:
    res, data, collection_id = resources(api), zipped(FILES), new_collection(api)
    sha256 = hashlib.sha256(data).hexdigest()
    job_id = uploaded(api, collection_id, data, sha256=sha256)
    count = -(-len(data) // PIECE)
    tidy(res)
    assert pieces_left(res, collection_id) == (count, count), "an unfinished job needs them"
    assert run(res, job_id) == {"created": 3, "duplicates": 0, "rejected": 0}
    images = api.get(f"/v1/collections/{collection_id}/images").json()["items"]
    assert {one["name"]: one["sha256"] for one in images} == {
        name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()
    }
    tidy(res)
    assert pieces_left(res, collection_id) == (0, 0)


def test_an_archive(pieces_api: TestClient) -> None:
    check_archive(pieces_api)


def test_an_archive_in_s3(s3_api: TestClient) -> None:
    check_archive(s3_api)


def test_a_single_picture_and_its_duplicate(pieces_api: TestClient) -> None:
    res, collection_id = resources(pieces_api), new_collection(pieces_api)
    data = jpeg("blue", 7, (64, 48))
    first = uploaded(pieces_api, collection_id, data, "wren.jpg")
    assert run(res, first) == {"created": 1, "duplicates": 0, "rejected": 0}
    images = pieces_api.get(f"/v1/collections/{collection_id}/images").json()["items"]
    assert [(one["name"], one["status"]) for one in images] == [("wren.jpg", "ready")]
    again = uploaded(pieces_api, collection_id, data, "again.jpg", filetype="image/jpeg")
    assert run(res, again) == {"created": 0, "duplicates": 1, "rejected": 0}


def test_a_file_that_is_not_what_was_said(pieces_api: TestClient) -> None:
    res, collection_id = resources(pieces_api), new_collection(pieces_api)
    job_id = uploaded(pieces_api, collection_id, zipped(FILES), sha256="0" * 64)
    fail(res, job_id, "upload_hash_mismatch")
    assert pieces_api.get(f"/v1/collections/{collection_id}/images").json()["items"] == []
    tidy(res)
    assert pieces_left(res, collection_id) == (0, 0)


@pytest.mark.parametrize("damage", ["flip", "gone"])
def test_a_piece_that_the_disk_lost(pieces_api: TestClient, damage: str) -> None:
    """verify names it, and the job says so instead of joining something else."""
    res, collection_id = resources(pieces_api), new_collection(pieces_api)
    job_id = uploaded(pieces_api, collection_id, os.urandom(2500))
    key = sorted(res.storage.keys(f"collections/{collection_id}/uploads"))[1]
    path = res.storage.local(key)
    content = path.read_bytes()
    path.unlink()
    if damage == "flip":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    mine = [one for one in verify(res, 0, lambda done, total: None) if str(one.collection_id) == collection_id]
    assert [(one.kind, one.what) for one in mine] == [
        ("mismatched" if damage == "flip" else "missing", "uploaded piece")
    ]
    fail(res, job_id, "upload_damaged")
    tidy(res)
    assert pieces_left(res, collection_id) == (0, 0)


def test_pieces_are_no_orphans(pieces_api: TestClient) -> None:
    """What is being uploaded stays; what a killed request left beside it goes."""
    res, collection_id = resources(pieces_api), new_collection(pieces_api)
    address = begin(pieces_api, collection_id, 3000)
    send(pieces_api, address, 0, bytes(1500))
    left = res.storage.local(f"collections/{collection_id}/uploads/{address[-36:]}/000000000001500-x")
    left.write_bytes(b"x")
    found = [one.key for one in verify(res, 0, lambda done, total: None) if str(one.collection_id) == collection_id]
    assert found == [str(left.relative_to(res.storage.local("")))]
    assert found[0] in collect(res, 0, dry_run=False).blobs
    assert pieces_left(res, collection_id) == (2, 2) and not left.exists()
