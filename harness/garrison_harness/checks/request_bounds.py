"""Bodies and header blocks that are too large, too deep or broken are refused, and cheaply."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.exchange import Request
from garrison_harness.finding import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Reply
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

JSON_LINES: Final = [("Content-Type", "application/json"), ("Accept", "application/json")]
_SMALL = b'{"garrison": "check"}'
_PIECE = 64 * 1024
_PAUSE = 2.0  # seconds; a server that refuses on the header answers well within, and ends the pause
_SHORT_PAUSE = 0.5  # seconds; an app that answers without reading the body does so well within
_DEPTH = 100_000
# Ids, times and lengths that an answer is given, whatever was asked.
_MADE_UP = re.compile(r"\b[0-9a-f]{8,}(?:-[0-9a-f]{4,12})*\b|\d+")
# CPython raises for integers of more than 4300 digits (sys.int_info.default_max_str_digits).
_DIGITS = 5000
_NO_ROUTE = frozenset({401, 403, 404, 405, 415, 501})
_LIMITS_ON = "on by default; GARRISON_REQUEST_LIMITS_MAX_BODY sets the bound"


def small_body(site: Site) -> Request:
    """A small JSON body for the route that takes bodies, as a control.

    Args:
        site: Names the route.
    """
    return site.request("POST", site.body_path, JSON_LINES, body=_SMALL)


def require_route(seen: Seen) -> Reply:
    """The reply to the control labelled `small`.

    Args:
        seen: Holds it.

    Raises:
        Unjudged: The route takes no bodies, sends everybody elsewhere, or failed.
    """
    small = seen.reply("small")
    if small.status is not None and (small.status in _NO_ROUTE or 300 <= small.status < 400):
        raise Unjudged(
            f"POST {seen.site.body_path} answers {small.outcome}: name one that takes JSON with --body-path"
        )
    return seen.control("small")


def _oversized(size: int) -> Iterator[bytes]:
    """A JSON string that is `size` bytes long, in pieces."""
    filling = b"a" * _PIECE
    yield b'"' + filling[: min(_PIECE, size) - 1]
    left = size - min(_PIECE, size)
    while left > _PIECE:
        yield filling
        left -= _PIECE
    yield filling[: max(0, left - 1)] + b'"'


def _ask_announced(site: Site) -> Mapping[str, Request]:
    size = site.max_body + 1
    head = site.head("POST", site.body_path, [*JSON_LINES, ("Content-Length", str(size))])
    first, *others = _oversized(size)
    return {
        "small": small_body(site),
        "large": Request(method="POST", target=site.body_path, pieces=(head, first, _PAUSE, *others)),
    }


def _ask_chunked(site: Site) -> Mapping[str, Request]:
    head = site.head("POST", site.body_path, [*JSON_LINES, ("Transfer-Encoding", "chunked")])
    # Most pieces are one and the same object, and so are their chunks: the body takes no memory.
    chunk = cache(lambda piece: b"%x\r\n%b\r\n" % (len(piece), piece))
    first, *others = map(chunk, _oversized(site.max_body + _PIECE))
    pieces: tuple[bytes | float, ...] = (head, first, _SHORT_PAUSE, *others, b"0\r\n\r\n")
    return {"small": small_body(site), "large": Request(method="POST", target=site.body_path, pieces=pieces)}


def _judge_announced(seen: Seen) -> Iterator[Finding]:
    exchange = seen.exchanges["large"]
    if exchange.reply.status == 413 and exchange.reply.sent >= exchange.request.size:
        message = f"413 comes only after all {exchange.request.size} bytes were taken"
        yield seen.finding("large", message, severity=Severity.LOW)
    yield from _judge_size(seen)


def _judge_size(seen: Seen) -> Iterator[Finding]:
    small, large = seen.reply("small"), seen.reply("large")
    total = seen.exchanges["large"].request.size
    early = large.sent < total
    if large.status == 413:
        return
    require_route(seen)
    seen.answer("large")
    if early and (large.status == small.status or large.status is None):
        raise Unjudged(f"POST {seen.site.body_path} answers {large.outcome} without reading the body")
    bound = seen.site.max_body
    if early and 400 <= (large.status or 0) < 500:
        message = f"a body over the bound of {bound} bytes is refused with {large.status} in place of 413"
        yield seen.finding("large", message, severity=Severity.LOW)
        return
    message = f"a body over the bound of {bound} bytes is not refused with 413 but answered {large.outcome}"
    told = seen.site.told_max_body
    yield seen.finding(
        "large",
        message if told else f"{message}: declare the app's own bound with --max-body",
        excerpt=f"{large.sent} of the request's {total} bytes were sent before the reply",
        # An app may take more on purpose.
        confidence=Confidence.CONFIRMED if told else Confidence.LIKELY,
    )


def _ask_deep(site: Site) -> Mapping[str, Request]:
    deep = b"[" * _DEPTH + b"]" * _DEPTH
    digits = b'{"garrison": ' + b"9" * _DIGITS + b"}"
    return {
        "small": small_body(site),
        f"JSON {_DEPTH} levels deep": site.request("POST", site.body_path, JSON_LINES, body=deep),
        f"a number of {_DIGITS} digits": site.request("POST", site.body_path, JSON_LINES, body=digits),
    }


def _ask_broken(site: Site) -> Mapping[str, Request]:
    broken = {
        "JSON that breaks off": b'{"garrison": ',
        "JSON that is no UTF-8": b'{"garrison": "\xff\xfe"}',
        "an empty body": b"",
        "a bare number": b"7",
    }
    asked = {
        label: site.request("POST", site.body_path, JSON_LINES, body=body) for label, body in broken.items()
    }
    return {"small": small_body(site), **asked}


def _judge_json(seen: Seen) -> Iterator[Finding]:
    small = require_route(seen)
    for label, exchange in seen.exchanges.items():
        reply = exchange.reply
        if reply.status is not None and reply.status >= 500 and reply.status != 503:
            yield seen.finding(label, f"{label} is answered with {reply.status}")
        elif reply.failure in {"timeout", "closed", "reset"}:
            yield seen.finding(label, f"{label} gets no reply", confidence=Confidence.LIKELY)
        elif reply.elapsed > small.elapsed + 1.0:
            message = f"{label} keeps the app busy for {reply.elapsed:.1f} s"
            yield seen.finding(label, message, confidence=Confidence.LIKELY)
    if all(_alike(exchange.reply, small) for exchange in seen.exchanges.values()):
        raise Unjudged(
            f"POST {seen.site.body_path} answers alike whatever the body is:"
            " name one that takes JSON with --body-path"
        )


def _alike(reply: Reply, small: Reply) -> bool:
    """Whether a reply says no more of its request than the control's does, as where nobody reads bodies."""
    if reply.status != small.status:
        return False
    # A page may hold a nonce, which is another one each time.
    return (reply.is_html and small.is_html) or _MADE_UP.sub("0", reply.text) == _MADE_UP.sub("0", small.text)


def _ask_headers(site: Site) -> Mapping[str, Request]:
    many: Sequence[tuple[str, str]] = [(f"X-G{number}", "a") for number in range(5000)]
    return {
        "page": site.get(site.path),
        "a header of 100 KB": site.request("GET", site.path, [("X-Garrison", "a" * 100_000)], plain=False),
        "5,000 headers": site.request("GET", site.path, many, plain=False),
    }


def _judge_headers(seen: Seen) -> Iterator[Finding]:
    page = seen.control("page")
    # In process nothing stands before the app that would have refused them.
    served = seen.site.sockets
    confidence = Confidence.CONFIRMED if served else Confidence.LIKELY
    unless = "" if served else ", unless the server in front of the app refuses it"
    for label in ("a header of 100 KB", "5,000 headers"):
        reply = seen.reply(label)
        if reply.status is not None and reply.status >= 500 and reply.status != 503:
            message = f"a request with {label} is answered with {reply.status}{unless}"
            yield seen.finding(label, message, confidence=confidence)
        elif reply.status == page.status:
            message = f"a request with {label} is taken like any other{unless}"
            yield seen.finding(label, message, confidence=confidence)


CHECKS = (
    Check(
        id="R1",
        title="An announced body over the bound is refused before it is sent",
        severity=Severity.MEDIUM,
        layers=("REQUEST_LIMITS",),
        cwe=770,
        reference="RFC 9110 section 15.5.14; OWASP API4:2023",
        fix="compare Content-Length with a bound before reading, answer 413 and close the connection",
        garrison=_LIMITS_ON,
        why="A body that is refused only after it was sent costs the line, the memory or the disk that it"
        " was sent into. One client that sends gigabytes to a route that expects a name is enough.",
        how="A small JSON body is the control. Then a body over the bound of --max-body is announced in "
        "Content-Length and begun. Findings are an answer other than 413 (a likely one where "
        "nobody declared a bound), and, as a low one, a refusal that comes with another status or only "
        "after all of it was taken. A route that takes no small body is judged by a 413 only.",
        ask=_ask_announced,
        judge=_judge_announced,
        alone=True,
    ),
    Check(
        id="R2",
        title="A chunked body is counted, and refused over the bound",
        severity=Severity.MEDIUM,
        layers=("REQUEST_LIMITS",),
        cwe=770,
        reference="RFC 9110 section 15.5.14; OWASP API4:2023",
        fix="count bytes as they arrive, answer 413 past the bound; never trust Content-Length alone",
        garrison=_LIMITS_ON,
        why="A chunked body announces no length, so a bound on Content-Length does not see it, and the "
        "app reads for as long as the client sends.",
        how="A small JSON body is the control. Then a chunked body over the bound of --max-body is sent. "
        "A finding is an answer other than 413, a likely one where nobody declared a bound; an early "
        "refusal with another 4xx is a low one. A route that answers without reading is not judged.",
        ask=_ask_chunked,
        judge=_judge_size,
        alone=True,
    ),
    Check(
        id="R3",
        title="Deeply nested JSON and huge numbers are no server error",
        severity=Severity.MEDIUM,
        layers=("REQUEST_LIMITS",),
        cwe=674,
        reference="OWASP API4:2023",
        fix="bound the depth and the numbers of JSON before it is parsed, and answer 400 or 422",
        garrison="GARRISON_REQUEST_LIMITS_MAX_JSON_DEPTH is 64 by default; "
        "GARRISON_REQUEST_LIMITS_JSON=strict refuses huge numbers too",
        why="Parsers descend with each bracket and run out of stack; converting a number of thousands of "
        "digits takes time that grows with its square, or raises where nobody expects it. A few "
        "kilobytes are enough to fail or to stall a worker.",
        how="A small JSON body is the control. Then come 100,000 nested brackets and a number of 5,000 "
        "digits. A finding is a 5xx; no reply, or one that takes a second longer than the control, is"
        " a likely one. A route that answers alike whatever the body is is not judged.",
        ask=_ask_deep,
        judge=_judge_json,
        alone=True,
    ),
    Check(
        id="R4",
        title="Broken JSON is no server error",
        severity=Severity.MEDIUM,
        layers=("REQUEST_LIMITS",),
        cwe=20,
        reference="RFC 9110 section 15.5.1; ASVS 5.0 V2.2.1",
        fix="answer 400, 415 or 422 to a body that cannot be parsed",
        garrison="GARRISON_REQUEST_LIMITS_JSON=strict refuses broken JSON; the rest is for the app",
        why="A body that nobody could parse is the mistake of its sender. Where the app fails instead, it"
        " wakes people at night, hides real failures among those of strangers, and may show its "
        "inside.",
        how="A small JSON body is the control. Then come JSON that breaks off, JSON that is no UTF-8, no "
        "body and a bare number. A finding is a 5xx; no reply is a likely one. A route that answers alike "
        "whatever the body is is not judged.",
        ask=_ask_broken,
        judge=_judge_json,
    ),
    Check(
        id="R6",
        title="Huge and countless headers are refused",
        severity=Severity.MEDIUM,
        layers=("REQUEST_LIMITS",),
        cwe=770,
        reference="RFC 6585 section 5; OWASP API4:2023",
        fix="bound the size and the number of headers in the server, and answer 431",
        garrison="on by default: GARRISON_REQUEST_LIMITS_MAX_HEADERS and "
        "GARRISON_REQUEST_LIMITS_MAX_HEADER_BYTES",
        why="Every header is parsed, kept and copied for each request. Without a bound some kilobytes of "
        "header lines cost the server many times as much in time and memory.",
        how="The page is the control. Then it is asked with a header of 100 KB, and with 5,000 headers. A"
        " finding is a 5xx, or the answer of the control; in process, without a server that may refuse it, "
        "a likely one.",
        ask=_ask_headers,
        judge=_judge_headers,
    ),
)
