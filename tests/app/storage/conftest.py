"""Each kind of storage, empty."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from app.storage import Storage, open_storage
from app.storage.bucket import Bucket
from app.storage.copies import LocalCopies
from app.storage.s3 import S3Storage


@pytest.fixture(scope="session")
def bucket(s3: dict[str, str], new_s3_bucket: str) -> Iterator[Bucket]:
    with pytest.MonkeyPatch.context() as patched:
        for name, value in s3.items():
            patched.setenv(name, value)
        made = Bucket(new_s3_bucket)  # once for all: boto3 takes half a second to make a client
    yield made


@pytest.fixture
def s3_storage(bucket: Bucket, tmp_path: Path) -> Iterator[S3Storage]:
    made = S3Storage(bucket, f"{uuid4()}/prefix/", LocalCopies(tmp_path / "cache", 2**30))
    yield made


@pytest.fixture(params=["file", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "file":
        return open_storage(f"file://{tmp_path / 'blobs'}")
    made: Storage = request.getfixturevalue("s3_storage")
    return made
