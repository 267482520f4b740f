"""Cookies: the attributes that an app left out, and nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, get_args

import pytest

from garrison import Cookies, CookiesMiddleware, SecurityHeaders, Settings, SettingsError, harden
from garrison.headers.presets import Preset
from tests.toolkit.driver import call, handshake, http_scope, replies_with, websocket_scope

if TYPE_CHECKING:
    from garrison.asgi import Message, Receive, Scope, Send

LOGIN = b"session=abc; Path=/; Max-Age=60"
CSRF = b"csrftoken=def; Path=/"
THEME = b"theme=dark"
PRESETS: Final[tuple[Preset, ...]] = get_args(Preset)


def set_by(
    *cookies: bytes, settings: Cookies = Cookies(), scheme: str = "https", preset: Preset = "auto"
) -> list[bytes]:
    """What becomes of an app's cookies."""
    below = replies_with(headers=[(b"Set-Cookie", value) for value in cookies])
    reply = call(CookiesMiddleware(below, settings, preset=preset), http_scope(scheme=scheme))
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


@pytest.mark.parametrize("preset", ["auto", "api"])
def test_an_app_that_is_not_told_about_keeps_its_cookies_readable(preset: Preset) -> None:
    """With `auto` and `api` only sessions are hidden, and SameSite is the browser's business."""
    assert set_by(LOGIN, THEME, CSRF, preset=preset) == [
        LOGIN + b"; Secure; HttpOnly",
        THEME + b"; Secure",
        CSRF + b"; Secure",
    ]


@pytest.mark.parametrize("preset", ["web", "strict"])
def test_an_app_that_renders_its_pages_gets_all_of_it(preset: Preset) -> None:
    """With `web` and `strict` every cookie is hidden and Lax, but for CSRF tokens and what is listed."""
    settings = Cookies(readable=("theme",))
    assert set_by(LOGIN, b"basket=1", THEME, CSRF, settings=settings, preset=preset) == [
        LOGIN + b"; Secure; HttpOnly; SameSite=Lax",
        b"basket=1; Secure; HttpOnly; SameSite=Lax",
        THEME + b"; Secure; SameSite=Lax",
        CSRF + b"; Secure; SameSite=Lax",
    ]


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (SecurityHeaders(), THEME),
        (SecurityHeaders(preset="web"), THEME + b"; HttpOnly; SameSite=Lax"),
        (SecurityHeaders(preset="api"), THEME),
        (None, THEME),
    ],
)
def test_the_preset_is_that_of_the_security_headers(section: SecurityHeaders | None, expected: bytes) -> None:
    """Whoever chooses a preset for pages chooses it for their cookies."""
    app = harden(replies_with(headers=[(b"set-cookie", THEME)]), Settings(security_headers=section))
    assert call(app).all("set-cookie") == [expected.decode()]


def test_a_setting_wins_over_the_preset() -> None:
    """What is set counts, in whichever direction."""
    relaxed = Cookies(http_only="session", same_site=None)
    assert set_by(THEME, settings=relaxed, scheme="http", preset="strict") == [THEME]
    told = Cookies(http_only="all", same_site="Strict")
    assert set_by(THEME, settings=told, scheme="http") == [THEME + b"; HttpOnly; SameSite=Strict"]


@pytest.mark.parametrize("name", [b"csrftoken", b"XSRF-TOKEN", b"_xsrf"])
def test_a_csrf_cookie_is_never_hidden(name: bytes) -> None:
    """Django, Angular and Tornado send these back by script, under every preset."""
    settings = Cookies(http_only="all")
    assert set_by(name + b"=1", settings=settings, scheme="http", preset="auto") == [name + b"=1"]
    assert set_by(name + b"=1", scheme="http", preset="strict") == [name + b"=1; SameSite=Lax"]


@pytest.mark.parametrize("said", [b"samesite=None", b"SameSite=Strict", b"SameSite", b"SAMESITE=odd"])
def test_same_site_is_added_only_where_the_app_is_silent(said: bytes) -> None:
    """What the app says about SameSite stays, None above all: single sign-on needs it."""
    settings = Cookies(same_site="Lax")
    assert set_by(THEME, settings=settings, scheme="http") == [THEME + b"; SameSite=Lax"]
    assert set_by(b"a=b; " + said, settings=settings, scheme="http") == [b"a=b; " + said]


def test_many_cookies_stay_many() -> None:
    """Every line stays a line of its own, in its order, with attributes that nobody here knows."""
    cookies = [
        b"a=1; Partitioned; Priority=High",
        b"a=1; Partitioned; Priority=High",
        b"b=2; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        b'c="x, y=z"; path = /;;  Odd',
    ]
    assert set_by(*cookies) == [value + b"; Secure" for value in cookies]


def test_names_and_order_of_all_headers_stay() -> None:
    """Lines between and around the cookies stay where they are, and so does the case of their names."""
    lines = [
        (b"Content-Type", b"text/plain"),
        (b"SET-COOKIE", b"a=1"),
        (b"set-cookie", b"a=1"),
        (b"x-ten-char", b"y"),
    ]
    found = call(CookiesMiddleware(replies_with(headers=lines)), http_scope(scheme="https")).headers
    assert found == [
        (b"Content-Type", b"text/plain"),
        (b"SET-COOKIE", b"a=1; Secure"),
        (b"set-cookie", b"a=1; Secure"),
        (b"x-ten-char", b"y"),
    ]


@pytest.mark.parametrize("preset", ["auto", "strict"])
@pytest.mark.parametrize(
    "gone",
    [
        b'session=""; Path=/shop; Domain=shop.example; Max-Age=0',
        b"session=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Path=/",
        b"session=; Partitioned; Path=/; Secure; Max-Age=0",
    ],
)
def test_a_deletion_still_matches_its_cookie(gone: bytes, preset: Preset) -> None:
    """Name, Path, Domain and Partitioned, by which browsers find the cookie, stay as they are.

    It gets no SameSite, so that a logout in a frame of the single sign-on still ends the session.
    """
    (found,) = set_by(gone, preset=preset)
    assert found.startswith(gone)
    assert set(found[len(gone) :].split(b"; ")) <= {b"", b"Secure", b"HttpOnly"}


def test_the_deletion_of_a_prefixed_cookie_is_accepted() -> None:
    """Browsers heed the deletion of a `__Host-` cookie only with Secure, Path=/ and no Domain."""
    gone = b'__Host-session=""; Max-Age=0; Domain=shop.example'
    assert set_by(gone) == [b'__Host-session=""; Max-Age=0; Secure; Path=/; HttpOnly']


def test_prefixed_cookies_are_kept_by_browsers() -> None:
    """A prefixed cookie gets over https what browsers demand; over http they drop it whatever it has."""
    assert set_by(b"__Host-a=1", b"__Http-csrf=1") == [
        b"__Host-a=1; Secure; Path=/",
        b"__Http-csrf=1; Secure; HttpOnly",
    ]
    assert set_by(b"__Host-a=1", scheme="http") == [b"__Host-a=1"]


def test_secure_can_be_left_to_the_app() -> None:
    """With Secure off only the prefix rules add it."""
    settings = Cookies(secure=False)
    assert set_by(THEME, b"__Secure-a=1", settings=settings) == [THEME, b"__Secure-a=1; Secure"]


@pytest.mark.parametrize(
    "line", [b"", b"   ", b";;", b"=", b"word", b"=; Path=/", b"\xff=\x00;\xfe", b"a;=;b"]
)
def test_a_broken_line_is_extended_at_most(line: bytes) -> None:
    """What no browser takes for a cookie stays as it is, with attributes behind it at most."""
    for preset in PRESETS:
        assert set_by(line, preset=preset)[0].startswith(line)


def test_the_same_cookie_over_http_and_https_differs() -> None:
    """What was found for one scheme is not given to the other."""
    app = CookiesMiddleware(replies_with(headers=[(b"set-cookie", THEME)]))
    for scheme, expected in [("https", THEME + b"; Secure"), ("http", THEME), ("https", THEME + b"; Secure")]:
        assert call(app, http_scope(scheme=scheme)).headers == [(b"set-cookie", expected)]


def test_a_reply_without_cookies_is_the_same_message() -> None:
    """Replies without cookies, which are most, are handed on as they are."""
    start: Message = {"type": "http.response.start", "status": 200, "headers": [(b"x-request", b"1")]}
    passed: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start)

    async def send(message: Message) -> None:
        passed.append(message)

    async def receive() -> Message:
        raise AssertionError

    asyncio.run(CookiesMiddleware(app)(http_scope(), receive, send))
    assert passed[0] is start


def test_a_websocket_that_sets_a_cookie() -> None:
    """The cookie of an accepted handshake is hardened too."""

    async def accepting(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept", "headers": [(b"set-cookie", LOGIN)]})

    wire = handshake(CookiesMiddleware(accepting), websocket_scope(scheme="wss"))
    assert wire.sent[0]["headers"] == [(b"set-cookie", LOGIN + b"; Secure; HttpOnly")]


def test_the_environment_switches_both_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """`off` leaves the cookies to the app, and `preset` is what is there without a word."""
    assert Settings.from_environment().cookies == Cookies(http_only="preset", same_site="preset")
    monkeypatch.setenv("GARRISON_COOKIES_HTTP_ONLY", "off")
    monkeypatch.setenv("GARRISON_COOKIES_SAME_SITE", "off")
    assert Settings.from_environment().cookies == Cookies(http_only=None, same_site=None)


@pytest.mark.parametrize("name", ["", "naïve", "a\nb"])
def test_a_name_that_no_cookie_has_is_refused(name: str) -> None:
    """A wrong name is found when the app starts."""
    with pytest.raises(SettingsError, match=r"Cookies\.readable: expected names of cookies"):
        Cookies(readable=(name,))


def test_names_that_are_no_text_are_refused() -> None:
    """A section that is written in code is checked like one of the environment."""
    with pytest.raises(SettingsError, match=r"Cookies\.readable: expected "):
        Cookies(readable=(1,))  # type: ignore[arg-type]
