"""Whether the operations that declare a login ask for one."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check, Unjudged, in_time
from garrison_harness.checks.denial import denies_in_words, serves, turns_away
from garrison_harness.checks.inputs import anonymous, mapping, with_path, with_query
from garrison_harness.discovery.examples import resolve
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Reply, Request
    from garrison_harness.finding import Finding
    from garrison_harness.route import Route
    from garrison_harness.site import Site
    from garrison_harness.stage import Stage

_MOST: Final = 24  # operations
_JSON: Final = ("Content-Type", "application/json")
_BROKEN: Final = b'{"garrison": '
# Nothing has this number yet, in a table that a person could fill.
_NOBODYS: Final = "2147480000"
_READING: Final = frozenset({"GET", "HEAD"})
_WRONG: Final = " with a wrong credential"
# What an app says to a stranger whom it does not know and has nothing to tell.
_NOTHING: Final = frozenset({b"", b"null", b"{}", b"[]", b'""', b"false"})
# The app looked at what was sent before it looked at who sent it, if it does at all.
_UNTOLD: Final = frozenset({400, 415, 422, 500})


def _secured(site: Site) -> list[Route]:
    """The operations that declare a login and can be called without harm, those that only read first."""
    declared = [route for route in site.routes if route.secured]
    reading = [route for route in declared if route.method in _READING]
    # What a stranger may do to an app that was not started here, nobody tries out.
    writing = [route for route in declared if route.method not in _READING] if site.started else []
    erasing = [route for route in writing if route.method == "DELETE" and "{" not in route.template]
    return [*reading, *(route for route in writing if route not in erasing)][:_MOST]


def _drive(stage: Stage) -> None:
    site = stage.site
    missing = stage.ask("missing", site.get(site.missing_path, anonymous(site)))
    lines, query = _made_up(site)
    for route in in_time(stage, _secured(site)):
        name = f"{route.method} {route.template}"
        reply = _try(stage, f"{name} as a stranger", route, anonymous(site), [])
        if turns_away(reply):
            _try(stage, f"{name} with a made-up credential", route, [*anonymous(site), *lines], query)
        elif serves(reply, missing):
            _try(stage, f"{name}{_WRONG}", route, [*anonymous(site), *lines], query)


def _try(stage: Stage, label: str, route: Route, lines: list[tuple[str, str]], query: list[str]) -> Reply:
    """Call an operation in a way that does nothing, and as it is meant only where that tells nothing."""
    reply = stage.ask(label, _call(stage.site, route, lines, query, body=_BROKEN))
    if reply.status in _UNTOLD and route.body is not None:
        reply = stage.ask(f"{label}, whole", _call(stage.site, route, lines, query, body=route.body))
    return reply


def _call(
    site: Site, route: Route, lines: list[tuple[str, str]], query: list[str], *, body: bytes
) -> Request:
    target = route.target
    if route.method == "DELETE":
        target = with_path(route, _NOBODYS) or target
    for name in query:
        target = with_query(target, [name], site.canary)
    if route.method in _READING or route.body is None:
        return site.request(route.method, target, lines, plain=False)
    return site.request(route.method, target, [*lines, _JSON], body=body, plain=False)


def _made_up(site: Site) -> tuple[list[tuple[str, str]], list[str]]:
    """Header lines and names of query parameters that hold a credential for every scheme."""
    document = site.document or {}
    declared = mapping(mapping(document.get("components")).get("securitySchemes"))
    lines: dict[str, str] = {}
    query: list[str] = []
    for part in declared.values():
        scheme = resolve(part, document)
        kind, place, name = scheme.get("type"), scheme.get("in"), str(scheme.get("name", ""))
        if kind == "apiKey" and place == "query":
            query.append(name)
        elif kind == "apiKey":
            lines["Cookie" if place == "cookie" else name] = (
                f"{name}={site.canary}" if place == "cookie" else site.canary
            )
        elif kind == "http" and str(scheme.get("scheme")).lower() == "basic":
            pair = base64.b64encode(f"{site.canary}:{site.canary}".encode()).decode()
            lines.setdefault("Authorization", f"Basic {pair}")
        elif kind in {"http", "oauth2", "openIdConnect"}:
            lines["Authorization"] = f"Bearer {site.canary}"
    return list(lines.items()), query


def _judge(seen: Seen) -> Iterator[Finding]:
    if not any(route.secured for route in seen.site.routes):
        raise Unjudged("the document declares no operation that needs a login")
    missing, refused = seen.reply("missing"), False
    for label, exchange in seen.exchanges.items():
        reply = exchange.reply
        refused = refused or turns_away(reply)
        if (
            label == "missing"
            or _WRONG in label
            or not serves(reply, missing)
            or _is_stray_page(label, reply, seen)
        ):
            continue
        name, _, how = label.partition(" with a made-up ")
        name = name.partition(" as a stranger")[0]
        message = (
            f"a made-up credential is as good as a real one for {name}"
            if how
            else f"{name} is answered with {reply.status} without the login that it declares"
        )
        wrong = (seen.reply(other) for other in seen.exchanges if other.startswith(f"{name}{_WRONG}"))
        if optional := not how and any(turns_away(answer) for answer in wrong):
            message += ", though a wrong one is refused: the document does not say that it is optional"
        # Some apps refuse with 200 and words, and some have nothing to give to a stranger.
        empty = exchange.request.method in _READING and reply.body.strip() in _NOTHING
        unsure = optional or empty or denies_in_words(reply)
        confidence = Confidence.LIKELY if unsure else Confidence.CONFIRMED
        yield seen.finding(label, message, show=("content-type",), confidence=confidence)
    if not refused:
        raise Unjudged(
            "no operation that declares a login could be asked in a way that shows who may call it"
        )


def _is_stray_page(label: str, reply: Reply, seen: Seen) -> bool:
    """Whether this is a page, such as that of a login, where the operation declares none."""
    name = label.partition(" as a stranger")[0].partition(" with a made-up ")[0]
    route = next((route for route in seen.site.routes if f"{route.method} {route.template}" == name), None)
    responses = mapping((route.operation or {}).get("responses")) if route else {}
    declared = {
        kind
        for response in responses.values()
        for kind in mapping(resolve(response, seen.site.document or {}).get("content"))
    }
    return reply.is_html and bool(declared) and "text/html" not in declared


CHECKS = (
    Check(
        id="X2",
        title="Operations that declare a login ask for one",
        severity=Severity.HIGH,
        layers=("CONTRACT",),
        needs=(Need.DOCUMENT,),
        cwe=306,
        reference="OWASP API2:2023; ASVS 5.0 V8.2.1",
        fix="check the credential in one place before any handler, and write security: [] in the document "
        "where an operation is meant for everybody",
        garrison="GARRISON_CONTRACT_DOCUMENT names the document, and GARRISON_CONTRACT_SECURITY=verify "
        "holds callers to what it declares",
        why="The document says that an operation is for people with a login, so everybody believes it, and "
        "the handler forgot to ask. Whoever reads the document, which is often public, calls it first.",
        how="Each operation with a security requirement is called without any credential, and where that is "
        "refused, with a made-up one for every scheme. An answer of success is a finding, unless the app "
        "answers the same for a path that it does not have, or with a page where none is declared. It is a "
        "likely one where the answer holds nothing or refuses in words, or where a wrong credential is "
        "refused, so that the login may be optional. What "
        "writes is called with broken JSON first, and only on an app that was started here; what deletes, "
        "with a number that nothing has.",
        drive=_drive,
        judge=_judge,
        sampled=True,
    ),
)
