"""`python -m docs.examples.peers`: what other packages do in conditions that Garrison was made for."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from docs.examples.peers import browser_headers, failures, ids, origins, quotas, telemetry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docs.examples.peers.case import Case

SUBJECTS: Final = {
    "Headers": browser_headers,
    "Quotas": quotas,
    "Request ids": ids,
    "Other origins": origins,
    "Traces": telemetry,
    "Errors": failures,
}
HEAD: Final = "| condition | beside | it | Garrison |\n|---|---|---|---|"


def rows() -> Iterator[tuple[str, list[str]]]:
    """The rows of the table of each subject."""
    for subject, module in SUBJECTS.items():
        yield subject, [_row(case) for case in module.cases()]


def _row(case: Case) -> str:
    return f"| {case.condition} | {case.peer} {version(case.peer)} | {case.theirs} | {case.ours} |"


if __name__ == "__main__":
    # The events of the layers go to standard output, in between.
    for subject, found in rows():
        sys.stderr.write("\n".join([f"### {subject}", "", HEAD, *found, "", ""]))
