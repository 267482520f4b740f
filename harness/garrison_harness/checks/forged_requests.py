"""Whether another site can make a visitor's browser act: by a form, or by a WebSocket."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.origins import (
    foreign_origin,
    own_origin,
    uses_ambient_credentials,
    with_cookie,
)
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

_FORM: Final = "application/x-www-form-urlencoded"
_FORM_TYPES: Final = (_FORM, "multipart/form-data", "text/plain")
_MOST_ROUTES: Final = 3
_LOGIN: Final = re.compile(r"log-?in|sign-?in|/auth\b", re.IGNORECASE)
_SOCKET_IO: Final = "socket.io/?EIO=4&transport=websocket"
_USUAL_SOCKETS: Final = (
    *("/ws", "/websocket", "/socket", "/api/ws", "/live", "/chat", "/graphql"),
    *(f"/{_SOCKET_IO}", f"/ws/{_SOCKET_IO}"),
)
_SOCKET_PATH: Final = re.compile(
    r"[\"'`](?:wss?://[^/\"'`]*)?(/[\w./-]*\b(?:ws|websocket|socket)\b[\w./-]*)[\"'`]"
)
_MOST_SOCKETS: Final = 14
_LINGER: Final = 0.4  # seconds; who closes a socket for its origin does so at once
_CLOSE: Final = 0x88  # the first byte of a close frame (RFC 6455 section 5.2)


def _drive_forms(stage: Stage) -> None:
    site = stage.site
    stage.ask("page", site.get(site.path))
    # Some answer everything with the same page, which is no sign that a form was taken.
    stage.ask("form to nowhere", _form(site, site.missing_path, own_origin(site), "same-origin", _FORM))
    for number, target in enumerate(_form_targets(site), 1):
        for kind in (_FORM, "text/plain"):
            label = f"form {number} as {kind.partition('/')[2]}"
            own = stage.ask(f"own {label}", _form(site, target, own_origin(site), "same-origin", kind))
            if _is_taken(own):
                foreign = _form(site, target, foreign_origin(site), "cross-site", kind)
                stage.ask(f"foreign {label}", foreign)
                break


def _form_targets(site: Site) -> list[str]:
    """Where forms go: the body path, routes that are declared to take them, and those of the app's own pages.

    The last only where the app was started here, and nobody misses what they do.
    """
    routes = [route for route in site.routes if route.method == "POST"]
    declared = [route.target for route in routes if _takes_forms(route)]
    written = [route.target for route in routes if route.source == "crawl" and site.started]
    return list(dict.fromkeys((site.body_path, *declared[:_MOST_ROUTES], *written[:_MOST_ROUTES])))


def _takes_forms(route: Route) -> bool:
    body = (route.operation or {}).get("requestBody")
    content = body.get("content") if isinstance(body, dict) else None
    return isinstance(content, dict) and any(str(kind).startswith(_FORM_TYPES) for kind in content)


def _form(site: Site, target: str, origin: str, where: str, kind: str) -> Request:
    """A form that a page of that origin sends, as browsers word it."""
    headers = [
        ("Origin", origin),
        ("Referer", f"{origin}/"),
        ("Sec-Fetch-Site", where),
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-Dest", "document"),
        ("Content-Type", kind),
    ]
    body = b"garrison=" + site.canary.encode("ascii") if kind == _FORM else b"{}"
    return site.request("POST", target, with_cookie(site, headers), body=body)


def _is_taken(reply: Reply) -> bool:
    """Whether the app has done what it was asked; sending to a login is a refusal."""
    status = reply.status or 0
    if reply.failure or not 200 <= status < 400:
        return False
    return status < 300 or not _LOGIN.search(reply.get("location"))


def _judge_forms(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    compared = {
        label: seen.exchanges[label.replace("foreign ", "own ", 1)]
        for label in seen.exchanges
        if label.startswith("foreign ")
    }
    if not compared:
        raise Unjudged("no route takes a form from the app's own pages: name one that does with --body-path")
    nowhere = seen.reply("form to nowhere")
    if all(_answer(own.reply) == _answer(nowhere) for own in compared.values()):
        raise Unjudged(
            "the app answers a form in the same way at a path that it does not have, so that it may take"
            " none: name a route that does with --body-path"
        )
    with_cookies = uses_ambient_credentials(seen)
    sure = with_cookies and not _is_taken(nowhere)
    written = {route.target for route in seen.site.routes if route.source == "crawl"}
    for label, own in compared.items():
        if _is_taken(seen.reply(label)) and _answer(own.reply) != _answer(nowhere):
            message = "a form on any other site is taken as if a visitor of this one had sent it"
            if not with_cookies:
                message += ", if the app knows its visitors by a cookie"
            # A form that was sent without its fields may be answered with success and have done nothing.
            told = own.request.target == seen.site.body_path or own.request.target not in written
            confidence = Confidence.CONFIRMED if sure and told else Confidence.LIKELY
            sent = f"sent with Origin: {foreign_origin(seen.site)}, Sec-Fetch-Site: cross-site and a cookie"
            lines = [f"{own.summary}, as from a page of its own"]
            yield seen.finding(label, message, excerpt=sent, lines=lines, confidence=confidence)
            return


def _answer(reply: Reply) -> tuple[int | None, bytes]:
    """What tells one page of an app from another."""
    return reply.status, reply.body


def _drive_sockets(stage: Stage) -> None:
    site = stage.site
    page = stage.ask("page", site.get(site.path))
    declared = [route.target for route in site.routes if route.method == "WEBSOCKET"]
    written = _SOCKET_PATH.findall(page.text) if page.is_html else []
    paths = dict.fromkeys((*declared, *written, site.path, *_USUAL_SOCKETS))
    for path in list(paths)[:_MOST_SOCKETS]:
        own = stage.ask(f"own {path}", _handshake(site, path, own_origin(site)))
        if _is_open(own):
            foreign = _handshake(site, path, foreign_origin(site), linger=_LINGER)
            stage.ask(f"foreign {path}", foreign)


def _handshake(site: Site, path: str, origin: str, *, linger: float = 0.0) -> Request:
    """A WebSocket handshake of a page of that origin (RFC 6455 section 4.1)."""
    headers = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", base64.b64encode(site.canary.encode("ascii")[:16].ljust(16, b"-")).decode()),
        ("Origin", origin),
    ]
    return site.request("GET", path, with_cookie(site, headers), plain=False, linger=linger)


def _is_open(reply: Reply) -> bool:
    """Whether a handshake was accepted, and not closed in the next moment."""
    return reply.status == 101 and reply.rest[:1] != bytes([_CLOSE])


def _judge_sockets(seen: Seen) -> Iterator[Finding]:
    compared = [label for label in seen.exchanges if label.startswith("foreign ")]
    if not compared:
        seen.control("page")
        raise Unjudged("no WebSocket is known that opens for the app's own pages")
    sure = Confidence.CONFIRMED if uses_ambient_credentials(seen) else Confidence.LIKELY
    for label in compared:
        if _is_open(seen.reply(label)):
            message = "a page of any other site may open this WebSocket with its visitors' cookies"
            sent = f"sent with Origin: {foreign_origin(seen.site)} and a cookie"
            yield seen.finding(label, message, excerpt=sent, confidence=sure)
            return


_GUARD: Final = (
    "GARRISON_CROSS_ORIGIN_MODE=enforce; GARRISON_CROSS_ORIGIN_POSTING lists other origins that may do so"
)
CHECKS: Final = (
    Check(
        id="O6",
        title="Other sites cannot open WebSockets in a visitor's name",
        # Refusing may break an app whose pages live elsewhere: off until told.
        severity=Severity.LOW,
        layers=("CROSS_ORIGIN",),
        needs=(Need.SOCKET,),
        cwe=1385,
        reference="RFC 6455 section 10.2; ASVS 5.0 V4.4.2",
        fix="compare the Origin of every handshake with a list, and refuse with 403 what is not on it",
        garrison=_GUARD,
        why=(
            "No rule of browsers keeps a page of another site from opening a WebSocket to the app, and the"
            " visitor's cookies go along. What the socket says and does is then the other site's to read and"
            " do."
        ),
        how=(
            "Paths that the app declares, that its page names, and a few usual ones are asked for a"
            " handshake from the app's own origin. One that opens is asked again from an origin that was"
            " made up for this audit. Opening for it as well is the fault; closing at once is not. It is a"
            " likely one where the app has set no cookie."
        ),
        drive=_drive_sockets,
        judge=_judge_sockets,
    ),
    Check(
        id="O7",
        title="Other sites cannot send forms in a visitor's name",
        severity=Severity.LOW,
        layers=("CROSS_ORIGIN",),
        cwe=352,
        reference="Fetch Metadata; OWASP CSRF Prevention; ASVS 5.0 V3.5.1",
        fix=(
            "refuse unsafe requests whose Sec-Fetch-Site is cross-site, or whose Origin is not the app's"
            " own, and ask for a token in every form"
        ),
        garrison=_GUARD,
        why=(
            "Any page on the web can hold a form for the app and send it by itself. The visitor's browser"
            " adds the session cookie, and the app changes a password or sends money as if the visitor had"
            " asked (cross-site request forgery)."
        ),
        how=(
            "A form goes to the body path, to routes that are declared to take forms, and, where the app was"
            " started here, to those of its pages' forms, as a page of its own origin would send it. One that"
            " is taken is sent again as a page of an origin that was made up would send it, with Origin,"
            " Sec-Fetch-Site: cross-site and a cookie. Taking it as well is the fault. It is a likely one"
            " where the app has set no cookie, where it takes forms at a path that does not exist, and for a"
            " form of a page, which is sent without its fields. Where a form without a token is refused, or"
            " answered as at that path, nothing is judged."
        ),
        drive=_drive_forms,
        judge=_judge_forms,
    ),
)
