"""The Forwarded header: as RFC 7239 has it, and whatever strangers make of it."""

from __future__ import annotations

import time
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.forwarding.addresses import Trust
from garrison.forwarding.forwarded import Forwarded, elements_from_right

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

TOKEN: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+.^_`|~-"
Element = dict[str, str]


def read(*lines: str) -> list[Element]:
    """The elements from the right."""
    return list(elements_from_right([line.encode("latin-1") for line in lines]))


@pytest.mark.parametrize(
    ("lines", "elements"),
    [
        ([], []),
        (["for=192.0.2.43"], [{"for": "192.0.2.43"}]),
        (['For="[2001:db8:cafe::17]:4711"'], [{"for": "[2001:db8:cafe::17]:4711"}]),
        (["for=192.0.2.60;proto=http;by=203.0.113.43"], [
            {"for": "192.0.2.60", "proto": "http", "by": "203.0.113.43"},
        ]),
        (["for=192.0.2.43, for=198.51.100.17"], [{"for": "198.51.100.17"}, {"for": "192.0.2.43"}]),
        (["for=192.0.2.43", "for=198.51.100.17"], [{"for": "198.51.100.17"}, {"for": "192.0.2.43"}]),
        (["for=_gazonk, for=unknown"], [{"for": "unknown"}, {"for": "_gazonk"}]),
        (["PROTO=https ; Host=a"], [{"proto": "https", "host": "a"}]),
        ([r'host="a\"b\\c,;="'], [{"host": 'a"b\\c,;='}]),
        ([r'host="a\\", for=x'], [{"for": "x"}, {"host": "a\\"}]),
        ([r'host="\"\\\"", for=x'], [{"for": "x"}, {"host": '"\\"'}]),
        (['host=""'], [{"host": ""}]),
        (["for=a,, for=b"], [{"for": "b"}, {}, {"for": "a"}]),
        ([""], [{}]),
        ([";for=a;;proto=b;"], [{"for": "a", "proto": "b"}]),
        (["secret=\tx"], []),
        (["for=a;for=b"], []),
        (["for=a;FOR=b, proto=http"], [{"proto": "http"}]),
        (["for=a b, proto=http"], [{"proto": "http"}]),
        (["for=a, for"], []),
        (["for=a, =b"], []),
        (["for=a, for=[::1]"], []),
        (['for="a", for="b'], []),
        (['for=a, for=b"'], []),
        (['for=a, for="b"c'], []),
        (['for="a\\"'], []),
        # What a stranger leaves open does not take in what the proxies wrote behind it.
        (['for="', "for=b"], [{"for": "b"}]),
        (['for=", for=b'], [{"for": "b"}]),
        (['for=", for="[2001:db8::1]:80"'], [{"for": "[2001:db8::1]:80"}]),
        (["for=\\, for=b"], [{"for": "b"}]),
    ],
)  # fmt: skip
def test_elements(lines: list[str], elements: list[Element]) -> None:
    """Elements are read from the right, over all lines, up to the first that is malformed."""
    assert read(*lines) == elements


def model(text: str) -> list[Element] | None:
    """What a value says, read letter by letter from the front; None unless all of it is well-formed."""
    elements: list[Element] = []
    for part in split(text, ","):
        element: Element = {}
        for pair in split(part, ";"):
            stripped = pair.strip(" \t")
            if not stripped:
                continue
            name, equals, value = stripped.partition("=")
            plain = unquoted(value)
            if not equals or not name or set(name) - set(TOKEN) or plain is None or name.lower() in element:
                return None
            element[name.lower()] = plain
        elements.append(element)
    return elements


def split(text: str, separator: str) -> list[str]:
    """The parts between separators that are not quoted."""
    parts, quoted, escaped = [""], False, False
    for letter in text:
        if letter == separator and not quoted:
            parts.append("")
            continue
        parts[-1] += letter
        if escaped:
            escaped = False
        elif quoted and letter == "\\":
            escaped = True
        elif letter == '"':
            quoted = not quoted
    return parts


def unquoted(value: str) -> str | None:
    """A value without quotes and escapes; None unless it is a token or one whole quoted string."""
    if not value.startswith('"'):
        return value if value and not set(value) - set(TOKEN) else None
    letters: Iterator[str] = iter(value[1:])
    found = ""
    for letter in letters:
        if letter == '"':
            return found if next(letters, None) is None else None
        if letter == "\\":
            following = next(letters, None)
            if following is None:
                return None
            found += following
        else:
            found += letter
    return None


TEXTS: Final = st.lists(
    st.sampled_from(["for", "a", "=", ";", ",", " ", '"', "\\", "\t", "[", "for=a", 'b="c"']), max_size=14
).map("".join)


@given(TEXTS)
def test_what_is_well_formed_reads_the_same_from_both_ends(text: str) -> None:
    """A value without a mistake says what a plain reader from the front finds in it."""
    expected = model(text)
    if expected is not None:
        assert read(text) == expected[::-1]


VALUES: Final = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=12)
ELEMENTS: Final = st.dictionaries(
    st.text(TOKEN, min_size=1, max_size=4), VALUES, max_size=3
).filter(lambda element: len({name.lower() for name in element}) == len(element))  # fmt: skip


def written(element: Element, rng: random.Random) -> str:
    """An element as one of the many ways to write it."""
    pairs = []
    for name, value in element.items():
        if value and not set(value) - set(TOKEN) and rng.random() < 0.5:
            pairs.append(f"{name}={value}")
            continue
        escaped = "".join(
            f"\\{letter}" if letter in '"\\' or rng.random() < 0.2 else letter for letter in value
        )
        pairs.append(f'{name}="{escaped}"')
    return rng.choice([";", "; ", " ;"]).join(pairs)


@given(st.lists(ELEMENTS, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_what_is_written_is_read(elements: list[Element], rng: random.Random) -> None:
    """Any values come back, however they are quoted and over however many lines they are spread."""
    lines: list[str] = []
    for element in elements:
        text = written(element, rng)
        if lines and rng.random() < 0.7:
            lines[-1] += rng.choice([",", ", ", " ,\t"]) + text
        else:
            lines.append(text)
    expected = [{name.lower(): value for name, value in element.items()} for element in elements]
    assert read(*lines) == expected[::-1]


@given(st.binary(max_size=60) | TEXTS.map(str.encode), ELEMENTS, st.randoms(use_true_random=False))
def test_nothing_that_stands_in_front_changes_what_a_proxy_wrote(
    forged: bytes, element: Element, rng: random.Random
) -> None:
    """Whatever a stranger sends, the element that the proxy appends to it is read as it was written."""
    line = forged + b", " + written(element, rng).encode("latin-1")
    found = next(elements_from_right([line]))
    assert found == {name.lower(): value for name, value in element.items()}


@pytest.mark.parametrize(
    "unit",
    [
        b",", b'"', b"\\", b';"', b'a="', b'\\"', b'"\\', b'a="\\",', b"a=b,", b"a;", b" ", b"a", b"=",
        b';a="b\\"', b"a=b;",
    ],
)  # fmt: skip
def test_long_values_take_one_pass(unit: bytes) -> None:
    """A hundred kilobytes of anything are read in a fraction of a second."""
    value = unit * (100_000 // len(unit))
    start = time.thread_time()
    for line in (value, b'a="' + value, value + b'"'):
        for _ in elements_from_right([line]):
            pass
    assert time.thread_time() - start < 3


TRUST: Final = Trust((ip_network("10.0.0.0/8"),))


def facts(trust: Trust, *lines: str, accept: tuple[str, ...] = ("for", "proto", "host")) -> Element | None:
    """What is believed of the lines."""
    return Forwarded(trust, accept).facts({b"forwarded": [line.encode("latin-1") for line in lines]})


@pytest.mark.parametrize(
    ("line", "believed"),
    [
        ("for=192.0.2.1;proto=https", {"for": "192.0.2.1", "proto": "https"}),
        ("for=6.6.6.6;proto=https, for=192.0.2.1;proto=http", {"for": "192.0.2.1", "proto": "http"}),
        (
            "for=192.0.2.1;proto=https;host=shop.example, for=10.0.0.2;proto=http;host=inside",
            {"for": "192.0.2.1", "proto": "https", "host": "shop.example"},
        ),
        ("for=6.6.6.6;proto=https, for=_hidden, for=10.0.0.2", {"for": "10.0.0.2"}),
        ("for=unknown;proto=https", {"proto": "https"}),
        ("proto=https", {"proto": "https"}),
        ("for=192.0.2.1;by=10.0.0.1", {"for": "192.0.2.1"}),
        ("for=192.0.2.1, for=@", {}),
        ("", {}),
    ],
)
def test_the_element_that_vouches_for_the_client_is_believed(line: str, believed: Element) -> None:
    """All facts come from the one element whose `for` is the client."""
    assert facts(TRUST, line) == believed


def test_only_what_is_accepted_is_believed() -> None:
    """A fact that was not asked for is left out, the client's address among them."""
    assert facts(TRUST, "for=192.0.2.1;proto=https;host=a", accept=("proto",)) == {"proto": "https"}


@pytest.mark.parametrize(
    ("line", "believed"),
    [
        ("for=192.0.2.1;proto=https, for=10.0.0.2;proto=http", {"for": "192.0.2.1", "proto": "https"}),
        ("for=6.6.6.6, for=192.0.2.1, for=10.0.0.2", {"for": "192.0.2.1"}),
        ("for=6.6.6.6, for=@, for=10.0.0.2", None),
        ("for=192.0.2.1", None),
        ("", None),
    ],
)
def test_elements_are_counted(line: str, believed: Element | None) -> None:
    """With two proxies in front, fewer than two well-formed elements are somebody who came around one."""
    assert facts(Trust((), 2), line) == believed


def test_no_header_is_no_fact() -> None:
    """A proxy that says nothing is believed nothing."""
    assert Forwarded(TRUST, ("for",)).facts({}) == {}
    assert Forwarded(Trust((), 1), ("for",)).facts({}) is None
