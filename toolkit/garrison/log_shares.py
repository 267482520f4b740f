"""Which part of the requests the access log writes: rules by method, path or route, and status."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from garrison.rules import NotationError, Rule, exact_paths, parse_paths, parse_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARE: Final = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)%|(0(?:\.\d{1,8})?|1(?:\.0{1,8})?)")
STATUSES: Final = re.compile(r"[1-4](?:\d\d|xx)(\|[1-4](?:\d\d|xx))*")

# Every status that nobody has to act on; 4xx have to be named, and 5xx are always written.
FINE: Final = frozenset({1, 2, 3})

# What routers write behind the name of a parameter in a template, as in `/items/{id:int}`, and leave out of
# the template that they tell.
CONVERTER: Final = re.compile(r"(?<=\w):[^{}/]*(?=\})")

QUIET_EXAMPLE: Final = "/livez; GET /metrics"
RULE_EXAMPLE: Final = "'GET /static/*: 1%' or '10% of 2xx'"
SAMPLE_EXAMPLE: Final = "a share such as '10%' or '1% of 2xx|304', below 500"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many of some requests are written.

    Attributes:
        rule: which requests; its path is that of the request, or the template of its route, without
            converters.
        part: from 0 for none to 1 for all.
        statuses: HTTP status codes, and first digits for all that begin with them.
    """

    rule: Rule
    part: float
    statuses: frozenset[int]

    def fits(self, method: str, path: str, route: str | None, status: int) -> bool:
        """Whether a request that has ended is one of those."""
        if status // 100 not in self.statuses and status not in self.statuses:
            return False
        return self.rule.applies(method, path) or (route is not None and self.rule.applies(method, route))


class Shares:
    """All the rules of a section; the first that fits a request decides.

    Args:
        quiet: paths such as `/livez; GET /metrics`, of which nothing is written that went well.
        sample: rules such as `GET /static/*: 1%; 10% of 2xx`.

    Raises:
        NotationError: with the part that does not fit.
    """

    def __init__(self, quiet: str, sample: str) -> None:
        quiet_rules = map(_without_converters, parse_paths(quiet, QUIET_EXAMPLE))
        silent = [Share(rule=rule, part=0.0, statuses=FINE) for rule in quiet_rules]
        rules = map(_without_converters, parse_rules(sample, RULE_EXAMPLE))
        self._rules = (*silent, *map(_share, rules))
        self._paths = exact_paths(each.rule for each in self._rules)

    def of(self, method: str, path: str, route: str | None, status: int) -> float:
        """The part of such requests that is written.

        Args:
            method: as the client sent it.
            path: without `root_path`.
            route: the template of the route that the framework chose, if it is known.
            status: the HTTP status code.
        """
        if self._paths is not None and path not in self._paths and route not in self._paths:
            return 1.0
        return next(self._fitting(method, path, route, status), 1.0)

    def _fitting(self, method: str, path: str, route: str | None, status: int) -> Iterator[float]:
        return (each.part for each in self._rules if each.fits(method, path, route, status))


def _without_converters(rule: Rule) -> Rule:
    return replace(rule, path=CONVERTER.sub("", rule.path))


def _share(rule: Rule) -> Share:
    text, of, statuses = rule.value.partition(" of ")
    match = SHARE.fullmatch(text.strip())
    part = 2.0 if match is None else float(match[2]) if match[2] else float(match[1]) / 100
    wrong_statuses = of and STATUSES.fullmatch(statuses.strip()) is None
    if part > 1 or wrong_statuses or rule.identity:
        raise NotationError(SAMPLE_EXAMPLE, f"{rule.value}{' by ' if rule.identity else ''}{rule.identity}")
    named = frozenset(int(each.removesuffix("xx")) for each in statuses.strip().split("|")) if of else FINE
    return Share(rule=rule, part=part, statuses=named)
