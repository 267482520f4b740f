"""Whether requests can be found in the log afterwards."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.checks.check import Seen
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site
    from garrison_harness.stage import Stage

_LOGGED_WITHIN: Final = 2.0  # seconds; a record may be written after the reply is sent
_METHODS: Final = ("GET", "POST", "DELETE")
_FOLLOWING: Final = 20  # lines of text in which a record may go on, as that of Rails does


def has_record(log: str, path: str, status: int | None) -> bool:
    """Whether a log tells of a request and of what it was answered with.

    Args:
        log: Lines of text, or of JSON with a record each.
        path: That nobody else asks for.
        status: Of the reply.
    """
    answer = re.compile(rf"(?<![\w.-]){status}(?![\w.-])")
    lines = log.splitlines()
    for number, line in enumerate(lines):
        if path in line:
            record = [line] if line.startswith("{") else lines[number : number + _FOLLOWING]
            if any(answer.search(part) for part in record):
                return True
    return False


def _path(site: Site, method: str) -> str:
    return f"/{site.canary}-{method.lower()}-record"


def _drive(stage: Stage) -> None:
    site = stage.site
    statuses: dict[str, int | None] = {}
    for method in _METHODS:
        body = b"" if method == "POST" else None
        request = site.request(method, _path(site, method), body=body)
        statuses[_path(site, method)] = stage.ask(method, request).status

    def all_written() -> bool:
        log = stage.log()
        return all(has_record(log, path, status) for path, status in statuses.items())

    stage.until(all_written, _LOGGED_WITHIN)


def _judge(seen: Seen) -> Iterator[Finding]:
    without = [
        method
        for method in _METHODS
        if not has_record(seen.log, _path(seen.site, method), seen.answer(method).status)
    ]
    if without == list(_METHODS):
        # The only records that say so may be in a file, or with another process.
        message = "no request is in the log that the target writes to its output"
        yield seen.finding(without[0], message, confidence=Confidence.LIKELY)
        return
    for method in without:
        message = (
            f"a {method} that was answered with {seen.reply(method).outcome} leaves no record in the log"
        )
        yield seen.finding(method, message)


CHECKS: Final = (
    Check(
        id="T6",
        title="Requests leave a record in the log",
        severity=Severity.LOW,
        layers=("ACCESS_LOG",),
        needs=(Need.LOGS,),
        cwe=778,
        reference="ASVS 5.0 V16.3.3",
        fix="write a record for every request, with its time, client, method, path and status, also for "
        "those that are refused",
        garrison="GARRISON_ACCESS_LOG, on by default, writes one event for every request",
        why="Whoever looks for a way in asks for hundreds of paths that do not exist, and whoever has found "
        "one asks again. Without records nobody sees that it happens, or can tell afterwards what was taken.",
        how="A GET, a POST and a DELETE ask for paths that do not exist and hold words of their own. A "
        "finding is one whose path and status are not in what the target writes to its output within "
        f"{_LOGGED_WITHIN:g} s. If none of them is, it is likely and not confirmed, since the log may be "
        "kept elsewhere.",
        drive=_drive,
        judge=_judge,
    ),
)
