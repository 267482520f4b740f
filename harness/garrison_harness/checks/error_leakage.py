"""What errors say: no internals, no debug page, and no error at all for an awkward request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.finding import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

# Frameworks show their debug page to browsers, and a plain traceback to everybody else.
_PAGE_WANTED = [("Accept", "text/html")]
_ERRORS_ON = "on by default; check that GARRISON_ERRORS is not off, and see GARRISON_ERRORS_REPLACE=all"
_HUNG_UP = frozenset({"closed", "reset"})
_LONG = 20_000  # characters: longer than any server's line buffer needs, shorter than most refuse to read
# Each is what a runtime prints, and nothing that an error page says by chance.
_INTERNALS = re.compile(
    r"Traceback \(most recent call last\)"
    r"|File \"[^\"\n]+\", line \d+"
    # V8, and Express's page
    r"|(?:^[^\S\n]+|&nbsp;)at .{1,200}\((?:/|file:|node:|[A-Z]:\\)[^)\n]{0,300}:\d+:\d+\)"
    r"|^[^\S\n]+at [\w.$]+\([\w$]+\.(?:java|kt|scala):\d+\)"
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
    shown: set[tuple[str, int | None]] = set()
    for exchange in errors:
        # What one path shows with one status has one cause, however the traces differ.
        place = (exchange.request.target.partition("?")[0], exchange.reply.status)
        leak, confidence = _internal(exchange.reply.text, seen.site.directory)
        # An app that shows tracebacks or paths as its content (a paste bin) does so on its page too.
        if leak and leak not in normal and leak not in leaks and place not in shown:
            leaks.add(leak)
            shown.add(place)
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
        elif reply.failure == "timeout" or (reply.failure in _HUNG_UP and "20 KB" not in label):
            # A server may well hang up on what is too long; the others are sound HTTP.
            yield seen.finding(label, f"{label} is not answered", confidence=Confidence.LIKELY)


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
        why="A traceback tells where the files are, which libraries run in which version, what the tables "
        "are called and sometimes what is in them. Whoever looks for a way in provokes errors for that.",
        how="The route that raises is asked, and every reply of the audit with a status of 400 or more is "
        "read. A finding is what only a runtime prints: a Python, Node, Java, Go, Ruby or PHP stack. The "
        "directory of the app counts as likely only. What stands on the page as well is content and no "
        "leak. Without a reply to an exception the check is not run.",
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
        why="A debug page shows source, variables and settings, among them keys, to whoever provokes an "
        "error, and some have a console in which they can run code.",
        how="Routes that fail are asked as a browser does, because frameworks show their page to browsers. "
        "A finding is what only such a page holds, of Werkzeug, Django, Starlette, Litestar, Quart, Rails, "
        "Laravel and Symfony.",
        ask=_ask_as_browser,
        judge=_judge_debug,
    ),
    Check(
        id="E4",
        title="Awkward paths and queries are no server error",
        severity=Severity.MEDIUM,
        layers=("REQUEST_LIMITS",),
        cwe=755,
        reference="RFC 9110 section 15.5.1 and 15.5.15",
        fix="answer 400 or 414 to a path or query that the app cannot take",
        garrison="on by default: GARRISON_REQUEST_LIMITS_URL and GARRISON_REQUEST_LIMITS_MAX_URL refuse them",
        why="Robots send such paths all day. Each one that ends in an exception costs work, fills the log "
        "and rings an alarm, so that nobody listens when it matters.",
        how="NUL, bytes that are no UTF-8 and 20 KB of text are sent in the path and in the query. A "
        "finding is a 5xx other than 503, where an ordinary path and query are answered. No reply at all "
        "counts as likely, but for what is too long. A refusal is fine, and so is no notice at all.",
        ask=_ask_awkward,
        judge=_judge_awkward,
    ),
)
