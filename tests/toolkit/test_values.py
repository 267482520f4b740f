"""The notations of settings: what is read, what is refused with which words, and what is written."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.units import Duration, Network, Secret, Size
from garrison.values import parse
from garrison.wording import describe, mask_credentials, render

Colour = Literal["red", "dark-green"]

ACCEPTED: list[tuple[Any, str, object]] = [
    (bool, "on", True),
    (bool, "Yes", True),
    (bool, "1", True),
    (bool, "TRUE", True),
    (bool, " off ", False),
    (bool, "no", False),
    (bool, "0", False),
    (bool, "false", False),
    (int, "-12", -12),
    (float, "0.25", 0.25),
    (str, "  a text  ", "a text"),
    (str, "", ""),
    (Size, "512", 512),
    (Size, "0", 0),
    (Size, "10MB", 10_000_000),
    (Size, "10 mb", 10_000_000),
    (Size, "64KiB", 65_536),
    (Size, "1.5kB", 1_500),
    (Size, "2GiB", 2 * 2**30),
    (Size, "9007199254740993", 9_007_199_254_740_993),
    (Duration, "30", 30.0),
    (Duration, "0.5", 0.5),
    (Duration, "250ms", 0.25),
    (Duration, "30s", 30.0),
    (Duration, "1h30m", 5400.0),
    (Duration, "1h 30m", 5400.0),
    (Duration, "2D", 172_800.0),
    (Duration, "0.1s", 0.1),
    (tuple[str, ...], "a, b,,c ", ("a", "b", "c")),
    (tuple[str, ...], "", ()),
    (tuple[int, ...], "3,1,2", (3, 1, 2)),
    (Network, "10.0.0.0/8", IPv4Network("10.0.0.0/8")),
    (Network, "192.0.2.7", IPv4Network("192.0.2.7/32")),
    (Network, "::1", IPv6Network("::1/128")),
    (
        tuple[Network, ...],
        "10.0.0.0/8, fd00::/8",
        (IPv4Network("10.0.0.0/8"), IPv6Network("fd00::/8")),
    ),
    (Colour, "dark-green", "dark-green"),
    (int | None, "7", 7),
    (int | None, "off", None),
    (int | None, "None", None),
    (int | None, "", None),
    (Size | None, "1kB", 1000),
    (Colour | None, "red", "red"),
    (Secret, " hunter2 ", Secret("hunter2")),
    (Secret | None, "off", None),
    (Literal["adaptive"] | int | None, "adaptive", "adaptive"),
    (Literal["adaptive"] | int | None, "40", 40),
    (Literal["adaptive"] | int | None, "off", None),
    (Network | None, "10.0.0.0/8", ip_network("10.0.0.0/8")),
]

REFUSED: list[tuple[Any, str]] = [
    (bool, ""),
    (bool, "maybe"),
    (int, ""),
    (int, "1.5"),
    (int, "ten"),
    (float, "nan"),
    (float, "-inf"),
    (float, "x"),
    (Size, ""),
    (Size, "-1"),
    (Size, "10 potatoes"),
    (Size, "0.3B"),
    (Size, "1e3"),
    (Duration, ""),
    (Duration, "-1"),
    (Duration, "nan"),
    (Duration, "inf"),
    (Duration, "5 minutes"),
    (Duration, "1h30"),
    (Duration, "9" * 400 + "d"),
    (tuple[int, ...], "1,two"),
    (Network, "10.0.0.1/8"),
    (Network, "example.org"),
    (Network, ""),
    (tuple[Network, ...], "10.0.0.0/8,all"),
    (Colour, "green"),
    (Colour, "RED"),
    (int | None, "never"),
    (Secret, "  "),
    (Secret | None, ""),
    (Literal["adaptive"] | int | None, "many"),
    (Literal["adaptive"] | int | None, "1.5"),
]


@pytest.mark.parametrize(("annotation", "text", "expected"), ACCEPTED)
def test_notation_is_read(annotation: Any, text: str, expected: object) -> None:
    """Each kind of setting takes every notation that its description promises."""
    found = parse(annotation, text)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(("annotation", "text"), REFUSED)
def test_misfit_is_refused_with_what_is_expected(annotation: Any, text: str) -> None:
    """What does not fit is refused with what would, and without repeating what may be a secret."""
    with pytest.raises(ValueError, match=f"^{re.escape(describe(annotation))}$"):
        parse(annotation, text)


def test_descriptions_are_made_of_notations_that_are_read() -> None:
    """The examples in a description are accepted as they stand there."""
    for annotation in (Size, Duration, Network):
        examples = describe(annotation).partition("such as ")[2].replace(" or ", ", ").split(", ")
        assert len(examples) == 3
        for example in examples:
            parse(annotation, example)
    assert describe(Colour | None) == "one of red, dark-green, or off"
    assert describe(tuple[int, ...]) == "a comma-separated list, each a whole number"
    for word in describe(bool).removeprefix("one of ").split(", "):
        parse(bool, word)


def test_unknown_annotation_is_a_mistake_of_the_programmer() -> None:
    """A section with a field that has no notation is a TypeError, never a value that is guessed."""
    with pytest.raises(TypeError, match="no notation"):
        parse(bytes, "x")


@pytest.mark.parametrize(
    ("value", "annotation", "text"),
    [
        (True, bool, "on"),
        (None, int | None, "off"),
        (10_000_000, Size, "10MB"),
        (65_536, Size | None, "64KiB"),
        (1_001, Size, "1001"),
        (1000, int, "1000"),
        (63_072_000.0, Duration, "730d"),
        (5400.0, Duration, "1h30m"),
        (93_784.0, Duration, "1d2h3m4s"),
        (25.0, Duration, "25s"),
        (1.5, Duration, "1.5s"),
        (0.25, Duration | None, "250ms"),
        (0.0, Duration, "0s"),
        ((ip_network("192.0.2.7"), ip_network("fd00::/8")), tuple[Network, ...], "192.0.2.7,fd00::/8"),
        (Secret("hunter2"), Secret, "***"),
    ],
)
def test_values_are_written_as_people_write_them(value: object, annotation: Any, text: str) -> None:
    """A page of settings shows `730d` and `10MB`, not floats and digits to count."""
    assert render(value, annotation) == text


plain_text = st.text(st.characters(codec="ascii", exclude_characters=",@", categories=["L", "N", "P"]))
networks = st.one_of(
    st.builds(
        lambda number, length: ip_network((number >> (32 - length) << (32 - length), length)),
        st.integers(0, 2**32 - 1),
        st.integers(0, 32),
    ),
    st.builds(
        lambda number, length: IPv6Network((number >> (128 - length) << (128 - length), length)),
        st.integers(0, 2**128 - 1),
        st.integers(0, 128),
    ),
)
values = st.one_of(
    st.tuples(st.just(bool), st.booleans()),
    st.tuples(st.just(int), st.integers()),
    st.tuples(st.just(int | None), st.none() | st.integers()),
    st.tuples(st.just(float), st.floats(allow_nan=False, allow_infinity=False)),
    st.tuples(st.just(Size), st.integers(0, 2**70)),
    st.tuples(st.just(Size | None), st.none() | st.integers(0, 200).map(lambda count: count * 2**20)),
    st.tuples(st.just(Duration), st.floats(0, 1e300)),
    st.tuples(st.just(Duration), st.integers(0, 10**9).map(float)),
    st.tuples(st.just(Duration | None), st.none() | st.floats(0, 2)),
    st.tuples(st.just(str), plain_text),
    st.tuples(st.just(tuple[str, ...]), st.lists(plain_text.filter(bool)).map(tuple)),
    st.tuples(st.just(tuple[Network, ...]), st.lists(networks).map(tuple)),
    st.tuples(st.just(Colour), st.sampled_from(["red", "dark-green"])),
)


@given(values)
def test_what_is_written_is_read_back_the_same(pair: tuple[Any, object]) -> None:
    """Every value can be copied from `garrison config` into a variable, and is itself again."""
    annotation, value = pair
    assert parse(annotation, render(value, annotation)) == value


@given(st.sampled_from([annotation for annotation, _, _ in ACCEPTED]), st.text())
def test_no_text_is_a_crash(annotation: Any, text: str) -> None:
    """Whatever is in a variable, it is a value or a ValueError."""
    with suppress(ValueError):
        parse(annotation, text)


def test_a_secret_shows_itself_nowhere() -> None:
    """Neither repr, str nor an f-string holds a secret; only asking for it does."""
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter2"
    assert (secret == Secret("hunter2"), secret == Secret("other"), secret == "hunter2") == (
        True,
        False,
        False,
    )
    assert len({secret, Secret("hunter2")}) == 1


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:hunter2@cache:6379/0", "redis://***@cache:6379/0"),
        ("redis://:hunter2@cache", "redis://***@cache"),
        ("https://token@git.example/x", "https://***@git.example/x"),
        ("redis://u:p@ss@cache", "redis://***@cache"),
        ("redis://u:p/ss#w?d@cache", "redis://***@cache"),
        ("one redis://u:p@a two redis://u:p@b", "one redis://***@a two redis://***@b"),
        ("redis://cache:6379/0", "redis://cache:6379/0"),
        ("mail me@shop.example", "mail me@shop.example"),
        ("https://shop.example/@me", "https://shop.example/@me"),
    ],
)
def test_credentials_in_urls_are_masked(url: str, shown: str) -> None:
    """The password of a URL is hidden even where nobody escaped it; the rest of the URL stays."""
    assert mask_credentials(url) == shown
    assert render(url, str) == shown
