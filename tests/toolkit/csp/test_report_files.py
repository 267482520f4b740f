"""Reading files of reports: every shape, and logs of any size."""

from __future__ import annotations

import io

from garrison.csp.report_files import LARGEST_DOCUMENT, read_report_file

REPORT = b'{"csp-report": {"effective-directive": "img-src", "blocked-uri": "data"}}\n'


def test_a_long_log_is_read_line_by_line() -> None:
    """A report is found wherever it stands, also where one reading ends and the next begins."""
    filling = b"x" * (LARGEST_DOCUMENT - len(REPORT) - 20) + b"\n"
    found = read_report_file(io.BytesIO(REPORT + filling + REPORT + b"no JSON\n" + REPORT))
    assert [(item.directive, item.blocked) for item in found] == [("img-src", "data")] * 3
