"""ROOST_IMPORT_HOSTS: the hosts that pictures may be fetched from. No code but this list decides that.

images.example.org        this name, on ports 80 and 443
*.example.org             every name below it, itself not
images.example.org:8443   this name, on this port only
192.0.2.7:8000            this very address, though it need not be a public one; [2001:db8::7]:8000 likewise
"""

from dataclasses import dataclass

from app.imports.address import Address
from app.imports.failure import UrlFailed
from app.imports.host import Host, Ip, authority

USUAL_PORTS = (80, 443)


@dataclass(frozen=True)
class Rule:
    host: Host
    below: bool
    port: int | None

    def allows(self, host: Host, port: int) -> bool:
        if port not in (USUAL_PORTS if self.port is None else (self.port,)):
            return False
        if self.below:
            return host.ip is None and host.name.endswith(f".{self.host.name}")
        return host == self.host


class AllowList:
    def __init__(self, text: str) -> None:
        """Raises ValueError, naming the entry that can't be read."""
        self.rules = [_rule(entry) for entry in entries(text)]

    def __bool__(self) -> bool:
        return bool(self.rules)

    def allows(self, address: Address) -> bool:
        return any(rule.allows(address.host, address.port) for rule in self.rules)

    def names(self, ip: Ip, port: int) -> bool:
        """Whether this very address is listed: then it need not be a public one."""
        return any(rule.allows(Host(str(ip), ip), port) for rule in self.rules)


def entries(text: str) -> list[str]:
    """What stands between the commas."""
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def _rule(entry: str) -> Rule:
    below = entry.startswith("*.")
    try:
        host, port = authority(entry[2:] if below else entry)
    except UrlFailed as error:
        raise ValueError(f"{entry!r} is no host, *.host, host:port or address: {error.detail}") from error
    if below and host.ip:
        raise ValueError(f"{entry!r}: there is nothing below an address; list each one.")
    return Rule(host, below, port)
