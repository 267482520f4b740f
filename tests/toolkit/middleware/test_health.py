"""The probes, in every phase of a process."""

from __future__ import annotations

import asyncio
import os
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from garrison import AccessLog, Exposure, Hosts, Overload, RateLimit, Settings, SettingsError, harden
from garrison.events import event_log
from garrison.lifecycle import Lifecycle
from garrison.middleware.health import Health, HealthMiddleware
from garrison.units import Secret
from tests.integration.lifespan import alive, plain
from tests.toolkit.contract.subjects import logged, sink
from tests.toolkit.driver import call, exchange, handshake, http_scope, replies_with, run, websocket_scope
from tests.toolkit.probes.checked import Dependency

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from tests.toolkit.driver import Reply

DATABASE = "database=tests.toolkit.probes.checked:database"
CACHE = "cache=tests.toolkit.probes.checked:cache"
READY, LIVE, STARTED = "/readyz", "/livez", "/startupz"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    Dependency.reset()


class Process:
    """An app behind the layer, its lifecycle, and what the layer logs."""

    def __init__(self, settings: Health = Health(), app: ASGIApp = plain) -> None:
        self.lifecycle = Lifecycle(0.05, 10)
        self._log = sink()
        self.app = HealthMiddleware(app, settings, lifecycle=self.lifecycle, log=event_log("json", self._log))

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was logged."""
        return [orjson.loads(line) for line in logged(self._log)]

    async def ask(self, path: str = READY, **more: Any) -> Reply:
        """The reply to a probe."""
        return await exchange(self.app, http_scope(path, **more))

    async def statuses(self) -> tuple[int, int, int]:
        """Of liveness, readiness and startup."""
        return tuple([(await self.ask(path)).status for path in (LIVE, READY, STARTED)])  # type: ignore[return-value]


def test_the_probes_in_every_phase() -> None:
    """A process that drains is alive and has started, and is not ready; one that starts is only alive."""

    async def main() -> None:
        process = Process()
        process.app._in_lifespan = True
        assert await process.statuses() == (200, 503, 503)
        async with alive(process.app):
            assert await process.statuses() == (200, 200, 200)
            process.lifecycle.enter("draining")
            assert await process.statuses() == (200, 503, 200)
            process.lifecycle.enter("ending")
            assert await process.statuses() == (200, 503, 200)

    run(main())


def test_an_app_that_starts_is_not_ready() -> None:
    """Until the app's own startup is complete, whatever it waits for."""
    go_on = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await go_on.wait()
        await plain(scope, receive, send)

    async def main() -> None:
        process = Process(app=slow)

        async def live() -> None:
            async with alive(process.app):
                assert await process.statuses() == (200, 200, 200)

        living = asyncio.create_task(live())
        await asyncio.sleep(0.01)
        assert await process.statuses() == (200, 503, 503)
        go_on.set()
        await living

    run(main())


def test_a_server_without_lifespan_is_ready_when_it_asks() -> None:
    """No server passes requests before the start, and not every app has one."""
    process = Process(app=replies_with())
    assert call(process.app, http_scope(READY)).status == 200


def test_what_a_probe_is_told() -> None:
    """A word, and for a 503 a problem document without a reason; nobody may keep either."""
    process = Process()
    fine = call(process.app, http_scope(READY))
    assert fine.json == {"status": "ok"}
    assert fine.header("cache-control") == "no-store"
    process.lifecycle.enter("draining")
    refused = call(process.app, http_scope(READY))
    assert refused.json == {"type": "about:blank", "title": "Service Unavailable", "status": 503}
    assert refused.header("cache-control") == "no-store"
    head = call(process.app, http_scope(LIVE, method="HEAD"))
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize(
    "scope",
    [
        http_scope(READY, method="POST"),
        http_scope("/readyz/"),
        http_scope("/api/readyz"),
        http_scope("/READYZ"),
        http_scope("/"),
    ],
)
def test_everything_else_is_the_apps(scope: Scope) -> None:
    """Another method, and another path however near."""
    assert call(Process(app=replies_with()).app, scope).body == b"hello"


def test_a_websocket_on_a_probes_path_is_the_apps() -> None:
    """Nobody probes with one."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})

    assert handshake(Process(app=app).app, websocket_scope(READY)).sent == [{"type": "websocket.accept"}]


@pytest.mark.parametrize("path", ["/api/readyz", "/readyz"])
def test_probes_below_a_prefix(path: str) -> None:
    """A server that is told a prefix answers below it, whether or not it puts it into the path."""
    assert call(Process(app=replies_with()).app, http_scope(path, root_path="/api")).json == {"status": "ok"}


def test_probes_can_be_moved_and_left_out() -> None:
    """Each has a path of its own; an empty one leaves the probe to the app."""
    app = Process(Health(liveness="/-/alive", readiness="/-/ready", startup=""), replies_with()).app
    assert call(app, http_scope("/-/alive")).json == {"status": "ok"}
    assert call(app, http_scope("/-/ready")).json == {"status": "ok"}
    for path in (LIVE, READY, STARTED, ""):
        assert call(app, http_scope(path)).body == b"hello"


def own(request: Request) -> PlainTextResponse:
    """A probe of the app."""
    return PlainTextResponse("mine")


def test_the_apps_own_route_wins() -> None:
    """While nothing is against it; that the process stops is something that the app does not know."""
    app = Starlette(routes=[Route(READY, own), Route(LIVE, own), Route("/{rest:path}", own)])
    process = Process(Health(checks=(DATABASE,), remembered=0), app)
    assert call(process.app, http_scope(READY)).body == b"mine"
    assert call(process.app, http_scope(LIVE)).body == b"mine"
    assert call(process.app, http_scope(STARTED)).json == {"status": "ok"}
    Dependency.error = OSError("down")
    assert call(process.app, http_scope(READY)).status == 503
    Dependency.error = None
    process.lifecycle.enter("draining")
    assert call(process.app, http_scope(READY)).status == 503
    assert call(process.app, http_scope(LIVE)).body == b"mine"


def test_readiness_depends_on_the_checks() -> None:
    """One that fails is a 503, and neither liveness nor startup asks it."""

    async def main() -> None:
        process = Process(Health(checks=(DATABASE, CACHE), remembered=0))
        async with alive(process.app):
            assert await process.statuses() == (200, 200, 200)
            assert Dependency.asked == 2
            Dependency.error = ConnectionError("refused by 10.1.2.3")
            assert await process.statuses() == (200, 503, 200)
            assert Dependency.asked == 4
            assert b"10.1.2.3" not in (await process.ask()).body
            Dependency.error = None
            assert await process.statuses() == (200, 200, 200)

    run(main())


def test_checks_are_asked_together() -> None:
    """None waits for another; two that wait for each other pass."""
    checks = tuple(f"{name}=tests.toolkit.probes.checked:together" for name in ("one", "two"))
    assert call(Process(Health(checks=checks, timeout=10.0)).app, http_scope(READY)).status == 200


def test_startup_checks_hold_readiness_until_they_pass() -> None:
    """Then they are never asked again, whatever becomes of what they looked at."""

    async def main() -> None:
        process = Process(Health(startup_checks=(DATABASE,), remembered=0))
        async with alive(process.app):
            Dependency.error = OSError("still migrating")
            assert await process.statuses() == (200, 503, 503)
            Dependency.error = None
            assert await process.statuses() == (200, 200, 200)
            asked = Dependency.asked
            Dependency.error = OSError("gone")
            assert await process.statuses() == (200, 200, 200)
            assert Dependency.asked == asked

    run(main())


def test_a_check_is_logged_when_it_changes() -> None:
    """Once when it begins to fail and once when it is fine again, however often somebody asks."""

    async def main() -> None:
        process = Process(Health(checks=(DATABASE,), remembered=0))
        await process.ask()
        Dependency.error = OSError("postgres://shop:geheim@db/shop is down")
        for _ in range(3):
            await process.ask()
        Dependency.error = None
        await process.ask()
        failed, passed = process.events
        assert failed["event"] == "health_check_failed"
        assert failed["level"] == "warning"
        assert failed["check"] == "database"
        assert failed["error.type"] == "OSError"
        assert "geheim" not in failed["exception.message"]
        assert "is down" in failed["exception.message"]
        assert passed["event"] == "health_check_passed"

    run(main())


@pytest.mark.parametrize(
    "header", [None, b"Bearer a.token.of.24.charactern", b"Basic a.token.of.24.characters"]
)
def test_details_are_for_the_token_alone(header: bytes | None) -> None:
    """Not for an address, not for a scheme, not for a token that is nearly right."""
    token = "a.token.of.24.characters"
    process = Process(Health(checks=(DATABASE,), token=Secret(token), remembered=0), replies_with())
    Dependency.error = OSError("down")
    stranger = [] if header is None else [(b"authorization", header)]
    reply = call(process.app, http_scope(READY, headers=stranger, client=("127.0.0.1", 1)))
    assert set(reply.json) == {"type", "title", "status"}
    friend = [(b"authorization", b"bearer " + token.encode())]
    told = call(process.app, http_scope(READY, headers=friend)).json
    assert told["phase"] == "ready"
    check = told["checks"]["database"]
    assert check.pop("duration") >= 0
    assert check == {"status": "fail", "error.type": "OSError", "exception.message": "down"}
    Dependency.error = None
    told = call(process.app, http_scope(READY, headers=friend)).json
    assert told["checks"]["database"]["status"] == "pass"
    assert set(call(process.app, http_scope(LIVE, headers=friend)).json) == {"status"}


def test_probes_answer_before_hosts_and_quotas_and_are_quiet() -> None:
    """A kubelet asks for an address, as often as it likes, and no line is written, moved or failing."""
    stream = sink()
    with redirect_stdout(stream):
        app = harden(
            replies_with(),
            Settings(
                health=Health(readiness="/ready"),
                hosts=Hosts(allowed=("shop.example",)),
                rate_limit=RateLimit(limits="1/hour"),
                exposure=Exposure(closed="/*"),
            ),
        )
    probe = http_scope("/ready", headers=[(b"host", b"10.0.0.7:8000")])
    assert [call(app, dict(probe)).status for _ in range(3)] == [200, 200, 200]
    app.lifecycle.enter("draining")
    assert call(app, dict(probe)).status == 503
    assert logged(stream) == []


def test_probes_are_not_traced_wherever_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither where they have been moved to nor where the app has a route of its own; all else is."""
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    settings = Settings(health=Health(readiness="/ready", startup=""), access_log=None)
    app = harden(Starlette(routes=[Route("/ready", own, methods=["GET", "POST"])]), settings)
    assert call(app, http_scope("/ready")).body == b"mine"
    assert call(app, http_scope("/ready", method="HEAD")).status == 200
    assert call(app, http_scope(LIVE)).json == {"status": "ok"}
    assert spans.get_finished_spans() == ()
    assert call(app, http_scope("/ready", method="POST")).body == b"mine"
    assert len(spans.get_finished_spans()) == 1


def test_an_apps_own_probe_is_quiet_and_passes_hosts_and_quotas() -> None:
    """The app's own route is a probe all the same; it is written when it fails."""
    stream = sink()
    broken = False

    def probe(request: Request) -> PlainTextResponse:
        return PlainTextResponse("mine", status_code=500 if broken else 200)

    with redirect_stdout(stream):
        app = harden(
            Starlette(routes=[Route(READY, probe)]),
            Settings(
                access_log=AccessLog(quiet=""),
                hosts=Hosts(allowed=("shop.example",)),
                rate_limit=RateLimit(limits="1/hour"),
            ),
        )
    scope = http_scope(READY, headers=[(b"host", b"10.0.0.7:8000")])
    assert [call(app, dict(scope)).status for _ in range(3)] == [200, 200, 200]
    assert logged(stream) == []
    broken = True
    assert call(app, dict(scope)).status == 500
    (event,) = (orjson.loads(line) for line in logged(stream))
    assert event["http.response.status_code"] == 500


def test_an_apps_own_probe_is_answered_in_an_overload() -> None:
    """While there is no room for anything else, wherever the probe is."""
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> PlainTextResponse:
        entered.set()
        await go_on.wait()
        return PlainTextResponse("done")

    async def main() -> None:
        settings = Settings(health=Health(readiness="/up"), overload=Overload(limit=1), access_log=None)
        app = harden(Starlette(routes=[Route("/up", own), Route("/slow", slow)]), settings)
        busy = asyncio.create_task(exchange(app, http_scope("/slow")))
        await entered.wait()
        assert (await exchange(app, http_scope("/slow"))).status == 503
        assert (await exchange(app, http_scope("/up"))).body == b"mine"
        go_on.set()
        assert (await busy).status == 200

    run(main())


def test_a_file_begins_the_drain(tmp_path: Path) -> None:
    """Once it is touched; that it is there from before the start says nothing."""
    file = tmp_path / "drain"
    file.touch()

    async def main() -> None:
        process = Process(Health(drain_file=str(file)))
        async with alive(process.app):
            await asyncio.sleep(0.6)
            assert (await process.ask()).status == 200
            os.utime(file, (1, 1))
            async with asyncio.timeout(10):
                while process.lifecycle.phase != "ending":  # noqa: ASYNC110 - as a balancer does
                    await asyncio.sleep(0.01)
            assert (await process.ask()).status == 503
            assert [event["event"] for event in process.events] == ["draining"]

    run(main())


def test_a_signal_that_cannot_be_joined_is_told() -> None:
    """Without uvicorn's handler there is nothing to put the drain in front of; the app starts anyway."""

    async def main() -> None:
        process = Process(Health(signals=True))
        async with alive(process.app):
            assert (await process.ask()).status == 200
        assert [event["event"] for event in process.events] == ["signals_not_chained"]

    run(main())


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"readiness": "readyz"}, "Health.readiness: expected a path such as /readyz, found 'readyz'."),
        (
            {"startup": "/livez"},
            "Health.startup: expected another path than liveness has, found '/livez'.",
        ),
        (
            {"readiness": "/startupz"},
            "Health.readiness: expected another path than startup has, found '/startupz'.",
        ),
        (
            {"liveness": "/up", "readiness": "/up", "startup": "/up"},
            (
                "Health.readiness: expected another path than liveness has, found '/up'.\n"
                "Health.startup: expected another path than liveness, readiness has, found '/up'."
            ),
        ),
        ({"timeout": 0.0}, "Health.timeout: expected more than 0"),
        ({"token": Secret("short")}, "Health.token: expected at least 16 letters"),
        (
            {"checks": ("shop:ping",)},
            "Health.checks: expected a check such as 'database=shop.health:database'",
        ),
        ({"startup_checks": ("a=b:c", "a=b:d")}, "Health.startup_checks: expected each name of a check once"),
    ],
)
def test_settings_that_do_not_fit(fields: dict[str, Any], text: str) -> None:
    """The error says which one, and what would."""
    with pytest.raises(SettingsError) as caught:
        Health(**fields)
    assert str(caught.value).startswith(text)


def test_a_check_that_needs_an_argument_stops_the_start() -> None:
    """It could not be asked even once."""
    with pytest.raises(SettingsError, match=r"GARRISON_HEALTH_CHECKS \(Health.checks\): .* needs pool\."):
        HealthMiddleware(plain, Health(checks=("db=tests.toolkit.probes.checked:needs_a_pool",)))


def test_a_check_that_cannot_be_imported_stops_the_start() -> None:
    """It names the variable."""
    with pytest.raises(SettingsError, match=r"GARRISON_HEALTH_CHECKS \(Health.checks\): expected a callable"):
        HealthMiddleware(plain, Health(checks=("db=no_such_module:ping",)))
