"""One address to its bytes. No cookies, credentials, proxies or decompression; redirects are checked like addresses.

On httpcore, below httpx: it asks what it is told to ask, where it is told to, and nothing of the environment.
"""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpcore
import httpx

from app.images.staging import FileTooLarge
from app.imports.address import Address, parse, redirected
from app.imports.allowed import AllowList
from app.imports.failure import UrlFailed, refused, unreachable
from app.imports.pinned import Deadline, Pinned
from app.imports.resolve import LookUp, addresses, system_look_up

MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)


class Fetcher:
    """Fetches from the hosts of `allowed`, each address within `seconds` and at most `limit` bytes of body."""

    def __init__(
        self,
        allowed: AllowList,
        seconds: float,
        limit: int,
        look_up: LookUp = system_look_up,
        network: httpcore.NetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """By default certificates must hold before certifi's authorities, or those that SSL_CERT_FILE names."""
        self.allowed, self.seconds, self.limit, self.look_up = allowed, seconds, limit, look_up
        self.network = network or httpcore.SyncBackend()
        self.tls = tls or httpx.create_ssl_context()

    def fetch(self, url: str, write: Callable[[bytes], None]) -> None:
        """Hand the body to `write`, piece by piece. Raises UrlFailed, FileTooLarge, and what `write` raises."""
        deadline = Deadline(self.seconds)
        address = parse(url)
        for _ in range(MAX_REDIRECTS + 1):
            following = self._visit(address, deadline, write)
            if following is None:
                return
            address = following
        raise refused(f"It redirects more than {MAX_REDIRECTS} times.")

    def _visit(self, address: Address, deadline: Deadline, write: Callable[[bytes], None]) -> Address | None:
        """Take the body, or learn where else to look for it."""
        with _named(deadline), self._answer(address, deadline) as answer:
            headers = {name.lower(): value.decode("utf-8", "replace") for name, value in answer.headers}
            if answer.status in _REDIRECTS and b"location" in headers:
                return redirected(address, headers[b"location"])
            self._check(answer.status, headers)
            size = 0
            for piece in answer.iter_stream():
                size += len(piece)
                if size > self.limit:
                    raise FileTooLarge
                write(piece)
        return None

    @contextmanager
    def _answer(self, address: Address, deadline: Deadline) -> Iterator[httpcore.Response]:
        found = addresses(address, self.allowed, self.look_up, deadline)
        url = httpcore.URL(
            scheme=address.scheme.encode(),
            host=address.host.name.encode(),
            port=address.port,
            target=address.target.encode(),
        )
        headers = [
            ("Host", address.netloc),
            ("User-Agent", "Roost"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
        ]
        backend = Pinned(found, deadline, self.network)
        with (
            httpcore.HTTPConnection(url.origin, self.tls, network_backend=backend) as connection,
            connection.stream("GET", url, headers=headers) as answer,
        ):
            yield answer

    def _check(self, status: int, headers: dict[bytes, str]) -> None:
        """Refuse by the headers what need not be read."""
        if status != 200:
            raise UrlFailed("url_status", f"The server answered {status}; open the address in a browser to see why.")
        if headers.get(b"content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise refused("The server sends it compressed though it was asked not to; upload the file.")
        length = headers.get(b"content-length", "")
        if length.isdecimal() and int(length) > self.limit:
            raise FileTooLarge


@contextmanager
def _named(deadline: Deadline) -> Iterator[None]:
    """What goes wrong on the way, with its code."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise deadline.passed() from error
    except httpcore.ConnectError as error:
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            raise unreachable("The server's certificate does not hold for this name.") from error
        raise unreachable("The server takes no connection; try again later.") from error
    except httpcore.NetworkError as error:
        raise unreachable("The connection broke off; try again.") from error
    except httpcore.ProtocolError as error:
        raise unreachable("The server's answer is broken, or ended before its time; try again.") from error
