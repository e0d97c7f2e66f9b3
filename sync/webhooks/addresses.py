"""Which addresses a partner may have called: https, on the public internet; never anything inside."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

LONGEST = 500  # characters of an address
LOWEST_PORT = 1024  # beside 443: below it stand services that are none of the web
_URL = re.compile(
    r"https://([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::([0-9]{1,5}))?([/?][!-\"$-\[\]-~]*)?",
    re.IGNORECASE | re.ASCII,
)
_INSIDE = tuple(  # beside what is private, local or reserved by the registries
    map(
        ip_network,
        (
            "168.63.129.16/32",  # the wire server of one cloud
            "192.0.0.0/24",
            "192.88.99.0/24",
            "64:ff9b::/96",  # these four carry an IPv4 address, which may be any
            "64:ff9b:1::/48",
            "2002::/16",
            "::/96",
        ),
    )
)


class NotCalled(Exception):
    """A name leads nowhere, or not to the public internet alone; the two are not told apart."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call goes: a name that is looked up at each call, and what is asked for there."""

    host: str
    port: int
    target: str


def place_of(url: str) -> Place:
    """The place of an https address; ValueError where it may not be called, whatever its name leads to."""
    found = _URL.fullmatch(url) if len(url) <= LONGEST else None
    if found is None:
        raise ValueError("not an https address, or one with a name, a password or a `#` in it")
    host, port, target = found[1].strip("[]"), int(found[2] or 443), found[3] or "/"
    if port != 443 and not LOWEST_PORT <= port <= 65_535:
        raise ValueError(f"a port must be 443, or {LOWEST_PORT} to 65535")
    return Place(host.lower(), port, target if target.startswith("/") else f"/{target}")


def public_addresses(host: str, port: int) -> tuple[str, ...]:
    """The addresses that a name has now. Raises NotCalled unless there are some, all of them public."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as cause:
        raise NotCalled from cause
    return all_public(tuple(dict.fromkeys(str(each[4][0]) for each in found)))


def all_public(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """These addresses of one name. Raises NotCalled unless there are some, all of them public."""
    # INVARIANT: one address inside is enough to call none: a name's owner chooses what it leads to.
    if not addresses or not all(map(is_public, addresses)):
        raise NotCalled
    return addresses


def is_public(text: str) -> bool:
    """Whether an IP address is on the public internet."""
    address: IPv4Address | IPv6Address = ip_address(text)
    if isinstance(address, IPv6Address) and (address.ipv4_mapped or address.is_site_local):
        return False
    if any(address in network for network in _INSIDE if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)
