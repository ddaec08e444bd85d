"""A host and a port as they may be written, in an address and in the list of allowed hosts: one way only.

Programs disagree on what 0x7f.1, 127.1, a name with a dot at its end or one with full-width digits mean. What can be
read in two ways is refused, so that what was compared with the list is what is connected to.
"""

import re
import string
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import idna

from app.imports.failure import refused

Ip = IPv4Address | IPv6Address
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")  # what resolvers take for an IPv4 address, however odd
_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
MAX_NAME = 253  # RFC 1035, 2.3.4


@dataclass(frozen=True)
class Host:
    """A name in lower case and ASCII, or an address: then `name` is its text without brackets."""

    name: str
    ip: Ip | None = None


def authority(text: str) -> tuple[Host, int | None]:
    """`host` or `host:port`. Raises UrlFailed for a name in front (user@host), a zone, an empty or impossible port."""
    if "@" in text:
        raise refused("It has a user name or password in front of the host; leave that out.")
    match = _AUTHORITY.fullmatch(text)
    if not match:
        raise refused("Its host can't be read; write https://host/path.")
    port = int(match[2]) if match[2] else None
    if port is not None and not 0 < port < 65536:
        raise refused(f"There is no port {port}.")
    return host(match[1]), port


def host(text: str) -> Host:
    """Raises UrlFailed for what is neither a plain name nor an address in its usual form."""
    if text.startswith("["):
        return _ipv6(text[1:-1])
    name = _ascii(text.translate(_ASCII_LOWER))
    if _NUMBER.fullmatch(name):
        return _ipv4(name)
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise refused("Its host is no plain name; write it with letters, digits, hyphens and single dots.")
    return Host(name)


def _ascii(name: str) -> str:
    """IDNA 2008, without the mappings that would turn full-width or circled characters into others."""
    if name.isascii():
        return name
    if any(dot in name for dot in "\u3002\uff0e\uff61"):
        raise refused("Its host has dots that are no full stops; write plain ones.")
    try:
        return idna.encode(name).decode("ascii")
    except idna.IDNAError as error:
        raise refused("Its host has characters that no host name has; write it as the site itself does.") from error


def _ipv4(text: str) -> Host:
    try:
        ip = IPv4Address(text)
    except AddressValueError as error:
        raise refused("Its host is a number; write a name, or an IPv4 address as four plain numbers.") from error
    return Host(str(ip), ip)


def _ipv6(text: str) -> Host:
    try:
        if "%" in text:
            raise refused("Its IPv6 address has a zone; addresses of this machine's own networks are not fetched.")
        ip = IPv6Address(text)
    except AddressValueError as error:
        raise refused("What stands in brackets is no IPv6 address.") from error
    return Host(str(ip), ip)
