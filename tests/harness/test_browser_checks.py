"""The checks of browser policy, cookies, other origins and TLS, on apps with one fault each."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from garrison_harness.audit import Outcome, audit
from garrison_harness.checks.catalogue import CATALOGUE, choose
from garrison_harness.checks.origins import look_alikes
from garrison_harness.discovery.route_table import table
from garrison_harness.finding import Confidence
from garrison_harness.in_process import Hosted
from garrison_harness.process import Child
from garrison_harness.route import Route
from garrison_harness.running import Running, running
from garrison_harness.target import TargetFailed, parse_target
from tests.harness.apps.browser_app import app as browser_app
from tests.harness.commands import APPS, UVICORN, wait_until
from tests.harness.recordings import SITE
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
    from pathlib import Path

    from starlette.websockets import WebSocket

    from garrison_harness.asgi_call import App
    from garrison_harness.site import Site
    from garrison_harness.stage import Reached

OURS = choose(["H", "C", "O", "S"], ["H12"])
# A check, the path where it fails, and the one where it passes.
PATHS = [
    *((name, f"/{name.lower()}", "/") for name in ("H1", "H2", "H3", "H5", "H7", "H8", "H9", "H10")),
    ("H11", "/h11", "/"),
    ("H13", "/h13", "/nonces"),
    ("H14", "/h14", "/"),
    *((name, f"/{name.lower()}", "/") for name in ("C2", "C3", "C4", "C5", "C6")),
    ("O1", "/o1", "/listed"),
    ("O2", "/o2", "/listed"),
    ("O3", "/o3", "/listed"),
    ("O4", "/o4", "/listed"),
    ("O5", "/o5", "/listed"),
    ("O6", "/o6", "/guarded"),
    ("O7", "/o7", "/guarded"),
]
SECURE = [("H4", "/h4"), ("H6", "/h6"), ("C1", "/c1")]


@pytest.fixture(scope="module")
def app() -> Iterator[Running]:
    """The app with a fault at each path."""
    words = [*UVICORN, "--app-dir", str(APPS), "browser_app:app"]
    with running(parse_target(words)) as reached:
        yield reached


def site_at(path: str, reached: Reached, **more: object) -> Site:
    """What is known of the app where this is its page, which takes forms too."""
    authority = reached.base_url.partition("://")[2]
    known = replace(SITE, authority=authority, path=path, body_path=path, error_path=None, quota=None)
    return replace(known, **more)  # type: ignore[arg-type]


def confirmed(outcome: Outcome) -> set[str]:
    """The checks that are sure of a fault."""
    return {
        result.check.id
        for result in outcome.results
        if any(finding.confidence is Confidence.CONFIRMED for finding in result.verdict.findings)
    }


def found(reached: Reached, site: Site, *select: str) -> Outcome:
    """Audit with some of our checks, or all of them."""
    checks = choose(select, []) if select else OURS
    return audit(reached, site, checks, timeout=30, progress=lambda _: None)


def site_for(name: str, path: str, reached: Reached) -> Site:
    """A site by the name that the check needs: browsers judge a Domain by the host."""
    return site_at(path, reached, **({"authority": "shop.example"} if name == "C5" else {}))


@pytest.mark.parametrize(("name", "path", "_twin"), PATHS, ids=str)
def test_one_fault_fails_one_check(name: str, path: str, _twin: str, app: Running) -> None:
    """An app that is wrong in one way is told so by the check for it, and by no other."""
    assert confirmed(found(app, site_for(name, path, app))) == {name}


@pytest.mark.parametrize(("name", "_path", "twin"), PATHS, ids=str)
def test_the_twin_of_a_faulty_app_passes(name: str, _path: str, twin: str, app: Running) -> None:
    """The same app without the fault passes the check, and not because nothing could be judged."""
    (result,) = found(app, site_for(name, twin, app), name).results

    assert result.verdict.status == "passed", result.verdict


def test_every_check_of_these_families_has_a_faulty_app() -> None:
    """No check goes without an app that it catches; H12 has one in another test."""
    tried = {name for name, *_ in PATHS} | {name for name, _ in SECURE} | {"H12", "S1"}

    assert tried == {check.id for check in CATALOGUE if check.id[0] in "HCOS"}


def test_pages_that_are_not_the_first_are_judged_too(app: Running) -> None:
    """A page that the app serves beside its first one has to keep the same rules."""
    routes = (Route(method="GET", template="/h2", target="/h2", source="crawl"),)
    (result,) = found(app, site_at("/", app, routes=routes), "H2").results

    (finding,) = result.verdict.findings
    assert finding.location.target == "/h2"


def test_an_app_in_process_is_judged_alike() -> None:
    """Without a connection the same faults are found, save those that need one."""
    with Hosted(browser_app) as hosted:
        wrong = {
            name: confirmed(found(hosted, site_at(path, hosted, sockets=False), name))
            for name, path in (("H2", "/h2"), ("C6", "/c6"), ("O1", "/o1"), ("O7", "/o7"))
        }

    assert wrong == {"H2": {"H2"}, "C6": {"C6"}, "O1": {"O1"}, "O7": {"O7"}}


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that nobody else trusts, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    directory = tmp_path_factory.mktemp("identity")
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    words += ["-days", "1", "-out", str(certificate), "-keyout", str(key)]
    subprocess.run(words, check=True, capture_output=True)
    return certificate, key


@pytest.fixture(scope="module", params=["new", "old"])
def tls(
    request: pytest.FixtureRequest, identity: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Running]]:
    """A server over TLS, as of today or as of twenty years ago."""
    port = free_port()
    old = ["old"] if request.param == "old" else []
    words = [sys.executable, str(APPS / "tls_server.py"), str(port), *map(str, identity), *old]
    server = Child(words, logs=tmp_path_factory.mktemp("logs"), environment={})
    try:
        target = parse_target([f"https://127.0.0.1:{port}/"])

        def answers() -> bool:
            try:
                with running(target):
                    return True
            except TargetFailed:
                return False

        assert wait_until(answers)
        with running(target) as reached:
            yield request.param, reached
    finally:
        server.end()


def test_old_versions_of_tls_are_found(tls: tuple[str, Running]) -> None:
    """A server that still speaks TLS 1.0 is caught, and one that does not passes."""
    age, reached = tls
    (result,) = found(reached, site_at("/", reached, https=True, started=False), "S1").results

    assert result.verdict.status == ("failed" if age == "old" else "passed"), result.verdict
    assert [finding.location.method for finding in result.verdict.findings] == (
        ["TLS 1.0", "TLS 1.1"] if age == "old" else []
    )


def test_what_https_asks_for_is_found(tls: tuple[str, Running]) -> None:
    """Over https a page without HSTS or COOP and a cookie without Secure are each found by one check."""
    _, reached = tls
    for name, path in SECURE:
        faulty = site_at(path, reached, https=True, started=False)
        assert confirmed(found(reached, faulty, "H4", "H6", "C1")) == {name}
    outcome = found(reached, replace(faulty, path="/"), "H4", "H6", "C1")
    assert {result.verdict.status for result in outcome.results} == {"passed"}


def test_a_websocket_is_found_in_the_router() -> None:
    """What opens for handshakes at a path that nobody would guess is known from the app object."""

    async def updates(_: WebSocket) -> None:
        """Never called."""

    rows = table(Starlette(routes=[WebSocketRoute("/feeds/{name}", updates)]))

    assert [(row["method"], row["template"]) for row in rows] == [("WEBSOCKET", "/feeds/{name}")]


@pytest.mark.parametrize(
    ("origin", "others"),
    [
        ("http://127.0.0.1:8000", ["http://127.0.0.1.evil.example:8000"]),
        ("http://[::1]:8000", []),
        ("http://localhost", ["http://localhost.evil.example"]),
        ("https://shop.example", ["https://shop.example.evil.example", "https://evilshop.example"]),
        (
            "https://app.shop.example:8443",
            [
                "https://app.shop.example.evil.example:8443",
                "https://evilshop.example:8443",
                "https://appxshop.example:8443",
            ],
        ),
    ],
)
def test_look_alikes_are_names_that_a_stranger_can_own(origin: str, others: list[str]) -> None:
    """Neither a host below the real one nor an address is anybody's who registers a name."""
    assert list(look_alikes(origin, "evil").values()) == others


def answering(status: int, kind: str, *more: tuple[bytes, bytes]) -> App:
    """An app that gives one answer to everything."""

    async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        headers = [(b"content-type", kind.encode()), (b"x-content-type-options", b"nosniff"), *more]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})

    return app


@pytest.mark.parametrize(
    "app",
    [
        answering(200, "application/json"),
        answering(401, "application/json", (b"www-authenticate", b"Basic")),
        answering(302, "text/plain", (b"location", b"/login")),
        answering(503, "text/plain"),
        answering(
            200,
            "text/html; charset=utf-8",
            (
                b"content-security-policy",
                b"default-src 'self'; base-uri 'self'; frame-ancestors 'none'; report-uri /reports",
            ),
            (b"referrer-policy", b"no-referrer"),
            (b"set-cookie", b"sessionid=0123456789abcdef; HttpOnly; SameSite=Lax"),
            (b"access-control-allow-origin", b"*"),
        ),
    ],
    ids=["API without pages", "login wall", "redirect to a login", "down", "page for every path"],
)
def test_no_shape_of_app_raises_a_false_alarm(app: App) -> None:
    """An app that has no pages, lets nobody in, or has one page for all has no fault in that."""
    with Hosted(app) as hosted:
        outcome = found(hosted, site_at("/", hosted, sockets=False))

    assert confirmed(outcome) == set()
    assert not any("fault of this check" in result.verdict.reason for result in outcome.results)
