"""Clients that never end their headers are let go; slow bodies and idle moments between requests are none of it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from fastapi import FastAPI, Request

from app.slow_headers import LimitedHeaders
from tests.fixtures.servers import free_port

HEAD = b"POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n"


class Quick(LimitedHeaders):
    headers_s = 0.3
    headers_bytes = 10_000


class Patient(Quick):
    headers_s = 3600.0


@contextmanager
def serving(protocol: type[LimitedHeaders]) -> Iterator[int]:
    """The port of a server with these limits."""
    app = FastAPI()

    @app.post("/echo")
    async def echo(request: Request) -> str:
        return (await request.body()).decode()

    found = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=found, http=protocol, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    try:
        yield found
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of a server that waits for headers 0.3 s, and takes 10 kB of them."""
    with serving(Quick) as found:
        yield found


@pytest.fixture
def connection(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as made:
        yield made


def answer(connection: socket.socket) -> bytes:
    """All until the other side closes."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize("begun", [b"", b"G", HEAD, HEAD + b"X-Slow: a"], ids=["nothing", "a byte", "headers", "half"])
def test_headers_that_never_end(connection: socket.socket, begun: bytes) -> None:
    connection.sendall(begun)
    assert answer(connection).startswith(b"HTTP/1.1 408 ")


def test_headers_that_never_end_after_a_request(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"\r\nabcd")
    assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
    connection.sendall(HEAD)
    assert b"HTTP/1.1 408 " in answer(connection)


def test_more_headers_than_anybody_needs() -> None:
    """Long before their time is over."""
    with serving(Patient) as port, socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(HEAD + b"X-Long: " + b"a" * 20_000)
        assert answer(connection).startswith(b"HTTP/1.1 408 ")


def test_a_body_may_take_longer(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Connection: close\r\n\r\n")
    connection.settimeout(3 * Quick.headers_s)
    with pytest.raises(TimeoutError):  # nothing comes, not even the end
        connection.recv(1)
    connection.settimeout(20)
    connection.sendall(b"abcd")
    assert answer(connection).endswith(b'"abcd"')
