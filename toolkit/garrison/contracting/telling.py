"""Writes down what does not keep the contract: bounded, and without anything that was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.contracting.answers import entry
from garrison.conventions import known_method
from garrison.security_events import AUTHZ_FAIL, INPUT_FAIL, LOGIN_FAIL
from garrison.sightings import Sightings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from garrison.context import RequestContext
    from garrison.contracting.metrics import ViolationCounter
    from garrison.events import EventLog
    from garrison.openapi.model import Operation, Violation

# Strangers choose what is wrong, and so how much there is to tell.
EVENTS: Final = 1000
PERIOD: Final = 3600.0
MOST: Final = 5
LONGEST_PATH: Final = 200


class Teller:
    """Emits the events of one layer, each kind once in an hour with how many were left out, and counts all.

    Args:
        log: where they go.
        clock: seconds that never go back.
        counter: where they are counted.
    """

    def __init__(self, log: EventLog, clock: Callable[[], float], counter: ViolationCounter) -> None:
        self._log = log
        self._counter = counter
        self._told = Sightings(bound=EVENTS, period=PERIOD, clock=clock)
        self._suppressed = 0

    def violated(
        self, context: RequestContext, operation: Operation, violations: Iterable[Violation], mode: str
    ) -> None:
        """A request does not keep what its operation declares."""
        self._counter.count("request", mode, operation)
        context.note(INPUT_FAIL)
        found = list(violations)[:MOST]
        kind = ("contract_violation", operation.name, *map(_place, found))
        fields = {"errors": [entry(each) for each in found]}
        self._tell(context, kind, {"operation": operation.name, "mode": mode, **fields})

    def reply_violated(
        self,
        context: RequestContext,
        operation: Operation,
        status: int,
        violations: Iterable[Violation],
        mode: str,
    ) -> None:
        """A reply of the app does not keep what its operation declares."""
        self._counter.count("reply", mode, operation)
        found = list(violations)[:MOST]
        kind = ("contract_reply_violation", operation.name, status, *map(_place, found))
        self._tell(
            context,
            kind,
            {
                "operation": operation.name,
                "http.response.status_code": status,
                "errors": [entry(each) for each in found],
            },
        )

    def denied(self, context: RequestContext, operation: Operation, reason: str, why: str, mode: str) -> None:
        """A request lacks the credentials that its operation wants."""
        self._counter.count("denied", mode, operation)
        if reason != "unavailable":
            # Whoever sends nothing has not tried to log in.
            context.note(LOGIN_FAIL if reason == "invalid" else AUTHZ_FAIL)
        kind = ("contract_denied", operation.name, reason, why)
        self._tell(
            context, kind, {"operation": operation.name, "mode": mode, "reason": reason, "detail": why}
        )

    def missed(self, context: RequestContext, outcome: str, mode: str) -> None:
        """A request is for nothing that the document has."""
        self._counter.count("undocumented", mode)
        path = context.path[:LONGEST_PATH]
        kind = ("contract_undocumented", context.method, path)
        self._tell(
            context,
            kind,
            {
                "http.request.method": known_method(context.method),
                "url.path": path,
                "outcome": outcome,
                "mode": mode,
            },
        )

    def _tell(self, context: RequestContext, kind: tuple[object, ...], fields: dict[str, object]) -> None:
        if not self._told.new(kind):
            self._suppressed += 1
            return
        more: dict[str, object] = {"client.address": context.client, "request_id": context.request_id}
        if self._suppressed:
            more["suppressed"] = self._suppressed
            self._suppressed = 0
        self._log.emit("warning", str(kind[0]), {**fields, **more})


def _place(violation: Violation) -> tuple[str, str, str]:
    """What tells a violation from others of its operation."""
    return violation.location, violation.pointer, violation.rule
