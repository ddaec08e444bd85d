"""A network that notes who was asked for, and goes nowhere or to one local server."""

from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from app.imports.allowed import AllowList
from app.imports.fetch import Fetcher
from app.imports.resolve import LookUp

PUBLIC = "93.184.215.14"
TLS = httpx.create_ssl_context()  # what a Fetcher makes by itself; to make it takes longer than most of these tests


class Recorded(httpcore.NetworkBackend):
    """Notes every connection; they all end at `port` of this machine, or are refused."""

    def __init__(self, port: int | None = None) -> None:
        self.port = port
        self.connections: list[tuple[str, int]] = []

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        self.connections.append((host, port))
        if self.port is None:
            raise httpcore.ConnectError("nobody listens")
        return httpcore.SyncBackend().connect_tcp("127.0.0.1", self.port, timeout, local_address, socket_options)


class Names:
    """A resolver: each question gets the next answer, the last one again and again."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers) or [[PUBLIC]]
        self.asked: list[str] = []

    def __call__(self, name: str, port: int) -> list[str]:
        self.asked.append(name)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def fetched(allowed: str, url: str, names: LookUp | None = None, network: Any = None, **more: Any) -> bytes:
    """The body, with a limit of 10 s and 1 MB unless told otherwise."""
    body = bytearray()
    limits = {"seconds": 10, "limit": 2**20, "tls": TLS} | more
    fetcher = Fetcher(AllowList(allowed), look_up=names or Names(), network=network, **limits)
    fetcher.fetch(url, body.extend)
    return bytes(body)
