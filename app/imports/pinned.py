"""Connections that go to addresses checked before, never to what a name means now, and that end at a given time."""

import time
from collections.abc import Iterable
from typing import Any

import httpcore

from app.imports.failure import UrlFailed
from app.imports.host import Ip


class Deadline:
    """One limit for all of an address: its redirects, hand-shakes, headers and body, however slowly they drip."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds. Raises UrlFailed when there are none."""
        if (left := self._end - time.monotonic()) > 0:
            return left
        raise self.passed()

    def passed(self) -> UrlFailed:
        return UrlFailed("url_timeout", f"It took longer than {self.seconds:g} seconds; try again, or upload the file.")


class Pinned(httpcore.NetworkBackend):
    """httpcore's way to the network with fixed addresses. The name still goes into Host, SNI and the certificate."""

    def __init__(self, addresses: list[Ip], deadline: Deadline, network: httpcore.NetworkBackend) -> None:
        self.addresses, self.deadline, self.network = addresses, deadline, network

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """To the first address that takes the connection; each of them gets its share of the time that is left."""
        failure: Exception = httpcore.ConnectError("no address")
        for tried, ip in enumerate(self.addresses):
            share = self.deadline.left() / (len(self.addresses) - tried)
            try:
                stream = self.network.connect_tcp(str(ip), port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return Timed(stream, self.deadline)
        raise failure


class Timed(httpcore.NetworkStream):
    """A connection whose every wait ends with the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self.stream, self.deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, self.deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, self.deadline.left())

    def close(self) -> None:
        self.stream.close()

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> "Timed":
        return Timed(self.stream.start_tls(ssl_context, server_hostname, self.deadline.left()), self.deadline)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)
