"""Cookies: the attributes that an app left out, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from garrison import Cookies, CookiesMiddleware, SettingsError
from tests.toolkit.driver import call, handshake, http_scope, replies_with, websocket_scope

if TYPE_CHECKING:
    from garrison.asgi import Receive, Scope, Send

LOGIN = b"session=abc; Path=/; Max-Age=60"
CSRF = b"csrftoken=def; Path=/"
THEME = b"theme=dark"


def set_by(*cookies: bytes, settings: Cookies = Cookies(), scheme: str = "https") -> list[bytes]:
    """What becomes of an app's cookies."""
    app = CookiesMiddleware(replies_with(headers=[(b"Set-Cookie", value) for value in cookies]), settings)
    reply = call(app, http_scope(scheme=scheme))
    return [value for name, value in reply.headers if name.lower() == b"set-cookie"]


def test_cookies_of_https_never_travel_over_http() -> None:
    """Over https every cookie gets Secure, and over http none does, since browsers would drop it."""
    assert set_by(THEME) == [THEME + b"; Secure"]
    assert set_by(THEME, scheme="http") == [THEME]


def test_scripts_cannot_read_the_session() -> None:
    """A session cookie gets HttpOnly; the CSRF cookie, which scripts send back as a header, does not."""
    assert set_by(LOGIN, CSRF, THEME, scheme="http") == [LOGIN + b"; HttpOnly", CSRF, THEME]


def test_everything_can_be_hidden_but_what_is_named() -> None:
    """With `all`, only CSRF cookies and the cookies that are named stay readable."""
    settings = Cookies(http_only="all", readable=("theme",))
    found = set_by(b"basket=1", CSRF, THEME, settings=settings, scheme="http")
    assert found == [b"basket=1; HttpOnly", CSRF, THEME]
    assert set_by(LOGIN, settings=Cookies(http_only=None), scheme="http") == [LOGIN]


def test_same_site_is_added_where_the_app_is_silent() -> None:
    """SameSite is the app's unless it is asked for, and then what the app says wins."""
    settings = Cookies(same_site="Lax")
    assert set_by(THEME, b"a=b; samesite=None", settings=settings, scheme="http") == [
        THEME + b"; SameSite=Lax",
        b"a=b; samesite=None",
    ]


def test_many_cookies_stay_many() -> None:
    """Every line stays a line of its own, in its order, with attributes that nobody here knows."""
    cookies = [b"a=1; Partitioned", b"a=1; Partitioned", b"b=2; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]
    assert set_by(*cookies) == [value + b"; Secure" for value in cookies]


def test_a_deletion_still_matches_its_cookie() -> None:
    """Name, Path and Domain, by which a browser finds the cookie to delete, stay as they are."""
    gone = b'session=""; Path=/shop; Domain=shop.example; Max-Age=0'
    assert set_by(gone) == [gone + b"; Secure; HttpOnly"]


def test_prefixed_cookies_are_kept_by_browsers() -> None:
    """A `__Host-` cookie gets Secure and Path=/ over https, without which browsers drop it."""
    assert set_by(b"__Host-session=1") == [b"__Host-session=1; Secure; Path=/; HttpOnly"]


def test_secure_can_be_left_to_the_app() -> None:
    """With Secure off only the prefix rules add it."""
    settings = Cookies(secure=False)
    assert set_by(THEME, b"__Secure-a=1", settings=settings) == [THEME, b"__Secure-a=1; Secure"]


def test_a_reply_without_cookies_is_the_same_message() -> None:
    """Replies without cookies, which are most, are handed on as they are."""
    headers = [(b"content-type", b"text/plain")]
    assert call(CookiesMiddleware(replies_with(headers=headers)), http_scope()).headers == headers


def test_a_websocket_that_sets_a_cookie() -> None:
    """The cookie of an accepted handshake is hardened too."""

    async def accepting(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept", "headers": [(b"set-cookie", LOGIN)]})

    wire = handshake(CookiesMiddleware(accepting), websocket_scope(scheme="wss"))
    assert wire.sent[0]["headers"] == [(b"set-cookie", LOGIN + b"; Secure; HttpOnly")]


@pytest.mark.parametrize("name", ["", "naïve", "a\nb"])
def test_a_name_that_no_cookie_has_is_refused(name: str) -> None:
    """A wrong name is found when the app starts."""
    with pytest.raises(SettingsError, match=r"Cookies\.readable: expected names of cookies"):
        Cookies(readable=(name,))
