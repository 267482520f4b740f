"""The guides to the frameworks, in code: the one line, one middleware alone, and documents as contracts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import deque
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from garrison import Contract, RateLimit, RequestLimits, Settings, harden
from garrison.server.wsgi import FromWSGI
from tests.integration.documents import DOCS, Block, blocks
from tests.integration.frameworks_guide import ALONE, CHANGING, SHOPS, Shop
from tests.integration.lifespan import alive
from tests.toolkit.driver import Wire, call, exchange, http_scope, run, websocket_scope
from tests.toolkit.server.conftest import environment

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.asgi import ASGIApp, Message, Scope
    from tests.toolkit.driver import Reply

TYPE = (b"content-type", b"application/json")
QUOTA = "POST /login: 1/hour"


def posted(path: str, body: bytes = b"") -> Scope:
    """A POST of JSON."""
    length = (b"content-length", b"%d" % len(body))
    return http_scope(path, method="POST", headers=[TYPE, length] if body else [length])


async def echoed(app: ASGIApp) -> Wire:
    """A WebSocket that says hello, and leaves."""
    incoming: list[Message] = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": "hello"},
        {"type": "websocket.disconnect", "code": 1000},
    ]
    wire = Wire(deque(incoming))
    await app(websocket_scope("/echo"), wire.receive, wire.send)
    return wire


@pytest.fixture(params=ALONE)
def shop(request: pytest.FixtureRequest) -> Shop:
    """Each of those that can be had in this process."""
    return SHOPS[request.param]


def test_the_one_line_does_all_of_it(
    shop: Shop,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`harden(app)` covers every reply, WebSockets included, passes streams on, and starts the app once."""
    caplog.set_level("INFO", "shop")
    monkeypatch.setenv("GARRISON_ERRORS_REPLACE", "all")
    monkeypatch.setenv("GARRISON_RATE_LIMIT_LIMITS", QUOTA)
    (command,) = shop.commands("uvicorn")
    app = getattr(shop.module(), command.words[1].removeprefix("app:"))
    replies: dict[str, Reply] = {}
    logins: list[Reply] = []
    talks: list[Wire] = []

    async def main() -> None:
        async with alive(app):
            for path in ("/", "/items/1", "/nowhere", "/boom", "/stream"):
                replies[path] = await exchange(app, http_scope(path))
            logins.extend([await exchange(app, posted("/login")) for _ in range(2)])
            talks.append(await echoed(app))

    run(main())
    assert [reply.status for reply in replies.values()] == [200, 200, 404, 500, 200]
    for reply in replies.values():
        assert reply.header("x-content-type-options") == "nosniff"
        assert len(reply.header("x-request-id") or "") == 32
    problem = {key: value for key, value in replies["/boom"].json.items() if key not in CHANGING}
    assert problem == shop.shown("Internal Server Error")
    bodies = [one["body"] for one in replies["/stream"].messages if one.get("body")]
    assert bodies == [b"data: %d\n\n" % number for number in range(3)]
    first, second = logins
    assert (first.status, second.status) == (204, 429)
    assert "httponly" in (first.header("set-cookie") or "").lower()
    accept, sent, *_ = talks[0].sent
    assert b"x-request-id" in dict(accept["headers"])
    assert sent["text"] == "hello"
    assert [one.message for one in caplog.records if "the shop" in one.message] == [
        "the shop opens",
        "the shop closes",
    ]
    (event,) = (
        one for line in capsys.readouterr().out.splitlines()
        if (one := json.loads(line)).get("url.path") == "/items/1"
    )  # fmt: skip
    assert event.items() >= shop.shown("http.request").items()


@pytest.mark.parametrize("name", ["quart", "flask"])
def test_exceptions_that_leave_the_framework_need_no_variable(name: str) -> None:
    """With the setting of the framework that the page names, a failure is a problem by default."""
    module = SHOPS[name].module()
    module.app.config["PROPAGATE_EXCEPTIONS"] = True
    app = FromWSGI(module.app, threads=1) if name == "flask" else module.app
    reply = call(harden(app, Settings()), http_scope("/boom"))
    assert (reply.status, reply.header("content-type")) == (500, "application/problem+json")
    assert b"hunter2" not in reply.body


def one_middleware(shop: Shop) -> Block:
    """The snippet of a page that puts one middleware on."""
    (found,) = (block for block in blocks(shop.page, "python") if "RateLimitMiddleware" in block.text)
    return found


def limited(shop: Shop) -> ASGIApp:
    """What the snippet makes, with a quota of one."""
    block = one_middleware(shop)
    code = block.text.replace("100/minute", "1/hour")
    assert code != block.text
    module = ModuleType(f"one_middleware_of_{shop.name}")
    # Litestar looks there for what annotations mean.
    sys.modules[module.__name__] = module
    exec(compile(code, block.name, "exec"), module.__dict__)  # noqa: S102 - our own documentation
    made: ASGIApp = module.limited if shop.name in {"blacksheep", "flask"} else module.app
    return made


@pytest.mark.parametrize("name", [*ALONE, "flask"])
def test_one_middleware_alone(name: str) -> None:
    """The framework's own way of adding one works, and adds nothing else."""
    shop = SHOPS[name]
    app = limited(shop)
    replies: list[Reply] = []

    async def main() -> None:
        replies.extend([await exchange(app, http_scope()) for _ in range(2)])

    run(main())
    served, refused = replies
    assert (served.status, served.body.strip(b'"'), refused.status) == (200, b"hello", 429)
    assert served.header("x-content-type-options") is None
    assert refused.header("retry-after") is not None


def test_litestar_asks_no_middleware_about_a_404() -> None:
    """As its page says: what leads nowhere is not counted there, and is where the whole app is hardened."""
    app = limited(SHOPS["litestar"])
    assert [call(app, http_scope("/nowhere")).status for _ in range(3)] == [404] * 3
    hardened = harden(SHOPS["litestar"].module().app, Settings(rate_limit=RateLimit(limits="1/hour")))
    assert [call(hardened, http_scope("/nowhere")).status for _ in range(2)] == [404, 429]


def test_litestar_finds_a_root_path_anywhere() -> None:
    """As its page says: a rule by path meets a path that begins with it, and Litestar serves others too."""
    app = harden(SHOPS["litestar"].module().app, Settings(rate_limit=RateLimit(limits=QUOTA)))

    def logs_in(path: str) -> int:
        return call(app, {**posted(path), "root_path": "/shop"}).status

    assert [logs_in("/shop/login") for _ in range(2)] == [204, 429]
    assert [logs_in("/x/shop/login") for _ in range(2)] == [204, 204]


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        (Settings(), 500),
        (Settings(request_limits=RequestLimits(json="strict")), 400),
        (Settings(contract=Contract(document="app")), 400),
    ],
    ids=["unset", "strict", "contract"],
)
def test_a_number_that_fastapi_cannot_tell_of(settings: Settings, status: int) -> None:
    """As its page says: its own 422 fails at it, and two settings let it not come so far."""
    body = b'{"name": 1e400}'
    reply = call(harden(SHOPS["fastapi"].module().app, settings), posted("/items", body), body)
    assert reply.status == status


def test_blacksheep_repeats_what_does_not_fit() -> None:
    """As its page says: the field that is wrong comes back in a 400 of its own."""
    body = b'{"name": ""}'
    reply = call(harden(SHOPS["blacksheep"].module().app, Settings()), posted("/items", body), body)
    assert reply.status == 400
    assert reply.json[0]["input"] == ""


@pytest.mark.parametrize("name", ["fastapi", "litestar", "blacksheep"])
def test_the_document_of_the_framework_is_a_contract(name: str, tmp_path: Path) -> None:
    """What it does not allow is refused with a problem before a handler runs; what it allows arrives."""
    app = SHOPS[name].module().app
    replies: list[Reply] = []

    async def main() -> None:
        document = "app"
        if name == "blacksheep":
            async with alive(app):
                path = tmp_path / "openapi.json"
                path.write_bytes((await exchange(app, http_scope("/openapi.json"))).body)
                document = str(path)
        hardened = harden(SHOPS[name].module().app, Settings(contract=Contract(document=document)))
        async with alive(hardened):
            bodies = (b'{"name": "cup"}', b'{"name": 7}')
            replies.extend([await exchange(hardened, posted("/items", body), body) for body in bodies])

    run(main())
    assert [reply.status for reply in replies] == [201, 422]
    assert replies[1].header("content-type") == "application/problem+json"


DJANGO = """
import sys
from tests.toolkit.driver import exchange, http_scope, run

async def main():
    namespace = {}
    exec(sys.argv[1], namespace)
    app = namespace["application"]
    print(*[(await exchange(app, http_scope("/items/1"))).status for _ in range(2)])

run(main())
"""


def test_one_middleware_of_django() -> None:
    """The `asgi.py` of the page, in a process of its own, serves once and refuses then."""
    shop = SHOPS["django"]
    code = one_middleware(shop).text.replace("100/minute", "1/hour")
    root = os.pathsep.join([str(DOCS.parent), str(shop.folder)])
    done = subprocess.run(
        [sys.executable, "-c", DJANGO, code],
        env=environment({"PYTHONPATH": root}),
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1:] == ["200 429"], done.stderr
