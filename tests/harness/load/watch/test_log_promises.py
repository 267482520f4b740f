"""Secrets and torn lines in a log under load, beside a log that was so when quiet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from garrison_harness.load.watch.canaries import PLACES, Canaries, judge_canaries
from garrison_harness.load.watch.log_lines import judge_lines
from garrison_harness.load.watch.log_reading import LogSeen, read_log
from garrison_harness.report.hiding import secrets_of

if TYPE_CHECKING:
    from pathlib import Path

LINE = json.dumps({"event": "request", "path": "/", "status": 200})
CANARIES = Canaries("0123456789abcdef01234567")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The file of one stream."""
    return tmp_path / "stdout.log"


def read(log: Path, text: str | bytes, start: int = 0) -> LogSeen:
    """What is seen of a log that holds this."""
    log.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_log(log, start, log.stat().st_size, CANARIES.needles())


def test_secret_that_is_logged_under_load_only_breaks_the_promise(log: Path) -> None:
    """The line that holds it is told without it, with the place that it was sent in."""
    quiet = read(log, f"{LINE}\n")
    leak = json.dumps(
        {"event": "slow", "headers": f"authorization: Bearer {CANARIES.secret('authorization')}"}
    )
    promise = judge_canaries(quiet, read(log, f"{LINE}\n{leak}\n"), sent=3)
    assert promise.verdict == "broken"
    assert promise.detail == "1 line of the log under load: the secret in the Authorization header (1)"
    assert promise.examples[0].endswith("Bearer (the secret)")
    assert CANARIES.word not in "".join(promise.examples)


def test_line_of_the_log_is_told_without_the_secrets_of_the_person(log: Path) -> None:
    """An app that logs its headers logs the login of the run beside what was planted; no report shows it."""
    mine = secrets_of([("Authorization", "Bearer my-own-token"), ("Cookie", "session=0123456789")])
    line = f'{{"login": "Bearer my-own-token", "cookie": "session=0123456789 {CANARIES.secret("cookie")}'
    log.write_text(f"{line}\n{line}\n")
    seen = read_log(log, 0, log.stat().st_size, CANARIES.needles(), mine)
    told = "".join(seen.torn.examples + seen.leaks["cookie"].examples)
    assert "[hidden]" in told
    assert not any(secret in told for secret in ("my-own", "0123456789"))
    promise = judge_canaries(LogSeen(known=True), seen, sent=1)
    assert len(promise.examples) == 1


def test_log_without_secrets_keeps_the_promise(log: Path) -> None:
    """Lines that hold none of them are counted."""
    clean = read(log, f"{LINE}\n" * 5)
    promise = judge_canaries(clean, clean, sent=3)
    assert (promise.verdict, promise.detail) == ("kept", "3 rounds sent, none in 5 lines")


def test_secret_that_the_quiet_log_holds_too_is_not_judged(log: Path) -> None:
    """A server that logs queries does so with and without load; the other places are judged all the same."""
    logged = read(log, f"GET /?{CANARIES.query()} 200\n")
    promise = judge_canaries(logged, logged, sent=1)
    assert promise.verdict == "kept"
    assert promise.detail.endswith("logged when quiet, so not judged: the query")
    everything = read(log, "\n".join(CANARIES.secret(place) for place in PLACES) + "\n")
    assert judge_canaries(everything, everything, sent=1).verdict == "not judged"


@pytest.mark.parametrize(
    ("loaded", "sent", "detail"),
    [
        (LogSeen(), 3, "the target was not started here, so its log is not known"),
        (LogSeen(known=True), 3, "the target wrote no log under load"),
    ],
)
def test_log_that_is_not_there_proves_nothing(loaded: LogSeen, sent: int, detail: str) -> None:
    """No log, or an empty one, keeps no promise."""
    promise = judge_canaries(LogSeen(), loaded, sent=sent)
    assert (promise.verdict, promise.detail) == ("not judged", detail)


@pytest.mark.parametrize(
    "torn",
    [
        f"{LINE[:20]}\n",
        f"{LINE}{LINE}\n",
        f"{LINE[:20]}{LINE}\n{LINE[20:]}\n",
    ],
)
def test_torn_line_breaks_the_promise(log: Path, torn: str) -> None:
    """Half a line, two in one, and one inside another are told, where the quiet log has whole ones only."""
    quiet = read(log, f"{LINE}\n" * 3)
    promise = judge_lines([(quiet, read(log, f"{LINE}\n{torn}{LINE}\n"))])
    assert promise.verdict == "broken"
    assert promise.examples[0].startswith('log: {"event"')


def test_what_is_printed_beside_the_log_tears_nothing(log: Path) -> None:
    """Tracebacks, prints and blank lines of an app under load are no lines of its log."""
    quiet = read(log, f"{LINE}\n")
    loaded = read(log, f"{LINE}\nTraceback (most recent call last):\n  boom\n\n{{'a': 1}}\n{LINE}\n")
    promise = judge_lines([(quiet, loaded), (LogSeen(known=True), read(log, "INFO\n"))])
    assert (promise.verdict, promise.detail) == ("kept", "2 lines of JSON under load")


def test_log_that_is_no_json_when_quiet_has_no_lines_to_keep(log: Path) -> None:
    """Plain lines, or a mixture, are left alone."""
    mixed = read(log, f"{LINE}\nINFO started\n")
    promise = judge_lines([(mixed, read(log, f"{LINE[:20]}\n"))])
    assert (promise.verdict, promise.detail) == (
        "not judged",
        "the quiet app writes no JSON lines for its requests",
    )
    assert "not started here" in judge_lines([(LogSeen(), LogSeen())]).detail


def test_only_the_lines_of_the_run_are_read(log: Path) -> None:
    """A line that began before, and one that is still being written, belong to nobody."""
    before = f"{CANARIES.secret('cookie')}\n{LINE}"
    text = f"{before}{LINE}\n{LINE}\n{LINE[:10]}"
    seen = read(log, text, start=len(before))
    assert (seen.lines, seen.objects, seen.torn.count, seen.leaks) == (1, 1, 0, {})
    assert read(log, text, start=len(text)).lines == 0
    whole = f"{LINE}\n{LINE}\n"
    assert read(log, whole, start=len(LINE) + 1).lines == 1, "it begins where the line before has ended"


def test_lines_across_the_pieces_that_are_read_are_found(log: Path) -> None:
    """A log of some megabytes is read piece by piece, and no line is lost or torn between two."""
    count = 3 * 1024 * 1024 // len(LINE)
    seen = read(log, f"{LINE}\n" * count + f"x{CANARIES.secret('body')}\n")
    assert (seen.lines, seen.objects, seen.torn.count) == (count + 1, count, 0)
    assert seen.leaks["body"].count == 1
