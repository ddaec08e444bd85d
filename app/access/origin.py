"""What other sites make a visitor's browser send: changes asked for by their pages, and names bent to this address.

A browser says where a request comes from (https://www.rfc-editor.org/rfc/rfc6454, https://www.w3.org/TR/fetch-metadata/);
programs say nothing, and need not.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from app.errors import Forbidden, Misdirected

SAFE = ("GET", "HEAD", "OPTIONS")
ELSEWHERE = ("cross-site", "same-site")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def named(text: str) -> frozenset[str]:
    """The names in a list with commas."""
    return frozenset(name for part in text.split(",") if (name := host_name(part.strip())))


def check_origin(method: str, headers: Headers, allowed: frozenset[str]) -> None:
    """Forbidden (origin_refused) for a change that another site's page asks for."""
    if method in SAFE:
        return
    own = _authority(headers.get("host", ""))
    origins = headers.getlist("origin")
    ours = all(_authority_of(origin) == own or _name_of(origin) in allowed for origin in origins)
    if ours and not set(headers.getlist("sec-fetch-site")) & set(ELSEWHERE):
        return
    raise Forbidden(
        "A page of another site asked for this change. If that is the name under which your proxy is reached, add it "
        "to ROOST_ALLOWED_HOSTS.",
        code="origin_refused",
    )


def check_host(headers: Headers, hosts: frozenset[str]) -> None:
    """Misdirected (host_refused) for a request to another name: a site may bend its own to this machine's address."""
    if host_name(headers.get("host", "")) not in hosts:
        raise Misdirected(
            "This service has no keys and answers only to the names of this machine. If a proxy hands on another, "
            "add it to ROOST_ALLOWED_HOSTS."
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address to listen on. Of names, localhost alone is known to be so."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def host_name(authority: str) -> str:
    """Without port, brackets and last dot: "[::1]:8080" is ::1. A bracket that nothing closes names nothing."""
    text = authority.lower()
    if text.startswith("["):
        inside, closed, _ = text[1:].partition("]")
        return inside if closed else ""
    return text.partition(":")[0].rstrip(".") if text.count(":") < 2 else text


def _authority(text: str) -> str:
    return text.lower().removesuffix(":80").removesuffix(":443")


def _authority_of(origin: str) -> str | None:
    """Host and port of an origin; None for one that is none, such as "null"."""
    try:
        return _authority(urlsplit(origin).netloc) or None
    except ValueError:
        return None


def _name_of(origin: str) -> str:
    return host_name(_authority_of(origin) or "")
