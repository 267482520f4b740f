"""How long the handler of each path has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.rules import NotationError, parse_rules, routed_path
from garrison.spellings import first_fits, widened
from garrison.units import read_duration

if TYPE_CHECKING:
    from garrison.asgi import Scope
    from garrison.context import RequestContext
    from garrison.rules import Rule

EXAMPLE: Final = "POST /reports: 2m; /events/*: off"

# In place of None, which is no rule.
OFF: Final = 0.0


class Deadlines:
    """The deadlines of all paths.

    Args:
        usual: seconds on paths without a rule; None for any time.
        rules: other times.

    Attributes:
        shortest: seconds; None where no path has a deadline.

    Raises:
        NotationError: with the rule that does not fit.
    """

    __slots__ = ("_rules", "_usual", "shortest")

    def __init__(self, usual: float | None, rules: str) -> None:
        self._usual = usual
        found = _read(rules)
        self._rules = widened(found)
        set_ = [seconds for _, seconds in found if seconds != OFF]
        self.shortest = min([*set_, *([] if usual is None else [usual])], default=None)

    def of(self, scope: Scope, context: RequestContext) -> float | None:
        """Seconds for the handler of a request; the most where its path can be read in several ways.

        Args:
            scope: of the request.
            context: of the request.
        """
        if not self._rules:
            return self._usual
        fits = first_fits(self._rules, context.method, routed_path(scope))
        times = [self._usual if seconds is None else seconds or None for seconds in fits]
        return None if None in times else max(seconds for seconds in times if seconds is not None)


def _read(text: str) -> tuple[tuple[Rule, float], ...]:
    try:
        rules = parse_rules(text)
    except NotationError as error:
        raise NotationError(f"rules such as {EXAMPLE!r}", error.found) from None
    return tuple((rule, _seconds(rule)) for rule in rules)


def _seconds(rule: Rule) -> float:
    if not rule.path or rule.identity:
        raise NotationError(f"a path in front of each, such as {EXAMPLE!r}", rule.value)
    seconds = OFF if rule.value == "off" else read_duration(rule.value)
    if seconds is None or (seconds == OFF and rule.value != "off"):
        raise NotationError(f"a time, or off, such as {EXAMPLE!r}", rule.value)
    return seconds
