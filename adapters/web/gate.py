"""The gate: which pages may talk to us, from where, and how many. Asked before anything is read from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from aiohttp import web

from adapters.web.buckets import Addresses

Network = IPv4Network | IPv6Network

FULL_RETRY_SECONDS = 30
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Gate:
    """`public_url` is where people reach us; its origin is always let in. `origins` are the sites' own, exact.

    `trusted_proxies` are the networks whose X-Forwarded-For is believed. An address only ever limits the number of
    connections: it proves nothing about anybody.
    """

    def __init__(
        self,
        public_url: str,
        origins: Sequence[str],
        trusted_proxies: Sequence[Network],
        addresses: Addresses,
        full: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self._origins = frozenset((*origins, *_own_origins(public_url)))
        self._any_port = urlsplit(public_url).port == 0  # chosen by the system when we listen, so nobody knows it here
        self._trusted = tuple(trusted_proxies)
        self._addresses = addresses
        self._full = full
        self._clock = clock

    def allows(self, origin: str) -> bool:
        """Whether pages of this origin may talk to us."""
        return origin in self._origins or (self._any_port and urlsplit(origin).hostname in LOOPBACK)

    def check_origin(self, request: web.Request) -> str:
        """The page's origin. Raises 403 for one that is not listed, and for a request that names none."""
        origin = request.headers.get("Origin", "")
        if not self.allows(origin):
            raise web.HTTPForbidden(text="Pages of this origin may not connect: see the setting web.origins.\n")
        return origin

    def admit(self, request: web.Request) -> str:
        """Let a new connection in; give what it was counted under back to `leave`. Raises 403, 429 or 503."""
        self.check_origin(request)
        if self._full():
            raise _unavailable()
        address = self._limited(request)
        wait = self._addresses.enter(address, self._clock()) if address else 0.0
        if wait:
            raise web.HTTPTooManyRequests(
                text="Too many connections from this address.\n", headers={"Retry-After": str(int(wait) + 1)}
            )
        return address

    def leave(self, address: str) -> None:
        if address:
            self._addresses.leave(address)

    def remote(self, request: web.Request) -> str:
        """The address that a request comes from; empty when it is not known."""
        peer = self._peer(request)
        return "" if peer is None else str(peer)

    def _limited(self, request: web.Request) -> str:
        """The address that counts; empty for this machine itself, where proxies and our own pages live."""
        peer = self._peer(request)
        return "" if peer is None or peer.is_loopback else _subscriber(peer)

    def _peer(self, request: web.Request) -> IPv4Address | IPv6Address | None:
        peer = _address(request.remote or "")
        if peer is not None and self._is_trusted(peer):
            return self._forwarded(request.headers.getall("X-Forwarded-For", [])) or peer
        return peer

    def _forwarded(self, headers: list[str]) -> IPv4Address | IPv6Address | None:
        """The last address that a trusted proxy added: everything left of it may be made up."""
        for text in reversed([part for header in headers for part in header.split(",")]):
            address = _address(text.strip())
            if address is None:
                return None
            if not self._is_trusted(address):
                return address
        return None

    def _is_trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address.version == network.version and address in network for network in self._trusted)


def _unavailable() -> web.HTTPServiceUnavailable:
    return web.HTTPServiceUnavailable(text="Full.\n", headers={"Retry-After": str(FULL_RETRY_SECONDS)})


def _own_origins(public_url: str) -> tuple[str, ...]:
    """Our own origin; on this machine under each of its names, since people type all of them."""
    parts = urlsplit(public_url)
    own = f"{parts.scheme}://{parts.netloc}"
    if parts.hostname not in LOOPBACK:
        return (own,)
    port = f":{parts.port}" if parts.port else ""
    return (own, *(f"{parts.scheme}://{host}{port}" for host in ("127.0.0.1", "localhost", "[::1]")))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _subscriber(address: IPv4Address | IPv6Address) -> str:
    """One line has one IPv4 address, or a /64 of IPv6 (RFC 6177), within which addresses cost nothing."""
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((int(address) >> 64 << 64, 64)))
