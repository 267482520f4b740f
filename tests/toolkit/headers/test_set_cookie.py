"""One Set-Cookie line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.headers.set_cookie import SetCookie, is_csrf, is_session


@pytest.mark.parametrize(
    "value",
    [
        b"a=b",
        b"a=b; Path=/x; Partitioned; Priority=High",
        b'a="x y";HttpOnly',
        b"a=",
        b"=x",
        b"",
        b";;",
        b"\xff=\xfe;\x00",
    ],
)
def test_what_is_not_asked_for_stays(value: bytes) -> None:
    """A line to which nothing is added is the same bytes, whatever is in it."""
    assert SetCookie(value).render() == value


@given(st.binary())
def test_any_bytes_survive(value: bytes) -> None:
    """No line makes the reader fail, and none is changed by reading."""
    assert SetCookie(value).render() == value


def test_an_attribute_is_added_once() -> None:
    """An attribute that the app has set, in any case and with any value, is not added again."""
    cookie = SetCookie(b"a=b; secure; SAMESITE=None")
    for attribute in (b"Secure", b"SameSite=Lax", b"HttpOnly", b"HttpOnly"):
        cookie.add(attribute)
    assert cookie.render() == b"a=b; secure; SAMESITE=None; HttpOnly"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"__Host-sid=1", b"__Host-sid=1; Secure; Path=/"),
        (
            b"__Host-sid=1; Domain=shop.example; Path=/a; Max-Age=0",
            b"__Host-sid=1; Max-Age=0; Secure; Path=/",
        ),
        (
            b"__Secure-sid=1; Path=/a; Domain=shop.example",
            b"__Secure-sid=1; Path=/a; Domain=shop.example; Secure",
        ),
        (b"__host-sid=1; Secure; Path=/", b"__host-sid=1; Secure; Path=/"),
        (b"sid=1; Path=/a", b"sid=1; Path=/a"),
    ],
)
def test_prefixes_get_what_browsers_demand(value: bytes, expected: bytes) -> None:
    """A prefixed cookie that browsers would drop gets the attributes with which they keep it."""
    cookie = SetCookie(value)
    cookie.keep_prefix_rules()
    assert cookie.render() == expected


@pytest.mark.parametrize(
    ("name", "session", "csrf"),
    [
        (b"session", True, False),
        (b"PHPSESSID", True, False),
        (b"remember_login", True, False),
        (b"csrftoken", False, True),
        (b"XSRF-TOKEN", False, True),
        (b"_xsrf", False, True),
        (b"session_csrf", True, True),
        (b"theme", False, False),
    ],
)
def test_names_say_what_a_cookie_is_for(name: bytes, session: bool, csrf: bool) -> None:
    """Session and CSRF cookies are told by their names."""
    assert (is_session(name), is_csrf(name)) == (session, csrf)
