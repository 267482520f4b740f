"""Several checks together: asked at the same time, and told about when they change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.events import EventLog
    from garrison.probes.check import Check, Result
    from garrison.redaction import Redactor

# Enough for a database's complaint.
LONGEST_MESSAGE: Final = 200


class Checks:
    """Asks named checks.

    Args:
        checks: by name each one once.
        redactor: what is masked in what they raise.
        log: where `health_check_failed` and `health_check_passed` go, each when it changes.
    """

    def __init__(self, checks: Iterable[Check], redactor: Redactor, log: EventLog) -> None:
        self._checks = tuple(checks)
        self._redactor = redactor
        self._log = log
        self._failed: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._checks)

    async def pass_all(self) -> bool:
        """Whether all are fine, asked together."""
        results = await asyncio.gather(*(check.ask() for check in self._checks))
        for check, result in zip(self._checks, results, strict=True):
            if result.passed == (check.name in self._failed):
                self._tell(check.name, result)
        return all(result.passed for result in results)

    def details(self) -> dict[str, dict[str, Any]]:
        """What is known of each, for somebody who may see it."""
        return {check.name: self._describe(check.result) for check in self._checks}

    def _tell(self, name: str, result: Result) -> None:
        if result.passed:
            self._failed.discard(name)
        else:
            self._failed.add(name)
        event = "health_check_passed" if result.passed else "health_check_failed"
        level = "info" if result.passed else "warning"
        self._log.emit(level, event, {"check": name, "duration": result.duration, **self._error(result)})

    def _describe(self, result: Result | None) -> dict[str, Any]:
        if result is None:
            return {"status": "unknown"}
        status = "pass" if result.passed else "fail"
        return {"status": status, "duration": round(result.duration, 6), **self._error(result)}

    def _error(self, result: Result) -> dict[str, str]:
        if result.error is None:
            return {}
        text = " ".join(str(result.error).split())[:LONGEST_MESSAGE]
        return {"error.type": type(result.error).__qualname__, "exception.message": self._redactor.text(text)}
