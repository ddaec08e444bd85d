"""A client that falls silent in the middle of a body holds no request for ever, and loses nothing that can be kept."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn

from app.main import create_app
from app.settings import Settings
from tests.app.calls import BOUNDARY, files_below, new_collection, part
from tests.app.uploads.speaking import OFFSETS, begin, received
from tests.fixtures.servers import free_port

SILENCE_S = 0.5
LENGTH = 5000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Path]]:
    """A service that is soon tired of waiting, and its scratch folder."""
    settings = Settings(data=tmp_path_factory.mktemp("silent") / "data", body_silence_s=SILENCE_S, log_level="error")
    server = uvicorn.Server(uvicorn.Config(create_app(settings), port=(port := free_port()), log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        yield client, settings.scratch
    server.should_exit = True
    thread.join()


def half(client: httpx.Client, request: str, *headers: str, body: bytes) -> bytes:
    """Begin a request whose body does not go on; all that the server says until it closes."""
    url = urlsplit(str(client.base_url))
    head = "\r\n".join([f"{request} HTTP/1.1", f"Host: {url.netloc}", f"Content-Length: {LENGTH}", *headers])
    with socket.create_connection((url.hostname, url.port), timeout=20) as connection:
        connection.sendall(f"{head}\r\n\r\n".encode() + body)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_json_that_does_not_go_on(served: tuple[httpx.Client, Path]) -> None:
    answer = half(served[0], "POST /v1/collections", "Content-Type: application/json", body=b'{"name": "a')
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_an_upload_that_does_not_go_on_leaves_nothing(served: tuple[httpx.Client, Path]) -> None:
    client, scratch = served
    path = f"/v1/collections/{new_collection(client)}/images"
    body = f"--{BOUNDARY}\r\n".encode() + part(b"a.jpg") + b"abc"
    answer = half(client, f"POST {path}", f"Content-Type: multipart/form-data; boundary={BOUNDARY}", body=body)
    assert answer.startswith(b"HTTP/1.1 400 ") and b"body_incomplete" in answer
    assert files_below(scratch) == []


def test_what_has_come_of_a_resumable_upload_is_kept(served: tuple[httpx.Client, Path]) -> None:
    client, _ = served
    address = begin(client, new_collection(client), LENGTH)
    headers = ("Tus-Resumable: 1.0.0", f"Content-Type: {OFFSETS}", "Upload-Offset: 0")
    half(client, f"PATCH {urlsplit(address).path}", *headers, body=b"a" * 2000)
    assert received(client, address) == 2000


def test_a_slow_body_that_goes_on(served: tuple[httpx.Client, Path]) -> None:
    def slowly() -> Iterator[bytes]:
        for piece in (b'{"na', b'me": ', b'"slow"}'):
            threading.Event().wait(0.6 * SILENCE_S)
            yield piece

    answer = served[0].post("/v1/collections", content=slowly(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 201 and answer.json()["name"] == "slow"
