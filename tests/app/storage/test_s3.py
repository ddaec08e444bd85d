"""What a store on the network adds: refusals, cut connections, and blobs that are not what was put."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from app.errors import RoostError, StorageFull, Unavailable
from app.storage import open_storage
from app.storage.bucket import Bucket
from app.storage.s3 import S3Storage
from tests.fixtures.servers import free_port

Answer = Callable[[BaseHTTPRequestHandler], None]
Served = Callable[[Answer], S3Storage]


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A storage whose store is an HTTP server that gives this one answer to everything."""
    servers: list[ThreadingHTTPServer] = []

    def serve(answer: Answer) -> S3Storage:
        methods: dict[str, Any] = {f"do_{name}": answer for name in ("GET", "HEAD", "PUT", "POST", "DELETE")}
        handler = type("Handler", (BaseHTTPRequestHandler,), methods | {"log_message": lambda *_: None})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return _opened(server.server_port, tmp_path, monkeypatch)

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def _opened(port: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> S3Storage:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "roost")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # or the pauses between them would be waited for
    made = open_storage("s3://bucket", cache=folder / "cache")
    assert isinstance(made, S3Storage)
    return made


def _refusal(status: int, code: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.rfile.read(int(request.headers.get("Content-Length", 0)))
        body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


@pytest.mark.parametrize(
    ("status", "code", "kind", "says"),
    [
        (507, "XMinioStorageFull", StorageFull, "free some space"),
        (403, "QuotaExceeded", StorageFull, "free some space"),
        (403, "AccessDenied", Unavailable, "AWS_ keys"),
        (404, "NoSuchBucket", Unavailable, "no bucket 'bucket'"),
        (503, "SlowDown", Unavailable, "try again"),
    ],
)
def test_refusals_say_what_to_do(
    served: Served, tmp_path: Path, status: int, code: str, kind: type[RoostError], says: str
) -> None:
    storage = served(_refusal(status, code))
    source = tmp_path / "source"
    source.write_bytes(b"kept")
    with pytest.raises(kind, match=says) as caught:
        storage.put([(source, "key")])
    assert caught.value.code == ("storage_full" if kind is StorageFull else "storage_unavailable")
    assert source.read_bytes() == b"kept", "nothing is lost"
    with pytest.raises(kind):
        list(storage.keys(""))


def test_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = _opened(free_port(), tmp_path, monkeypatch)
    calls: list[Callable[[str], object]] = [storage.local, storage.reader, storage.stat, storage.exists, storage.delete]
    for call in calls:
        with pytest.raises(Unavailable, match="does not answer") as caught:
            call("key")
        assert caught.value.code == "storage_unavailable" and caught.value.headers == {"Retry-After": "2"}


def test_a_download_goes_on_where_its_connection_broke(served: Served) -> None:
    whole = bytes(range(256)) * 4096
    starts: list[int] = []

    def cut(request: BaseHTTPRequestHandler) -> None:
        """A quarter of the file a connection."""
        start, _, _ = request.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        rest = whole[int(start) :]
        starts.append(int(start))
        request.send_response(206 if int(start) else 200)
        request.send_header("Content-Length", str(len(rest)))
        request.send_header("ETag", '"same"')
        request.end_headers()
        request.wfile.write(rest[: len(whole) // 4])

    storage = served(cut)
    assert storage.local("key").read_bytes() == whole
    with storage.reader("key") as reader:
        assert reader.read() == whole
    assert len(starts) == 8 and starts == sorted(starts[:4]) * 2


def test_a_blob_that_changed_in_the_store_is_not_lent(bucket: Bucket, s3_storage: S3Storage, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"flipped")
    right, wrong = hashlib.sha256(b"flipped").hexdigest(), "0" * 64
    for key, said in (("said", wrong), (f"named/{wrong}.id", right)):
        assert bucket.put(source, s3_storage.prefix + key, said)
        with pytest.raises(Unavailable, match="damaged"):
            s3_storage.local(key)
    assert bucket.put(source, f"{s3_storage.prefix}named/{right}.id", right)
    assert s3_storage.local(f"named/{right}.id").read_bytes() == b"flipped"


def test_all_readers_of_a_machine_share_one_copy(s3_storage: S3Storage, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"shared")
    s3_storage.put([(source, "key")])
    with ThreadPoolExecutor(8) as pool:
        inodes = {path.stat().st_ino for path in pool.map(s3_storage.local, ["key"] * 16)}
    assert len(inodes) == 1
    other = S3Storage(s3_storage.bucket, s3_storage.prefix, s3_storage.copies)
    assert {other.local("key").stat().st_ino} == inodes
