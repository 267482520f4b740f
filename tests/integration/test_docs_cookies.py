"""What the guide to cookies shows: the example bare and hardened, and what browsers make of it."""

from __future__ import annotations

from email.message import Message
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.request import Request

import pytest

from docs.examples.cookies.app import app
from garrison import Settings, harden
from tests.integration.contract_guide import ask, curls, loaded, settings_of
from tests.integration.documents import DOCS, EXAMPLES, blocks, curl
from tests.integration.guide_audits import audited, audits
from tests.toolkit.driver import call, http_scope, replies_with
from tests.toolkit.server.conftest import running
from tests.toolkit.server.wire import connected

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.asgi import ASGIApp

PAGE: Final = DOCS / "how-to" / "cookies.md"
EXAMPLE: Final = EXAMPLES / "cookies"
BARE, HARDENED, MORE = (
    [line.removeprefix("set-cookie: ") for line in block.text.splitlines()] for block in blocks(PAGE, "")
)


class CameWith:
    """The headers of a reply, as a jar of cookies asks for them."""

    def __init__(self, lines: list[str]) -> None:
        self._headers = Message()
        for line in lines:
            self._headers["Set-Cookie"] = line

    def info(self) -> Message:
        """All of them."""
        return self._headers


def of_page(app: ASGIApp) -> list[str]:
    """The cookies that come with the page over https."""
    return call(app, http_scope(scheme="https")).all("set-cookie")


def become(*cookies: bytes, scheme: str = "https", **environ: str) -> list[str]:
    """What becomes of these cookies of an app."""
    lines = [(b"set-cookie", cookie) for cookie in cookies]
    settings = loaded({f"GARRISON_{name}": value for name, value in environ.items()})
    return call(harden(replies_with(headers=lines), settings), http_scope(scheme=scheme)).all("set-cookie")


def readable(lines: list[str]) -> list[str]:
    """The names in `document.cookie` of a page that came over https with these cookies."""
    return [name for name, attributes in map(named, lines) if "httponly" not in attributes]


def named(line: str) -> tuple[str, set[str]]:
    """The name of a cookie and the names of its attributes."""
    pair, *attributes = line.split(";")
    return pair.partition("=")[0], {each.partition("=")[0].strip().lower() for each in attributes}


def sent_in_the_clear(lines: list[str]) -> list[str]:
    """The names that a client sends to `http://shop.example/` when these came over https."""
    jar = CookieJar()
    jar.extract_cookies(cast("Any", CameWith(lines)), Request("https://shop.example/"))
    picture = Request("http://shop.example/")
    jar.add_cookie_header(picture)
    return [each.partition("=")[0] for each in (picture.get_header("Cookie") or "").split("; ") if each]


def test_the_cookies_shown(tmp_path: Path) -> None:
    """Both commands of the page get the cookies below them, the second from `garrison run`."""
    bare, hardened = curls(PAGE)
    assert ask(app, bare).all("set-cookie") == BARE
    asked = curl(hardened.words)
    with running(tmp_path, "app:app", directory=EXAMPLE) as up, connected(up.port) as connection:
        lines = [f"{name}: {value}" for name, value in asked.headers]
        connection.send(f"GET {asked.path} HTTP/1.1", f"Host: {asked.host}", *lines)
        reply = connection.reply()
    assert [value for name, value in reply.lines if name == "set-cookie"] == HARDENED


def test_what_an_attacker_gets() -> None:
    """The rows of the table, and the basket that browsers drop when it comes from the bare app."""
    (script, network) = (
        [set(cell.replace("`", "").strip().split(", ")) for cell in line.split("|")[2:4]]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith(("| runs a script", "| listens"))
    )
    bare = [line for line in BARE if not line.startswith("__Host-")]
    kept = [line for line in HARDENED if not line.startswith("__Host-")]
    assert script == [set(readable(bare)), set(readable(kept))]
    assert network[0] == set(sent_in_the_clear(bare))
    assert network[1] == {"nothing"}
    assert sent_in_the_clear(kept) == []
    for lines, wanted in ((BARE, False), (HARDENED, True)):
        (attributes,) = [found for name, found in map(named, lines) if name == "__Host-basket"]
        assert ({"secure", "path"} <= attributes) is wanted


def test_the_cookie_that_says_everything_passes_untouched() -> None:
    """What the app has said of the payment cookie is what leaves, under every setting of the page."""
    assert BARE[-1] == HARDENED[-1] == MORE[-1]


def test_what_can_be_set(tmp_path: Path) -> None:
    """The block of the page gives the cookies below it, and so do the presets with `READABLE` beside them."""
    assert of_page(harden(app, settings_of(PAGE, tmp_path, 0))) == MORE
    for preset in ("web", "strict"):
        environ = {"GARRISON_SECURITY_HEADERS_PRESET": preset, "GARRISON_COOKIES_READABLE": "theme"}
        assert of_page(harden(app, loaded(environ))) == MORE
    assert of_page(harden(app, loaded({"GARRISON_COOKIES": "off"}))) == BARE


def test_the_snippet() -> None:
    """The layer by itself adds what the block of the page adds."""
    namespace: dict[str, Any] = {}
    (snippet,) = blocks(PAGE, "python")
    exec(compile(snippet.text, snippet.name, "exec"), namespace)  # noqa: S102 - our own documentation
    alone = namespace["app"]
    alone.mount("/", app)
    assert of_page(alone) == MORE


@pytest.mark.parametrize("name", ["session", "PHPSESSID", "login", "connect.sid"])
def test_names_of_sessions(name: str) -> None:
    """What is named like a session gets HttpOnly over http too, unless it is listed."""
    cookie = f"{name}=1".encode()
    assert become(cookie, scheme="http") == [f"{name}=1; HttpOnly"]
    assert become(cookie, scheme="http", COOKIES_READABLE=name) == [f"{name}=1"]
    assert become(cookie, scheme="http", COOKIES_HTTP_ONLY="off") == [f"{name}=1"]


@pytest.mark.parametrize("name", ["assessment", "csrftoken", "XSRF-TOKEN"])
def test_names_that_scripts_read(name: str) -> None:
    """What only sounds like one stays readable, and a token under every setting."""
    assert become(f"{name}=1".encode(), scheme="http") == [f"{name}=1"]
    if name != "assessment":
        assert become(f"{name}=1".encode(), scheme="http", COOKIES_HTTP_ONLY="all") == [f"{name}=1"]


def test_prefixes() -> None:
    """Names with a prefix get what browsers ask for, with Secure off too, and lose what breaks it."""
    app_says = (b"__Host-session=1; Domain=shop.example; Path=/x", b"__Secure-a=1", b"__Host-Http-a=1")
    wanted = ["__Host-session=1; Secure; Path=/; HttpOnly", "__Secure-a=1; Secure"]
    wanted.append("__Host-Http-a=1; Secure; Path=/; HttpOnly")
    assert become(*app_says) == become(*app_says, COOKIES_SECURE="off") == wanted
    assert become(b"__Host-a=1", scheme="http") == ["__Host-a=1"]
    assert become(b"theme=dark", COOKIES_SECURE="off") == ["theme=dark"]


def test_an_end_gets_no_same_site() -> None:
    """A cookie that ends can be ended by the reply to another site's request."""
    ends = [b"a=; Max-Age=0", b"a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]
    assert not [line for line in become(*ends, COOKIES_SAME_SITE="Lax") if "SameSite" in line]
    assert become(b"a=1", COOKIES_SAME_SITE="Strict") == ["a=1; Secure; SameSite=Strict"]


def test_what_caches_keep() -> None:
    """Pages of a session are private, API replies are kept nowhere, and both can be set."""

    def told(kind: bytes, **environ: str) -> str | None:
        settings = loaded({f"GARRISON_SECURITY_HEADERS_{name}": value for name, value in environ.items()})
        below = harden(replies_with(headers=[(b"content-type", kind)]), settings)
        return call(below, http_scope(headers=[(b"cookie", b"session=1")])).header("cache-control")

    assert [told(b"text/html"), told(b"application/json")] == ["private", "no-store"]
    assert told(b"text/html", AUTHENTICATED_CACHE="no-store") == "no-store"
    assert told(b"application/json", API_NO_STORE="off") is None


def test_a_proxy_that_nobody_trusts_says_nothing_of_https() -> None:
    """No cookie gets Secure for a header that anybody can send."""
    forwarded = http_scope(headers=[(b"x-forwarded-proto", b"https")])
    assert "Secure" not in call(harden(app, Settings()), forwarded).all("set-cookie")[0]
    trusting = loaded({"GARRISON_PROXY_TRUSTED": "192.0.2.1"})
    assert call(harden(app, trusting), forwarded).all("set-cookie") == HARDENED


@pytest.mark.parametrize(("line", "status"), audits(PAGE, 1, 0))
def test_the_audits(line: str, status: int) -> None:
    """The app as it comes fails for its session, and hardened it passes; without https C4 is in both."""
    found, said = audited(line, EXAMPLE, {})
    assert found == status, said
    assert ("FAIL  C2" in said) == bool(status)
    assert "FAIL  C4" in said
    assert "----  C1" in said
