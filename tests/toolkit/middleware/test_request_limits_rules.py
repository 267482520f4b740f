"""Bounds by path and method: the first rule that fits counts, and a path that could be two is refused."""

from __future__ import annotations

from typing import Final

import pytest

from garrison import RequestLimits, RequestLimitsMiddleware, Settings, SettingsError
from garrison.settings import load
from tests.toolkit.driver import call, echo, http_scope

RULES: Final = (
    "POST /upload: max_upload=20, content_types=multipart/form-data|image/*; "
    "/api/raw: json=bounded, max_body=20; /api/*: max_body=10, json=strict, methods=POST|PUT; "
    "/search: max_query_parameters=1, url=any"
)


def status(
    path: str, body: bytes = b"", kind: bytes = b"application/json", method: str = "POST", query: bytes = b""
) -> int:
    """The status of a request to an app behind these rules, with general bounds of fifteen bytes."""
    limits = RequestLimits(max_body=15, max_upload=15, rules=RULES)
    headers = [(b"content-type", kind), (b"transfer-encoding", b"chunked")] if body else []
    scope = http_scope(path, method=method, headers=headers, query=query)
    return call(RequestLimitsMiddleware(echo, limits), scope, body).status


def test_a_rule_changes_what_it_says_and_nothing_else() -> None:
    """Each path has its own bounds, and all others have the general ones."""
    image, text = b"image/png", b"text/plain"
    assert [status("/", b"[" + b" " * size + b"]") for size in (13, 14)] == [200, 413]
    assert [status("/upload", b"." * size, image) for size in (20, 21)] == [200, 413]
    assert status("/upload", b".", text) == 415
    assert status("/upload", b".", text, "PUT") == 200, "another method"
    assert [status("/api/a", b"[" + b" " * size + b"]") for size in (8, 9)] == [200, 413]
    assert [status("/api/a", body) for body in (b"[1]", b"[NaN]")] == [200, 400]
    assert [status("/api/a", method=method) for method in ("PUT", "DELETE")] == [200, 405]
    assert [status("/search", method="GET", query=query) for query in (b"a=1", b"a=1&b=2")] == [200, 400]


def test_the_first_rule_that_fits_counts() -> None:
    """A rule for one path stands in front of the rule for the paths around it."""
    assert status("/api/raw", b"[NaN" + b" " * 10 + b"]") == 200
    assert status("/api/raw2", b"[NaN]") == 400


@pytest.mark.parametrize("path", ["/API/a", "/Api/A", "/api/b"])
def test_a_rule_holds_however_its_path_is_spelled(path: str) -> None:
    """Some routers do not care about capitals."""
    assert status(path, b"[NaN]") == 400


@pytest.mark.parametrize("path", ["//api/a", "/api//raw", "/x/../api/a", "/;a/api/b"])
def test_a_path_that_could_be_two_is_refused(path: str) -> None:
    """Where a file server and a router would look for different rules, there is none."""
    assert status(path, b"[1]") == 400


def test_a_path_below_a_mount_is_the_routers() -> None:
    """The prefix that a server was told is not a part of it."""
    limits = RequestLimits(rules="/api/*: methods=PUT")
    app = RequestLimitsMiddleware(echo, limits)
    assert call(app, http_scope("/v1/api/a", root_path="/v1")).status == 405
    assert call(app, http_scope("/v1/api/a")).status == 200


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("max_body=1", "a path in front"),
        ("/a: max_body=1 by address", "a path in front"),
        ("/a: max_boddy=1", "did you mean max_body"),
        ("/a: max-body=1", "did you mean max_body"),
        ("/a: 1MB", "fields such as max_body=64KB"),
        ("/a: max_body=lots", "for max_body a size such as"),
        ("/a: max_parts=0", "for max_parts at least 1"),
        ("/a: methods=TRACE", "for methods methods in capital letters"),
        ("/a: max_buffered=1", "fields such as"),
        ("/a: rules=x", "fields such as"),
        ("/*: max_body=1; /a: max_body=2", "in front of"),
        ("a: max_body=1", "a rule|rules such as"),
    ],
)
def test_a_rule_that_means_nothing_fails_at_start(rules: str, expected: str) -> None:
    """The problem names the variable, what is expected and the part that does not fit."""
    with pytest.raises(SettingsError, match=f"RequestLimits.rules: expected .*({expected})"):
        RequestLimits(rules=rules)
    with pytest.raises(SettingsError, match="GARRISON_REQUEST_LIMITS_RULES"):
        load(Settings, environ={"GARRISON_REQUEST_LIMITS_RULES": rules})


def test_rules_come_from_the_environment() -> None:
    """In the notation of all rules, with sizes in units."""
    environ = {
        "GARRISON_REQUEST_LIMITS_RULES": "POST /upload: max_upload=2GB; /api/*: max_body=64KB, json=strict"
    }
    loaded = load(Settings, environ=environ).value.request_limits
    assert loaded is not None
    assert loaded.rules.startswith("POST /upload")
