"""What the guide to request limits promises of settings and replies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from garrison import RequestLimits, Settings, harden
from garrison.buffer_budget import BufferBudget
from garrison.middleware.request_limits import RequestLimitsMiddleware
from tests.integration.contract_guide import (
    ask,
    curls,
    documents,
    events,
    hardened,
    loaded,
    request,
    served,
    settings_of,
    shown_replies,
)
from tests.integration.documents import DOCS
from tests.toolkit.driver import echo

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.asgi import ASGIApp

PAGE = DOCS / "how-to" / "request-limits.md"
TIGHT, RULES, UPLOADS, STRICT = range(4)
JSON = ("Content-Type", "application/json")
TEXT = ("Content-Type", "text/plain")
UPLOAD = ("Content-Type", "multipart/form-data; boundary=b")


def app_of(folder: Path, number: int) -> ASGIApp:
    """An app that says everything again, behind the settings of a block of the page."""
    return harden(echo, settings_of(PAGE, folder, number))


def part(name: str, size: int, *, file: bool = False) -> bytes:
    """One part of a multipart body."""
    disposition = f'form-data; name="{name}"' + ('; filename="f"' if file else "")
    return f"--b\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + b"x" * size + b"\r\n"


def statuses(app: ASGIApp, *bodies: bytes, path: str = "/", kind: tuple[str, str] = JSON) -> list[int]:
    """The statuses of posts with these bodies."""
    return [request(app, "POST", path, body, kind).status for body in bodies]


def test_the_refusal_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """The command of the page is refused with the reply of the page, and the log says by which layer."""
    app = hardened(loaded(served(PAGE)[0].environ))
    reply = ask(app, curls(PAGE)[0])
    ((status, headers),) = shown_replies(PAGE)
    assert reply.status == status
    assert headers == {name: reply.header(name) for name in headers}
    (shown,) = documents(PAGE)
    assert {**reply.json, "request_id": ""} == {**shown, "request_id": ""}
    assert events(capsys.readouterr().out, "http.request")[0]["rejected_by"] == "request_limits"


@pytest.mark.parametrize(
    ("status", "method", "path", "more"),
    [
        (405, "TRACE", "/", {}),
        (414, "GET", "/", {"query": b"x" * 17_000}),
        (414, "GET", "/a" * 300, {}),
        (400, "GET", "/", {"query": b"a=1&" * 1001}),
        (400, "GET", "/\x01", {"raw_path": b"/%01"}),
        (400, "GET", "/%zz", {"raw_path": b"/%zz"}),
        (400, "GET", "/a/../b", {}),
        (400, "GET", "/\ufffd", {"raw_path": b"/%ff"}),
    ],
)
def test_the_bounds_without_a_setting(status: int, method: str, path: str, more: dict[str, Any]) -> None:
    """Each row of the table about the head of a request."""
    assert request(harden(echo, Settings()), method, path, **more).status == status


def test_the_other_bounds_without_a_setting() -> None:
    """Headers, JSON and parts."""
    app = harden(echo, Settings())
    assert request(app, "GET", "/", b"", *[("X-A", "1")] * 129).status == 431
    assert request(app, "GET", "/", b"", ("X-A", "x" * 33_000)).status == 431
    assert statuses(app, b"[" * 65 + b"]" * 65, b'"\xff"', b"[" * 64 + b"]" * 64) == [400, 400, 200]
    assert statuses(app, b"[" + b" " * 10_000_000) == [413]
    assert statuses(app, b"x" * 10_000_001, kind=TEXT) == [200]
    assert statuses(app, part("a", 1) * 2001 + b"--b--\r\n", kind=UPLOAD) == [413]


def test_what_an_app_does_not_need(tmp_path: Path) -> None:
    """Methods, sizes, queries and media types as the block has them."""
    app = app_of(tmp_path, TIGHT)
    reply = request(app, "PUT", "/")
    assert (reply.status, reply.header("allow")) == (405, "GET, HEAD, POST")
    assert statuses(app, b'"' + b"x" * 262_142 + b'"', b'"' + b"x" * 262_143 + b'"') == [200, 413]
    assert statuses(app, b"x", kind=TEXT) == [415]
    assert [request(app, "GET", "/", query=b"a=1&" * count + b"a=1").status for count in (49, 50)] == [
        200,
        400,
    ]
    lengthy = loaded({"GARRISON_REQUEST_LIMITS_LENGTH_REQUIRED": "on"})
    assert request(harden(echo, lengthy), "POST", "/", b"", ("Transfer-Encoding", "chunked")).status == 411


def test_bounds_of_some_paths(tmp_path: Path) -> None:
    """A picture may be large and nothing else, orders are small and strict, the rest is as it was."""
    app = app_of(tmp_path, RULES)
    large = part("picture", 2_000_000, file=True) + b"--b--\r\n"
    assert statuses(app, large, path="/orders/1/picture", kind=UPLOAD) == [200]
    assert statuses(app, b"x", path="/orders/1/picture", kind=TEXT) == [415]
    assert statuses(app, large, kind=UPLOAD) == [413]
    assert statuses(app, b"[NaN]", b'"' + b"x" * 16_000 + b'"', path="/orders") == [400, 413]
    assert statuses(app, b"[NaN]", path="/other") == [200]
    assert statuses(app, b"[1]", path="//orders") == [400]


def test_uploads(tmp_path: Path) -> None:
    """A file, a field and the number of parts have bounds of their own."""
    app = app_of(tmp_path, UPLOADS)
    end = b"--b--\r\n"
    fine = part("a", 64_000) + part("f", 1_000_000, file=True) + end
    assert statuses(app, fine, part("a", 64_001) + end, part("a", 1) * 21 + end, kind=UPLOAD) == [
        200,
        413,
        413,
    ]
    assert statuses(app, part("f", 20_000_001, file=True) + end, kind=UPLOAD) == [413]


def test_strict_json(tmp_path: Path) -> None:
    """The rows of the table, under either setting."""
    bodies = (
        b"[" * 65 + b"]" * 65,
        b'{"count": NaN}',
        b'{"count": 1e400}',
        b'{"count": 1, "count": 2}',
        b'{"item": "\\ud800"}',
        b'{"item":',
        b"",
    )
    assert statuses(harden(echo, Settings()), *bodies) == [400, 200, 200, 200, 200, 200, 200]
    assert statuses(app_of(tmp_path, STRICT), *bodies) == [400, 400, 400, 400, 400, 400, 200]


@pytest.mark.parametrize("raw", [b"/a//b", b"/a;b", b"/a\\b", b"/a%2Fb", b"/a%5Cb", b"/a%2541"])
def test_strict_paths(raw: bytes) -> None:
    """What readers take in two ways passes, or is refused where that is set."""
    strict = loaded({"GARRISON_REQUEST_LIMITS_URL": "strict"})
    path = unquote(raw.decode())
    found = [
        request(harden(echo, each), "GET", path, raw_path=raw).status for each in (Settings(), strict)
    ]  # fmt: skip
    assert found == [200, 400]


def test_strict_queries() -> None:
    """The same for queries."""
    strict = loaded({"GARRISON_REQUEST_LIMITS_URL": "strict"})
    apps = [harden(echo, each) for each in (Settings(), strict)]
    for query in (b"a=%00", b"a=%zz", b"a=%ff"):
        found = [request(app, "GET", "/", query=query).status for app in apps]
        assert found == [200, 400]


def test_all_requests_together() -> None:
    """Where others hold all that may be held, a request is to come back, and it is not for its own size."""
    budget = BufferBudget(30)
    app = RequestLimitsMiddleware(echo, RequestLimits(max_body=30, max_buffered=30), budget=budget)
    with budget.share() as share:
        assert share.take(20)
        reply = request(app, "POST", "/", b'["0123456789"]', JSON)
    assert (reply.status, reply.header("retry-after") is not None) == (503, True)
    assert request(app, "POST", "/", b'["0123456789"]', JSON).status == 200
