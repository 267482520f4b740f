"""What errors say: no internals, one format, and an id to find them by."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.request_id import ID_HEADERS, request_id
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Reply, Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

_JSON_WANTED = [("Accept", "application/json")]
# Frameworks show their debug page to browsers, and a plain traceback to everybody else.
_PAGE_WANTED = [("Accept", "text/html")]
_ERRORS_ON = "on by default; check that GARRISON_ERRORS is not off, and see GARRISON_ERRORS_REPLACE=all"
_LONG = 20_000  # characters: longer than any server's line buffer needs, shorter than most refuse to read
# Each is what a runtime prints, and nothing that an error page says by chance.
_INTERNALS = re.compile(
    r"Traceback \(most recent call last\)"
    r"|File \"[^\"\n]+\", line \d+"
    r"|(?:^\s+|&nbsp;)at .{1,200}\((?:/|file:|node:|[A-Z]:\\)[^)\n]*:\d+:\d+\)"  # V8, and Express's page
    r"|^\s+at [\w.$]+\([\w$]+\.(?:java|kt|scala):\d+\)"
    r"|goroutine \d+ \[running\]"
    r"|\.rb:\d+:in [`']"
    r"|in /[\w./-]+\.php(?::| on line )\d+",
    re.MULTILINE,
)
_DEBUG_PAGE = re.compile(
    r"Werkzeug Debugger|__debugger__=yes"
    r"|You(?:'|&#x27;|’)re seeing this error because you have <code>DEBUG = True</code>"
    r"|<title>Starlette Debugger</title>|<title>Litestar exception page</title>"
    r"|File <span class=\"info\">[^<]+</span>,\s+line <span class=\"info\">"  # Quart's, which has no title
    r"|Action Controller: Exception caught|Whoops, looks like something went wrong"
    r"|sf-toolbar|window\.ignite\("
)


def _ask_errors(site: Site) -> Mapping[str, Request]:
    asked = {
        "page": site.get(site.path),
        "missing": site.get(site.missing_path),
        "refused": site.request("PROPFIND", site.path),
    }
    if site.error_path is not None:
        asked["error"] = site.get(f"{site.error_path}?garrison={site.canary}")
    return asked


def _judge_internals(seen: Seen) -> Iterator[Finding]:
    errors = [exchange for exchange in seen.record if (exchange.reply.status or 0) >= 400]
    normal = seen.reply("page").text
    leaks: set[str] = set()
    for exchange in errors:
        leak, confidence = _internal(exchange.reply.text, seen.site.directory)
        # An app that shows tracebacks or paths as its content (a paste bin) does so on its page too.
        if leak and leak not in normal and leak not in leaks:
            leaks.add(leak)
            message = f"a {exchange.reply.status} reply shows internals"
            yield seen.finding(exchange, message, excerpt=leak, confidence=confidence)
    _require_exception(seen)


def _require_exception(seen: Seen) -> None:
    """Only the reply to an exception shows what the app makes of one; a 501 or 503 was meant to be sent.

    Raises:
        Unjudged: Nothing raised, or not what was said to.
    """
    if seen.site.error_path is not None:
        error = seen.reply("error")
        if (error.status or 0) < 500 or error.status in {501, 503}:
            raise Unjudged(f"{seen.site.error_path} answered {error.outcome} and raised nothing")
    elif not any(exchange.reply.status == 500 for exchange in seen.record):
        raise Unjudged(
            "no request made the app raise, so no reply to an exception was seen: name a route that raises"
            " with --error-path"
        )


def _internal(text: str, directory: str) -> tuple[str, Confidence]:
    if match := _INTERNALS.search(text):
        return match[0].strip(), Confidence.CONFIRMED
    # `/app` is the directory of many a container, and the path of many a page.
    telling = directory.count("/") >= 2 and directory in text
    return (directory if telling else ""), Confidence.LIKELY


def _ask_as_browser(site: Site) -> Mapping[str, Request]:
    asked = {"missing": site.get(site.missing_path, _PAGE_WANTED)}
    if site.error_path is not None:
        asked["error"] = site.get(site.error_path, _PAGE_WANTED)
    return asked


def _judge_debug(seen: Seen) -> Iterator[Finding]:
    errors = [exchange for exchange in seen.plain() if (exchange.reply.status or 0) >= 400]
    for exchange in errors:
        reply = exchange.reply
        match = _DEBUG_PAGE.search(reply.text)
        if match or reply.get("x-debug-token"):
            excerpt = match[0] if match else ""
            yield seen.finding(exchange, "a debug page is served", excerpt=excerpt, show=("x-debug-token",))
            return
    _require_exception(seen)


def _ask_for_json(site: Site) -> Mapping[str, Request]:
    asked = {
        "page": site.get(site.path, _JSON_WANTED),
        "missing": site.get(site.missing_path, _JSON_WANTED),
        "refused": site.request("PROPFIND", site.path, _JSON_WANTED),
    }
    if site.error_path is not None:
        asked["error"] = site.get(site.error_path, _JSON_WANTED)
    return asked


def _judge_format(seen: Seen) -> Iterator[Finding]:
    labels = ["missing", "refused"] if seen.reply("page").is_json else []
    labels += ["error"] if "error" in seen.exchanges else []
    errors = [label for label in labels if (seen.reply(label).status or 0) >= 400 and seen.reply(label).body]
    if not errors:
        raise Unjudged(
            "the page is no JSON, so its errors are for people; name a route that raises with --error-path"
        )
    for label in errors:
        reply = seen.reply(label)
        if not _is_problem(reply):
            # Frameworks answer 404 and 405 in their own words; that a failure of the app is not
            # machine-readable is what clients stumble over.
            failure = (reply.status or 0) >= 500
            kind = reply.media_type or "no media type"
            yield seen.finding(
                label,
                f"a client that asks for JSON gets {kind} with a {reply.status}",
                show=("content-type",),
                confidence=Confidence.CONFIRMED if failure else Confidence.INFO,
            )


def _is_problem(reply: Reply) -> bool:
    if not reply.is_json:
        return False
    try:
        return isinstance(json.loads(reply.body), dict)
    except (ValueError, RecursionError):
        return False


def _ask_awkward(site: Site) -> Mapping[str, Request]:
    long = "a" * _LONG
    awkward = {
        "NUL in the path": "/%00",
        "NUL in the query": f"{site.path}?garrison=%00",
        "bytes that are no UTF-8 in the path": "/%ff%fe",
        "bytes that are no UTF-8 in the query": f"{site.path}?garrison=%ff%fe",
        "a path of 20 KB": f"/{long}",
        "a query of 20 KB": f"{site.path}?garrison={long}",
    }
    asked = {label: site.request("GET", target, plain=False) for label, target in awkward.items()}
    ordinary = {"missing": site.get(site.missing_path), "query": site.get(f"{site.path}?garrison=a")}
    return {"page": site.get(site.path), **ordinary, **asked}


def _judge_awkward(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    for label, exchange in seen.exchanges.items():
        reply = exchange.reply
        ordinary = seen.exchanges["query" if "query" in label else "missing"]
        if (ordinary.reply.status or 0) >= 500:
            raise Unjudged(f"{ordinary.summary}, so there is nothing to compare with")
        if reply.status is not None and reply.status >= 500 and reply.status != 503:
            yield seen.finding(label, f"{label} is answered with {reply.status}")
        elif reply.failure == "timeout":
            yield seen.finding(label, f"{label} is not answered", confidence=Confidence.LIKELY)


def _judge_error_headers(seen: Seen) -> Iterator[Finding]:
    reply = seen.reply("error")
    if (reply.status or 0) < 500:
        raise Unjudged(f"{seen.site.error_path} answered {reply.outcome} and raised nothing")
    if not request_id(reply):
        yield seen.finding("error", "an error carries no id to find its log record by", show=ID_HEADERS)
    if "nosniff" not in reply.get("x-content-type-options").lower():
        message = "an error may be sniffed: no X-Content-Type-Options: nosniff"
        yield seen.finding("error", message, show=("x-content-type-options", "content-type"))


CHECKS = (
    Check(
        id="E1",
        title="Errors show no internals",
        severity=Severity.HIGH,
        layers=("ERRORS",),
        cwe=209,
        reference="ASVS 5.0 V16.5.1; ZAP 90022",
        fix="answer unhandled exceptions with a fixed text, and write the traceback to the log only",
        garrison=_ERRORS_ON,
        ask=_ask_errors,
        judge=_judge_internals,
    ),
    Check(
        id="E2",
        title="No debug page is served",
        severity=Severity.HIGH,
        layers=("ERRORS",),
        cwe=489,
        reference="ASVS 5.0 V13.4.2",
        fix="switch the framework's debug mode off in production",
        garrison=_ERRORS_ON,
        ask=_ask_as_browser,
        judge=_judge_debug,
    ),
    Check(
        id="E3",
        title="Failures are machine-readable for clients that ask for JSON",
        severity=Severity.LOW,
        layers=("ERRORS",),
        cwe=755,
        reference="RFC 9457; ASVS 5.0 V16.5.4",
        fix="answer errors as application/problem+json",
        garrison=_ERRORS_ON,
        ask=_ask_for_json,
        judge=_judge_format,
    ),
    Check(
        id="E4",
        title="Awkward paths and queries are no server error",
        severity=Severity.MEDIUM,
        layers=("REQUEST_LIMITS",),
        cwe=755,
        reference="RFC 9110 section 15.5.1 and 15.5.15",
        fix="answer 400 or 414 to a path or query that the app cannot take",
        garrison="on by default; check that GARRISON_REQUEST_LIMITS is not off",
        ask=_ask_awkward,
        judge=_judge_awkward,
    ),
    Check(
        id="E5",
        title="Errors keep their id and the security headers",
        severity=Severity.LOW,
        layers=("ERRORS", "REQUEST_ID", "SECURITY_HEADERS"),
        needs=(Need.ERROR_PATH,),
        cwe=778,
        reference="ASVS 5.0 V16.5.4",
        fix="set the headers outside the layer that turns exceptions into replies",
        garrison="on by default; check that neither GARRISON_REQUEST_ID nor GARRISON_SECURITY_HEADERS is off",
        ask=lambda site: {"error": site.get(site.error_path or "/")},
        judge=_judge_error_headers,
    ),
)
