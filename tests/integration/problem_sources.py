"""Every status that the source answers with a problem, read from the source."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).parents[2] / "toolkit" / "garrison"

# Where the code of a section is, beside the layer's own module.
SECTIONS: Final = {
    "bounding": "REQUEST_LIMITS",
    "buffer_budget": "REQUEST_LIMITS",
    "short_body": "REQUEST_LIMITS",
    "contracting": "CONTRACT",
    "limiting": "RATE_LIMIT",
    "failures": "ERRORS",
    "draining": "OVERLOAD",
    "shedding": "OVERLOAD",
    "timing": "TIMEOUTS",
    "server": "SERVER",
}


@cache
def statuses() -> dict[str, set[int]]:
    """The statuses that are written in a call that makes a problem, by section."""
    found: dict[str, set[int]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        place = path.relative_to(SOURCE).with_suffix("").parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            named = [keyword.value for keyword in node.keywords if keyword.arg == "status"]
            match getattr(node.func, "id", ""):
                # A problem with a setting has a name in place of a status.
                case "Problem":
                    written = named
                case "unread":
                    written = node.args[:1]
                case _:
                    continue
            section = place[1].upper() if place[0] == "middleware" else SECTIONS.get(place[0])
            for status in _numbers(written):
                assert section is not None, path
                found.setdefault(section, set()).add(status)
    return found


def _numbers(written: list[ast.expr]) -> set[int]:
    inner = [part for one in written for part in ast.walk(one) if isinstance(part, ast.Constant)]
    return {part.value for part in inner if isinstance(part.value, int)}
