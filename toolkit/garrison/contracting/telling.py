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
    from garrison.openapi.security import Denied

# Strangers choose what is wrong, and so how much there is to tell: of each event so many kinds in a period.
EVENTS: Final = 1000
# Every path that a scanner tries is a kind of its own; after so many they are scans, and told as one.
UNDOCUMENTED: Final = 50
PERIOD: Final = 3600.0
MOST: Final = 5
LONGEST_PATH: Final = 200
LONGEST_PRINCIPAL: Final = 1024


class Teller:
    """Emits the events of one layer, each kind once in an hour, and counts all.

    An event says how many of its name were left out since the last one of that name.

    Args:
        log: where they go.
        clock: seconds that never go back.
        counter: where they are counted.
    """

    def __init__(self, log: EventLog, clock: Callable[[], float], counter: ViolationCounter) -> None:
        self._log = log
        self._counter = counter
        self._clock = clock
        self._told: dict[str, Sightings] = {}
        # Of each event, how many were not written since the last one that was.
        self._suppressed: dict[str, int] = {}

    def violated(
        self, context: RequestContext, operation: Operation, violations: Iterable[Violation], mode: str
    ) -> None:
        """A request does not keep what its operation declares."""
        self._counter.count("request", mode, operation)
        context.note(INPUT_FAIL)
        found = list(violations)[:MOST]
        kind = (operation.name, *map(_place, found))
        errors = [entry(each) for each in found]
        fields: dict[str, object] = {"operation": operation.name, "mode": mode, "errors": errors}
        self._tell("contract_violation", context, kind, fields)

    def unchecked(self, context: RequestContext, operation: Operation, why: str, mode: str) -> None:
        """A body could not be judged, and passes; it would be refused where the document is enforced."""
        self._counter.count("unchecked", mode, operation)
        fields: dict[str, object] = {"operation": operation.name, "mode": mode, "reason": why}
        self._tell("contract_unchecked", context, (operation.name, why), fields)

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
        kind = (operation.name, status, *map(_place, found))
        self._tell(
            "contract_reply_violation",
            context,
            kind,
            {
                "operation": operation.name,
                "http.response.status_code": status,
                "errors": [entry(each) for each in found],
            },
        )

    def denied(self, context: RequestContext, operation: Operation, denied: Denied, mode: str) -> None:
        """A request lacks the credentials that its operation wants."""
        self._counter.count("denied", mode, operation)
        if denied.reason != "unavailable":
            # Whoever sends nothing has not tried to log in.
            context.note(LOGIN_FAIL if denied.reason == "invalid" else AUTHZ_FAIL)
        kind = (operation.name, denied.reason, denied.why)
        fields: dict[str, object] = {"operation": operation.name, "mode": mode}
        fields |= {"reason": denied.reason, "detail": denied.why}
        if denied.scopes:
            fields["scopes"] = list(denied.scopes)
        if denied.principal is not None:
            fields["enduser.id"] = denied.principal[:LONGEST_PRINCIPAL]
        self._tell("contract_denied", context, kind, fields)

    def missed(self, context: RequestContext, outcome: str, mode: str, *, is_wrong: bool) -> None:
        """A request is for nothing that the document has.

        Args:
            context: of the request.
            outcome: what was found instead.
            mode: of the layer.
            is_wrong: whether that is refused, or would be where the document is enforced.
        """
        self._counter.count("undocumented", mode)
        path = context.path[:LONGEST_PATH]
        kind: tuple[object, ...] = (context.method, path)
        fields: dict[str, object] = {
            "http.request.method": known_method(context.method),
            "url.path": path,
            "outcome": outcome,
        }
        table = self._table("contract_undocumented")
        # The last place is for saying that there is no room.
        if table.left <= 1 and not table.knows(kind):
            detail = f"More than {UNDOCUMENTED} within an hour; the others are only counted."
            kind, fields = (), {"detail": detail}
        level = "warning" if is_wrong else "info"
        self._tell("contract_undocumented", context, kind, {**fields, "mode": mode}, level)

    def _table(self, event: str) -> Sightings:
        found = self._told.get(event)
        if found is None:
            bound = UNDOCUMENTED + 1 if event == "contract_undocumented" else EVENTS
            found = self._told[event] = Sightings(bound=bound, period=PERIOD, clock=self._clock)
        return found

    def _tell(
        self,
        event: str,
        context: RequestContext,
        kind: tuple[object, ...],
        fields: dict[str, object],
        level: str = "warning",
    ) -> None:
        if not self._table(event).new(kind):
            self._suppressed[event] = self._suppressed.get(event, 0) + 1
            return
        more: dict[str, object] = {"client.address": context.client, "request_id": context.request_id}
        suppressed = self._suppressed.pop(event, 0)
        if suppressed:
            more["suppressed"] = suppressed
        self._log.emit(level, event, {**fields, **more})


def _place(violation: Violation) -> tuple[str, str, str]:
    """What tells a violation from others of its operation."""
    return violation.location, violation.pointer, violation.rule
