"""Whether a body that the app refuses gets past its checks in another wrapping."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.inputs import mapping
from garrison_harness.discovery.examples import resolve
from garrison_harness.exchange import Request
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from garrison_harness.checks.check import Seen
    from garrison_harness.finding import Finding
    from garrison_harness.route import Route
    from garrison_harness.site import Site
    from garrison_harness.stage import Stage

_MOST_ROUTES: Final = 4
_JSON: Final = "application/json"
_WRITING: Final = frozenset({"POST", "PUT", "PATCH"})
# What an app says of a body that it cannot take; a 404 or a 401 came before anybody looked at it.
_REFUSED: Final = frozenset({400, 422})
# The same media type to every reader that keeps RFC 9110 section 8.3.1.
_SAME_TYPE: Final = {
    "capital letters": "Application/JSON",
    "a charset": "application/json;charset=utf-8",
    "a parameter": 'application/json ; garrison="1"',
}
_OTHER_TYPE: Final = {
    "a type of its own": "application/vnd.garrison+json",
    "plain text": "text/plain",
    "no type": "",
}
_FIRST_CHUNK: Final = 3  # bytes


def _drive_types(stage: Stage) -> None:
    for route, body in _refused_bodies(stage):
        for name, media_type in {**_SAME_TYPE, **_OTHER_TYPE}.items():
            request = _post(stage.site, route, body, media_type)
            stage.ask(f"{name} at {route.method} {route.template}", request)


def _drive_chunks(stage: Stage) -> None:
    for route, body in _refused_bodies(stage):
        for name, make in _CHUNKED.items():
            stage.ask(f"{name} at {route.method} {route.template}", make(stage.site, route, body))


def _refused_bodies(stage: Stage) -> Iterator[tuple[Route, bytes]]:
    """Operations with a body that they refuse, which is asked for here; nothing is stored by that."""
    found = 0
    # To an app that was not started here nothing is written, and what passes might be.
    for route in stage.site.routes if stage.site.started else ():
        if route.method not in _WRITING or route.body is None or found >= _MOST_ROUTES:
            continue
        for number, body in enumerate(_broken_bodies(route.body), 1):
            label = f"control {number} at {route.method} {route.template}"
            if stage.ask(label, _post(stage.site, route, body, _JSON)).status in _REFUSED:
                found += 1
                yield route, body
                break


def _broken_bodies(valid: bytes) -> list[bytes]:
    """Bodies in sound JSON that a schema for this example refuses, the most likely first."""
    example: Any = json.loads(valid)
    broken: list[Any] = []
    if isinstance(example, dict) and example:
        name, value = next(iter(example.items()))
        broken.append({**example, name: [[]] if isinstance(value, dict) else {"garrison": 1}})
        broken.append({key: part for key, part in example.items() if key != name})
    broken.append("garrison" if isinstance(example, (dict, list)) else {"garrison": 1})
    return [json.dumps(body).encode() for body in broken]


def _post(site: Site, route: Route, body: bytes, media_type: str) -> Request:
    return site.request(route.method, route.target, [("Content-Type", media_type)], body=body, plain=False)


def _in_chunks(
    site: Site, route: Route, body: bytes, *, coding: str = "chunked", size: int, note: str = ""
) -> Request:
    lines = [("Content-Type", _JSON), ("Transfer-Encoding", coding)]
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    chunks = b"".join(f"{len(piece):x}{note}\r\n".encode() + piece + b"\r\n" for piece in pieces)
    head = site.head(route.method, route.target, lines)
    return Request(
        method=route.method, target=route.target, pieces=(head + chunks + b"0\r\n\r\n",), plain=False
    )


_CHUNKED: Final[dict[str, Callable[[Site, Route, bytes], Request]]] = {
    "one chunk": lambda site, route, body: _in_chunks(site, route, body, size=len(body)),
    "chunks of three bytes": lambda site, route, body: _in_chunks(site, route, body, size=_FIRST_CHUNK),
    "Chunked in capitals": lambda site, route, body: _in_chunks(
        site, route, body, coding="Chunked", size=len(body)
    ),
    "chunks with an extension": lambda site, route, body: _in_chunks(
        site, route, body, size=len(body), note=";garrison=1"
    ),
}


def _judge_wrapped(seen: Seen) -> Iterator[Finding]:
    if not seen.site.started:
        raise Unjudged(
            "nothing is written to an app that was not started here: give module:attribute or a command"
        )
    wrapped = {
        label: exchange for label, exchange in seen.exchanges.items() if not label.startswith("control")
    }
    reported: set[str] = set()
    for label, exchange in wrapped.items():
        name, _, route = label.partition(" at ")
        status = exchange.reply.status or 0
        if route in reported or not (200 <= status < 300 or (status >= 500 and status not in {501, 503})):
            continue
        if name in _OTHER_TYPE and not (200 <= status < 300 and _needs_json(route, seen.site)):
            continue
        reported.add(route)
        what = "is taken" if status < 300 else f"fails with {status}"
        yield seen.finding(
            label,
            f"a body that {route} refuses {what} with {name}",
            # A handler may have no use for the body.
            confidence=Confidence.LIKELY if name in _OTHER_TYPE else Confidence.CONFIRMED,
        )
    if not wrapped:
        raise Unjudged("no operation with a JSON body refuses one that its schema does not allow")


def _needs_json(name: str, site: Site) -> bool:
    """Whether an operation needs a body, and declares JSON as the only type it takes."""
    route = next(route for route in site.routes if f"{route.method} {route.template}" == name)
    body = resolve((route.operation or {}).get("requestBody"), site.document or {})
    return body.get("required") is True and set(mapping(body.get("content"))) == {_JSON}


CHECKS = (
    Check(
        id="P1",
        title="A body is checked however its type is written",
        severity=Severity.MEDIUM,
        needs=(Need.DOCUMENT,),
        cwe=436,
        reference="RFC 9110 section 8.3.1; OWASP API8:2023",
        fix="compare media types without regard to case and parameters, and answer 415 to all that the "
        "operation does not declare",
        garrison="GARRISON_CONTRACT_DOCUMENT names the document, and every spelling is held to it",
        why="The layer that checks bodies looks for application/json, and the framework behind it also "
        "reads Application/JSON. Whoever writes it so gets anything past the check, and the handler relies "
        "on it.",
        how="Operations with a JSON body get one in sound JSON that their schema does not allow. Where they "
        "refuse it, the same body is sent with its type in capitals, with a charset and a parameter, and "
        "with other types. A finding is an answer of success, or a failure behind the check. That it is "
        "taken with another type counts as likely only.",
        drive=_drive_types,
        judge=_judge_wrapped,
        sampled=True,
    ),
    Check(
        id="P2",
        title="A body is checked in chunks too",
        severity=Severity.MEDIUM,
        needs=(Need.DOCUMENT,),
        cwe=444,
        reference="RFC 9112 section 7.1; OWASP API8:2023",
        fix="look at the body as it arrives, and never at Content-Length to see whether there is one",
        garrison="GARRISON_CONTRACT_DOCUMENT names the document, and bodies are counted as they arrive",
        why="A request may send its body in chunks and say no length. A layer that takes a missing "
        "Content-Length for a missing body checks nothing, and hands the body on.",
        how="Operations with a JSON body get one that their schema does not allow. Where they refuse it, "
        "the same body is sent in one chunk, in many, with Chunked in capitals, and with an extension. A "
        "finding is an answer of success, or a failure behind the check.",
        drive=_drive_chunks,
        judge=_judge_wrapped,
        sampled=True,
    ),
)
