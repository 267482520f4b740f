"""What can be asked of the tracing layer: exclusions, methods, headers, attributes and metrics."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import HistogramDataPoint

from garrison import Proxy, RequestLimits, SettingsError, Tracing
from garrison.middleware.proxy import ProxyMiddleware
from garrison.middleware.request_limits import RequestLimitsMiddleware
from garrison.redaction import Redaction
from tests.toolkit.driver import call, echo, http_scope, replies_with
from tests.toolkit.middleware.traced import Traced


@pytest.mark.parametrize(
    ("method", "path", "root_path", "spans"),
    [
        ("GET", "/health", "", 0),
        ("GET", "/healthy-people", "", 1),
        ("GET", "/users/health", "", 1),
        ("GET", "/internal/a/b", "", 0),
        ("GET", "/internal", "", 1),
        ("GET", "/metrics", "", 0),
        ("POST", "/metrics", "", 1),
        ("GET", "/shop/health", "/shop", 0),
        ("GET", "/livez", "", 1),
    ],
)
def test_an_excluded_path_is_matched_whole(method: str, path: str, root_path: str, spans: int) -> None:
    """Paths are left out as they are routed, and none that only begins or ends alike."""
    traced = Traced(replies_with(), Tracing(exclude="/health; GET /metrics; /internal/*"))
    call(traced.app, http_scope(path, method=method, root_path=root_path))
    assert len(traced.spans) == spans
    assert len(traced.points) == spans


def test_probes_are_excluded_unless_told_otherwise() -> None:
    """What asks every few seconds drowns everybody else in spans, and in the duration."""
    for path in ("/livez", "/readyz", "/startupz"):
        traced = Traced(replies_with())
        call(traced.app, http_scope(path))
        assert traced.spans == ()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"exclude": "health"}, "Tracing.exclude: expected paths such as"),
        ({"methods": ("GET POST",)}, "Tracing.methods: expected methods, parted by commas"),
        ({"request_headers": ("x-a:",)}, "Tracing.request_headers: expected header names"),
        ({"response_headers": ("é",)}, "Tracing.response_headers: expected header names"),
        ({"attributes": ("url.path",)}, "Tracing.attributes: expected"),
        ({"metrics": ("http.server.request.duration",)}, "Tracing.metrics: expected"),
    ],
)
def test_what_cannot_be_is_said_at_once(settings: dict[str, Any], message: str) -> None:
    """A setting that does not fit is named when the section is made."""
    with pytest.raises(SettingsError, match=message):
        Tracing(**settings)


def test_the_known_methods_can_be_overridden(monkeypatch: pytest.MonkeyPatch) -> None:
    """The conventions' variable is a full list, as they demand; the setting wins over it."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", "GET, PROPFIND")
    for settings, known in (
        (Tracing(), {"GET", "PROPFIND"}),
        (Tracing(methods=("REPORT", "POST")), {"REPORT", "POST"}),
    ):
        traced = Traced(replies_with(), settings)
        for method in ("GET", "PROPFIND", "REPORT", "POST"):
            call(traced.app, http_scope(method=method))
        names = {(span.attributes or {})["http.request.method"] for span in traced.spans}
        assert names == known | {"_OTHER"}
        assert {span.name for span in traced.spans} == known | {"HTTP"}


def test_captured_headers_are_masked_by_the_one_policy() -> None:
    """A header on both lists shows that it was there and not what it said; shapes are masked anywhere."""
    traced = Traced(
        replies_with(200, [(b"Set-Cookie", b"session=hunter2"), (b"x-a", b"1"), (b"X-A", b"2")]),
        Tracing(request_headers=("Authorization", "X-Note"), response_headers=("set-cookie", "x-a")),
    )
    headers = [(b"authorization", b"Bearer hunter2hunter2"), (b"x-note", b"Bearer hunter2hunter2")]
    call(traced.app, http_scope(headers=headers))
    attributes = traced.span.attributes or {}
    assert "hunter2" not in traced.span.to_json()
    assert attributes["http.request.header.authorization"] == ("[redacted]",)
    assert attributes["http.response.header.set-cookie"] == ("[redacted]",)
    assert attributes["http.response.header.x-a"] == ("1", "2")


def test_a_header_that_nobody_asked_for_is_not_captured() -> None:
    """There is an allow-list and nothing else."""
    traced = Traced(replies_with(), Tracing(request_headers=("x-a",)))
    call(traced.app, http_scope(headers=[(b"x-a", b"1"), (b"x-b", b"2")]))
    names = {name for name in traced.span.attributes or {} if ".header." in name}
    assert names == {"http.request.header.x-a"}


def test_a_path_is_masked_by_the_one_policy() -> None:
    """A segment that is declared a secret is in no span."""
    traced = Traced(replies_with(), redaction=Redaction(paths=("/reset/{token}",)))
    call(traced.app, http_scope("/reset/hunter2"))
    assert "hunter2" not in traced.span.to_json()


def test_the_address_of_the_connection_is_the_servers_own() -> None:
    """The opt-in attributes say what the server says, and nothing that a proxy has replaced."""
    wanted = Tracing(
        attributes=("client.port", "network.local.address", "network.local.port", "network.transport")
    )
    traced = Traced(replies_with(), wanted)
    call(traced.app, http_scope(server=("/run/app.sock", None), client=None))
    call(traced.app, http_scope(http_version="3"))
    app = ProxyMiddleware(traced.app, Proxy(trusted=(ip_network("192.0.2.1"),)))
    headers = [(b"x-forwarded-for", b"203.0.113.7"), (b"x-forwarded-host", b"shop.example:8443")]
    call(app, http_scope(headers=headers))
    unix, quic, proxied = [dict(span.attributes or {}) for span in traced.spans]
    assert (unix["network.local.address"], unix["network.transport"]) == ("/run/app.sock", "unix")
    assert not {"network.local.port", "client.port", "client.address", "network.peer.address"} & set(unix)
    assert (quic["network.transport"], quic["network.protocol.version"]) == ("udp", "3")
    assert not {"network.local.address", "client.port"} & set(proxied)
    assert (proxied["client.address"], proxied["network.peer.address"]) == ("203.0.113.7", "192.0.2.1")


def test_server_and_scheme_are_those_that_the_client_used() -> None:
    """A trusted proxy's word about host and scheme is what span and metric say; a stranger's is not."""
    traced = Traced(replies_with())
    app = ProxyMiddleware(
        traced.app, Proxy(trusted=(ip_network("192.0.2.1"),), accept=("for", "proto", "host"))
    )
    headers = [(b"x-forwarded-proto", b"https"), (b"x-forwarded-host", b"shop.example:8443")]
    call(app, http_scope(headers=[(b"host", b"backend:8000"), *headers]))
    call(app, http_scope(headers=[(b"host", b"backend:8000"), *headers], client=("203.0.113.9", 1)))
    seen = [
        [dict(span.attributes or {}).get(name) for name in ("url.scheme", "server.address", "server.port")]
        for span in traced.spans
    ]
    assert seen == [["https", "shop.example", 8443], ["http", "backend", 8000]]


def test_sizes_are_counted_and_not_declared() -> None:
    """Body sizes are what passed, whatever Content-Length says."""
    metrics = Tracing(metrics=("http.server.request.body.size", "http.server.response.body.size"))
    traced = Traced(echo, metrics)
    call(traced.app, http_scope(method="POST", headers=[(b"content-length", b"999999")]), b"abc", b"defg")
    for name in metrics.metrics:
        (point,) = traced.measured(name)
        assert isinstance(point, HistogramDataPoint)
        assert (point.sum, point.count) == (7, 1)
        assert traced.metrics[name].unit == "By"


def test_active_requests_go_up_and_down() -> None:
    """The counter knows the request while it lasts, and not afterwards."""
    seen: list[list[int]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append([point.value for point in traced.measured("http.server.active_requests")])
        await replies_with()(scope, receive, send)

    traced = Traced(app, Tracing(metrics=("http.server.active_requests",)))
    call(traced.app)
    seen.append([point.value for point in traced.measured("http.server.active_requests")])
    assert seen == [[1], [0]]
    assert traced.metrics["http.server.active_requests"].unit == "{request}"


def test_rejections_are_counted_by_layer_and_status() -> None:
    """Who refuses how much is one counter, whatever the layer."""
    traced = Traced(RequestLimitsMiddleware(replies_with(), RequestLimits(max_url=10)))
    for path in ("/", "/long/enough/for/it", "/long/enough/for/it"):
        call(traced.app, http_scope(path))
    (point,) = traced.measured("garrison.rejections")
    assert (point.value, point.attributes) == (
        2,
        {"garrison.layer": "request_limits", "http.response.status_code": 414},
    )


def test_a_measurement_has_its_trace_as_an_exemplar() -> None:
    """From a slow bucket there is a way to a trace that was slow."""
    traced = Traced(replies_with())
    call(traced.app)
    (exemplar,) = traced.points[0].exemplars
    assert traced.span.context is not None
    assert exemplar.trace_id == traced.span.context.trace_id
    assert exemplar.span_id == traced.span.context.span_id
