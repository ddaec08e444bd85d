"""Connections whose headers take too long or too much are closed: uvicorn itself waits for them without an end."""

from asyncio import Transport
from asyncio.events import TimerHandle

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class LimitedHeaders(HttpToolsProtocol):
    """From the opening of a connection, and from the first byte of each later request, to the end of its headers."""

    headers_s = 20.0
    headers_bytes = 64 * 1024

    _timer: TimerHandle | None = None
    _bytes = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._had()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        awaited = self._timer is not None  # otherwise it begins with a body, which does not count
        super().data_received(data)
        self._bytes += len(data) if awaited else 0
        if self._timer and self._bytes > self.headers_bytes:
            self._refuse()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect()

    def on_headers_complete(self) -> None:
        self._had()
        super().on_headers_complete()

    def _expect(self) -> None:
        self._had()
        self._bytes = 0
        self._timer = self.loop.call_later(self.headers_s, self._refuse)

    def _had(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _refuse(self) -> None:
        self._had()
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n")
            self.transport.close()
