"""Violations in files: the JSON log of Garrison, and reports as browsers sent them."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import orjson

from garrison.csp.reports import Violation, read_event, read_reports

if TYPE_CHECKING:
    from collections.abc import Iterator

# A report may be written over many lines; what is larger is a log, with a document on each.
LARGEST_DOCUMENT: Final = 16 * 1024 * 1024


class NoReportError(ValueError):
    """A file without any violation; the message goes on where its name ends."""


def read_report_file(file: BinaryIO) -> list[Violation]:
    """The violations in a file; lines that are no JSON, and documents of other kinds, are passed over.

    Args:
        file: a log with a document on each line, or one document.

    Raises:
        NoReportError: there is none.
        OSError: it cannot be read.
    """
    start = file.read(LARGEST_DOCUMENT)
    if not start.strip():
        raise NoReportError("is empty")
    is_json = False
    found: list[Violation] = []
    for document in _documents(start, file):
        is_json = True
        event = read_event(document)
        reports = read_reports(document) if event is None else (event,)
        found += [report for report in reports if isinstance(report, Violation)]
    if not is_json:
        raise NoReportError("has no JSON in it: a JSON log, or reports as browsers send them, would do")
    if not found:
        raise NoReportError("has no report about a Content-Security-Policy in it")
    return found


def _documents(start: bytes, file: BinaryIO) -> Iterator[Any]:
    try:
        yield orjson.loads(start)
    except orjson.JSONDecodeError:
        # The last line of the start may go on.
        for line in chain((start + file.readline()).split(b"\n"), file):
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
