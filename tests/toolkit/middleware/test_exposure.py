"""What is closed to strangers: they find nothing, and nothing tells them that there is something."""

from __future__ import annotations

import timeit
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from flask import Flask
from quart import Quart

from garrison import Errors, Exposure, ExposureMiddleware, Proxy, Settings, SettingsError, harden
from garrison.closed_paths import ClosedPaths
from garrison.listing import document, page, template
from garrison.rules import root_path_of
from garrison.server.wsgi import FromWSGI
from garrison.settings import load
from garrison.units import Secret
from tests.toolkit.driver import (
    CLIENT,
    Reply,
    accepts,
    call,
    handshake,
    http_scope,
    replies_with,
    websocket_scope,
)

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.asgi import ASGIApp

TOKEN = "a-token-of-a-scraper"
EVERYTHING = "docs; metrics; dotfiles; /admin/*; /internal; /beta-*"


def ask(path: str, *headers: tuple[bytes, bytes], closed: str = EVERYTHING, **more: Any) -> Reply:
    """The reply to a stranger."""
    app = ExposureMiddleware(replies_with(), Exposure(closed=closed))
    return call(app, http_scope(path, headers=headers, **more))


@pytest.mark.parametrize(
    "path",
    [
        "/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json", "/openapi.yaml", "/openapi.yml",
        "/schema", "/schema/swagger", "/swagger", "/swagger-ui/index.html", "/swagger.json",
        "/scalar", "/rapidoc", "/metrics", "/metrics/", "/metrics/job",
        "/.git/config", "/static/.env", "/.DS_Store", "/a/..hidden", "/.well-known/.env",
        "/admin", "/admin/", "/admin/users", "/internal", "/internal/", "/beta-", "/beta-7/x",
    ],
)  # fmt: skip
def test_what_is_closed_is_not_found(path: str) -> None:
    """A bare app serves it to anybody; behind the layer a stranger gets a 404."""
    assert call(replies_with(), http_scope(path)).status == 200
    assert ask(path).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/", "", "/.", "/docs-archive", "/document", "/documents/docs", "/x/docs", "/openapi.json5",
        "/schemas", "/a.b", "/a/b.git", "/.well-known/security.txt",
        "/tenant/.well-known/openid-configuration", "/administration", "/internal/x",
        "/internals", "/beta", "/a;docs", "/a//b", "/a/../b", "/a b",
    ],
)  # fmt: skip
def test_innocent_paths_pass(path: str) -> None:
    """What only looks similar is served."""
    assert ask(path).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "//docs", "/docs/", "/docs//", "/./docs", "/docs/.", "/x/../docs", "/../docs", "/docs;x",
        "/docs;x=1/", "/;x/docs", "/..;/docs", "/DOCS", "/Docs", "docs", "/docs\n", "/docs\r\n", "/docs ",
        "/docs\0", "/docs\u00a0", "//admin/..//x", "/admin/../x", "/x//..//admin/users", "/ADMIN/users",
        "/x/../.git/config", "/.GIT/config", "/.git;x/config", "/.well-known/../.git/config", "/beta-7/../x",
    ],
)  # fmt: skip
def test_other_spellings_are_closed_too(path: str) -> None:
    """Whatever a router or a file server below may make of a path, it is none that is closed."""
    assert ask(path).status == 404


def test_everything_can_be_closed() -> None:
    """`/*` is every path there is."""
    for path in ("/", "", "/a", "//", "*"):
        assert ask(path, closed="/*").status == 404
    assert ask("/", closed="/").status == 404
    assert ask("/a", closed="/").status == 200


@pytest.mark.parametrize(
    ("root", "path"),
    [
        ("/shop", "/shop/docs"),
        ("/shop", "/docs"),
        ("/shop/", "/shop/docs"),
        ("/shop", "/shopdocs"),
        ("/shop", "/x/shop/docs"),
        ("/", "/docs"),
    ],
)
def test_the_prefix_of_a_proxy_opens_nothing(root: str, path: str) -> None:
    """Frameworks take the prefix away in different ways, and whichever it is, the path is closed."""
    assert ask(path, root_path=root).status == 404
    assert ask("/shop/document", root_path=root).status == 200


def test_the_prefix_of_the_app_itself_opens_nothing() -> None:
    """`FastAPI(root_path=…)` takes a prefix away that no server knows of, below any middleware."""

    class Around:
        def __init__(self, app: object) -> None:
            self.app = app

    app = FastAPI()
    app.root_path = "/api/v1"  # newer versions warn of the parameter, and keep what it sets
    assert root_path_of(Around(Around(app))) == "/api/v1"
    assert root_path_of(Around(replies_with())) == ""
    endless = Around(None)
    endless.app = endless
    assert root_path_of(endless) == ""


def test_the_folder_of_an_app_is_no_prefix() -> None:
    """Flask and Quart call the folder that an app is in by the same name, and no URL begins with it."""
    assert root_path_of(FromWSGI(Flask(__name__), threads=1)) == ""
    assert root_path_of(Quart(__name__)) == ""


def test_nothing_is_closed_until_it_is_told() -> None:
    """Without a list the layer does nothing, and for a list of nothing too."""
    for closed in ("", " ; "):
        assert ask("/docs", closed=closed).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_a_closed_path_is_like_an_unknown_one(method: str) -> None:
    """The app is not asked, so that it cannot tell by its answer whether there is something."""

    def replies(app: ASGIApp) -> tuple[int, object]:
        settings = Settings(
            exposure=Exposure(closed="/admin/*"), errors=Errors(replace="all"), access_log=None
        )
        reply = call(harden(app, settings), http_scope("/admin", method=method))
        lines = [line for line in reply.headers if line[0] != b"x-request-id"]
        document = reply.json if reply.body else {}
        return reply.status, (lines, {**document, "request_id": ""})

    assert replies(replies_with()) == replies(replies_with(405)) == replies(replies_with(404))
    assert replies(replies_with())[0] == 404


def test_handshakes_are_closed_too() -> None:
    """A WebSocket below a closed path is denied."""
    app = ExposureMiddleware(accepts, Exposure(closed="/admin/*"))
    assert handshake(app, websocket_scope("/admin/live")).reply.status == 404
    assert handshake(app, websocket_scope("/live")).sent[0]["type"] == "websocket.accept"


@pytest.mark.parametrize(
    ("client", "status"),
    [
        ("10.1.2.3", 200),
        ("::ffff:10.1.2.3", 200),
        ("2001:db8::7", 200),
        ("11.1.2.3", 404),
        ("unix:", 404),
        (None, 404),
    ],
)
def test_addresses_can_be_let_in(client: str | None, status: int) -> None:
    """Whoever comes from an allowed network is no stranger; who has no address is one."""
    networks = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/64"))
    app = ExposureMiddleware(replies_with(), Exposure(closed="docs", allowed=networks))
    scope = http_scope("/docs", client=client and (client, 1))
    assert call(app, scope).status == status


def test_the_address_is_the_clients() -> None:
    """Behind a trusted proxy it is the client that is allowed or not; a forged header lets nobody in."""
    inside = (b"x-forwarded-for", b"10.1.2.3")
    for trusted, status in (((ip_network(CLIENT[0]),), 200), ((), 404)):
        exposure = Exposure(closed="docs", allowed=(ip_network("10.0.0.0/8"),))
        settings = Settings(proxy=Proxy(trusted=trusted), exposure=exposure, access_log=None)
        assert call(harden(replies_with(), settings), http_scope("/docs", headers=[inside])).status == status


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN} ", 200),
        (f"Bearer {TOKEN}x", 404),
        (f"Bearer {TOKEN[:-1]}", 404),
        ("Bearer", 404),
        ("Bearer \xff", 404),
        (TOKEN, 404),
        (f"Basic {TOKEN}", 404),
    ],
)
def test_a_token_opens(value: str, status: int) -> None:
    """A scraper with the token gets the metrics, whoever has another one does not."""
    app = ExposureMiddleware(replies_with(), Exposure(closed="metrics", token=Secret(TOKEN)))
    header = (b"authorization", value.encode("latin-1"))
    assert call(app, http_scope("/metrics", headers=[header])).status == status
    assert call(app, http_scope("/metrics")).status == 404


def test_the_token_comes_from_a_file_and_is_never_shown(tmp_path: Path) -> None:
    """A container's secret works with the newline that editors leave, and no listing and no error has it."""
    (tmp_path / "token").write_text(f"{TOKEN}\n", "utf-8")
    environ = {"GARRISON_EXPOSURE_CLOSED": "metrics", "GARRISON_EXPOSURE_TOKEN_FILE": str(tmp_path / "token")}
    loaded = load(Settings, environ=environ)
    exposure = loaded.value.exposure
    assert exposure is not None
    assert exposure.token == Secret(TOKEN)
    assert TOKEN not in repr(loaded.value)
    for listing in (page(loaded), document(loaded).decode(), template(loaded)):
        assert TOKEN not in listing
    bad = "a token with blanks in it"
    (tmp_path / "token").write_text(bad, "utf-8")
    for variables in (environ, {"GARRISON_EXPOSURE_TOKEN": bad}):
        with pytest.raises(SettingsError) as caught:
            load(Settings, environ=variables)
        assert "expected at least 16 letters, digits and -._~+/" in str(caught.value)
        assert bad not in str(caught.value)


@pytest.mark.parametrize("token", ["short", "=" * 20, "fifteen-letters", "ä" * 20, ""])
def test_a_token_that_can_be_guessed_or_not_be_sent_is_refused(token: str) -> None:
    """A token is long enough, and made of what the header can hold."""
    with pytest.raises(SettingsError, match=r"^Exposure\.token: expected at least 16 letters"):
        Exposure(token=Secret(token))


@pytest.mark.parametrize(
    ("closed", "problem"),
    [
        (
            "doc",
            "expected paths such as 'docs; metrics; dotfiles; /admin/*', found 'doc'. Did you mean docs?",
        ),
        ("docs; Metric", "found 'Metric'. Did you mean metrics?"),
        ("dot-files", "found 'dot-files'. Did you mean dotfiles?"),
        ("docs, metrics", "found 'docs, metrics'. Did you mean docs; metrics?"),
        ("admin/*", "found 'admin/*'. Did you mean /admin/*?"),
        ("/a*b", "found '/a*b'."),
        (
            "GET /admin",
            "expected paths without methods, empty segments and dot segments, found 'GET /admin'.",
        ),
        ("/a//b", "expected paths without methods, empty segments and dot segments, found '/a//b'."),
        ("/a/../b", "found '/a/../b'."),
        ("/a: b", "found '/a: b'."),
    ],
)
def test_a_word_that_is_none_is_shown_with_the_nearest(closed: str, problem: str) -> None:
    """Nobody believes that something is closed because of a slip of the pen."""
    with pytest.raises(SettingsError) as caught:
        load(Settings, environ={"GARRISON_EXPOSURE_CLOSED": closed})
    assert str(caught.value).startswith("GARRISON_EXPOSURE_CLOSED: expected paths ")
    assert str(caught.value).endswith(problem)


def test_long_paths_take_no_longer_than_their_length() -> None:
    """A path that was made to be slow is judged in the time that reading it takes."""
    closed = ClosedPaths(EVERYTHING)
    for part in ("/..", "/.", "//", ";x", "/a;", "\n", "/x/.."):
        path = part * (60_000 // len(part))
        assert timeit.timeit(lambda path=path: path in closed, number=1) < 0.5  # type: ignore[misc]
