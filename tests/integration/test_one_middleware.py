"""Each middleware alone, put on with the framework's own `add_middleware`."""

from __future__ import annotations

import asyncio
import json
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import JSONResponse

import garrison
from garrison import (
    AccessLog,
    AccessLogMiddleware,
    Contract,
    ContractMiddleware,
    Cookies,
    CookiesMiddleware,
    CrossOrigin,
    CrossOriginMiddleware,
    CspReports,
    CspReportsMiddleware,
    Errors,
    ErrorsMiddleware,
    Exposure,
    ExposureMiddleware,
    HealthMiddleware,
    Overload,
    OverloadMiddleware,
    Proxy,
    ProxyMiddleware,
    RateLimit,
    RateLimitMiddleware,
    RequestId,
    RequestIdMiddleware,
    RequestLimits,
    RequestLimitsMiddleware,
    SecurityHeaders,
    SecurityHeadersMiddleware,
    Timeouts,
    TimeoutsMiddleware,
    Tracing,
    TracingMiddleware,
)
from garrison.middleware.hosts import Hosts, HostsMiddleware
from tests.toolkit.driver import Reply, call, exchange, http_scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.requests import Request

Framework = type[Starlette] | type[FastAPI]
BOTH = pytest.mark.parametrize("framework", [Starlette, FastAPI])


async def view(request: Request) -> JSONResponse:
    """What the app knows of its client; it fails where it is asked to."""
    if "fail" in request.query_params:
        raise RuntimeError("kaboom")
    body = await request.body()
    client = request.client.host if request.client else None
    reply = JSONResponse({"client": client, "scheme": request.url.scheme, "size": len(body)})
    reply.set_cookie("session", "x", samesite=None)
    return reply


def make(framework: Framework, middleware: Any, settings: object) -> Callable[..., Reply]:
    """A way to ask an app that has this one middleware and nothing else of ours."""
    app = framework()
    app.add_route("/", view, methods=["GET", "POST"])
    app.add_middleware(middleware, settings=settings)

    def ask(*headers: tuple[bytes, bytes], query: bytes = b"", body: bytes = b"") -> Reply:
        method = "POST" if body else "GET"
        lines = [*headers, *([(b"content-length", b"%d" % len(body))] if body else [])]
        return call(app, http_scope("/", method=method, headers=lines, query=query), body)

    return ask


@BOTH
def test_proxy(framework: Framework) -> None:
    """The client's address and scheme are those that a trusted proxy tells."""
    ask = make(framework, ProxyMiddleware, Proxy(trusted=(ip_network("192.0.2.0/24"),)))
    reply = ask((b"x-forwarded-for", b"203.0.113.9"), (b"x-forwarded-proto", b"https"))
    assert reply.json == {"client": "203.0.113.9", "scheme": "https", "size": 0}


@BOTH
def test_request_id(framework: Framework) -> None:
    """A client's id is taken over where the setting says so."""
    ask = make(framework, RequestIdMiddleware, RequestId(accept="always"))
    assert ask((b"x-request-id", b"abc-1")).header("x-request-id") == "abc-1"


@BOTH
def test_tracing(framework: Framework) -> None:
    """Without an SDK tracing changes nothing."""
    ask = make(framework, TracingMiddleware, Tracing(continue_="always"))
    assert ask((b"traceparent", b"00-" + b"1" * 32 + b"-" + b"2" * 16 + b"-01")).status == 200


@BOTH
def test_access_log(framework: Framework, capsys: pytest.CaptureFixture[str]) -> None:
    """Each request is a line, without the query where the setting says so."""
    ask = make(framework, AccessLogMiddleware, AccessLog(query=False))
    ask(query=b"a=1")
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert '"http.request"' in line
    assert "url.query" not in line


@BOTH
def test_security_headers(framework: Framework) -> None:
    """The policy is on the reply."""
    ask = make(framework, SecurityHeadersMiddleware, SecurityHeaders())
    assert ask().header("content-security-policy") is not None


@BOTH
def test_cookies(framework: Framework) -> None:
    """A session is out of reach for scripts."""
    ask = make(framework, CookiesMiddleware, Cookies())
    assert ask().header("set-cookie") == "session=x; Path=/; HttpOnly"


@BOTH
def test_cross_origin(framework: Framework, capsys: pytest.CaptureFixture[str]) -> None:
    """An origin reads what it may; a form that it forges is refused, and reported."""
    ask = make(framework, CrossOriginMiddleware, CrossOrigin(allowed=("https://app.example",)))
    origin = (b"origin", b"https://app.example")
    assert ask(origin).header("access-control-allow-origin") == "https://app.example"
    forged = ask(origin, (b"cookie", b"session=x"), (b"sec-fetch-site", b"cross-site"), body=b"x")
    assert forged.status == 403
    assert "cross_origin_refusal" in capsys.readouterr().out


@BOTH
def test_errors(framework: Framework, capsys: pytest.CaptureFixture[str]) -> None:
    """The framework's outer error page sees nothing to do; the client gets a problem with an id."""
    reply = make(framework, ErrorsMiddleware, Errors())(query=b"fail")
    assert (reply.status, reply.header("content-type")) == (500, "application/problem+json")
    assert reply.json["request_id"] in capsys.readouterr().out


@BOTH
def test_hosts(framework: Framework) -> None:
    """Another host is refused."""
    ask = make(framework, HostsMiddleware, Hosts(allowed=("shop.example",)))
    assert ask().status == 200
    assert ask((b"host", b"evil.example")).status == 421


@BOTH
def test_exposure(framework: Framework) -> None:
    """A stranger finds nothing where the setting says so."""
    assert make(framework, ExposureMiddleware, Exposure(closed="docs"))().status == 200
    assert make(framework, ExposureMiddleware, Exposure(closed="/*"))().status == 404


@BOTH
def test_csp_reports(framework: Framework, capsys: pytest.CaptureFixture[str]) -> None:
    """A report of a browser is an event, and the app sees nothing of it."""
    app = framework()
    app.add_middleware(CspReportsMiddleware, settings=CspReports(path="/csp-reports"))
    scope = http_scope("/csp-reports", method="POST", headers=[(b"content-type", b"application/csp-report")])
    body = b'{"csp-report": {"effective-directive": "img-src", "blocked-uri": "data"}}'
    assert call(app, scope, body).status == 204
    assert '"csp_violation"' in capsys.readouterr().out


@BOTH
def test_rate_limit(framework: Framework) -> None:
    """The second request is over the quota."""
    ask = make(framework, RateLimitMiddleware, RateLimit(limits="1/hour"))
    assert [ask().status, ask().status] == [200, 429]


@BOTH
def test_health(framework: Framework) -> None:
    """The probes answer beside the app's own paths."""
    app = framework()
    app.add_route("/", view)
    app.add_middleware(HealthMiddleware)
    assert call(app, http_scope("/livez")).status == 200
    assert call(app, http_scope("/")).json["size"] == 0


@BOTH
def test_overload(framework: Framework) -> None:
    """With one request in flight the next is refused."""
    statuses: list[int] = []

    async def nested(request: Request) -> JSONResponse:
        if "once" not in request.query_params:
            statuses.append((await exchange(app, http_scope("/", query=b"once"))).status)
        return JSONResponse({})

    app = framework()
    app.add_route("/", nested)
    app.add_middleware(OverloadMiddleware, settings=Overload(limit=1))
    statuses.append(call(app, http_scope("/")).status)
    assert statuses == [503, 200]


@BOTH
def test_timeouts(framework: Framework) -> None:
    """A handler that takes too long is answered for."""

    async def hang(request: Request) -> JSONResponse:
        await asyncio.sleep(60)
        return JSONResponse({})

    app = framework()
    app.add_route("/", hang)
    app.add_middleware(TimeoutsMiddleware, settings=Timeouts(handler=0.1))
    assert call(app).status == 504


@BOTH
def test_request_limits(framework: Framework) -> None:
    """A body over the bound is refused, one within it arrives."""
    ask = make(framework, RequestLimitsMiddleware, RequestLimits(max_body=4))
    json = (b"content-type", b"application/json")
    assert ask(json, body=b"[1]").json["size"] == 3
    assert ask(json, body=b"[1, 2, 3]").status == 413


@BOTH
def test_contract(framework: Framework, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A body that the document does not allow is refused and logged, one that it does arrives."""
    schema = {"type": "array", "items": {"type": "integer"}}
    operation = {"requestBody": {"content": {"application/json": {"schema": schema}}}, "responses": {}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "One", "version": "1"},
        "paths": {"/": {"post": operation}},
    }
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    ask = make(framework, ContractMiddleware, Contract(document=str(path)))
    sent = (b"content-type", b"application/json")
    assert ask(sent, body=b"[1]").json["size"] == 3
    assert ask(sent, body=b'["x"]').status == 422
    assert '"contract_violation"' in capsys.readouterr().out


def test_every_middleware_is_here() -> None:
    """No public middleware is without its test above."""
    for name in garrison.__all__:
        if name.endswith("Middleware"):
            plain = "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
            assert f"test{plain.removesuffix('_middleware')}" in globals()
