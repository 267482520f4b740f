"""Which request the running code works for: in handlers, tasks and threads, and not a moment longer."""

from __future__ import annotations

import asyncio
import contextvars
import io
import logging
import subprocess
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from garrison.context import enter
from garrison.current import (
    RequestFilter,
    add_request_fields,
    current_request,
    enter_request,
    leave_request,
    request_fields,
)
from garrison.middleware.request_id import RequestIdMiddleware
from tests.toolkit.driver import Wire, call, exchange, http_scope, replies_with, run
from tests.toolkit.middleware.traced import Traced

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from starlette.requests import Request
    from starlette.responses import Response

    from garrison.asgi import Receive, Scope, Send


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    assert (seen(), current_request()) == ((None, None), None)


def seen() -> tuple[str | None, str | None]:
    """The id for those who ask us, and for those who ask structlog."""
    context = current_request()
    merged = structlog.contextvars.merge_contextvars(None, "info", {})
    return (context.request_id if context else None, merged.get("request_id"))


def numbered(app: Any) -> RequestIdMiddleware:
    """The layer around an app, with ids that count."""
    ids = iter(f"id-{number}" for number in range(1, 1000))
    return RequestIdMiddleware(app, make_id=lambda: next(ids))


def asked(app: Any, *paths: str) -> None:
    """Send requests, one after the other, in one task: that of a server would be a new one."""

    async def main() -> None:
        for path in paths or ("/",):
            await exchange(app, http_scope(path))
            assert seen() == (None, None)

    run(main())


def test_a_handler_and_what_it_calls_know_the_id() -> None:
    """It is there before and after every await, and another one with the next request."""
    found: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found.append(seen())
        await replies_with()(scope, receive, send)
        await asyncio.sleep(0)
        found.append(seen())

    asked(numbered(app), "/", "/")
    assert found == [("id-1", "id-1")] * 2 + [("id-2", "id-2")] * 2


def test_requests_at_the_same_time_keep_to_their_own_ids() -> None:
    """A hundred requests that overlap never see each other's id."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        mine = scope["garrison"].request_id
        for _ in range(5):
            await asyncio.sleep(0)
            assert seen() == (mine, mine)
        await replies_with()(scope, receive, send)

    async def main() -> None:
        layer = numbered(app)
        await asyncio.gather(*(exchange(layer, http_scope()) for _ in range(100)))

    run(main())


def test_tasks_and_threads_of_a_request_know_the_id() -> None:
    """Tasks keep it after the reply, `asyncio.to_thread` hands it on, and an executor where it is told."""
    found: dict[str, object] = {}
    tasks: list[asyncio.Task[None]] = []

    async def later() -> None:
        await asyncio.sleep(0.01)
        found["task"] = seen()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        tasks.append(asyncio.create_task(later()))
        found["to_thread"] = await asyncio.to_thread(seen)
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as pool:
            found["executor"] = await loop.run_in_executor(pool, seen)
            found["told"] = await loop.run_in_executor(pool, contextvars.copy_context().run, seen)
        await replies_with()(scope, receive, send)

    async def main() -> None:
        await exchange(numbered(app), http_scope())
        assert seen() == (None, None)
        await tasks[0]

    run(main())
    ours = ("id-1", "id-1")
    assert found == {"task": ours, "to_thread": ours, "executor": (None, None), "told": ours}


@pytest.mark.parametrize("inside", [False, True])
def test_starlette_hands_the_id_to_everything_it_runs(*, inside: bool) -> None:
    """Endpoints in threads, background tasks and BaseHTTPMiddleware; with the layer around it or in it."""
    found: dict[str, object] = {}

    def sync(request: Request) -> Response:
        found["sync"] = seen()
        return PlainTextResponse("x", background=BackgroundTask(lambda: found.update(background=seen())))

    async def dispatch(request: Request, call_next: Any) -> Any:
        found["before"] = seen()
        reply = await call_next(request)
        found["after"] = seen()
        return reply

    app = Starlette(routes=[Route("/", sync)])
    app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
    if inside:
        app.add_middleware(RequestIdMiddleware, make_id=lambda: "id-1")
        asked(app)
    else:
        asked(numbered(app))
    assert found == dict.fromkeys(("before", "sync", "after", "background"), ("id-1", "id-1"))


def test_an_app_that_is_asked_by_a_handler_has_an_id_of_its_own() -> None:
    """The request of an in-process client is a request; its end gives the handler its own id back."""
    inner = RequestIdMiddleware(replies_with(), make_id=lambda: "inner")
    found: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        transport = httpx.ASGITransport(inner)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as client:
            found.append((await client.get("/")).headers["x-request-id"])
        found.append(seen())
        await replies_with()(scope, receive, send)

    asked(numbered(app))
    assert found == ["inner", ("id-1", "id-1")]


@pytest.mark.parametrize("error", [RuntimeError("x"), asyncio.CancelledError()])
def test_a_request_that_fails_takes_its_id_with_it(error: BaseException) -> None:
    """However a request ends, the id is gone."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert seen() == ("id-1", "id-1")
        raise error

    async def main() -> None:
        with pytest.raises(type(error)):
            await exchange(numbered(app), http_scope())
        assert seen() == (None, None)

    run(main())


def test_the_id_of_an_earlier_request_does_not_come_back() -> None:
    """Servers make the task of a request in the context of an earlier one; its end leaves no id at all."""
    after: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/first":
            second = exchange(layer, http_scope("/second"))
            tasks.append(asyncio.create_task(after_it(second)))
        await replies_with()(scope, receive, send)

    async def after_it(request: Any) -> None:
        await asyncio.sleep(0.01)
        await request
        after.append(seen())

    tasks: list[asyncio.Task[None]] = []
    layer = numbered(app)

    async def main() -> None:
        await exchange(layer, http_scope("/first"))
        await tasks[0]

    run(main())
    assert after == [(None, None)]


class Pause:
    """Something to wait for that no loop knows."""

    def __await__(self) -> Generator[None, None, None]:
        yield


def test_a_request_that_nobody_awaits_any_longer_ends_quietly() -> None:
    """A coroutine that is closed in another context than its own, as by the collector, raises nothing."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Pause()

    wire = Wire(deque())
    request: Any = numbered(app)(http_scope(), wire.receive, wire.send)
    contextvars.copy_context().run(request.send, None)
    request.close()


def test_structlog_users_who_clear_their_context_keep_ours() -> None:
    """An app that begins each request with `clear_contextvars` still has the id through the processor."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        structlog.contextvars.clear_contextvars()
        assert seen() == ("id-1", None)
        assert add_request_fields(None, "info", {"event": "x"}) == {"event": "x", "request_id": "id-1"}
        assert add_request_fields(None, "info", {"request_id": "own"}) == {"request_id": "own"}
        await replies_with()(scope, receive, send)

    asked(numbered(app))


def test_the_span_is_the_innermost() -> None:
    """A line belongs to the span that is current; without one, to that of the request; else to none."""
    scope, context = enter(http_scope())
    assert request_fields() == {}
    entered = enter_request(context, scope)
    assert request_fields() == {}
    context.trace_id, context.span_id = "a" * 32, "b" * 16
    assert request_fields() == {"trace_id": "a" * 32, "span_id": "b" * 16}
    with TracerProvider().get_tracer("shop").start_as_current_span("query") as span:
        identity = span.get_span_context()
        assert request_fields() == {
            "trace_id": f"{identity.trace_id:032x}",
            "span_id": f"{identity.span_id:016x}",
        }
    leave_request(context, entered)


def merged() -> dict[str, Any]:
    """What structlog's own processor adds to an event."""
    return dict(structlog.contextvars.merge_contextvars(None, "info", {}))


def test_structlog_has_the_trace_of_a_request() -> None:
    """`merge_contextvars` gives the ids of the server span, and ours in its wake those of the innermost."""
    found: list[dict[str, Any]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found.append(merged())
        with traced.tracer.start_as_current_span("query") as span:
            inner = f"{span.get_span_context().span_id:016x}"
            assert add_request_fields(None, "info", merged()) == {**found[-1], "span_id": inner}
        assert add_request_fields(None, "info", {"span_id": "own"})["span_id"] == "own"
        await replies_with()(scope, receive, send)

    traced = Traced(app)
    call(numbered(traced.app))
    identity = traced.spans[-1].get_span_context()
    assert identity is not None
    assert found == [
        {
            "request_id": "id-1",
            "trace_id": f"{identity.trace_id:032x}",
            "span_id": f"{identity.span_id:016x}",
        }
    ]
    assert merged() == {}


LATE = """
import asyncio, sys
from garrison import RequestIdMiddleware

found = []

async def app(scope, receive, send):
    if scope["path"] == "/late":
        import structlog
    log = sys.modules.get("structlog")
    found.append(log and log.contextvars.merge_contextvars(None, "info", {}).get("request_id"))

async def main():
    ids = iter("abcd")
    layer = RequestIdMiddleware(app, make_id=lambda: next(ids))
    for path in ("/", "/late", "/", "/"):
        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "client": None}
        await layer(scope, None, None)
    found.append(sys.modules["structlog"].contextvars.get_contextvars())

asyncio.run(main())
assert found == [None, None, "c", "d", {}], found
"""


def test_structlog_may_come_late() -> None:
    """Whoever does not use it does not wait for it; who imports it has the id from the next request on."""
    subprocess.run([sys.executable, "-c", LATE], check=True, timeout=30)


HALF = """
import asyncio, sys, threading
from garrison import RequestIdMiddleware

begun, go_on, served = threading.Event(), threading.Event(), []

class Halfway:
    def find_spec(self, name, path, target=None):
        if name == "structlog.contextvars":
            begun.set()
            served.append(go_on.wait(10))

async def app(scope, receive, send):
    go_on.set()

async def main():
    thread = threading.Thread(target=__import__, args=("structlog",))
    thread.start()
    begun.wait()
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": None}
    await RequestIdMiddleware(app)(scope, None, None)
    thread.join()

sys.meta_path.insert(0, Halfway())
asyncio.run(main())
assert served == [True], served
"""


def test_no_request_waits_for_structlog() -> None:
    """A thread of the app may be in the middle of importing it: the event loop goes on meanwhile."""
    subprocess.run([sys.executable, "-c", HALF], check=True, timeout=30)


def test_the_trace_stays_out_of_structlog_where_nobody_asked() -> None:
    """Without the layer of ids, nothing is put into an app's context."""
    found: list[dict[str, Any]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found.append(merged())
        await replies_with()(scope, receive, send)

    call(Traced(app).app)
    assert found == [{}]


def test_the_trace_of_another_request_is_not_taken_over() -> None:
    """A request that is not traced has no trace, whatever context it begins in; the one around keeps its."""
    found: list[dict[str, Any]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/outer":
            before = merged()
            await exchange(layer, http_scope("/livez"))
            assert merged() == before
            tasks.append(asyncio.create_task(afterwards()))
        elif scope["path"] == "/livez":
            found.append(merged())
        await replies_with()(scope, receive, send)

    async def afterwards() -> None:
        await asyncio.sleep(0.01)
        await exchange(layer, http_scope("/livez"))
        found.append(merged())

    tasks: list[asyncio.Task[None]] = []
    layer = numbered(Traced(app).app)

    async def main() -> None:
        await exchange(layer, http_scope("/outer"))
        await tasks[0]

    run(main())
    assert found == [{"request_id": "id-2"}, {"request_id": "id-3"}, {}]


def test_stdlib_formats_can_name_the_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the filter on a handler, every record has the three ids, or a dash."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(request_id)s %(trace_id)s %(message)s"))
    handler.addFilter(RequestFilter())
    logger = logging.getLogger("test_current")
    monkeypatch.setattr(logger, "handlers", [handler])
    logger.setLevel(logging.INFO)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        logger.info("sold")
        logger.info("own", extra={"request_id": "theirs"})
        await replies_with()(scope, receive, send)

    call(numbered(app))
    logger.info("closed")
    assert stream.getvalue() == "id-1 - sold\ntheirs - own\n- - closed\n"
