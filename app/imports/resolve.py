"""From a name to addresses, once: what is checked here is what is connected to, whatever the name says later."""

import socket
from collections.abc import Callable
from concurrent.futures import Future
from ipaddress import ip_address
from threading import Thread

from app.imports.address import Address
from app.imports.allowed import AllowList
from app.imports.failure import refused, unreachable
from app.imports.host import Ip
from app.imports.pinned import Deadline
from app.imports.routable import routable

LookUp = Callable[[str, int], list[str]]


def system_look_up(name: str, port: int) -> list[str]:
    """The addresses that this machine's resolver knows, most suitable first. Raises OSError, UnicodeError."""
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def addresses(address: Address, allowed: AllowList, look_up: LookUp, deadline: Deadline) -> list[Ip]:
    """All addresses of an allowed host. UrlFailed when it is not allowed, unknown, one of them is not public, or nobody
    says in time.

    An address that the administrator listed by itself counts as public. Which one was refused is not said: what
    names an inner network has is nobody's business.
    """
    if not allowed.allows(address):
        where = f"{address.host.name} on port {address.port}"
        raise refused(f"{where} is not among the hosts of ROOST_IMPORT_HOSTS; ask who runs this service to add it.")
    if address.host.ip:
        return [address.host.ip]
    try:
        found = [ip_address(text) for text in _asked(look_up, address, deadline)]
    except (OSError, UnicodeError) as error:
        raise unreachable(f"The name {address.host.name} is not known; check how it is written.") from error
    if not found:
        raise unreachable(f"The name {address.host.name} has no address.")
    if not all(routable(ip) or allowed.names(ip, address.port) for ip in found):
        raise refused(f"{address.host.name} leads to an address that is not on the public internet.")
    return found


def _asked(look_up: LookUp, address: Address, deadline: Deadline) -> list[str]:
    """In a thread, since the system's resolver takes no limit. One that is given up ends by itself, unheard."""
    answer: Future[list[str]] = Future()

    def ask() -> None:
        try:
            answer.set_result(look_up(address.host.name, address.port))
        except BaseException as error:
            answer.set_exception(error)

    Thread(target=ask, name="look-up", daemon=True).start()
    try:
        return answer.result(deadline.left())
    except TimeoutError as error:
        raise deadline.passed() from error
