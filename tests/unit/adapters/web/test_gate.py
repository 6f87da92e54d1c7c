"""Which pages may connect, and what counts as one address."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from adapters.web.buckets import Addresses
from adapters.web.gate import Gate

SHOP = "https://shop.example"


def gate(
    *, most: int = 2, proxies: tuple[str, ...] = (), full: bool = False, url: str = "https://chat.example"
) -> Gate:
    networks = [ip_network(one) for one in proxies]
    return Gate(url, (SHOP,), networks, Addresses(most), lambda: full, lambda: 0.0)


def request(peer: str = "203.0.113.5", origin: str | None = SHOP, *forwarded: str) -> web.Request:
    headers = [("Origin", origin)] if origin is not None else []
    headers += [("X-Forwarded-For", one) for one in forwarded]

    class Transport:
        def get_extra_info(self, name: str, default: object = None) -> object:
            return (peer, 5_000) if name == "peername" else default

    return make_mocked_request("GET", "/", headers=CIMultiDict(headers), transport=Transport())


@pytest.mark.parametrize("origin", [SHOP, "https://chat.example"])
def test_listed_origins_and_our_own_are_let_in(origin: str) -> None:
    assert gate().admit(request(origin=origin)) == "203.0.113.5"


@pytest.mark.parametrize(
    "origin",
    ["http://shop.example", "https://shop.example:8443", "https://SHOP.example", "https://shop.example/", "", None],
)
def test_origins_are_compared_exactly(origin: str | None) -> None:
    with pytest.raises(web.HTTPForbidden):
        gate().admit(request(origin=origin))


def test_on_this_machine_our_origin_has_three_names() -> None:
    here = gate(url="http://127.0.0.1:8787")
    for host in ("127.0.0.1", "localhost", "[::1]"):
        assert here.allows(f"http://{host}:8787")
    assert not here.allows("http://localhost:8788")
    assert not gate().allows("http://localhost:8787")


def test_a_port_that_the_system_chooses_is_not_known_beforehand() -> None:
    here = gate(url="http://127.0.0.1:0")
    assert here.allows("http://localhost:41234")
    assert not here.allows("http://localhost.evil.example:41234")
    assert not here.allows("not an origin")


def test_one_address_has_a_bounded_number_of_connections() -> None:
    one = gate(most=2)
    names = [one.admit(request()) for _ in range(2)]
    with pytest.raises(web.HTTPTooManyRequests) as refused:
        one.admit(request())
    assert int(refused.value.headers["Retry-After"]) > 0
    assert one.admit(request("203.0.113.6")) == "203.0.113.6"
    one.leave(names[0])
    with pytest.raises(web.HTTPTooManyRequests):
        one.admit(request())  # there is room, but they come too fast


def test_this_machine_is_not_limited() -> None:
    one = gate(most=1)
    assert [one.admit(request("127.0.0.1")) for _ in range(5)] == [""] * 5


def test_a_forwarded_address_counts_only_from_a_trusted_proxy() -> None:
    assert gate().admit(request("203.0.113.5", SHOP, "198.51.100.7")) == "203.0.113.5"
    trusting = gate(proxies=("10.0.0.0/8", "127.0.0.0/8"))
    assert trusting.admit(request("10.0.0.1", SHOP, "1.1.1.1, 198.51.100.7, 10.2.3.4")) == "198.51.100.7"
    assert trusting.admit(request("10.0.0.1", SHOP, "1.1.1.1", "198.51.100.8")) == "198.51.100.8"
    assert trusting.admit(request("10.0.0.1", SHOP, "made up")) == "10.0.0.1"
    assert trusting.admit(request("127.0.0.1", SHOP, "198.51.100.9")) == "198.51.100.9"


def test_a_line_has_one_ipv4_address_or_a_64_of_ipv6() -> None:
    one = gate(most=9)
    assert one.admit(request("2001:db8:1:2:aaaa::1")) == one.admit(request("2001:db8:1:2:bbbb::9"))
    assert one.admit(request("2001:db8:1:3::1")) != one.admit(request("2001:db8:1:2::1"))
    assert one.admit(request("::ffff:203.0.113.5")) == "203.0.113.5"


def test_a_full_process_says_so() -> None:
    with pytest.raises(web.HTTPServiceUnavailable):
        gate(full=True).admit(request())
