"""Which hosts the node may connect to: only declared camera networks, never its own services."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from workers.recorder.errors import SourceError

DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_ENCRYPTED = ("rtsps", "https")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class NetworkPolicy:
    """Declared camera networks, and loopback ports that belong to the product itself."""

    networks: tuple[Network, ...]
    own_ports: frozenset[int]
    files: bool

    @classmethod
    def of(cls, networks: Sequence[str], own_ports: Sequence[int] = (), *, files: bool = False) -> NetworkPolicy:
        return cls(tuple(ipaddress.ip_network(one, strict=False) for one in networks), frozenset(own_ports), files)

    def resolve(self, url: str) -> str:
        """The URL with its host replaced by the checked address. Raises `SourceError`.

        The name is resolved once, so that a second answer of the name server cannot lead elsewhere; an encrypted
        URL keeps the name because the certificate is checked against it.
        """
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise SourceError("protocol_error")
        try:
            port = parts.port or DEFAULT_PORTS[parts.scheme]
            found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        except (OSError, ValueError):
            raise SourceError("unreachable") from None
        addresses = [ipaddress.ip_address(str(entry[4][0])) for entry in found]
        if not addresses or not all(self._allowed(address, port) for address in addresses):
            raise SourceError("network_not_allowed")
        return url if parts.scheme in _ENCRYPTED else _with_host(parts, addresses[0], port)

    def _allowed(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> bool:
        if address.is_loopback and port in self.own_ports:
            return False
        return any(address.version == network.version and address in network for network in self.networks)


def _with_host(parts: SplitResult, address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> str:
    credentials, at, _ = parts.netloc.rpartition("@")
    host = f"[{address}]" if address.version == 6 else str(address)
    return urlunsplit((parts.scheme, f"{credentials}{at}{host}:{port}", parts.path, parts.query, ""))
