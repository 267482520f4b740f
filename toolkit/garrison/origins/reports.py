"""Tells what other sites do in a user's name, for whoever decides which of them may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from garrison.origins.origin import is_origin
from garrison.sightings import Sightings

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
        named = unsafe and is_origin(origin)
        setting = f"GARRISON_CROSS_ORIGIN_{'POSTING' if named else 'EXEMPT'}"
        # A login that comes back by a form is welcome on its path, and its sender nowhere else.
        advice = f"List the origin in {setting} if it may send whatever it likes. " if named else ""
        advice += "List the path in GARRISON_CROSS_ORIGIN_EXEMPT if other sites are meant to send there,"
        advice += " as a login does that comes back by a form."
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

    def tell_preflight(self, context: RequestContext, refused: str, asked: Mapping[str, bytes]) -> None:
        """Write the event for a preflight that was refused, unless it was written lately.

        Browsers hide the answer to a preflight from the page and from whoever looks at it.

        Args:
            context: of the preflight.
            refused: what the answer says, such as `Disallowed CORS headers`.
            asked: what the page wants to send: its `origin`, `method` and `headers`.
        """
        words = {name: value.decode("latin-1")[:LONGEST_TEXT] for name, value in asked.items()}
        if not self._told.new((words["origin"], context.path[1:].partition("/")[0], refused)):
            return
        lists = {"origin": "ALLOWED", "method": "METHODS", "headers": "HEADERS"}
        settings = [f"GARRISON_CROSS_ORIGIN_{lists[name]}" for name in lists if name in refused]
        fields: dict[str, Any] = {
            **words,
            "http.request.method": context.method,
            "url.path": context.path[:LONGEST_TEXT],
            "request_id": context.request_id,
            "refused": True,
            "reason": refused,
            "setting": ", ".join(settings),
            "advice": f"List what is missing in {' and '.join(settings)} if it is welcome.",
        }
        self._log.emit("warning", "cross_origin_refusal", fields)
