"""What a caller writes must not become lines of the log, or commands to the terminal that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.log_lines import is_record, lines_of
from garrison_harness.exchange import Request
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.checks.check import Seen
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site
    from garrison_harness.stage import Stage

_LOGGED_WITHIN: Final = 1.0  # seconds; a record may be written after the reply is sent
_RED: Final = "\x1b[31m"
_PLACES: Final = {"path": "the path", "query": "the query", "headers": "a header", "raw": "a header"}


def _forged(site: Site, place: str) -> str:
    return f"{site.canary}-{place}-forged"


def _carrier(site: Site, place: str) -> str:
    """The words before the line break: the line that holds them says whether it is a record."""
    return f"{site.canary}-{place}-carrier"


def _coloured(site: Site, place: str) -> str:
    return f"{_RED}{site.canary}-{place}-coloured"


def _lines(site: Site, place: str) -> str:
    """Percent-encoded: words, lines of their own, and a word in the colours of a terminal."""
    line = _forged(site, place)
    return f"{_carrier(site, place)}%0d%0a{line}%0a{line}{_coloured(site, place).replace(_RED, '%1b%5B31m')}"


def _drive(stage: Stage) -> None:
    site = stage.site
    page = site.path.partition("?")[0]
    query = _lines(site, "query")
    # Percent-encoded a header is plain text, which some apps decode before they log it.
    written = _lines(site, "headers")
    named = [("User-Agent", written), ("Referer", f"http://{site.authority}/{written}")]
    raw = site.head("GET", page, [("User-Agent", _coloured(site, "raw"))])
    stage.ask("page", site.get(f"{page}?garrison={site.canary}"))
    stage.ask("query", site.request("GET", f"{page}?q={query}&name={query}", plain=False))
    stage.ask("headers", site.request("GET", page, named, plain=False))
    stage.ask("raw", Request(method="GET", target=page, pieces=(raw,), plain=False))
    stage.ask("path", site.request("GET", f"{site.missing_path}{_lines(site, 'path')}", plain=False))
    # Paths are logged everywhere, and what was asked before is logged before.
    stage.until(lambda: _forged(site, "path") in stage.log(), _LOGGED_WITHIN)


def _judge(seen: Seen) -> Iterator[Finding]:
    lines = lines_of(seen.log)
    for place, words in _PLACES.items():
        yield from _forgeries(seen, lines, place, words)
        yield from _colours(seen, lines, place, words)
    if seen.site.canary not in seen.log:
        raise Unjudged("nothing of what was asked is in the log, so there is no record to forge")


def _forgeries(seen: Seen, lines: Sequence[str], place: str, words: str) -> Iterator[Finding]:
    forged = [n for n, line in enumerate(lines) if line.startswith(_forged(seen.site, place))]
    records = [number for number in forged if _is_of_record(lines, number, seen.site, place)]
    if records:
        message = f"a line break in {words} begins a record of its own in the log"
        yield seen.finding(place, message, lines=[f"log: {lines[records[0]]}"])
    elif forged:
        message = f"a line break in {words} begins a line of what the app prints, which is no log by its form"
        shown = [f"printed: {lines[forged[0]]}"]
        yield seen.finding(place, message, lines=shown, confidence=Confidence.INFO)


def _colours(seen: Seen, lines: Sequence[str], place: str, words: str) -> Iterator[Finding]:
    coloured = [number for number, line in enumerate(lines) if _coloured(seen.site, place) in line]
    records = [number for number in coloured if _is_of_record(lines, number, seen.site, place)]
    for number in (records or coloured)[:1]:
        shown = lines[number][lines[number].index(_RED + seen.site.canary) :]
        message = f"an escape sequence in {words} drives the terminal that shows the log"
        confidence = Confidence.CONFIRMED
        if not records:
            message = f"an escape sequence in {words} is in what the app prints, which is no log by its form"
            confidence = Confidence.INFO
        yield seen.finding(
            place,
            message,
            lines=[f"{'log' if records else 'printed'}: {shown}"],
            severity=Severity.LOW,
            confidence=confidence,
        )


def _is_of_record(lines: Sequence[str], number: int, site: Site, place: str) -> bool:
    """Whether a line is a record of the log, or what a line break has made of one."""
    forged = _forged(site, place)
    if not lines[number].startswith(forged):
        return is_record(lines[number])
    while number and lines[number].startswith(forged):
        number -= 1
    # Others write to the same output, perhaps in between.
    return _carrier(site, place) in lines[number] and is_record(lines[number])


CHECKS = (
    Check(
        id="I7",
        title="A request makes no more than its own records in the log",
        severity=Severity.MEDIUM,
        needs=(Need.LOGS,),
        cwe=117,
        reference="ASVS 5.0 V16.4.1",
        fix="log with a formatter that escapes control characters, such as JSON, and log the path as it was "
        "sent, still percent-encoded",
        garrison="GARRISON_ACCESS_LOG writes one escaped record for each request, and garrison run "
        "escapes what the app logs; what it prints is its own",
        why="A caller who can write line breaks into the log writes whole records: a login of somebody else "
        "that never was, or noise that hides the own one. Escape sequences move the cursor and rewrite what "
        "whoever reads the log on a terminal sees.",
        how="Path, query and headers hold line breaks and an escape sequence, each with words that occur "
        "nowhere by themselves. A finding is a record of the log that goes on, after the line break, in a "
        "line which begins with those words, or that holds the escape sequence as it is. What is a record "
        "shows by its form: it begins with a date, a time, a level, an address, a request line, JSON or "
        "logfmt. "
        "Other lines of standard output and standard error are what the app prints, and such lines in it are "
        "mentioned only. A log that holds nothing of the requests is not judged.",
        drive=_drive,
        judge=_judge,
    ),
)
