"""Which IP addresses are somebody's server on the public internet, and not this machine, its network or its cloud."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from app.imports.host import Ip

# What ipaddress of every supported Python may count as global, and is not (IANA's special-purpose registries).
_NOT_PUBLIC_4 = [
    IPv4Network("192.0.0.0/24"),  # protocol assignments
    IPv4Network("192.88.99.0/24"),  # relays of 6to4, RFC 7526
    IPv4Network("240.0.0.0/4"),
]
_PUBLIC_6 = IPv6Network("2000::/3")  # all that is given out; RFC 4291, 2.4
_NOT_PUBLIC_6 = [
    IPv6Network("2001::/23"),  # Teredo, ORCHID, benchmarks
    IPv6Network("2002::/16"),  # 6to4 carries any IPv4 address
    IPv6Network("2001:db8::/32"),
    IPv6Network("3fff::/20"),  # documentation, RFC 9637
]
_CARRIES_4 = [
    IPv6Network("::ffff:0:0/96"),  # IPv4-mapped
    IPv6Network("64:ff9b::/96"),  # NAT64, RFC 6052: how an IPv6-only network reaches IPv4
]
_ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214, 6.1: an interface id that carries an IPv4 address


def routable(ip: Ip) -> bool:
    """Whether the address, and the IPv4 address that it may carry, is globally routable unicast."""
    return _routable4(ip) if isinstance(ip, IPv4Address) else _routable6(ip)


def _routable4(ip: IPv4Address) -> bool:
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _NOT_PUBLIC_4)


def _routable6(ip: IPv6Address) -> bool:
    if ip.scope_id:
        return False
    if any(ip in network for network in _CARRIES_4):
        return _routable4(IPv4Address(int(ip) & 0xFFFFFFFF))
    if (int(ip) >> 32) & 0xFFFFFFFF in _ISATAP:
        return False
    return ip in _PUBLIC_6 and ip.is_global and not any(ip in network for network in _NOT_PUBLIC_6)
