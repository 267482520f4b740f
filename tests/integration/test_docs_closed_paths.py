"""What the guide to closed paths shows: the example bare and closed, who is let in, and what stays open."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from docs.examples.closed.app import app
from garrison import Settings, SettingsError, harden
from garrison.preflight import examine
from tests.integration.contract_guide import ask, curls, events, loaded, settings_of
from tests.integration.documents import DOCS, EXAMPLES, curl
from tests.integration.guide_audits import audited, audits, lines_of
from tests.toolkit.driver import accepts, call, handshake, http_scope, replies_with, websocket_scope
from tests.toolkit.server.conftest import running
from tests.toolkit.server.wire import ask as ask_server

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

    from garrison.asgi import ASGIApp
    from tests.integration.documents import Command
    from tests.toolkit.server.wire import Reply

# What rows that name no path are about.
OTHERS: Final = {"dotfiles": ["/.env", "/x/.git/config"], "/beta-*": ["/beta-7"], "/*": ["/a"]}
PAGE: Final = DOCS / "how-to" / "closed-paths.md"
TEXT: Final = PAGE.read_text(encoding="utf-8")
EXAMPLE: Final = EXAMPLES / "closed"
ALL, ADDRESSES, TOKEN = range(3)


def told(line: str) -> dict[str, str]:
    """The variables in front of a command, or in a line of text."""
    return dict(re.findall(r'(GARRISON_\w+)="([^"]+)"', line))


def shown(reply: Reply, command: Command) -> str:
    """A reply as the page shows it: the body, or with `-i` the status and the headers that it has there."""
    if "-si" not in command.words:
        return reply.body.decode().removesuffix("\n")
    first, *lines = command.output.splitlines()
    assert reply.status == int(first.split()[1])
    names = [line.partition(": ")[0] for line in lines]
    return "\n".join([first, *(f"{name}: {reply[name]}" for name in names)])


def statuses(app: ASGIApp, *paths: str, **more: Any) -> list[int]:
    """The statuses of these paths."""
    return [call(app, http_scope(path, **more)).status for path in paths]


def closing(closed: str, app: ASGIApp | None = None) -> ASGIApp:
    """An app that has whatever is asked for, with this closed."""
    return harden(replies_with() if app is None else app, loaded({"GARRISON_EXPOSURE_CLOSED": closed}))


def test_the_bare_app_shows_everything() -> None:
    """What the commands of the page find in the app as it comes."""
    asked = [command for command in curls(PAGE) if ":8001/" in command.words[-1]]
    assert len(asked) == 3
    for command in asked:
        reply = ask(app, command)
        assert (reply.status, reply.body.decode().rstrip()) == (200, command.output.rstrip())


def test_the_hardened_app_shows_what_is_for_everybody(tmp_path: Path) -> None:
    """Each command of the page gets its reply from the server that the page starts."""
    (served,) = [line for line in lines_of(PAGE) if "garrison run" in line]
    asked = [command for command in curls(PAGE) if ":8000/" in command.words[-1]]
    assert len(asked) == 4
    environ = {**told(served), "GARRISON_EXPOSURE_TOKEN": token_of_page()}
    with running(tmp_path, "app:app", directory=EXAMPLE, **environ) as up:
        for command in asked:
            request = curl(command.words)
            lines = [f"{name}: {value}" for name, value in request.headers]
            reply = ask_server(up.port, request.path, *lines)
            assert shown(reply, command) == command.output.rstrip()
        for path in ("/metrics", "/docs", "/openapi.json", "/admin/users"):
            assert ask_server(up.port, path).status == 404


def token_of_page() -> str:
    """The token that the page sets."""
    (found,) = set(re.findall(r"GARRISON_EXPOSURE_TOKEN=(\S+)", TEXT))
    return str(found)


def test_what_the_log_says(capsys: pytest.CaptureFixture[str]) -> None:
    """The two fields of the page are in the event of a refusal, and no quota is used up by it."""
    environ = {"GARRISON_EXPOSURE_CLOSED": "docs", "GARRISON_RATE_LIMIT_LIMITS": "1/minute"}
    closed = harden(replies_with(), loaded(environ))
    assert statuses(closed, "/docs", "/docs", "/a", "/docs", "/a") == [404, 404, 200, 404, 429]
    event = events(capsys.readouterr().out, "http.request")[0]
    assert (event["rejected_by"], event["security_events"]) == ("exposure", ["authz_fail"])
    assert '"rejected_by": "exposure"' in TEXT
    assert '"security_events": ["authz_fail"]' in TEXT


def test_every_row_of_the_table() -> None:
    """What a row names is closed by its word, and open without it; the probes are never closed."""
    rows = [line.split("|")[1:3] for line in TEXT.splitlines() if line.startswith("| `")]
    assert len(rows) == 7
    for part, text in ((part.strip(" `"), text) for part, text in rows):
        named = [path for path in re.findall(r"`(/[^`*]*)`", text) if path != "/*"]
        below = [f"{path}/x" for path in named if "below" in text and "." not in path]
        paths = [*named, *below] or OTHERS[part]
        assert set(statuses(closing(part), *paths)) == {404}, part
        assert set(statuses(closing(""), *paths)) == {200}, part
    assert statuses(closing("dotfiles"), "/.well-known/security.txt") == [200]
    assert statuses(closing("/internal"), "/internal/x") == [200]
    assert statuses(closing("/*"), "/readyz") == [200]
    assert statuses(closing("docs"), "/openapi.yaml", "/openapi.yml", "/swagger.yaml") == [404] * 3


def test_a_word_that_is_misspelt() -> None:
    """Nothing starts with it, and the one that was meant is named."""
    with pytest.raises(SettingsError, match=r"Did you mean metrics\?"):
        loaded({"GARRISON_EXPOSURE_CLOSED": "Metrics"})


@pytest.mark.parametrize("path", ["/DOCS", "//docs", "/docs;x", "/x/../docs"])
def test_other_spellings(path: str) -> None:
    """The spellings of the page are closed, and the same below a prefix."""
    assert f"`{path}`" in TEXT
    assert statuses(closing("docs"), path) == [404]
    assert statuses(closing("docs"), "/shop/docs", root_path="/shop") == [404]


def test_whatever_the_method_and_on_websockets() -> None:
    """A stranger gets the same 404 for what is there and for what is not."""
    closed = closing("/admin/*")
    for method in ("GET", "POST", "DELETE", "OPTIONS"):
        assert statuses(closed, "/admin/users", "/admin/nothing", method=method) == [404, 404]
    denied = handshake(closing("/admin/*", accepts), websocket_scope("/admin/live"))
    assert denied.reply.status == 404
    # The app's own 404 differs, and tells that this path is none of the closed.
    own = call(harden(app, settings := loaded({"GARRISON_EXPOSURE_CLOSED": "docs"})), http_scope("/nothing"))
    closed_reply = call(harden(app, settings), http_scope("/docs"))
    assert (own.status, own.header("content-type")) == (404, "application/json")
    assert closed_reply.header("content-type") == "application/problem+json"


def test_people_come_in_by_their_address(tmp_path: Path) -> None:
    """An address of the block is let in through the proxy; what a stranger says of itself opens nothing."""
    closed = harden(app, settings_of(PAGE, tmp_path, ADDRESSES))
    inside, outside = ([(b"x-forwarded-for", address)] for address in (b"10.8.3.4", b"203.0.113.9"))
    proxy, stranger = ("10.0.1.7", 40000), ("203.0.113.9", 40000)
    assert statuses(closed, "/docs", "/metrics", headers=inside, client=proxy) == [200, 200]
    assert statuses(closed, "/docs", headers=outside, client=proxy) == [404]
    assert statuses(closed, "/docs", headers=inside, client=stranger) == [404]


def test_the_check_warns_where_no_proxy_is_named() -> None:
    """With addresses and without proxies, everybody may have the same address."""
    environ = {"GARRISON_EXPOSURE_CLOSED": "docs", "GARRISON_EXPOSURE_ALLOWED": "10.8.0.0/16"}
    for more, warned in (({}, True), ({"GARRISON_PROXY_TRUSTED": "10.0.1.0/24"}, False)):
        found = [advice.variable for advice in examine(loaded({**environ, **more}))]
        assert ("GARRISON_EXPOSURE_ALLOWED" in found) is warned


def test_either_is_enough_and_the_app_gets_the_header(tmp_path: Path) -> None:
    """The token of the page lets in from any address, and the app reads it as it came."""

    async def told_app(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.headers.get("authorization", "nothing"))

    inner = Starlette(routes=[Route("/metrics", told_app)])
    environ = {"GARRISON_EXPOSURE_ALLOWED": "10.8.0.0/16", "GARRISON_PROXY_TRUSTED": "10.0.1.0/24"}
    settings = settings_of(PAGE, tmp_path, TOKEN)
    environ |= {"GARRISON_EXPOSURE_CLOSED": "metrics", "GARRISON_EXPOSURE_TOKEN": token_of_page()}
    both = loaded(environ)
    token = f"Bearer {token_of_page()}"
    sent = http_scope("/metrics", headers=[(b"authorization", token.encode())])
    for each in (settings, both):
        reply = call(harden(inner, each), sent)
        assert (reply.status, reply.body.decode()) == (200, token)
    assert statuses(harden(inner, both), "/metrics", client=("10.8.3.4", 1)) == [200]
    assert statuses(harden(inner, both), "/metrics") == [404]


def test_routes_of_the_app_itself() -> None:
    """Docs of its own, docs that were moved or mounted, and probes of its own, as the page lists them."""

    async def own(_: Request) -> PlainTextResponse:
        return PlainTextResponse("mine")

    inner = Starlette(routes=[Route("/docs", own), Route("/livez", own), Mount("/api", FastAPI())])
    assert statuses(closing("docs", inner), "/docs", "/api/docs") == [404, 200]
    (listed,) = re.findall(r'`GARRISON_EXPOSURE_CLOSED="([^"]+)"`', TEXT)
    kept = closing(listed, inner)
    assert statuses(kept, "/docs", "/redoc", "/openapi.json", "/metrics") == [200, 404, 404, 404]
    assert statuses(closing("docs", FastAPI(docs_url="/intern")), "/intern") == [200]
    assert statuses(closing("/intern", FastAPI(docs_url="/intern")), "/intern") == [404]
    mounted = closing("/api/docs; /api/openapi.json", inner)
    assert statuses(mounted, "/api/docs", "/api/openapi.json", "/docs") == [404, 404, 200]
    assert statuses(closing("/*", inner), "/livez", "/readyz") == [404, 200]


@pytest.mark.parametrize(("line", "status"), audits(PAGE, 1, 0))
def test_the_audits(line: str, status: int) -> None:
    """The app as it comes fails for the file of settings, and closed it passes."""
    found, said = audited(line, EXAMPLE, told(line))
    assert found == status, said
    assert (": /.env\n" in said) == bool(status)


def test_nothing_is_closed_until_it_is_told() -> None:
    """Without a setting the docs of an app are there for everybody."""
    assert statuses(harden(app, Settings()), "/docs", "/metrics", "/admin/users") == [200, 200, 200]
