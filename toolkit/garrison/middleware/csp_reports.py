"""Takes the reports that browsers send about pages, and writes each kind of them once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import orjson

from garrison.asgi import content_length, header
from garrison.context import enter
from garrison.csp.reports import read_reports
from garrison.events import EventLog, event_log
from garrison.json_bounds import is_deeper
from garrison.problems import Problem, reject
from garrison.ratelimit.client import network_of
from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.quota import Quota
from garrison.redaction import Redaction, Redactor
from garrison.rules import routed_path
from garrison.security_events import INPUT_FAIL
from garrison.settings import validate
from garrison.short_body import Refusal, read_short_body, too_large
from garrison.sightings import Sightings
from garrison.units import Duration, Size

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from garrison.context import RequestContext
    from garrison.csp.reports import BrowserReport, Violation

# CSP Level 3 section 5.3 and Reporting API section 3.3.
MEDIA_TYPES: Final = frozenset({b"application/csp-report", b"application/reports+json"})
# It stands in header values, where it is not quoted; two slashes would begin the name of another host.
PATH: Final = re.compile(r"/(?!/)[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]")

# Chromium keeps no more than this of one page, and sends all of it at once.
REPORTS: Final = 100
# Objects in objects in an array are three levels.
DEPTH: Final = 16
# No deadline of another layer is above this one, and a report is a few packets.
SECONDS: Final = 10.0
# Whoever floods the log chooses what to report, so that there must be an end to it.
EVENTS: Final = 1000
CLIENTS: Final = 10_000

OTHER_METHOD: Final = Problem(status=405, detail="Reports are sent with POST.")
OTHER_TYPE: Final = Problem(
    status=415, detail="Reports are application/csp-report or application/reports+json."
)
TOO_DEEP: Final = Problem(status=400, detail=f"The JSON is nested deeper than {DEPTH} levels.")
NO_JSON: Final = Problem(status=400, detail="The report is not valid JSON.")
NO_REPORT: Final = Problem(status=400, detail="There is no report in the JSON.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CspReports:
    """Where browsers report what a Content-Security-Policy and its like block, or would block.

    Each kind of violation is the event `csp_violation` once in a period, and other reports are
    `browser_report`; how many were left out since is `suppressed` in the next event. What extensions of a
    visitor's browser cause is left out altogether. Every report is the word of a stranger.

    Attributes:
        path: where reports go, such as `/csp-reports`; the policies of this app name it. Only pages of the
            same origin report there. Empty: no reports are taken.
        max_body: bytes of one upload; more is a 413. Chromium sends up to 100 reports at once.
        rate: uploads that are read from one client address in a minute, by each process. More of them get
            the same 204, because a browser would send a refused one again.
        period: how long the same kind of report is not written again; at most 1000 kinds are in a period.
        samples: whether the first 40 characters of a blocked script or style are written, where the browser
            sends them; they may hold data of a user.
    """

    path: str = ""
    max_body: Size = 256 * 1024
    rate: int = 120
    period: Duration = 3600.0
    samples: bool = False

    def __post_init__(self) -> None:
        validate(self)
        validate(
            self,
            ("path", not self.path or PATH.fullmatch(self.path) is not None, "a path such as /csp-reports"),
            ("max_body", self.max_body >= 1, "at least 1 byte"),
            ("rate", self.rate >= 1, "at least 1"),
            ("period", self.period >= 1, "at least 1s"),
        )


class CspReportsMiddleware:
    """Answers `POST` on its path with a 204 in place of the app; every other request passes.

    Args:
        app: the app below.
        settings: the section.
        redaction: what is masked.
        log: where the events go; standard output as JSON unless given.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: CspReports = CspReports(),
        *,
        redaction: Redaction = Redaction(),
        log: EventLog | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.app = app
        self._path = settings.path
        self._max_body = settings.max_body
        self._samples = settings.samples
        self._redactor = Redactor(redaction)
        self._log = log or event_log()
        self._quotas = (Quota(name="minute", limit=settings.rate, period=60.0),)
        self._uploads = MemoryStore(clock=clock, bound=CLIENTS)
        self._told = Sightings(bound=EVENTS, period=settings.period, clock=clock)
        self._suppressed = 0
        # An app that puts it on by itself may have a path of its own.
        self._mount = f"csp_reports {settings.path}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http`; `websocket`, `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] != "http" or not self._path:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if (
            not context.mount(self._mount, self)
            # Nearly every request ends here, before the path is worked out.
            or not scope["path"].endswith(self._path)
            or routed_path(scope) != self._path
        ):
            await self.app(scope, receive, send)
            return

        problem = self._head(scope)
        if problem is not None:
            # A preflight of another origin's page ends here too, and with it what it wanted to report.
            lines = [(b"allow", b"POST")] if problem is OTHER_METHOD else None
            await reject(scope, receive, send, context, "csp_reports", problem, lines)
            return
        body = await read_short_body(receive, self._max_body, SECONDS)
        if body is None:
            return  # the client is gone
        if isinstance(body, bytes):
            body = await self._take(body, context)
        if isinstance(body, Refusal):
            context.note(INPUT_FAIL)
            await reject(scope, receive, send, context, "csp_reports", body.problem, rest=body.rest)
            return
        # RFC 9110 section 8.6: a 204 has no Content-Length.
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def _head(self, scope: Scope) -> Problem | None:
        """What is wrong with the request before its body."""
        if scope["method"] != "POST":
            return OTHER_METHOD
        media_type = (header(scope["headers"], b"content-type") or b"").partition(b";")[0].strip().lower()
        if media_type not in MEDIA_TYPES:
            return OTHER_TYPE
        length = content_length(header(scope["headers"], b"content-length") or b"0")
        return too_large(self._max_body) if (length or 0) > self._max_body else None

    async def _take(self, body: bytes, context: RequestContext) -> Refusal | None:
        """Write what is new in an upload, or say why it is none."""
        decision = await self._uploads.acquire(network_of(context.client), self._quotas)
        if not decision.allowed:
            self._suppressed += 1
            return None
        if is_deeper(body, DEPTH):
            return Refusal(problem=TOO_DEEP)
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return Refusal(problem=NO_JSON)
        rest = document[REPORTS:] if isinstance(document, list) else []
        reports = list(read_reports(document[:REPORTS] if rest else document))
        for report in reports:
            self._tell(report, context)
        self._suppressed += len(rest)
        return None if reports else Refusal(problem=NO_REPORT)

    def _tell(self, report: Violation | BrowserReport, context: RequestContext) -> None:
        if report.by_extension:
            return
        if not self._told.new(report.key):
            self._suppressed += 1
            return
        fields: dict[str, Any] = {
            name: self._redactor.text(value) if isinstance(value, str) else value
            for name, value in report.fields(samples=self._samples).items()
        }
        fields["client.address"] = context.client
        fields["request_id"] = context.request_id
        if self._suppressed:
            fields["suppressed"] = self._suppressed
            self._suppressed = 0
        self._log.emit("warning", report.event, fields)
