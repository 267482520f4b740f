"""Who goes first when there is not room for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, cast, get_args

from garrison.rules import NotationError, is_unambiguous, parse_paths, parse_rules
from garrison.spellings import first_fits, widened

if TYPE_CHECKING:
    from garrison.rules import Rule

Priority = Literal["high", "normal", "low"]

# What part of the room each has; the rest is for those before it. Where nothing is high, what is normal has
# all of it.
LOW: Final = 0.5
NORMAL: Final = 0.9
WHOLE: Final = 1.0


def read_priorities(text: str) -> tuple[tuple[Rule, Priority], ...]:
    """Rules such as `POST /checkout: high; /reports/*: low`.

    Args:
        text: any number of rules.

    Raises:
        NotationError: with the rule that does not fit.
    """
    found: list[tuple[Rule, Priority]] = []
    for rule in parse_rules(text):
        if rule.value not in get_args(Priority) or rule.identity:
            raise NotationError("a priority such as '/reports/*: low': high, normal or low", rule.value)
        found.append((rule, cast("Priority", rule.value)))
    return tuple(found)


class Priorities:
    """The priority of each request.

    Args:
        rules: as in `read_priorities`; the first that fits counts, and of all readings of a path the least.
        exempt: paths that are never refused, such as `/healthz; GET /metrics`.
    """

    def __init__(self, rules: str, exempt: str) -> None:
        self._rules = widened(read_priorities(rules))
        listed = parse_paths(exempt, "/healthz")
        self._exempt_paths = frozenset(
            rule.path for rule in listed if not rule.methods and not rule.path.endswith("*")
        )
        self._exempt = tuple(rule for rule in listed if rule.path not in self._exempt_paths)
        reserved = any(priority == "high" for _, priority in self._rules)
        self._shares = {"low": LOW, "normal": NORMAL if reserved else WHOLE, "high": WHOLE}

    def share(self, method: str, path: str) -> float | None:
        """What part of the room a request has; None where it is never refused.

        Args:
            method: as the client sent it.
            path: as the router sees it.
        """
        if path in self._exempt_paths:
            return None
        if self._exempt and is_unambiguous(path) and any(rule.applies(method, path) for rule in self._exempt):
            return None
        if not self._rules:
            return WHOLE
        return min(self._shares[said or "normal"] for said in first_fits(self._rules, method, path))
