"""Proposes the policy that would have allowed what was reported, as far as that is safe."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from garrison.csp.fallback import governing_directive, inherited, place
from garrison.csp.policy import render_policy
from garrison.csp.reported_source import Answer, Outcome, judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from garrison.csp.reports import Violation

    Policy = Mapping[str, tuple[str, ...]]

# CSP Level 3 section 2.3, directive-name.
NAME: Final = re.compile(r"[A-Za-z0-9-]+")

# Pages that are named as examples.
PAGES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that pages asked for.

    Attributes:
        directive: where its source was added; for what was not added, what kept it out.
        source: the source, or the word for what has none, such as `inline`.
        reports: how many asked for it.
        pages: addresses of some of them, the most frequent first.
        example: a file and line that asked for it; empty where none is known.
        note: why it was not added and what to do instead, or what to think of; sentences or nothing.
        optional: whether it would be added if it were among what to include.
    """

    directive: str
    source: str
    reports: int
    pages: tuple[str, ...]
    example: str
    note: str
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A policy, and what became of every report about the one that it begins from.

    Attributes:
        reports: how many there were.
        allowed: how many of them the policy that it begins from allows already.
        enforced: whether any of them was about an enforced policy.
        policy: each directive with its values.
        added: what the policy allows beyond the one that it begins from.
        refused: what cannot be allowed safely.
        left_out: what looks as if it were not the site's.
    """

    reports: int
    allowed: int
    enforced: bool
    policy: Policy
    added: tuple[Finding, ...]
    refused: tuple[Finding, ...]
    left_out: tuple[Finding, ...]

    @property
    def text(self) -> str:
        """The policy as a header value."""
        return render_policy(self.policy)


def suggest(
    violations: Iterable[Violation], policy: Policy | None = None, include: frozenset[str] = frozenset()
) -> tuple[Suggestion, ...]:
    """Propose a policy for each that was reported, the one with most reports first.

    Args:
        violations: what was reported; those that name no policy count only where one is given.
        policy: what to begin from in place of what was reported, for all reports.
        include: sources that are added where they would be left out.
    """
    if policy is not None:
        return (_suggest(list(violations), policy, include, is_reported=False),)
    groups: dict[str, list[Violation]] = {}
    for violation in violations:
        if violation.policy:
            groups.setdefault(violation.policy, []).append(violation)
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    return tuple(_suggest(found, read_loosely(text), include, is_reported=True) for text, found in ordered)


def read_loosely(text: str) -> dict[str, tuple[str, ...]]:
    """A policy as browsers read it (CSP Level 3 section 2.2.1): of two directives the first counts."""
    policy: dict[str, tuple[str, ...]] = {}
    for name, *values in filter(None, map(str.split, text.split(";"))):
        if NAME.fullmatch(name):
            policy.setdefault(name.lower(), tuple(dict.fromkeys(values)))
    return policy


def _suggest(
    violations: Sequence[Violation], base: Policy, include: frozenset[str], *, is_reported: bool
) -> Suggestion:
    groups: dict[tuple[str, Answer], list[Violation]] = {}
    allowed = 0
    for violation in violations:
        answer = judge(violation, base, include, is_reported=is_reported)
        if answer is None:
            allowed += 1
            continue
        directive = violation.directive
        if answer.outcome == "added":
            directive = place(directive, governing_directive(directive, base))
        groups.setdefault((directive, answer), []).append(violation)
    found: dict[Outcome, list[Finding]] = {"added": [], "refused": [], "left_out": []}
    for (directive, answer), alike in groups.items():
        found[answer.outcome].append(_finding(directive, answer, alike))
    for findings in found.values():
        findings.sort(key=lambda finding: (finding.directive, -finding.reports, finding.source))
    return Suggestion(
        reports=len(violations),
        allowed=allowed,
        enforced=any(violation.disposition != "report" for violation in violations),
        policy=_extended(base, found["added"]),
        added=tuple(found["added"]),
        refused=tuple(found["refused"]),
        left_out=tuple(found["left_out"]),
    )


def _finding(directive: str, answer: Answer, alike: Sequence[Violation]) -> Finding:
    pages = Counter(violation.document for violation in alike if violation.document)
    example = next((violation for violation in alike if violation.source_file), None)
    return Finding(
        directive=directive,
        source=answer.source,
        reports=len(alike),
        pages=tuple(page for page, _ in pages.most_common(PAGES)),
        example="" if example is None else _place_in_file(example),
        note=answer.note,
        optional=answer.optional,
    )


def _place_in_file(violation: Violation) -> str:
    line = "" if violation.line is None else f":{violation.line}"
    return f"{violation.source_file}{line}"


def _extended(base: Policy, added: Iterable[Finding]) -> dict[str, tuple[str, ...]]:
    """The policy with what was added, and each directive that it needs beginning as its fallback was."""
    policy = dict(base)
    for finding in added:
        name = finding.directive
        values = policy.get(name)
        if values is None:
            values = inherited(name, base)
        policy[name] = (*(value for value in values if value.lower() != "'none'"), finding.source)
    return policy
