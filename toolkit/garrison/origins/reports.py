"""Tells what other sites do in a user's name, for whoever decides which of them may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from garrison.origins.origin import is_origin
from garrison.origins.sightings import Sightings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from garrison.context import RequestContext
    from garrison.events import EventLog

# Whoever floods the log chooses origins and paths, so that there must be an end to them.
EVENTS: Final = 100
PERIOD: Final = 3600.0
LONGEST_TEXT: Final = 200


class Reports:
    """Writes the event `cross_origin_refusal`, once an hour for an origin and the paths that begin alike.

    Args:
        log: where it goes.
        clock: seconds that never go back.
        enforced: whether what is told is refused as well.
    """

    __slots__ = ("_enforced", "_log", "_told")

    def __init__(self, log: EventLog, clock: Callable[[], float], *, enforced: bool) -> None:
        self._log = log
        self._enforced = enforced
        self._told = Sightings(bound=EVENTS, period=PERIOD, clock=clock)

    def tell(
        self, context: RequestContext, lines: Mapping[bytes, bytes], reason: str, *, unsafe: bool
    ) -> None:
        """Write the event, unless it was written lately.

        Args:
            context: of the request.
            lines: its header lines.
            reason: what the refusal says.
            unsafe: whether its origin could be listed in `posting`; a page that loads something names none.
        """
        origin = lines.get(b"origin", b"").decode("latin-1")[:LONGEST_TEXT]
        path = context.path[:LONGEST_TEXT]
        if not self._told.new((origin, path[1:].partition("/")[0], reason)):
            return
        setting = f"GARRISON_CROSS_ORIGIN_{'POSTING' if unsafe and is_origin(origin) else 'EXEMPT'}"
        advice = f"List it in {setting} if it is welcome."
        if not self._enforced:
            advice += " Set GARRISON_CROSS_ORIGIN_MODE=enforce to refuse all others."
        fields: dict[str, Any] = {
            "origin": origin or None,
            "sec_fetch_site": lines.get(b"sec-fetch-site", b"").decode("latin-1")[:LONGEST_TEXT] or None,
            "http.request.method": context.method,
            "url.path": path,
            "request_id": context.request_id,
            "refused": self._enforced,
            "reason": reason,
            "setting": setting,
            "advice": advice,
        }
        self._log.emit("warning", "cross_origin_refusal", fields)
