"""Redaction: secrets are masked by name and by shape, everything else stays, and quickly."""

from __future__ import annotations

import time
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison import Redaction, SettingsError
from garrison.redaction import MASK, SHAPES, Redactor

REDACTOR: Final = Redactor(Redaction())
JWT: Final = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"token was {JWT} ok", f"token was {MASK} ok"),
        (f"({JWT})", f"({MASK})"),
        ("Authorization: Bearer abcdefgh12345678", f"Authorization: {MASK}"),
        ("authorization: basic dXNlcjpwYXNz", f"authorization: {MASK}"),
        ("postgresql://shop:hunter2@db:5432/x", f"postgresql://{MASK}@db:5432/x"),
        ("key AKIAIOSFODNN7EXAMPLE here", f"key {MASK} here"),
        ("ghp_" + "a1" * 18, MASK),
        ("sk_live_" + "4eC39HqLyjWDarjt", MASK),
        ("xoxb-123456789012-abcdef", MASK),
        ("-----BEGIN RSA PRIVATE KEY-----", MASK),
        ("-----BEGIN PRIVATE KEY-----", MASK),
        ("password=hunter2&x=1", f"password={MASK}&x=1"),
        ('{"password": "hunter2", "a": 1}', '{"password": "' + MASK + '", "a": 1}'),
        ("{'api_key': 'hunter2'}", "{'api_key': '" + MASK + "'}"),
        ("PASSWD : hunter2", f"PASSWD : {MASK}"),
        ("pwd=abc", f"pwd={MASK}"),
    ],
)
def test_what_has_the_shape_of_a_secret_is_masked(text: str, masked: str) -> None:
    """Tokens, keys, passwords and credentials in URLs disappear wherever they stand."""
    assert REDACTOR.text(text) == masked
    assert REDACTOR.reveals(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The password is too short.",
        "Please enter your password: ",
        "KeyError: 'token'",
        "https://a.example:8443/path?x=1",
        "mailto:ann@a.example",
        "bearer of bad news",
        "eyJ is how every JWT begins",
        "the basics: see basic usage",
        "A secretary's keyboard, highlighted",
    ],
)
def test_an_ordinary_sentence_stays(text: str) -> None:
    """Words about secrets are no secrets."""
    assert REDACTOR.text(text) == text
    assert not REDACTOR.reveals(text)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"q=shoes&page=2", "q=shoes&page=2"),
        (b"token=abc", f"token={MASK}"),
        (b"a=1&Access_Token=x&b=2", f"a=1&Access_Token={MASK}&b=2"),
        (b"%74oken=x", f"%74oken={MASK}"),
        (b"token=", f"token={MASK}"),
        (b"token", "token"),
        (b"sig=a&sig=b", f"sig={MASK}&sig={MASK}"),
        (b"x=pwd=abc", f"x=pwd={MASK}"),
        (b"u=://a:b@c", f"u=://{MASK}@c"),
        (b"\xff=\x00", "ÿ=\x00"),
        (b"", ""),
    ],
)
def test_a_query_keeps_its_names_and_loses_its_secrets(raw: bytes, shown: str) -> None:
    """A log reader sees which parameters there were, and no credential in any spelling of its name."""
    assert REDACTOR.query(raw) == shown


def test_names_can_be_chosen() -> None:
    """A list of one's own replaces the names, in any case, and blanks are refused at start."""
    redactor = Redactor(Redaction(query=("PIN",)))
    assert redactor.query(b"pin=1&code=2") == f"pin={MASK}&code=2"
    with pytest.raises(SettingsError, match=r"Redaction\.query"):
        Redaction(query=(" ",))


PIECES: Final = [
    "eyJ", ".", "-", JWT, "Bearer ", "bearer\t", "Basic ", "abcdefgh1", "://", "a:b@", "AKIA", "A" * 16,
    "ghp_", "sk_live_", "xoxb-", "-----BEGIN ", "PRIVATE KEY-----", "password", "PWD", "ApiKey", "api_key",
    "secret", "token", "=", ": ", "&", "'", "K", "ab", " ", "\n",
]  # fmt: skip
TEXTS: Final = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)


@given(TEXTS)
def test_the_shortcut_hides_nothing(text: str) -> None:
    """Looking for markers and lengths first never lets through what the full expression would mask."""
    text = text.replace("&", "")
    assert REDACTOR.reveals(text) == (SHAPES.search(text) is not None)
    if SHAPES.search(text):
        assert MASK in REDACTOR.text(text)
        assert MASK in REDACTOR.query(text.encode())


@pytest.mark.parametrize(
    "attack",
    [
        "eyJ",
        "-eyJ",
        "eyJaaaaaa.",
        "bearer ",
        "basic\t",
        "://a:",
        "AKIA",
        "pwd ",
        "password'",
        "pwd=",
        "-----BEGIN ",
    ],
)
def test_no_text_takes_long(attack: str) -> None:
    """A text made to confuse the expression takes no more time than its length."""
    text = attack * (64 * 1024 // len(attack))
    started = time.perf_counter()
    REDACTOR.reveals(text)
    REDACTOR.text(text)
    assert time.perf_counter() - started < 1.5
