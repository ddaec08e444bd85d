"""An address as a person writes it, read strictly: what is doubtful is refused, never mended."""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote, unquote, urljoin

from app.imports.failure import refused
from app.imports.host import Host, authority
from app.text import printable

MAX_LENGTH = 2000
PORTS = {"http": 80, "https": 443}
_URL = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.IGNORECASE)
_KEPT = "%/:@!$&'()*+,;=~-._?[]"  # of a path and query; all else is sent as %XX


@dataclass(frozen=True)
class Address:
    """`target` is what the server is asked for, path and query in ASCII. A fragment is not sent, so it is dropped."""

    scheme: str
    host: Host
    port: int
    target: str

    @property
    def netloc(self) -> str:
        """The value of the Host header."""
        name = f"[{self.host.name}]" if ":" in self.host.name else self.host.name
        return name if self.port == PORTS[self.scheme] else f"{name}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.target}"


def parse(url: str) -> Address:
    """Raises UrlFailed, and nothing else, for what is not plainly http(s)://host[:port][/path][?query]."""
    _plain(url)
    match = _URL.fullmatch(url)
    if not match:
        raise refused("It is no address of the form https://host/path; only http and https are fetched.")
    scheme = match[1].lower()
    found, port = authority(match[2])
    target = quote((match[3] or "/") + (match[4] or ""), safe=_KEPT)
    return Address(scheme, found, PORTS[scheme] if port is None else port, target)


def redirected(address: Address, location: str) -> Address:
    """Where a Location header leads, read as strictly as what people send."""
    _plain(location)  # before urljoin, which drops tabs and line ends
    try:
        following = urljoin(address.url, location)
    except ValueError as error:
        raise refused("It redirects to what is no address.") from error
    return parse(following)


def file_name(url: str) -> str:
    """The last part of the path, for display; without one, the address itself."""
    path = re.split(r"[?#]", url, maxsplit=1)[0]
    last = unquote(path.partition("://")[2].partition("/")[2].rpartition("/")[2], errors="replace")
    return printable(last.replace("\\", "/").rpartition("/")[2]).strip() or shown(url)


def shown(url: str) -> str:
    """The address on one line, for display."""
    return printable(url) or "unnamed"


def _plain(url: str) -> None:
    if len(url) > MAX_LENGTH:
        raise refused(f"It is longer than {MAX_LENGTH:,} characters.")
    if any(c == "\\" or unicodedata.category(c)[0] in "CZ" for c in url):
        raise refused(
            "It has blanks, backslashes or characters that can't be seen; write them as %XX or leave them out."
        )
