"""Which address a client has: its connection's, or what proxies that we trust say of it."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

_V6_PREFIX = 64  # bits of what one subscriber is given, at least: within them addresses are free


class Proxies:
    """The proxies whose X-Forwarded-For is believed."""

    def __init__(self, networks: Iterable[str]) -> None:
        """Networks as CIDR or single addresses.  Raises ValueError for one that is neither."""
        self._networks = [ip_network(network, strict=False) for network in networks]

    def trusts(self, peer: str) -> bool:
        """Whether what comes from an address is what such a proxy passes on."""
        address = _read(peer)
        return address is not None and any(address in network for network in self._networks)

    def client(self, peer: str, forwarded: Sequence[str]) -> str:
        """The client's address.

        `peer` is the other end of the connection, `forwarded` the values of all X-Forwarded-For fields.  Each proxy
        appends whom it was asked by, so the list is read from its end for as long as those who wrote it are trusted;
        what is further left anybody may have made up.
        """
        address = _read(peer)
        if address is None or not self._networks:
            return peer
        for entry in reversed(",".join(forwarded).split(",")):
            if not any(address in network for network in self._networks):
                break
            said = _read(entry.strip())
            if said is None:
                break
            address = said
        return str(address)


def neighbourhood(address: str) -> str:
    """What is counted as one client: an IPv4 address, or the network that one IPv6 subscriber has."""
    if ":" not in address:
        return address
    read = _read(address)
    if isinstance(read, IPv6Address):
        return str(IPv6Network((int(read), _V6_PREFIX), strict=False))
    return address if read is None else str(read)


def _read(text: str) -> IPv4Address | IPv6Address | None:
    if text.startswith("["):  # some proxies append the port
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
