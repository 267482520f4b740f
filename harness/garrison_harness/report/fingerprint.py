"""What makes a finding the same one in the next audit, for code hosts that keep track of alerts."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from garrison_harness.steady import steady_message, steady_request

if TYPE_CHECKING:
    from collections import Counter

    from garrison_harness.report.report import Found


def fingerprint(found: Found, occurrences: Counter[str]) -> str:
    """The same for the same fault in the next audit, whose canaries, ports and times are others.

    Code hosts take findings of one fingerprint for one alert, so like ones are numbered as CodeQL does.

    Args:
        found: The finding.
        occurrences: How many of each there were so far in this report; counted on.
    """
    where, message = steady_request(found.where), steady_message(found.finding.message)
    words = f"{found.check.id}:{where}:{message}"
    digest = hashlib.sha256(words.encode("utf-8", "backslashreplace")).hexdigest()[:16]
    occurrences[digest] += 1
    return f"{digest}:{occurrences[digest]}"
