"""One Set-Cookie line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.headers.set_cookie import SetCookie, is_csrf, is_session, parted


@pytest.mark.parametrize(
    ("line", "name", "pair", "attributes"),
    [
        (b"a=b", b"a", b"a=b", b""),
        (b" a = b ; Path=/", b"a", b" a = b ", b"; Path=/"),
        (b'a="x=y";HttpOnly', b"a", b'a="x=y"', b";HttpOnly"),
        (b"sessionid", b"", b"sessionid", b""),
        (b"=x; Path=/", b"", b"=x", b"; Path=/"),
        (b"", b"", b"", b""),
        (b";;", b"", b"", b";;"),
    ],
)
def test_a_line_comes_apart_as_browsers_read_it(
    line: bytes, name: bytes, pair: bytes, attributes: bytes
) -> None:
    """The name ends at the first `=`, the pair at the first semicolon; a bare word is a value."""
    assert parted(line) == (name, pair, attributes)


@given(st.binary())
def test_any_bytes_survive(line: bytes) -> None:
    """No line makes the reader fail, and none is changed by reading."""
    name, pair, attributes = parted(line)
    assert pair + SetCookie(name, attributes).render() == line


def test_an_attribute_is_added_once() -> None:
    """An attribute that the app has set, in any case and with any value, is not added again."""
    cookie = SetCookie(b"a", b"; secure; SAMESITE=None")
    for attribute in (b"Secure", b"SameSite=Lax", b"HttpOnly", b"HttpOnly"):
        cookie.add(attribute)
    assert cookie.render() == b"; secure; SAMESITE=None; HttpOnly"


@pytest.mark.parametrize(
    ("name", "attributes", "expected"),
    [
        (b"__Host-sid", b"", b"; Secure; Path=/"),
        (b"__Host-sid", b"; Domain=shop.example; Path=/a; Max-Age=0", b"; Max-Age=0; Secure; Path=/"),
        (b"__Host-sid", b"; Path=/; path=/a; Secure", b"; Path=/; Secure"),
        (b"__Secure-sid", b"; Path=/a; Domain=shop.example", b"; Path=/a; Domain=shop.example; Secure"),
        (b"__host-sid", b"; Secure; Path=/", b"; Secure; Path=/"),
        (b"__Http-sid", b"; Path=/a", b"; Path=/a; Secure; HttpOnly"),
        (b"__Host-Http-sid", b"; Domain=shop.example", b"; Secure; Path=/; HttpOnly"),
        (b"sid", b"; Path=/a", b"; Path=/a"),
    ],
)
def test_prefixes_get_what_browsers_demand(name: bytes, attributes: bytes, expected: bytes) -> None:
    """A prefixed cookie that browsers would drop gets the attributes with which they keep it."""
    cookie = SetCookie(name, attributes)
    cookie.keep_prefix_rules()
    assert cookie.render() == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (b"; Max-Age=0", True),
        (b"; max-age=-1; Path=/", True),
        (b"; expires=Thu, 01 Jan 1970 00:00:00 GMT", True),
        (b"; Expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=60", False),
        (b"; Max-Age=60; Max-Age=0", True),
        (b"; Max-Age=60", False),
        (b"; Expires=Thu, 01 Jan 2037 00:00:00 GMT", False),
        (b"", False),
    ],
)
def test_a_deletion_is_told_by_its_end(attributes: bytes, *, expected: bool) -> None:
    """A cookie without an age left, or that ended in 1970, is gone; Max-Age counts before Expires."""
    assert SetCookie(b"a", attributes).deletes is expected


@pytest.mark.parametrize(
    "name",
    [
        b"session", b"sessionid", b"sess", b"koa.sess", b"usersession", b"PHPSESSID", b"JSESSIONID",
        b"ASPSESSIONIDQQCB", b"ASP.NET_SessionId", b"laravel_session", b"SSESS5f4dcc3b", b"connect.sid",
        b"sid", b"__Host-sid", b"remember_login",
    ],
)  # fmt: skip
def test_session_cookies_are_told_by_their_names(name: bytes) -> None:
    """What frameworks and MDN Observatory call a session is one."""
    assert is_session(name)
    assert not is_csrf(name)


@pytest.mark.parametrize(
    "name", [b"assessment", b"self_assess", b"possessed", b"obsessed", b"theme", b"side", b"insid", b""]
)
def test_words_that_only_look_like_a_session_are_none(name: bytes) -> None:
    """A page that reads its `assessment` goes on reading it."""
    assert not is_session(name)


@pytest.mark.parametrize("name", [b"csrftoken", b"XSRF-TOKEN", b"_xsrf", b"session_csrf", b"__Host-csrf"])
def test_csrf_cookies_are_told_by_their_names(name: bytes) -> None:
    """A cookie that scripts send back as a header is recognised, whatever else is in its name."""
    assert is_csrf(name)
