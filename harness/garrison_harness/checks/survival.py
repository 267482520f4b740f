"""Whether the app outlives its audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.checks.check import Check
from garrison_harness.finding import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.checks.check import Seen
    from garrison_harness.finding import Finding


def _judge_survival(seen: Seen) -> Iterator[Finding]:
    if seen.death is None:
        if seen.reply("page").failure == "timeout":
            # It answered before the audit began, or there would have been none.
            message = "the app no longer answers at the end of the audit"
            yield seen.finding("page", message, confidence=Confidence.LIKELY)
        return
    # What found its connection broken was under way when the app ended; what was refused came after.
    broken = [
        exchange for exchange in seen.record if exchange.reply.failure in {"reset", "closed", "truncated"}
    ]
    first, *others = sorted(broken or seen.record[-1:], key=lambda exchange: exchange.at)
    suspects = f", with {1 + len(others)} requests under way" if others else ""
    yield seen.finding(
        first,
        f"the app ended while it was audited ({seen.death.cause}){suspects}",
        lines=[*(exchange.summary for exchange in others), *seen.death.log],
    )


CHECKS = (
    Check(
        id="A1",
        title="The app survives the audit",
        severity=Severity.HIGH,
        cwe=400,
        reference="OWASP API4:2023",
        fix="send the request named here by hand, and mend what its log shows",
        why="A request that ends the process ends it for everybody, and anybody who finds it can send "
        "it again.",
        how="At the end of the audit the page is asked. A finding is a process that has ended, with the "
        "requests that were under way and the last lines of its log; a page that is not answered any more is "
        "a likely one.",
        ask=lambda site: {"page": site.get(site.path)},
        judge=_judge_survival,
        alone=True,
        after_death=True,
    ),
)
