"""Requests that other sites are meant to send, written as targets of rules."""

from __future__ import annotations

from garrison.rules import Rule, parse_rules


def parse_exemptions(text: str) -> tuple[Rule, ...]:
    """Read a setting such as `POST /saml/acs; /payments/*`.

    Args:
        text: any number of targets, each with a path, parted by `;`.

    Raises:
        ValueError: with what is expected.
    """
    found: list[Rule] = []
    for part in text.split(";"):
        target = part.strip()
        if not target:
            continue
        try:
            rules = parse_rules(f"{target}: exempt")
        except ValueError:
            rules = ()
        # A method alone would exempt every path, which nobody means who exempts something.
        if len(rules) != 1 or not rules[0].path or rules[0].value != "exempt":
            raise ValueError(f"paths such as 'POST /saml/acs; /payments/*', not {target!r}")
        found += rules
    return tuple(found)
