"""Values that handlers forget, in every place that the OpenAPI document lets a caller fill in."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.inputs import briefly, kinds, parameters, with_path, with_query
from garrison_harness.exchange import Request
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Reply
    from garrison_harness.finding import Finding
    from garrison_harness.route import Route
    from garrison_harness.site import Site
    from garrison_harness.stage import Stage

_MOST_ROUTES: Final = 40
_MOST_REQUESTS: Final = 240
_SECONDS: Final = 6.0  # that it may take; what is left out by then is the later values of each operation
_MOST_FINDINGS: Final = 20
_MOST_PROPERTIES: Final = 4
_BODIED: Final = frozenset({"POST", "PUT", "PATCH"})
# Who is turned away with the example is turned away with everything else.
_CLOSED: Final = frozenset({401, 403, 404, 405, 429, 503})
# 501, 502, 503 and 504 are what somebody meant to say.
_FAILURES: Final = frozenset({500, *range(505, 600)})

# As they are sent in a path or a query. Each has broken programs that read it as a number, a date, a name.
_TEXTS: Final = {
    "a number beyond 64 bits": "9223372036854775808",
    "a negative number": "-1",
    "a NUL": "%00",
    "bytes that are no UTF-8": "%ff%fe",
    "half of a surrogate pair": "%ed%a0%80",
    "NaN": "NaN",
    "a number beyond every double": "1e400",
    "a number of 5000 digits": "9" * 5000,
    "a quotation mark": "%27%22",
    "an emoji": "%F0%9F%92%A9",
    "digits of another script": "%D9%A3",
    "brackets": "%5B%5D%7B%7D",
    "nothing": "",
}
# For places that take numbers; elsewhere it is a text like others.
_ZERO: Final = "zero"
_NUMBERS: Final = frozenset({"integer", "number"})
# As they stand in JSON, where Python's encoder would not write some of them.
_VALUES: Final = {
    "null": "null",
    "a number beyond 64 bits": "9223372036854775808",
    "a negative number": "-1",
    "half of a surrogate pair": '"\\ud800"',
    "a NUL": '"\\u0000"',
    "an object": "{}",
    "an array": "[]",
    "a number beyond every double": "1e400",
    "empty text": '""',
    "a truth value": "true",
    "a number of 5000 digits": "9" * 5000,
    "NaN": "NaN",
}
_BODIES: Final = {
    "no object": "[]",
    "null": "null",
    "text": '"garrison"',
    "an empty object": "{}",
    "nothing": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One request with one hostile value in it.

    Attributes:
        name: The value, and the place where it is.
        request: What is sent.
    """

    name: str
    request: Request


def _operations(site: Site) -> list[Route]:
    """The operations to ask: those that write only where the app was started here, and none that deletes."""
    writing = _BODIED if site.started else frozenset()
    declared = [
        route
        for route in site.routes
        # Of a body that is no JSON there is no example, and without one the rest is not looked at.
        if route.source == "openapi"
        and route.target != site.error_path
        and (route.body is not None or "requestBody" not in (route.operation or {}))
    ]
    return [route for route in declared if route.method == "GET" or route.method in writing][:_MOST_ROUTES]


def _drive(stage: Stage) -> None:
    site, until = stage.site, time.monotonic() + _SECONDS
    healthy: list[Route] = []
    for route in _operations(site):
        reply = stage.ask(_label(route, "as declared"), _send(site, route, route.target, route.body))
        # A stream that does not end would not end for any value; an example's name need not exist.
        unknown = reply.status == 404 and "{" in route.template
        if unknown or (reply.failure != "timeout" and reply.status not in _CLOSED):
            healthy.append(route)
    failed: set[str] = set()
    # The first value of each operation, then the second: the bound cuts off what is least telling.
    rounds = zip_longest(*(_cases(site, route) for route in healthy))
    cases = ((route, case) for turn in rounds for route, case in zip(healthy, turn, strict=True) if case)
    for number, (route, case) in enumerate(cases):
        if number >= _MOST_REQUESTS or time.monotonic() > until:
            break
        name = _label(route, "")
        if name not in failed and _fails(stage.ask(_label(route, case.name), case.request)):
            failed.add(name)
            stage.ask(_label(route, f"{case.name}, again"), case.request)


def _label(route: Route, case: str) -> str:
    return f"{route.method} {route.template} {case}"


def _fails(reply: Reply) -> bool:
    return reply.status in _FAILURES


def _cases(site: Site, route: Route) -> Iterator[_Case]:
    """All values in all places of an operation, one place after the other for each value."""
    places = [_in_parameters(site, route), *_in_body(site, route)]
    return (case for turn in zip_longest(*places) for case in turn if case)


def _in_parameters(site: Site, route: Route) -> Iterator[_Case]:
    declared = parameters(route, site)
    named = [str(found["name"]) for found in declared if found.get("in") == "query"][:_MOST_PROPERTIES]
    numbers = {str(found["name"]) for found in declared if kinds(found, site) & _NUMBERS}
    counted = any(f"{{{name}}}" in route.template for name in numbers)
    for text, value in {_ZERO: "0", **_TEXTS}.items():
        for name in named:
            if text == _ZERO and name not in numbers:
                continue
            target = with_query(route.target, [name], value)
            yield _Case(name=f"{text} as {name}", request=_send(site, route, target, route.body))
        # Nothing in place of a segment is another path.
        filled = with_path(route, value) if value and (counted or text != _ZERO) else None
        if filled is not None:
            yield _Case(name=f"{text} in the path", request=_send(site, route, filled, route.body))


def _in_body(site: Site, route: Route) -> Sequence[Iterator[_Case]]:
    if route.body is None:
        return ()
    try:
        example: Any = json.loads(route.body)
    except ValueError:
        return ()
    properties = list(example)[:_MOST_PROPERTIES] if isinstance(example, dict) else []
    within = (
        _Case(
            name=f"{text} as {name} of the body",
            request=_send(site, route, route.target, _with(example, name, value)),
        )
        for text, value in {_ZERO: "0", **_VALUES}.items()
        for name in properties
        if text != _ZERO or type(example[name]) in {int, float}
    )
    whole = (
        _Case(name=f"{text} as the body", request=_send(site, route, route.target, value.encode()))
        for text, value in _BODIES.items()
    )
    return within, whole


def _with(example: dict[str, Any], name: str, value: str) -> bytes:
    """The example as JSON, with a value that is written as it stands."""
    others = [f"{json.dumps(key)}: {json.dumps(part)}" for key, part in example.items() if key != name]
    return f"{{{', '.join([*others, f'{json.dumps(name)}: {value}'])}}}".encode()


def _send(site: Site, route: Route, target: str, body: bytes | None) -> Request:
    lines = [("Content-Type", "application/json")] if body is not None else []
    return briefly(site.request(route.method, target, lines, body=body, plain=False))


def _judge(seen: Seen) -> Iterator[Finding]:
    failures = [label for label, exchange in seen.exchanges.items() if _fails(exchange.reply)]
    for label in failures[: 2 * _MOST_FINDINGS]:
        reply = seen.reply(label)
        operation, usual = _operation(seen, label)
        if label == usual:
            message = f"{operation} is answered with {reply.status} for an example made from the document"
            yield seen.finding(label, message, confidence=Confidence.LIKELY)
        elif usual not in failures and f"{label}, again" in seen.exchanges:
            case = label.removeprefix(f"{operation} ")
            # Once may be chance.
            sure = Confidence.CONFIRMED if f"{label}, again" in failures else Confidence.LIKELY
            message = f"{operation} is answered with {reply.status} for {case}"
            yield seen.finding(label, message, excerpt=_content(seen, label), confidence=sure)
    if all(label.endswith(" as declared") for label in seen.exchanges):
        raise Unjudged("no operation of the document can be asked without harm, or all turn everybody away")


def _content(seen: Seen, label: str) -> str:
    """What the request holds beside its target, as evidence."""
    pieces = [piece for piece in seen.exchanges[label].request.pieces if isinstance(piece, bytes)]
    content = b"".join(pieces).partition(b"\r\n\r\n")[2]
    return f"with {content.decode('utf-8', 'replace')}" if content else ""


def _operation(seen: Seen, label: str) -> tuple[str, str]:
    """The operation's name, and the label of its request as declared."""
    names = (f"{route.method} {route.template}" for route in seen.site.routes)
    name = next(
        name for name in names if f"{name} as declared" in seen.exchanges and label.startswith(f"{name} ")
    )
    return name, f"{name} as declared"


CHECKS = (
    Check(
        id="E6",
        title="No value that a caller can send makes the app fail",
        severity=Severity.MEDIUM,
        layers=("CONTRACT",),
        needs=(Need.DOCUMENT,),
        cwe=754,
        reference="OWASP API8:2023; ASVS 5.0 V16.5.4",
        fix="validate every parameter and the body against the schema before the handler sees them, and "
        "answer 400 or 422",
        garrison="GARRISON_CONTRACT_DOCUMENT names the document, and what it does not allow never arrives",
        why="A value that nobody thought of ends in an exception: a number that the database cannot hold, a "
        "text that cannot be encoded, null where an object was. Callers learn where the app breaks, alarms "
        "ring for nothing, and some of these exceptions leave half of the work done.",
        how="Every operation is asked as the document declares it. Where that does not fail, each of its "
        "parameters and properties gets values that have broken programs before, numbers zero and -1 too, "
        "at most 240 requests in all and a few seconds. A finding is a 500 that comes twice for the same "
        "request. An operation that fails for a sound example counts as likely only; 501 to 504 do not "
        "count. What writes is asked only where the app was started here, and nothing that deletes.",
        drive=_drive,
        judge=_judge,
        sampled=True,
    ),
)
