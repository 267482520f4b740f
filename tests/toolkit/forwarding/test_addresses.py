"""Addresses as proxies write them, and how far a chain of them is followed."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.forwarding.addresses import LONGEST_NODE, Trust, is_private, read_address

PROXIES: Final = Trust(map(ip_network, ("10.0.0.0/8", "2001:db8:ffff::/48")))


@pytest.mark.parametrize(
    ("node", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("192.0.2.1:_hidden", "192.0.2.1"),
        ("2001:db8::7", "2001:db8::7"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("[2001:db8::7]:_4711", "2001:db8::7"),
        ("1::2", "1::2"),
        ("::", "::"),
        ("fe80::1%eth0", "fe80::1"),
        ("fe80::1%<script>", "fe80::1"),
        ("[fe80::1%eth0]:80", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:c000:201]:1", "192.0.2.1"),
    ],
)
def test_a_node_has_one_address(node: str, address: str) -> None:
    """Port, brackets and zone are taken off, and every spelling of an address is the same one."""
    assert str(read_address(node)) == address


@pytest.mark.parametrize(
    "node",
    [
        "", "unknown", "_hidden", "_", "shop.example", "192.0.2", "192.0.2.256", "192.0.2.1:", "192.0.2.1:x",
        "192.0.2.1:123456", "192.0.2.01", "192.0.2.1/32", "[192.0.2.1]", "[2001:db8::7", "2001:db8::7]",
        "[2001:db8::7]junk", "[2001:db8::7]:", "[]", "[]:80", "2001:db8::g", "12345::", "1:2",
        "fe80::1%eth0\n", "\xb2.0.2.1", "unix:", "fe80::1%" + "x" * LONGEST_NODE,
    ],
)  # fmt: skip
def test_what_is_no_address_is_none(node: str) -> None:
    """Hidden and unknown nodes, names and anything malformed have no address."""
    assert read_address(node) is None


@given(st.ip_addresses(), st.integers(0, 65535))
def test_every_address_is_read_back(address: object, port: int) -> None:
    """Whatever address a proxy may see, it can be read with and without its port."""
    text = str(address)
    with_port = f"[{text}]:{port}" if ":" in text else f"{text}:{port}"
    expected = getattr(ip_address(text), "ipv4_mapped", None) or ip_address(text)
    assert read_address(text) == expected
    assert read_address(with_port) == expected


@given(
    st.binary(max_size=60).map(lambda value: value.decode("latin-1"))
    | st.text("[]:.%_0123456789abcdef", max_size=40)
)
def test_no_text_is_too_strange_for_a_node(text: str) -> None:
    """Any text is an address or is none, and what is read can be read again."""
    address = read_address(text)
    assert address is None or read_address(str(address)) == address


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("127.0.0.1", True), ("10.1.2.3", True), ("172.31.0.1", True), ("192.168.0.1", True),
        ("100.64.0.1", True), ("169.254.1.1", True), ("::1", True), ("fd00::1", True), ("fe80::1%eth0", True),
        ("::ffff:10.0.0.1", True), ("172.32.0.1", False), ("192.0.2.1", False), ("8.8.8.8", False),
        ("2001:db8::1", False), ("testclient", False), ("", False),
    ],
)  # fmt: skip
def test_private_addresses_are_where_proxies_are(address: str, private: bool) -> None:
    """The blocks of one machine and of its own network are private, examples in documents are not."""
    assert is_private(address) is private


@pytest.mark.parametrize(
    ("nodes", "client", "depth"),
    [
        ([], None, 0),
        (["unknown", "192.0.2.1"], None, 0),
        (["192.0.2.1", "6.6.6.6"], "192.0.2.1", 0),
        (["10.0.0.2", "192.0.2.1", "6.6.6.6"], "192.0.2.1", 1),
        (["10.0.0.2", "[2001:db8:ffff::1]:80", "2001:db8::7"], "2001:db8::7", 2),
        (["10.0.0.2", "_hidden", "6.6.6.6"], "10.0.0.2", 0),
        (["10.0.0.2", "10.0.0.3"], "10.0.0.3", 1),
        (["::ffff:10.0.0.2", "192.0.2.1"], "192.0.2.1", 1),
        (["9" * 5000], None, 0),
    ],
)
def test_a_chain_ends_at_the_first_stranger(nodes: list[str], client: str | None, depth: int) -> None:
    """Proxies vouch for the entry in front of theirs, and nobody vouches for more."""
    assert PROXIES.client(nodes) == (client, depth)


@pytest.mark.parametrize(
    ("hops", "client"), [(1, "10.0.0.2"), (2, "192.0.2.1"), (3, "6.6.6.6"), (4, "6.6.6.6")]
)
def test_a_number_of_proxies_counts_without_their_addresses(hops: int, client: str) -> None:
    """With a number of proxies it is the place of an entry that counts."""
    assert Trust((), hops).client(["10.0.0.2", "192.0.2.1", "6.6.6.6"])[0] == client


def test_a_hidden_node_ends_a_counted_chain() -> None:
    """What stands in front of an entry without an address is believed of nobody."""
    assert Trust((), 3).client(["192.0.2.1", "unknown", "6.6.6.6"]) == ("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("network", "address", "known"),
    [
        ("10.0.0.0/8", "10.255.0.1", True),
        ("10.0.0.0/8", "::ffff:10.255.0.1", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("::ffff:10.0.0.0/104", "10.255.0.1", True),
        ("::ffff:10.0.0.0/104", "::ffff:11.0.0.1", False),
        ("fe80::/10", "fe80::1%eth0", True),
        ("::/0", "192.0.2.1", False),
        ("0.0.0.0/0", "9" * 5000, False),
    ],
)
def test_a_peer_is_known_by_its_block(network: str, address: str, known: bool) -> None:
    """IPv4 and its mapped form are the same, in the setting and on the socket."""
    assert Trust((ip_network(network),)).knows(address) is known


def test_with_a_number_every_peer_is_a_proxy() -> None:
    """Where addresses are not known, any will do."""
    assert Trust((), 1).knows("192.0.2.1")
    assert not Trust(()).knows("192.0.2.1")


def test_long_words_are_not_remembered() -> None:
    """What a client makes as long as it likes does not fill the memory for addresses."""
    trust = Trust(map(ip_network, ("10.0.0.0/8",)))
    for number in range(10):
        trust.client([f"{number}" * 5000])
        trust.knows(f"{number}" * 5000)
    assert trust._look.cache_info().currsize == 0
