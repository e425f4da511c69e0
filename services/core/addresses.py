"""PURE: clients by address."""

import ipaddress
from typing import Protocol


class Peer(Protocol):
    @property
    def host(self) -> str: ...


def client_of(peer: Peer | None) -> str:
    """An IPv4 address, or the /64 that one IPv6 subscriber has; one name for all who have none."""
    if peer is None:
        return "unknown"
    try:
        address = ipaddress.ip_address(peer.host.partition("%")[0])
    except ValueError:
        return peer.host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
