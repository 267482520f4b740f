"""What there is to know about a check, part by part, and all of them as one page of reference."""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.family import FAMILIES, letter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.checks.check import Check

_WIDTH: Final = 110
_CODE: Final = re.compile(r"(`[^`]+`)")
_CWE: Final = "https://cwe.mitre.org/data/definitions"

_OPENING: Final = """\
# Checks

What `garrison check` finds out about an app, by family. `garrison explain H1` says the same of one check in
a terminal; `--select` and `--ignore` take ids such as `H1` and letters such as `H`.

- The severity is that of a finding as a rule; single findings may be less severe, and say so.
- A check that cannot be judged is *not run*, with the reason, and never *passed*.
- Ids are stable: a check that goes takes its id with it.

This page is written by `garrison explain --format markdown`."""


def explanation(check: Check) -> Iterator[tuple[str, str]]:
    """The parts of what is known about a check, with their headings.

    Args:
        check: The check.
    """
    parts = {
        "Why it matters": check.why,
        "How it is judged": check.how,
        "How to fix it": check.fix,
        "With Garrison": check.garrison,
        "Not run where": "; ".join(need.value for need in check.needs),
        "Fixed by": check.fixed_by.value,
        "Depends on": ", ".join(f"GARRISON_{layer}" for layer in check.layers),
        "References": references(check),
    }
    yield from ((name, text) for name, text in parts.items() if text)


def references(check: Check) -> str:
    """Where the rule comes from, and the weakness that it is about."""
    return f"{check.reference}; CWE-{check.cwe}" if check.cwe else check.reference


def document(checks: Sequence[Check]) -> str:
    """The reference of checks as Markdown; it depends on nothing but their declarations.

    Args:
        checks: All of them, in the order of the catalogue.
    """
    families: dict[str, list[Check]] = {}
    for check in checks:
        families.setdefault(letter(check.id), []).append(check)
    blocks = [_OPENING, *(_contents(name, found) for name, found in families.items())]
    for name, found in families.items():
        blocks.append(f"## {name}: {FAMILIES[name]}")
        for check in found:
            blocks += _chapter(check)
    return "\n\n".join(blocks) + "\n"


def records(checks: Sequence[Check]) -> str:
    """The same as JSON, for programs.

    Args:
        checks: What to tell of.
    """
    found = [
        {
            "id": check.id,
            "title": check.title,
            "family": FAMILIES[letter(check.id)],
            "severity": check.severity.word,
            "fixed_by": check.fixed_by.value,
            "layers": list(check.layers),
            "needs": [need.value for need in check.needs],
            "cwe": check.cwe or None,
            "reference": check.reference,
            "why": check.why,
            "how": check.how,
            "fix": check.fix,
            "garrison": check.garrison,
        }
        for check in checks
    ]
    return json.dumps(found, indent=2) + "\n"


def _contents(name: str, checks: Sequence[Check]) -> str:
    rows = [
        f"| [{check.id}](#{check.id.lower()}) | {_inline(check.title)} | {check.severity.word}"
        f" | {check.fixed_by.value} |"
        for check in checks
    ]
    return "\n".join(
        (
            f"**{name}: {FAMILIES[name]}**\n",
            "| id | what holds | severity | fixed by |",
            "|---|---|---|---|",
            *rows,
        )
    )


def _chapter(check: Check) -> Iterator[str]:
    """A heading whose anchor is the id, and the parts under it."""
    yield f"### {check.id}"
    yield f"**{_inline(check.title)}.** Severity: {check.severity.word}."
    for name, text in explanation(check):
        if name == "References" and check.cwe:
            link = f"[CWE-{check.cwe}]({_CWE}/{check.cwe}.html)"
            yield _wrapped(f"*{name}*: {_inline(check.reference)}; {link}")
        else:
            yield _wrapped(f"*{name}*: {_inline(text)}")


def _inline(text: str) -> str:
    """Text in which nothing is markup but what stands between ticks, and variables and options: code."""
    parts = _CODE.split(text)
    return "".join(part if number % 2 else _plain(part) for number, part in enumerate(parts))


def _plain(text: str) -> str:
    escaped = re.sub(r"([\\`*<>\[\]|])", r"\\\1", text)
    escaped = re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", escaped)
    return re.sub(r"(?<![\w-])(GARRISON_[A-Z_]+(?:=[\w.*-]+)?|--[a-z][a-z-]+)", r"`\1`", escaped)


def _wrapped(text: str) -> str:
    lines = textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    # A line that would begin a list goes to the end of the one before.
    return re.sub(r"\n((?:[-+*#>]|\d+[.)])(?= |$))", r" \1", "\n".join(lines))
