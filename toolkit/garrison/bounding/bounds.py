"""All bounds on a request, ready before there is one, and those of each path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from garrison.bounding.body import BodyBounds
from garrison.bounding.by_path import parse_field_rules
from garrison.bounding.head import HeadBounds
from garrison.rules import NotationError, routed_path
from garrison.settings import Problem, SettingsError
from garrison.short_body import unread
from garrison.spellings import first_fits, widened

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.asgi import Headers, Scope
    from garrison.context import RequestContext
    from garrison.middleware.request_limits import RequestLimits
    from garrison.rules import Rule
    from garrison.short_body import Refusal

EXAMPLE: Final = "POST /upload: max_upload=2GB; /api/*: max_body=64KB, json=strict"
EVERYWHERE: Final = frozenset({"max_buffered", "rules"})
TWO_READINGS: Final = unread(400, "The path can be read in several ways.")


class Bounds(NamedTuple):
    """The bounds on one path, or on all others.

    Attributes:
        refusal: why a request is refused by its head, if it is; takes the request, its method and a list for
            the header lines that are about its body.
        body: the bounds on its body.
    """

    refusal: Callable[[Scope, str, Headers], Refusal | None]
    body: BodyBounds


class BoundsByPath:
    """The bounds on each path.

    Args:
        section: the section.

    Attributes:
        usual: those of all paths without a rule.
        differ: whether there are rules.
    """

    __slots__ = ("_rules", "_unclear", "differ", "usual")

    def __init__(self, section: RequestLimits) -> None:
        self.usual = bounds_of(section)
        self._rules = widened((rule, bounds_of(changed)) for rule, changed in rules_of(section))
        self.differ = bool(self._rules)
        self._unclear = Bounds(lambda *_: TWO_READINGS, self.usual.body)

    def of(self, scope: Scope, context: RequestContext) -> Bounds:
        """The bounds on a request, where there are rules.

        Args:
            scope: of type `http` or `websocket`.
            context: of the request.
        """
        found = first_fits(self._rules, context.method, routed_path(scope))
        return self._unclear if len(found) > 1 else found[0] or self.usual


def bounds_of(section: RequestLimits) -> Bounds:
    """The bounds that a section asks for, ready before there is a request."""
    return Bounds(HeadBounds(section).refusal, BodyBounds(section))


def rules_of(section: RequestLimits) -> tuple[tuple[Rule, RequestLimits], ...]:
    """The rules of a section, each with the whole of what it makes of it.

    Raises:
        SettingsError: naming the part that does not fit.
    """
    try:
        return parse_field_rules(section.rules, section, EVERYWHERE, EXAMPLE)
    except NotationError as error:
        problem = Problem(name="RequestLimits.rules", expected=error.expected, found=error.found)
        raise SettingsError([problem]) from None
