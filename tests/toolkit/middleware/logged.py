"""An app behind the access log, and what the log says."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import orjson

from garrison import AccessLog, AccessLogMiddleware, Redaction
from garrison.events import event_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.asgi import ASGIApp


class Logged:
    """An app behind the layer, and the lines that the layer writes."""

    def __init__(
        self,
        app: ASGIApp,
        settings: AccessLog = AccessLog(),
        *,
        clock: Callable[[], float] = lambda: 0.0,
        redaction: Redaction = Redaction(),
        chance: Callable[[], float] = lambda: 0.5,
    ) -> None:
        self.bytes = io.BytesIO()
        self.stream = io.TextIOWrapper(self.bytes, encoding="utf-8")
        log = event_log(settings.format, self.stream)
        self.app = AccessLogMiddleware(
            app, settings, redaction=redaction, log=log, clock=clock, chance=chance
        )

    @property
    def lines(self) -> list[bytes]:
        """What was written; the last line is whole."""
        text = self.bytes.getvalue()
        assert not text or text.endswith(b"\n")
        return text.split(b"\n")[:-1]

    @property
    def events(self) -> list[dict[str, Any]]:
        """The lines, read as JSON."""
        return [orjson.loads(line) for line in self.lines]

    @property
    def event(self) -> dict[str, Any]:
        """The one line that there is."""
        (event,) = self.events
        return event
