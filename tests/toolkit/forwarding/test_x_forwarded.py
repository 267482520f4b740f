"""The X-Forwarded headers: lists that are read from the right, in step with one another."""

from __future__ import annotations

import time
from ipaddress import ip_network
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.forwarding.addresses import MOST_HOPS, Trust
from garrison.forwarding.x_forwarded import XForwarded, items_from_right

TRUST: Final = Trust((ip_network("10.0.0.0/8"),))
FOR, PROTO = b"x-forwarded-for", b"x-forwarded-proto"


@given(st.lists(st.binary(max_size=20), max_size=6), st.integers(1, 8))
def test_items_are_those_of_all_lines(lines: list[bytes], most: int) -> None:
    """Several lines are one list, of which as many items are looked at as are wanted."""
    joined = [item.decode("latin-1").strip(" \t") for line in lines for item in line.split(b",")]
    assert items_from_right(lines, most) == joined[::-1][:most]


@pytest.mark.parametrize(
    ("chain", "protos", "proto"),
    [
        ("192.0.2.1", "https", "https"),
        ("192.0.2.1", "http, https", "https"),
        ("192.0.2.1, 10.0.0.2", "https, http", "https"),
        ("6.6.6.6, 192.0.2.1, 10.0.0.2", "https, http, https", "http"),
        ("192.0.2.1, 10.0.0.2, 10.0.0.3", "https", "https"),
        ("192.0.2.1, 10.0.0.2, 10.0.0.3", "https, http", None),
        ("unknown", "https, http", "http"),
        ("192.0.2.1", ",", None),
        ("192.0.2.1", "", None),
    ],
)
def test_the_scheme_belongs_to_the_hop_that_vouches_for_the_client(
    chain: str, protos: str, proto: str | None
) -> None:
    """Lists go in step: where each proxy added one, the client's own is as far from the right as it is."""
    found = XForwarded(TRUST, ("for", "proto")).facts({FOR: [chain.encode()], PROTO: [protos.encode()]})
    assert found is not None
    assert found.get("proto") == proto


def test_a_scheme_without_a_chain_is_the_nearest_proxys() -> None:
    """A proxy that tells the scheme alone is believed that."""
    assert XForwarded(TRUST, ("for", "proto")).facts({PROTO: [b"http", b"https"]}) == {"proto": "https"}


def test_only_what_is_accepted_is_believed() -> None:
    """A fact that was not asked for is left out, the client's address among them."""
    lines = {FOR: [b"192.0.2.1"], PROTO: [b"https"], b"x-forwarded-host": [b"shop.example"]}
    assert XForwarded(TRUST, ("host",)).facts(lines) == {"host": "shop.example"}
    assert XForwarded(TRUST, ()).facts(lines) == {}


@pytest.mark.parametrize(
    ("lines", "client"),
    [
        ([b"192.0.2.1, 10.0.0.2"], "192.0.2.1"),
        ([b" 192.0.2.1\t,\t10.0.0.2 "], "192.0.2.1"),
        ([b"6.6.6.6, 192.0.2.1, 203.0.113.7"], "192.0.2.1"),
        ([b"6.6.6.6, 192.0.2.1", b"203.0.113.7"], "192.0.2.1"),
        ([b"<script>, 203.0.113.7"], "203.0.113.7"),
    ],
)
def test_the_client_is_the_entry_with_the_number_of_the_proxies(lines: list[bytes], client: str) -> None:
    """Behind two proxies it is the second from the right, whatever their addresses are."""
    assert XForwarded(Trust((), 2), ("for",)).facts({FOR: lines}) == {"for": client}


@pytest.mark.parametrize("lines", [{}, {FOR: [b"192.0.2.1"]}, {PROTO: [b"https"]}])
def test_fewer_entries_than_proxies_are_a_stranger(lines: dict[bytes, list[bytes]]) -> None:
    """Who comes around one of the proxies brings fewer entries, and nothing of it counts."""
    assert XForwarded(Trust((), 2), ("for", "proto")).facts(lines) is None


def test_a_long_chain_is_followed_to_its_client() -> None:
    """Twenty proxies are many, and still all of them are trusted."""
    chain = b", ".join([b"6.6.6.6", b"192.0.2.1", *(b"10.0.0.%d" % index for index in range(20))])
    assert XForwarded(TRUST, ("for",)).facts({FOR: [chain]}) == {"for": "192.0.2.1"}


def test_a_chain_has_an_end() -> None:
    """However many proxies somebody claims to have come through, only so many entries are looked at."""
    trust = Trust((ip_network("0.0.0.0/0"),))
    chain = ", ".join(f"10.0.{index // 256}.{index % 256}" for index in range(7000)).encode()
    start = time.thread_time()
    found = XForwarded(trust, ("for",)).facts({FOR: [chain]})
    assert time.thread_time() - start < 1
    last = 7000 - MOST_HOPS
    assert found == {"for": f"10.0.{last // 256}.{last % 256}"}


@pytest.mark.parametrize("unit", [b",", b" ", b"[", b":", b"1.", b"%", b"10.0.0.2,", b"\xff"])
def test_long_values_take_one_pass(unit: bytes) -> None:
    """A hundred kilobytes of anything are read in a fraction of a second."""
    value = unit * (100_000 // len(unit))
    lines = {FOR: [value, b"10.0.0.3"], PROTO: [value], b"x-forwarded-host": [value]}
    start = time.thread_time()
    XForwarded(TRUST, ("for", "proto", "host")).facts(lines)
    XForwarded(TRUST, ("for",)).facts({FOR: [unit] * 10_000})
    assert time.thread_time() - start < 1
