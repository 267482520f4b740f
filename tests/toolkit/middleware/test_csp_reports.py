"""The report receiver: browsers' reports become events, and a flood of them changes little."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any, Final

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison import CspReports, CspReportsMiddleware, SettingsError
from garrison.context import RequestContext
from garrison.events import event_log
from tests.masking import JWT
from tests.toolkit.driver import (
    Reply,
    accepts,
    call,
    converse,
    echo,
    exchange,
    handshake,
    http_scope,
    websocket_scope,
)

if TYPE_CHECKING:
    from garrison.asgi import Message

PATH: Final = "/csp-reports"
LEGACY: Final = b"application/csp-report"
MODERN: Final = b"application/reports+json"


def report(**members: object) -> bytes:
    """A body in the older format, as Chromium 156 sends it; members replace what is in it."""
    return orjson.dumps(
        {
            "csp-report": {
                "document-uri": "https://shop.example/page/1?session=abc",
                "referrer": "",
                "violated-directive": "img-src",
                "effective-directive": "img-src",
                "original-policy": "default-src 'self'; script-src 'nonce-abc123'; report-uri /csp-reports",
                "disposition": "enforce",
                "blocked-uri": "https://cdn.example/pixel.gif?user=jane",
                "line-number": 6,
                "column-number": 47,
                "source-file": "https://shop.example/page/1",
                "status-code": 200,
                "script-sample": "",
                **members,
            }
        }
    )


def upload(*bodies: dict[str, object]) -> bytes:
    """A body in the newer format, with a report for each of these bodies."""
    return orjson.dumps(
        [
            {
                "age": 7,
                "body": {"disposition": "report", "effectiveDirective": "img-src", **body},
                "type": "csp-violation",
                "url": "https://shop.example/page/1",
                "user_agent": "Mozilla/5.0",
            }
            for body in bodies
        ]
    )


class Receiver:
    """A receiver in front of an app that echoes, with its log and its clock."""

    def __init__(self, **settings: Any) -> None:
        self.stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        self.now = 1000.0
        self.app = CspReportsMiddleware(
            echo,
            CspReports(path=PATH, **settings),
            log=event_log("json", self.stream),
            clock=lambda: self.now,
        )

    def post(self, *chunks: bytes, media_type: bytes = LEGACY, client: str = "192.0.2.1") -> Reply:
        """Send a report as a browser does."""
        lines = [(b"content-type", media_type), (b"content-length", b"%d" % sum(map(len, chunks)))]
        return call(self.app, http_scope(PATH, method="POST", headers=lines, client=(client, 1)), *chunks)

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was logged."""
        buffer = self.stream.buffer
        assert isinstance(buffer, io.BytesIO)
        return [orjson.loads(line) for line in buffer.getvalue().splitlines()]


def test_a_violation_becomes_an_event() -> None:
    """A report is answered with nothing, and is one line with what is needed to mend the page."""
    receiver = Receiver()
    reply = receiver.post(report())
    # RFC 9110 section 8.6 forbids a Content-Length here.
    assert (reply.status, reply.headers, reply.body) == (204, [], b"")
    (event,) = receiver.events
    del event["timestamp"]
    assert event == {
        "level": "warning",
        "event": "csp_violation",
        "csp.disposition": "enforce",
        "csp.directive": "img-src",
        "csp.blocked": "https://cdn.example/pixel.gif",
        "csp.document": "https://shop.example/page/1",
        "csp.source_file": "https://shop.example/page/1",
        "csp.line": 6,
        "csp.policy": "default-src 'self'; script-src 'nonce'; report-uri /csp-reports",
        "client.address": "192.0.2.1",
        "request_id": None,
    }


def test_an_upload_becomes_an_event_for_each_kind() -> None:
    """The Reporting API sends many reports at once, other kinds of reports among them."""
    receiver = Receiver()
    body = orjson.loads(upload({"blockedURL": "data"}, {"blockedURL": "blob"}, {"blockedURL": "data"}))
    body.append({"type": "coep", "url": "https://shop.example/", "body": {"type": "corp"}})
    assert (
        receiver.post(orjson.dumps(body), media_type=b"Application/Reports+JSON; charset=utf-8").status == 204
    )
    assert [event["event"] for event in receiver.events] == [
        "csp_violation",
        "csp_violation",
        "browser_report",
    ]
    assert receiver.events[2]["report.violation"] == "corp"
    assert receiver.events[2]["suppressed"] == 1


def test_the_same_is_told_once_a_period() -> None:
    """What repeats is counted, and the count is told with the next event."""
    receiver = Receiver(period=60.0)
    for number in range(5):
        receiver.post(report(**{"blocked-uri": f"https://cdn.example/{number}.gif"}))
    assert len(receiver.events) == 1
    receiver.now += 61
    receiver.post(report())
    receiver.post(report(**{"line-number": 7}))
    assert [event.get("suppressed") for event in receiver.events] == [None, 4, None]


def test_there_is_an_end_to_what_strangers_make_up() -> None:
    """However many kinds somebody invents, a period has its thousand and no more."""
    receiver = Receiver()
    for start in range(0, 1200, 100):
        lines = [{"blockedURL": "data", "lineNumber": 1 + line} for line in range(start, start + 100)]
        assert receiver.post(upload(*lines), media_type=MODERN).status == 204
    assert len(receiver.events) == 1000
    receiver.now += 3600
    receiver.post(report())
    assert receiver.events[-1]["suppressed"] == 200


def test_an_upload_has_an_end() -> None:
    """No browser keeps more than a hundred reports, so that what comes after them is only counted."""
    receiver = Receiver()
    receiver.post(
        upload(*[{"blockedURL": "data", "lineNumber": 1 + n} for n in range(150)]), media_type=MODERN
    )
    receiver.post(report())
    assert len(receiver.events) == 101
    assert receiver.events[-1]["suppressed"] == 50


def test_a_client_that_floods_is_not_read() -> None:
    """Over its rate a client gets the same answer, for a browser repeats what is refused; others are read."""
    receiver = Receiver(rate=2)
    for line in (1, 2, 3, 4):
        assert receiver.post(report(**{"line-number": line})).status == 204
    assert [event["csp.line"] for event in receiver.events] == [1, 2]
    receiver.post(report(**{"line-number": 5}), client="192.0.2.2")
    receiver.now += 60
    receiver.post(report(**{"line-number": 6}))
    assert [(event["csp.line"], event.get("suppressed")) for event in receiver.events[2:]] == [
        (5, 2),
        (6, None),
    ]


def test_a_flood_is_read_to_its_end() -> None:
    """What is not looked at is still taken off the connection, which goes on."""
    receiver = Receiver(rate=1)
    receiver.post(report())
    wire = converse(
        receiver.app,
        http_scope(
            PATH, method="POST", headers=[(b"content-type", LEGACY), (b"transfer-encoding", b"chunked")]
        ),
        [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.request", "body": b"}"}],
    )
    assert (wire.reply.status, wire.received) == (204, 2)


def test_extensions_of_visitors_are_left_out() -> None:
    """What a visitor has installed is neither the site's business nor for its log."""
    receiver = Receiver()
    assert receiver.post(report(**{"source-file": "chrome-extension://aapb/x.js"})).status == 204
    assert receiver.events == []


def test_samples_are_for_who_asks() -> None:
    """The text of a script is only in the log where the setting says so, and secrets are masked there."""
    for samples in (False, True):
        receiver = Receiver(samples=samples)
        receiver.post(report(**{"script-sample": "var password='hunter2hunter2'"}))
        assert receiver.events[0].get("csp.sample") == ("var password='[redacted]'" if samples else None)


def test_nothing_reaches_the_log_raw() -> None:
    """Credentials, queries, tokens and escape sequences of a report are not in its event."""
    receiver = Receiver()
    receiver.post(
        report(
            **{
                "document-uri": f"https://jane:hunter2@shop.example/reset/{JWT}?token=hunter3#x",
                "blocked-uri": "https://cdn.example/\x1b[31m?secret=hunter4",
                "source-file": "https://shop.example/a.js?key=hunter5",
            }
        )
    )
    line = orjson.dumps(receiver.events[0]).decode()
    assert "hunter" not in line
    assert "eyJ" not in line
    assert "u001b" not in line
    assert "https://shop.example/reset/[redacted]" in line


@pytest.mark.parametrize(
    ("chunks", "media_type", "status"),
    [
        ([report()], b"application/json", 415),
        ([report()], b"", 415),
        ([b'{"csp-report": '], LEGACY, 400),
        ([b""], LEGACY, 400),
        ([b"\xff"], LEGACY, 400),
        ([b'{"a": NaN}'], LEGACY, 400),
        ([b"{}"], LEGACY, 400),
        ([b"[]"], MODERN, 400),
        ([b"[" * 5000 + b"]" * 5000], MODERN, 400),
        ([b"x" * 300_000], LEGACY, 413),
    ],
)
def test_what_is_no_report_is_refused(chunks: list[bytes], media_type: bytes, status: int) -> None:
    """Another type, another JSON, none, one without an end or one too long are each told what is wrong."""
    receiver = Receiver()
    reply = receiver.post(*chunks, media_type=media_type)
    assert (reply.status, reply.header("content-type")) == (status, "application/problem+json")
    assert reply.json["detail"]
    assert receiver.events == []


def test_deep_json_is_not_parsed() -> None:
    """No report is nested as deep as a parser could go."""
    deep = report(referrer=orjson.Fragment(b"[" * 20 + b"]" * 20))
    assert "deeper than 16 levels" in Receiver().post(deep).json["detail"]


def test_a_body_that_announces_too_much_is_not_read() -> None:
    """Nothing is asked of a client whose body will not be taken."""
    lines = [(b"content-type", LEGACY), (b"content-length", b"300000"), (b"expect", b"100-continue")]
    wire = converse(Receiver().app, http_scope(PATH, method="POST", headers=lines), [])
    assert (wire.reply.status, wire.received) == (413, 0)


def test_a_stream_is_cut_off_where_it_is_too_long() -> None:
    """A body of no declared length is not kept beyond its bound."""
    receiver = Receiver(max_body=100)
    scope = http_scope(
        PATH, method="POST", headers=[(b"content-type", LEGACY), (b"transfer-encoding", b"chunked")]
    )
    endless: list[Message] = [{"type": "http.request", "body": b"x" * 60, "more_body": True}] * 9
    wire = converse(receiver.app, scope, endless)
    assert (wire.reply.status, wire.received) == (413, 2)
    assert wire.reply.header("connection") == "close"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS"])
def test_reports_are_posted(method: str) -> None:
    """Any other method is a 405, which ends a preflight too: pages of other origins do not report here."""
    receiver = Receiver()
    lines = [(b"origin", b"https://other.example"), (b"access-control-request-method", b"POST")]
    reply = call(receiver.app, http_scope(PATH, method=method, headers=lines))
    assert (reply.status, reply.header("allow")) == (405, "POST")
    assert reply.header("access-control-allow-origin") is None


def test_a_refusal_is_noted_and_a_report_is_not() -> None:
    """The access log says who answered in place of the app where that was a refusal."""
    app = Receiver().app
    noted = []
    for method in ("POST", "GET"):
        scope = http_scope(PATH, method=method, headers=[(b"content-type", LEGACY)])
        scope["garrison"] = context = RequestContext(scope)
        call(app, scope, report())
        noted.append(context.rejected_by)
    assert noted == [None, "csp_reports"]


def test_a_client_that_leaves_is_not_answered() -> None:
    """Half a report is forgotten."""
    receiver = Receiver()
    scope = http_scope(PATH, method="POST", headers=[(b"content-type", LEGACY)])
    half: list[Message] = [
        {"type": "http.request", "body": report()[:50], "more_body": True},
        {"type": "http.disconnect"},
    ]
    assert converse(receiver.app, scope, half).sent == []
    assert receiver.events == []


@pytest.mark.parametrize("path", ["/", "/csp-reports/", "/x/csp-reports", "/csp-report"])
def test_every_other_path_is_the_apps(path: str) -> None:
    """Only the path itself is taken, so that the app keeps all of its own."""
    scope = http_scope(path, method="POST", headers=[(b"content-type", LEGACY)])
    assert call(Receiver().app, scope, b"mine").body == b"mine"


def test_the_path_is_that_of_the_router() -> None:
    """Behind a prefix the path is what stands after it, whichever way the server puts it."""
    for path in ("/shop/csp-reports", "/csp-reports"):
        scope = http_scope(path, method="POST", headers=[(b"content-type", LEGACY)], root_path="/shop")
        assert call(Receiver().app, scope, report()).status == 204


def test_without_a_path_nothing_is_taken() -> None:
    """The layer does nothing until it is told where reports go."""
    scope = http_scope("", method="POST", headers=[(b"content-type", LEGACY)])
    assert call(CspReportsMiddleware(echo), scope, b"mine").body == b"mine"


def test_a_websocket_on_the_path_is_the_apps() -> None:
    """No browser reports over a WebSocket."""
    layer = CspReportsMiddleware(accepts, CspReports(path=PATH))
    assert handshake(layer, websocket_scope(PATH)).sent[0] == {"type": "websocket.accept"}


@pytest.mark.parametrize(
    "settings",
    [
        {"path": "csp-reports"}, {"path": "/"}, {"path": "/a b"}, {"path": "/a;b"}, {"path": '/a"b'},
        {"path": "/a?b"}, {"path": "//evil.example/a"}, {"path": "/a,b"}, {"path": "/a/*"}, {"path": "/a\n"},
        {"max_body": 0}, {"rate": 0}, {"period": 0.5},
    ],
)  # fmt: skip
def test_settings_that_cannot_work_fail_at_start(settings: dict[str, Any]) -> None:
    """A path that would break the header that names it, and bounds that let nothing in, are refused."""
    (name,) = settings
    with pytest.raises(SettingsError, match=rf"^CspReports\.{name}: expected "):
        CspReports(**settings)


JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**40) | st.text("ab\u2603\x1b:/", max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["csp-report", "type", "body", "url", "x"]), inner, max_size=4)
    ),
    max_leaves=6,
).map(orjson.dumps)


@given(st.binary(max_size=60) | JSON, st.sampled_from([LEGACY, MODERN]))
def test_no_body_is_too_strange(body: bytes, media_type: bytes) -> None:
    """Whatever is posted gets an answer."""
    assert Receiver().post(body, media_type=media_type).status in {204, 400}


def test_reports_at_once_are_each_answered() -> None:
    """Many browsers that report at the same moment do not wait for each other."""
    receiver = Receiver()
    scope = http_scope(PATH, method="POST", headers=[(b"content-type", LEGACY)])

    async def main() -> list[Reply]:
        return await asyncio.gather(
            *[exchange(receiver.app, dict(scope), report(**{"line-number": 1 + n})) for n in range(50)]
        )

    assert {reply.status for reply in asyncio.run(main())} == {204}
    assert len(receiver.events) == 50
