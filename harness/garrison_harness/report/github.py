"""The audit as annotations, which GitHub Actions shows beside the code: workflow commands on stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.finding import Confidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.report.report import Report

_MOST: Final = 10  # annotations of one kind that GitHub shows of a step
_KINDS: Final = ("error", "warning", "notice")


def render(report: Report) -> str:
    """The commands, a line each, the worst first, and no more than are shown.

    What fails the audit is an error, every other fault a warning, and what is worth knowing a notice. Where
    there are more of a kind than GitHub shows, the last of them says how many.
    """
    annotations: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for found in report.worst_first():
        if found.failing:
            kind = "error"
        else:
            kind = "notice" if found.finding.confidence is Confidence.INFO else "warning"
        message = "\n".join(
            (
                f"{found.where}: {found.finding.message}",
                f"Fix: {found.check.fix}",
                f"More: {report.more(found.check)}",
            )
        )
        title = f"{found.check.id} {found.severity.word}: {found.check.title}"
        file = report.in_repository(found.place.file)
        annotations[kind].append(_command(kind, message, file, found.place.line, title))
    if report.exit_status == 4:
        file = report.in_repository(report.source_file())
        annotations["error"].append(
            _command("error", report.reason, file, 1, "garrison check is inconclusive")
        )
    if report.baseline is not None:
        path = report.in_repository(report.baseline.path.as_posix())
        for entry, text in report.baseline.remarks():
            command = _command("warning", text, path, entry.line, "garrison baseline")
            annotations["warning"].append(command)
    return "".join(f"{line}\n" for kind in _KINDS for line in _within_bounds(kind, annotations[kind]))


def _within_bounds(kind: str, lines: Sequence[str]) -> Iterator[str]:
    if len(lines) <= _MOST:
        yield from lines
        return
    yield from lines[: _MOST - 1]
    yield f"::{kind} title=garrison check::{len(lines) - _MOST + 1} more: see the log or the full report"


def _command(kind: str, message: str, file: str, line: int, title: str) -> str:
    return f"::{kind} file={_property(file)},line={line},title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
