"""Work that is taken on although it cannot be done in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.preflight.advice import Advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.stack import Settings


def examine_overload(settings: Settings) -> Iterator[Advice]:
    """An app that has nothing but the valve, or not even that, when it is asked for more than it can do."""
    section = settings.overload
    if section is None or section.limit is not None:
        return
    left = "only a loop that lags for seconds is noticed" if section.lag is not None else "nothing is refused"
    yield Advice(
        level="warning",
        variable="GARRISON_OVERLOAD_LIMIT",
        text=f"requests in flight have no limit: when more is asked than can be done, {left}, and all replies"
        " come too late. Set it to adaptive, or to a number that load tests have shown to be fine.",
    )
