"""What deadlines lack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.preflight.advice import Advice
from garrison.timing.deadlines import Deadlines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.stack import Settings

# What a client may do where one of these is off.
HARM: Final = {
    "body_rate": "a client may send its body at any rate, and hold a handler for as long as it likes.",
    "reader": "a client may ask for a reply and never read it, and hold a handler for as long as it likes.",
}


def examine_deadlines(settings: Settings) -> Iterator[Advice]:
    """Handlers that may take any time, and clients that nobody gives up."""
    section = settings.timeouts
    if section is None:
        return
    if Deadlines(section.handler, section.rules).shortest is None:
        yield Advice(
            level="warning",
            variable="GARRISON_TIMEOUTS_HANDLER",
            text="no handler has a deadline: one that waits for something that never comes holds its client"
            " and its memory for ever. Set a time that none takes, such as 60s, and others for some paths in"
            " GARRISON_TIMEOUTS_RULES.",
        )
    for name, harm in HARM.items():
        if getattr(section, name) is None:
            yield Advice(
                level="warning", variable=f"GARRISON_TIMEOUTS_{name.upper()}", text=f"it is off: {harm}"
            )
