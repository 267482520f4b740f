"""Filling in what an app's Content-Security-Policy leaves out, without loosening what it says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# Which directive decides a request: the first of its chain that the policy has (CSP Level 3, "Get fetch
# directive fallback list"; Fenced Frame for the second). What `eval` may do is decided by `script-src` and
# `default-src`, which end other chains.
FALLBACKS: Final = (
    ("connect-src", "default-src"),
    ("fenced-frame-src", "frame-src", "child-src", "default-src"),
    ("font-src", "default-src"),
    ("frame-src", "child-src", "default-src"),
    ("img-src", "default-src"),
    ("manifest-src", "default-src"),
    ("media-src", "default-src"),
    ("object-src", "default-src"),
    ("script-src-attr", "script-src", "default-src"),
    ("script-src-elem", "script-src", "default-src"),
    ("style-src-attr", "style-src", "default-src"),
    ("style-src-elem", "style-src", "default-src"),
    ("worker-src", "child-src", "script-src", "default-src"),
)
# Browsers that know `report-to` ignore `report-uri` (CSP Level 3, the directive `report-uri`): where reports
# go is one decision.
REPORTING: Final = frozenset({"report-to", "report-uri"})
# The name of a directive; only these are blanks to browsers.
NAME: Final = re.compile(r"(?:^|[;,])[\t\n\f\r ]*([^\t\n\f\r ;,]+)")

# For each directive, and each chain that it is in: what decides before it, and what it would take over from.
PLACES: Final = {
    name: tuple(
        (frozenset(chain[: chain.index(name)]), frozenset(chain[chain.index(name) + 1 :]))
        for chain in FALLBACKS
        if name in chain
    )
    for name in frozenset().union(*FALLBACKS)
}


def merge_policies(app: str, ours: Mapping[str, tuple[str, ...]]) -> str:
    """The app's policy with those of our directives on which it is silent.

    A directive of ours is left out where it would take over from one of the app's: `script-src` where the
    app has `default-src`, `child-src` where workers go by the app's `script-src`. What is left can only
    forbid. Several policies, parted by commas, hold all at once: ours goes into the last, without what would
    decide there about something that another one rules on.

    An app with nonces of its own has a new policy on every reply, so that this costs microseconds.

    Args:
        app: the value of the app's header, whatever it holds; it stays as it is.
        ours: directives with their values, as `parse_policy` returns them.
    """
    said = {name.lower() for name in NAME.findall(app)}
    last = said if "," not in app else {name.lower() for name in NAME.findall(app.rpartition(",")[2])}
    added = [" ".join((name, *values)) for name, values in ours.items() if _may_add(name, said, last)]
    if not added:
        return app
    rest = app.rstrip("\t\n\f\r ")
    joint = "" if not rest else " " if rest[-1] in ";," else "; "
    return app + joint + "; ".join(added)


def _may_add(name: str, said: set[str], last: set[str]) -> bool:
    if name in said or (name in REPORTING and not said.isdisjoint(REPORTING)):
        return False
    return all(
        not last.isdisjoint(before) or (said.isdisjoint(before) and said.isdisjoint(after))
        for before, after in PLACES.get(name, ())
    )
