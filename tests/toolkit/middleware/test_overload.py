"""The overload layer: what it counts, whom it refuses, with what, and what it tells of it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from garrison import Errors, Settings, harden
from garrison.context import enter
from garrison.events import event_log
from garrison.lifecycle import Lifecycle
from garrison.middleware.overload import Overload, OverloadMiddleware
from garrison.settings import SettingsError
from garrison.shedding.outcomes import OVER
from tests.own_time import OwnTime
from tests.toolkit.contract.subjects import logged, sink
from tests.toolkit.driver import (
    Reply,
    Wire,
    accepts,
    call,
    exchange,
    handshake,
    http_scope,
    read_body,
    replies_with,
    request_messages,
    run,
    websocket_scope,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send


class Held:
    """An app that answers when it is told to."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.running += 1
        await self.release.wait()
        await replies_with()(scope, receive, send)
        self.running -= 1


def layer(app: ASGIApp, **fields: Any) -> OverloadMiddleware:
    """The layer around an app, with a log that nobody reads."""
    return OverloadMiddleware(app, Overload(**fields), log=event_log("json", sink()))


async def begun(app: ASGIApp, *scopes: Scope) -> list[asyncio.Task[Reply]]:
    """Requests that have got as far as they get by themselves."""
    tasks = [asyncio.create_task(exchange(app, scope)) for scope in scopes]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


def test_a_number_bounds_what_is_in_flight() -> None:
    """With a limit of two the third request is refused at once, and one that comes later is served."""

    async def main() -> None:
        held = Held()
        app = layer(held, limit=2)
        first = await begun(app, http_scope(), http_scope())
        refused = await exchange(app, http_scope())
        assert (refused.status, held.running) == (503, 2)
        held.release.set()
        assert [(await each).status for each in first] == [200, 200]
        assert (await exchange(app, http_scope())).status == 200

    run(main())


def test_a_refusal_is_a_problem_that_says_when_to_come_back() -> None:
    """It has its own type, is not stored, and Retry-After is a random whole number up to what was set."""

    async def main() -> None:
        for chance, seconds in [(0.0, "1"), (0.5, "4"), (0.999, "7")]:
            held = Held()
            settings = Overload(limit=1, retry_after=7.0)
            app = OverloadMiddleware(held, settings, random=partial(float, chance))
            first = await begun(app, http_scope())
            scope, context = enter(http_scope())
            reply = await exchange(app, scope)
            assert reply.header("retry-after") == seconds
            assert reply.header("cache-control") == "no-store"
            assert reply.json["type"].endswith("#temporary-reduced-capacity")
            assert context.rejected_by == "overload"
            held.release.set()
            await first[0]

    run(main())


def test_a_refusal_reaches_the_client_as_it_was_made() -> None:
    """Nothing looks for leaks in it or replaces it, which would cost more than the refusal does."""

    async def main() -> None:
        held = Held()
        settings = Settings(overload=Overload(limit=1), errors=Errors(replace="all"), access_log=None)
        app = harden(held, settings)
        first = await begun(app, http_scope())
        reply = await exchange(app, http_scope())
        assert reply.json["type"].endswith("#temporary-reduced-capacity")
        held.release.set()
        assert (await first[0]).status == 200

    run(main())


def test_uploads_take_no_place_until_they_are_complete() -> None:
    """A client that sends its body slowly holds up nobody, and counts from the end of its body on."""

    async def main() -> None:
        body: asyncio.Queue[Message] = asyncio.Queue()
        release = asyncio.Event()
        sent: list[Message] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await read_body(receive)
            await release.wait()
            await replies_with()(scope, receive, send)

        async def send(message: Message) -> None:
            sent.append(message)

        wrapped = layer(app, limit=1)
        upload = asyncio.create_task(wrapped(http_scope(method="POST"), body.get, send))
        await asyncio.sleep(0)
        (other,) = await begun(wrapped, http_scope())
        assert not other.done()
        release.set()
        assert (await other).status == 200
        release.clear()
        for message in request_messages(b"one", b"two"):
            body.put_nowait(message)
        for _ in range(5):
            await asyncio.sleep(0)
        assert (await exchange(wrapped, http_scope())).status == 503
        release.set()
        await upload
        assert sent[0]["status"] == 200

    run(main())


def test_downloads_and_streams_take_no_place_once_they_have_begun() -> None:
    """What a client reads slowly holds up nobody."""

    async def main() -> None:
        release = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await release.wait()
            await send({"type": "http.response.body", "body": b"x"})

        wrapped = layer(app, limit=1)
        tasks = await begun(wrapped, http_scope(), http_scope(), http_scope())
        release.set()
        assert [(await task).status for task in tasks] == [200, 200, 200]

    run(main())


def test_open_websockets_take_no_place_and_a_handshake_does() -> None:
    """A WebSocket counts until it is accepted; one more handshake than there is room for is denied."""

    async def main() -> None:
        open_now = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await open_now.wait()
            await send({"type": "websocket.accept"})
            await asyncio.sleep(0.01)
            await send({"type": "websocket.close", "code": 1000})

        wrapped = layer(app, limit=1)

        def opening() -> Wire:
            return Wire(deque([{"type": "websocket.connect"}]))

        first, second, third = opening(), opening(), opening()
        task = asyncio.create_task(wrapped(websocket_scope(), first.receive, first.send))
        await asyncio.sleep(0)
        await wrapped(websocket_scope(), second.receive, second.send)
        assert second.reply.status == 503
        open_now.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await wrapped(websocket_scope(), third.receive, third.send)
        await task
        assert [each.sent[0]["type"] for each in (first, third)] == ["websocket.accept"] * 2

    run(main())


def test_an_app_that_fails_or_is_cancelled_gives_its_place_back() -> None:
    """Whatever becomes of a request, the next one has room."""

    async def main() -> None:
        held = Held()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] == "/fail":
                raise RuntimeError("kaboom")
            await held(scope, receive, send)

        wrapped = layer(app, limit=1)
        with pytest.raises(RuntimeError):
            await exchange(wrapped, http_scope("/fail"))
        (task,) = await begun(wrapped, http_scope())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        held.release.set()
        assert (await exchange(wrapped, http_scope())).status == 200

    run(main())


def test_priorities_share_the_room() -> None:
    """What is low is refused first, then what no rule names, and what is high last; probes never are."""
    rules = "POST /checkout: high; /reports/*: low"

    async def main() -> None:
        held = Held()
        wrapped = layer(held, limit=10, priorities=rules, exempt="/healthz; GET /metrics*")
        tasks = await begun(wrapped, *(http_scope(f"/reports/{number}") for number in range(5)))
        assert (await exchange(wrapped, http_scope("/reports/6"))).status == 503
        assert (await exchange(wrapped, http_scope("//Reports/6"))).status == 503
        tasks += await begun(wrapped, *(http_scope() for _ in range(4)))
        assert (await exchange(wrapped, http_scope())).status == 503
        tasks += await begun(wrapped, http_scope("/checkout", method="POST"))
        assert (await exchange(wrapped, http_scope("/checkout", method="POST"))).status == 503
        tasks += await begun(wrapped, *(http_scope(path) for path in ("/healthz", "/metrics/all")))
        assert held.running == 12
        held.release.set()
        assert {(await task).status for task in tasks} == {200}

    run(main())


def test_without_rules_everything_has_all_of_the_room() -> None:
    """A limit of ten is ten, also where something is low."""

    async def main() -> None:
        held = Held()
        wrapped = layer(held, limit=10, priorities="/reports/*: low")
        tasks = await begun(wrapped, *(http_scope() for _ in range(10)))
        assert held.running == 10
        held.release.set()
        await asyncio.gather(*tasks)

    run(main())


class Clock:
    """Seconds that go on only when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def taught(app: ASGIApp, clock: Clock, **fields: Any) -> OverloadMiddleware:
    """A layer whose limit adapts, on this clock."""
    log = event_log("json", sink())
    return OverloadMiddleware(app, Overload(limit="adaptive", **fields), clock=clock, log=log)


def ages(clock: Clock, seconds: Callable[[], float], reply: ASGIApp) -> ASGIApp:
    """An app for which the clock goes on by so much before it replies."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        clock.now += seconds()
        await reply(scope, receive, send)

    return app


async def _limit_after(reply: ASGIApp, app_of: Callable[[ASGIApp], ASGIApp] = lambda app: app) -> float:
    """How low the limit gets when replies of this kind have become late."""
    clock, late = Clock(), 0.01
    app = taught(app_of(ages(clock, lambda: late, reply)), clock)
    for _ in range(100):
        await exchange(app, http_scope())
    late, limits = 0.1, []
    for _ in range(100):
        await exchange(app, http_scope())
        assert app._gate.limit is not None
        limits.append(app._gate.limit.limit)
    return min(limits)


def refused_inside(app: ASGIApp) -> ASGIApp:
    """A layer inside that refuses what it lets through."""

    async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
        scope["garrison"].rejected_by = "rate_limit"
        await app(scope, receive, send)

    return refusing


STREAM_LINES = [(b"Content-Type", b"text/event-stream; charset=utf-8")]
STREAM = replies_with(200, STREAM_LINES)


def test_only_replies_of_the_app_tell_of_an_overload() -> None:
    """Late replies make a limit; errors, streams and what a layer inside refuses do not."""

    async def main() -> None:
        assert await _limit_after(replies_with()) < 10
        assert await _limit_after(replies_with(404)) == float("inf")
        assert await _limit_after(replies_with(503)) == float("inf")
        assert await _limit_after(STREAM) == float("inf")
        assert await _limit_after(replies_with(), refused_inside) == float("inf")

    run(main())


def test_the_time_of_an_upload_is_not_that_of_the_app() -> None:
    """Bodies that take ever longer to arrive are no sign of an overload."""

    async def main() -> None:
        clock, late = Clock(), 0.01

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await read_body(receive)
            clock.now += 0.01
            await replies_with()(scope, receive, send)

        wrapped = taught(app, clock)

        async def receive() -> Message:
            clock.now += late
            return {"type": "http.request", "body": b"x", "more_body": False}

        async def send(message: Message) -> None:
            pass

        for number in range(200):
            late = 0.01 if number < 100 else 5.0
            await wrapped(http_scope(method="POST"), receive, send)
        assert wrapped._gate.limit is not None
        assert wrapped._gate.limit.limit == float("inf")

    run(main())


def test_a_lagging_loop_refuses_what_is_behind_and_logs_it_once() -> None:
    """Handlers that never wait are bounded too: the same turn serves some, and the log tells of both ends."""
    stream = sink()
    statuses: list[int] = []

    async def blocking(scope: Scope, receive: Receive, send: Send) -> None:
        time.sleep(0.02)  # noqa: ASYNC251 - what is to be found out
        await replies_with()(scope, receive, send)

    async def main() -> None:
        app = OverloadMiddleware(blocking, Overload(limit="adaptive"), log=event_log("json", stream))
        until = time.monotonic() + 5
        while 503 not in statuses and time.monotonic() < until:
            replies = await asyncio.gather(*(exchange(app, http_scope()) for _ in range(10)))
            statuses.extend(reply.status for reply in replies)
        await asyncio.sleep(OVER + 0.2)

    run(main())
    assert set(statuses[-10:]) == {200, 503}
    begin, end = (orjson.loads(line) for line in logged(stream))
    assert (begin["event"], begin["state"], begin["reason"]) == ("overload", "shedding", "lag")
    assert (end["event"], end["state"], end["refused"]) == ("overload", "over", statuses.count(503))


def test_open_websockets_and_streams_are_no_crowd() -> None:
    """However many are open, a few slow handlers make no overload: those who listen do not wait."""
    over = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await over.wait()
        elif scope["path"] == "/events":
            await send({"type": "http.response.start", "status": 200, "headers": STREAM_LINES})
            await over.wait()
            await send({"type": "http.response.body"})
        else:
            time.sleep(0.03)  # noqa: ASYNC251 - what is to be found out
            await replies_with()(scope, receive, send)

    async def main() -> None:
        wrapped = layer(app, lag=0.02, lag_for=0.1, lag_in_flight=8)
        streams = await begun(wrapped, *(http_scope("/events") for _ in range(20)))
        sockets = [Wire(deque([{"type": "websocket.connect"}])) for _ in range(20)]
        chats = [asyncio.create_task(wrapped(websocket_scope(), each.receive, each.send)) for each in sockets]
        for _ in range(10):
            replies = await asyncio.gather(*(exchange(wrapped, http_scope()) for _ in range(3)))
            assert {reply.status for reply in replies} == {200}
        over.set()
        await asyncio.gather(*streams, *chats)

    run(main())


def test_what_comes_too_late_in_the_life_of_a_process_is_sent_elsewhere() -> None:
    """With next to nothing left of the grace, a request is refused and told to come back at once."""

    async def main() -> None:
        lifecycle = Lifecycle(drain_delay=0.0, grace=2.0, clock=asyncio.get_running_loop().time)
        app = OverloadMiddleware(replies_with(), lifecycle=lifecycle)
        assert (await exchange(app, http_scope())).status == 200
        lifecycle.enter("ending")
        await asyncio.sleep(1)
        assert (await exchange(app, http_scope())).status == 200
        await asyncio.sleep(0.7)
        reply = await exchange(app, http_scope())
        assert (reply.status, reply.header("retry-after")) == (503, "1")

    with asyncio.Runner(loop_factory=OwnTime) as runner:
        runner.run(main())


def test_metrics_tell_of_refusals_and_of_the_limit() -> None:
    """Each refusal by its reason, whether it sheds, what is in flight and what the limit is."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])

    async def main() -> None:
        held = Held()
        app = OverloadMiddleware(
            held, Overload(limit=2), log=event_log("json", sink()), meter_provider=provider
        )
        tasks = await begun(app, http_scope(), http_scope())
        await exchange(app, http_scope())
        found = _points(reader)
        held.release.set()
        await asyncio.gather(*tasks)
        assert found["garrison.overload.refused"] == {"lag": 0, "limit": 1, "drain": 0}
        assert found["garrison.overload.in_flight"] == {"": 2}
        assert found["garrison.overload.limit"] == {"": 2}
        assert found["garrison.overload.shedding"] == {"": 1}

    run(main())
    provider.shutdown()


def _points(reader: InMemoryMetricReader) -> dict[str, dict[str, float]]:
    data = reader.get_metrics_data()
    assert data is not None
    return {
        metric.name: {
            str((point.attributes or {}).get("garrison.overload.reason", "")): point.value  # type: ignore[union-attr]
            for point in metric.data.data_points
        }
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def test_nothing_is_counted_of_a_second_mount() -> None:
    """An app that has the layer already is not counted twice."""

    async def main() -> None:
        held = Held()
        app = layer(layer(held, limit=1), limit=1)
        (task,) = await begun(app, http_scope())
        assert held.running == 1
        held.release.set()
        assert (await task).status == 200

    run(main())


def test_the_layer_serves_one_loop_after_another() -> None:
    """An app that outlives its event loop, as in tests, goes on to be measured in the next."""
    app = layer(replies_with(), limit="adaptive")
    for _ in range(3):
        assert call(app).status == 200
        assert handshake(layer(accepts)).sent[0]["type"] == "websocket.accept"


def test_without_valve_and_limit_nothing_is_measured() -> None:
    """With both off the layer only ends what is under way when the process ends."""
    app = layer(replies_with(), lag=None)
    assert call(app).status == 200
    assert app._pulse is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", 0),
        ("limit", "many"),
        ("delay", 0.001),
        ("lag", 0.0),
        ("lag_in_flight", 0),
        ("retry_after", 0.5),
        ("priorities", "/a: urgent"),
        ("priorities", "/a: low by address"),
        ("exempt", "GET"),
        ("endless", "feed"),
    ],
)
def test_what_cannot_be_is_refused_at_once(field: str, value: object) -> None:
    """A wrong value is named with its field when the section is made."""
    with pytest.raises(SettingsError, match=f"Overload.{field}"):
        Overload(**{field: value})  # type: ignore[arg-type]
