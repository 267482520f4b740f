"""Suggested policies on paper: as a page for people, as JSON, as header lines, and as a line to set."""

from __future__ import annotations

import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click
import orjson

from garrison.csp.merge import REPORTING
from garrison.csp.policy import parse_policy, render_policy
from garrison.csp.reported_text import origin_of, path_of
from garrison.headers.presets import PRESETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison.csp.suggestion import Finding, Suggestion

WIDTH: Final = 80

# Strangers can name as many policies as they like, and few apps have more.
POLICIES: Final = 5

# What a shell would take for more than text between double quotes. Whoever reports can write it, and where
# it can stand in a policy, in paths, it means the same in percent-encoding (CSP Level 3 section 6.7.2.12).
_SHELL: Final = str.maketrans({sign: f"%{ord(sign):02X}" for sign in '"$`\\!'})


def header_line(suggestion: Suggestion) -> str:
    """The policy as a header, report-only where every report was about such a one."""
    only = "" if suggestion.enforced else "-Report-Only"
    return f"Content-Security-Policy{only}: {suggestion.text}"


def setting_line(suggestion: Suggestion) -> str:
    """The variable to set: for the policy that pages get, or for what they only report where that was so.

    A policy that is mostly a preset's is written as that preset and what differs.

    Raises:
        PolicyError: it is no policy that a setting takes.
    """
    # Where reports go is a setting of its own.
    kept = {name: values for name, values in suggestion.policy.items() if name not in REPORTING}
    policy = parse_policy(render_policy(kept))
    text = render_policy(policy)
    for name, preset in PRESETS.items():
        usual = parse_policy(preset.policy)
        changed = {key: values for key, values in policy.items() if usual.get(key) != values}
        if usual.keys() <= policy.keys() and 2 * len(changed) < len(policy):
            text = f"{name}; {render_policy(changed)}" if changed else name
    text = text.translate(_SHELL)
    variable = f"GARRISON_SECURITY_HEADERS_PAGE_POLICY{'' if suggestion.enforced else '_REPORT_ONLY'}"
    return f'{variable}="{text}"' if " " in text else f"{variable}={text}"


def document(suggestions: Sequence[Suggestion]) -> bytes:
    """The suggestions as JSON."""
    found = [
        {"header": header_line(suggestion), "text": suggestion.text, **asdict(suggestion)}
        for suggestion in suggestions
    ]
    return orjson.dumps({"suggestions": found}, option=orjson.OPT_INDENT_2)


def page(suggestions: Sequence[Suggestion]) -> str:
    """The suggestions for people: the policy, what each new source is for, and what was not added."""
    blocks = ["\n".join(_suggestion(suggestion)) for suggestion in suggestions[:POLICIES]]
    rest = suggestions[POLICIES:]
    if rest:
        count = sum(suggestion.reports for suggestion in rest)
        blocks.append(_wrapped(f"{len(rest)} more policies with {_reports(count)} are in --format json.", ""))
    return "\n\n".join(blocks) + "\n"


def _suggestion(suggestion: Suggestion) -> Iterator[str]:
    name = header_line(suggestion).partition(":")[0]
    yield click.style(f"{name}, from {_reports(suggestion.reports)}", bold=True)
    yield ""
    for directive, values in suggestion.policy.items():
        added = [finding for finding in suggestion.added if finding.directive == directive]
        new = {finding.source for finding in added}
        old = " ".join(value for value in values if value not in new)
        yield _wrapped(f"{directive} {old}".strip(), "  ", "      ")
        for finding in added:
            yield from _finding(finding, f"    + {finding.source}", "color")
    if suggestion.refused:
        yield from ("", click.style("Not added, because a source for it would not be safe:", bold=True))
        for finding in suggestion.refused:
            yield from ("", *_finding(finding, f"  {finding.directive} {finding.source}"))
    if suggestion.left_out:
        yield from ("", click.style("Left out, because it is hardly the site's:", bold=True))
        for finding in suggestion.left_out:
            yield from ("", *_finding(finding, f"  {finding.directive} {finding.source}"))
            if finding.optional:
                yield _wrapped(f"--include {finding.source} adds it.", "        ")
    if suggestion.allowed:
        yield from ("", _wrapped(f"The policy allows {_reports(suggestion.allowed)} already.", ""))
    if suggestion.added:
        yield from ("", _wrapped("Anybody can send a report: add only what you know.", ""))


def _finding(finding: Finding, title: str, mark: str = "") -> Iterator[str]:
    """What is known of a finding, below its title."""
    title = _wrapped(title, "", "        ")
    yield click.style(title, fg="green") if mark else title
    known = _reports(finding.reports)
    if finding.pages:
        known += f" from {', '.join(map(path_of, finding.pages))}"
    if finding.example:
        # The host of a site's own file says nothing.
        own = origin_of(finding.example) in map(origin_of, finding.pages)
        known += f"; at {path_of(finding.example) if own else finding.example}"
    yield _wrapped(f"{known}.", "        ")
    if finding.note:
        yield _wrapped(finding.note, "        ")


def _reports(count: int) -> str:
    return f"{count} report{'' if count == 1 else 's'}"


def _wrapped(text: str, indent: str, further: str | None = None) -> str:
    """A text in lines of 80 columns; an address longer than that stays whole, so that it can be copied."""
    return textwrap.fill(
        text.strip(),
        WIDTH,
        initial_indent=indent or text[: len(text) - len(text.lstrip())],
        subsequent_indent=indent if further is None else further,
        break_long_words=False,
        break_on_hyphens=False,
    )
