"""Draws the requests of a load out of an OpenAPI document, and says which operations it leaves out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from garrison_harness.discovery.document import routes_of
from garrison_harness.discovery.examples import resolve
from garrison_harness.finding import printable
from garrison_harness.load.requests.linking import Declared, linked
from garrison_harness.load.requests.operation import examples_for, is_sure
from garrison_harness.load.requests.parameters import forms_of, parameters_in
from garrison_harness.load.requests.spec import READING, RequestSpec, parameters_of
from garrison_harness.load.requests.values import CannotMakeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from garrison_harness.route import Route

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
"""Methods that a load can send."""

MOST: Final = 500
"""Operations that are taken from one document."""

_WEIGHTS: Final[Mapping[str, int]] = {"GET": 8, "HEAD": 2, "POST": 2}
_MOST_TAGS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An operation that is not asked for.

    Attributes:
        name: Its method and path.
        reason: Why not, without a capital letter.
    """

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What a document comes to.

    Attributes:
        specs: The requests.
        left_out: The operations that there is no request for.
        secured: The names of those whose callers have to authenticate, as the document says.
        unsaid: The names of those that read, and of whose reply the document has no schema.
    """

    specs: tuple[RequestSpec, ...]
    left_out: tuple[LeftOut, ...] = ()
    secured: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()

    def describe(self) -> list[str]:
        """What its reader has to know before the load, a line each."""
        lines = []
        if self.left_out:
            first = self.left_out[0]
            more = f", and {len(self.left_out) - 1} more" if len(self.left_out) > 1 else ""
            lines.append(
                f"{len(self.left_out)} of {len(self.left_out) + len(self.specs)} operations are left out:"
                f" {printable(f'{first.name} ({first.reason})')}{more}"
            )
        if self.secured:
            count = len(self.secured)
            which = "an operation wants" if count == 1 else f"{count} operations want"
            lines.append(
                f"{which} a login by the document, such as {printable(self.secured[0])}: give it with"
                " --header 'Authorization: ...'"
            )
        return lines


def draw(document: Mapping[str, Any], methods: Sequence[str] = METHODS) -> Drawn:
    """The requests that a document allows, with examples of their parameters and bodies.

    What is made is made so that it keeps the document's schemas. A DELETE is there only where the id of what
    it deletes comes from a reply: nothing is deleted that the load has not made.

    Args:
        document: An OpenAPI 3 document, as `parse_document` gives it.
        methods: Only these.
    """
    declared: list[Declared] = []
    left_out, secured, unsaid = [], [], []
    for route, listed in _operations(document):
        name = f"{route.method} {route.template}"
        if route.method not in METHODS:
            continue
        if len(declared) == MOST:
            left_out.append(LeftOut(name=name, reason=f"there are more than {MOST}"))
            continue
        try:
            declared.append(_declared(route, listed, document, methods))
        except CannotMakeError as error:
            left_out.append(LeftOut(name=name, reason=str(error)))
            continue
        if route.secured:
            secured.append(name)
        if route.method == "GET" and not _schemas(route.operation or {}, document):
            unsaid.append(name)
    specs = linked(declared, document)
    kept = tuple(spec for spec in specs if not _destroys(spec))
    left_out += [
        LeftOut(name=f"{spec.method} {spec.path}", reason="no reply says what it may delete")
        for spec in specs
        if _destroys(spec)
    ]
    names = {f"{spec.method} {spec.path}" for spec in kept}
    return Drawn(
        specs=_told_apart(kept),
        left_out=tuple(left_out),
        secured=tuple(name for name in secured if name in names),
        unsaid=tuple(name for name in unsaid if name in names),
    )


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[Route, list[object]]]:
    """Every operation with the parameters that count for it."""
    shared = {}
    for item in document["paths"].values():
        found = resolve(item, document)
        shared.update({id(inner): found.get("parameters") for inner in found.values()})
    for route in routes_of(document):
        operation: Mapping[str, Any] = route.operation or {}
        lists = (shared.get(id(operation)), operation.get("parameters"))
        yield route, [one for listed in lists if isinstance(listed, list) for one in listed]


def _declared(
    route: Route, listed: Sequence[object], document: Mapping[str, Any], methods: Sequence[str]
) -> Declared:
    if route.method not in methods:
        raise CannotMakeError(f"its method is not among {', '.join(methods)}")
    operation: Mapping[str, Any] = route.operation or {}
    if _is_endless(operation, document):
        raise CannotMakeError("its reply is a stream without an end")
    parameters = parameters_in(listed, document)
    tags = operation.get("tags")
    named = [tag for tag in tags if isinstance(tag, str) and tag] if isinstance(tags, list) else []
    kind = "read" if route.method in READING else "write"
    spec = RequestSpec(
        method=route.method,
        path=route.template,
        name=route.template,
        examples=examples_for(route.template, parameters, operation, document),
        weight=_WEIGHTS.get(route.method, 1),
        tags=tuple(dict.fromkeys((kind, *named)))[:_MOST_TAGS],
        sure=is_sure(route.template, parameters, document),
    )
    return Declared(spec=spec, operation=operation, forms=forms_of(parameters, document))


def _is_endless(operation: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Whether a reply brings server-sent events only: a client would wait until it is cut off."""
    return {kind for kind, _ in _contents(operation, document)} == {"text/event-stream"}


def _schemas(operation: Mapping[str, Any], document: Mapping[str, Any]) -> list[object]:
    """What is said of replies; nothing for a schema that allows everything."""
    return [
        said for _, form in _contents(operation, document) if (said := resolve(form, document).get("schema"))
    ]


def _contents(operation: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """The media types of replies with a status of 2xx, and what is said of each."""
    responses = operation.get("responses")
    for status, reply in responses.items() if isinstance(responses, dict) else ():
        content = resolve(reply, document).get("content") if str(status).startswith("2") else None
        yield from content.items() if isinstance(content, dict) else ()


def _destroys(spec: RequestSpec) -> bool:
    """Whether it may delete what the load has not made."""
    known = spec.takes.count("{}") if spec.takes else -1
    return spec.method == "DELETE" and known != len(parameters_of(spec.path))


def _told_apart(specs: Sequence[RequestSpec]) -> tuple[RequestSpec, ...]:
    """Names that are there once: some documents tell operations apart by a fragment."""
    counts = Counter((spec.method, spec.name) for spec in specs)
    if all(count == 1 for count in counts.values()):
        return tuple(specs)
    return tuple(
        replace(spec, name=f"{spec.name} ({number})") if counts[spec.method, spec.name] > 1 else spec
        for number, spec in enumerate(specs)
    )
