"""The log under judgement is told from what an app prints beside it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from garrison_harness.checks.log_lines import is_record, is_traceback, lines_of
from garrison_harness.finding import Confidence
from tests.harness.commands import check
from tests.harness.recordings import CANARY, SITE, findings, verdict

if TYPE_CHECKING:
    from garrison_harness.finding import Finding

KNOWN = replace(SITE, started=True)
SECRET = f"s3cret-authorization-{CANARY}"
CARRIER = f"{CANARY}-query-carrier"
FORGED = f"{CANARY}-query-forged"
ESCAPE = f"\x1b[31m{CANARY}-query-coloured"

RECORDS = {
    "uvicorn": 'INFO:     127.0.0.1:50320 - "GET / HTTP/1.1" 200 OK',
    "uvicorn in colours": '\x1b[32mINFO\x1b[0m:     127.0.0.1:50320 - "GET / HTTP/1.1" 200 OK',
    "hypercorn": "[2026-11-23 02:45:12 +0000] [123] [INFO] Running on http://127.0.0.1:8000",
    "granian": "[INFO] Starting granian (main PID: 4711)",
    "common log format": '127.0.0.1 - - [23/Nov/2026:02:45:12 +0000] "GET / HTTP/1.1" 200 5',
    "the same for IPv6": '::1 - - [23/Nov/2026:02:45:12 +0000] "GET / HTTP/1.1" 200 5',
    "logging, as it comes": "WARNING:shop:asked for shoes",
    "logging with a time": "2026-11-23 02:45:12,034 INFO asked for shoes",
    "structlog": '{"event": "asked", "level": "info"}',
    "structlog in colours": "\x1b[2m2026-11-23 02:45:12\x1b[0m [\x1b[32m\x1b[1minfo     \x1b[0m] asked",
    "loguru": "2026-11-23 02:45:12.034 | INFO     | shop:asked:12 - shoes",
    "logfmt": 'time="2026-11-23T02:45:12Z" level=info msg="asked for shoes"',
    "Go": "2026/11/23 02:45:12 asked for shoes",
    "Java": "02:45:12.034 [main] INFO  shop.Main - asked for shoes",
    "Express, morgan": "GET /shoes 200 3.104 ms - 12",
    "Kinto, in colours": '\x1b[1m"GET   /v1/?"\x1b[0m\x1b[33m 200 (1 ms)\x1b[0m',
    "syslog": "Nov 23 02:45:12 host shop[4711]: asked for shoes",
    "nginx": "2026/11/23 02:45:12 [error] 12#12: *1 open() failed",
}
PRINTED = [
    "asked for shoes",
    SECRET,
    f"token={SECRET}",
    "{'token': 'abc'}",
    "information about shoes",
    "12 shoes",
    "Users: 3",
    "",
]


@pytest.mark.parametrize("line", RECORDS.values(), ids=RECORDS)
def test_what_servers_and_loggers_write_is_a_record(line: str) -> None:
    """It begins with a time, a level, an address, a request or a field, in the forms that are in use."""
    assert is_record(line)


@pytest.mark.parametrize("line", PRINTED)
def test_what_an_app_prints_is_none(line: str) -> None:
    """It says what it says, and nothing about when or how bad."""
    assert not is_record(line)


def test_an_exception_belongs_to_its_traceback() -> None:
    """The lines up to the last one do, and what comes after the next record does not."""
    lines = lines_of(
        'Traceback (most recent call last):\r\n  File "shop.py", line 3\nKeyError: 3\nINFO: on\nshoes'
    )

    assert [is_traceback(lines, number) for number in range(5)] == [True, True, True, False, False]


def forged(log: str) -> tuple[str, list[Finding]]:
    """How the check of forged records ends with that log, and what it found."""
    known = f"GET /{CANARY}\n{log}"
    return verdict("I7", {}, site=KNOWN, log=known).status, findings("I7", site=KNOWN, log=known)


def test_a_record_that_a_line_break_cuts_is_forged() -> None:
    """Whoever reads the log takes the rest for records of their own."""
    status, (found,) = forged(f"INFO: asked for {CARRIER}\r\n{FORGED}\n{FORGED}\n")

    assert status == "failed"
    assert found.confidence is Confidence.CONFIRMED
    assert "begins a record of its own in the log" in found.message


@pytest.mark.parametrize(
    "log",
    [
        f"asked for {CARRIER}\r\n{FORGED}\n{FORGED}\n",
        f"INFO: another request\n{CARRIER}\r\n{FORGED}\n",
        f"asked for {CARRIER}\nINFO: another request\n{FORGED}\n",
    ],
    ids=["alone", "after a record", "around a record"],
)
def test_a_line_that_an_app_prints_is_no_record_that_is_forged(log: str) -> None:
    """It is mentioned, and the check passes: nobody reads it as a record, whatever stands around it."""
    status, (found,) = forged(log)

    assert status == "passed"
    assert found.confidence is Confidence.INFO
    assert "no log by its form" in found.message
    assert found.evidence[-1].startswith("printed: ")


@pytest.mark.parametrize(
    ("log", "status"),
    [
        (f"INFO: asked for {ESCAPE}\n", "failed"),
        (f"INFO: asked for {CARRIER}\r\n{FORGED}{ESCAPE}\n", "failed"),
        (f"asked for {ESCAPE}\n", "passed"),
        (f"asked for {CARRIER}\r\n{FORGED}{ESCAPE}\n", "passed"),
    ],
    ids=["a record", "a forged record", "printed", "printed with a line break"],
)
def test_an_escape_sequence_counts_where_it_is_in_the_log(log: str, status: str) -> None:
    """What an app prints to a terminal is its own affair, and mentioned."""
    ended, found = forged(log)

    assert ended == status
    assert any("escape sequence" in one.message for one in found)


@pytest.mark.parametrize(
    ("log", "message", "line"),
    [
        (f"INFO: {SECRET}", "is written to the log", "log: INFO: (the secret)"),
        (f"welcome {SECRET}", "the app prints a secret in the Authorization header", "printed: welcome"),
        (
            f"Traceback (most recent call last):\nValueError: {SECRET}",
            "is in a traceback",
            "log: ValueError:",
        ),
        (f"{SECRET}\nINFO: {SECRET}", "is written to the log", "log: INFO: (the secret)"),
    ],
    ids=["a record", "printed", "a traceback", "both"],
)
def test_a_secret_is_leaked_wherever_it_is_written(log: str, message: str, line: str) -> None:
    """It fails each time, and the finding says what it was written in."""
    (found,) = findings("T4", site=KNOWN, log=log)

    assert found.confidence is Confidence.CONFIRMED
    assert message in found.message
    assert found.evidence[-1].startswith(line)


@pytest.mark.parametrize(
    ("talk", "forging", "leak"),
    [
        ("log", "failed", "a secret in the Authorization header is written to the log"),
        ("print", "passed", "the app prints a secret in the Authorization header, beside its log"),
        ("fail", "passed", "a secret in the Authorization header is in a traceback that the app writes"),
    ],
)
def test_apps_that_log_print_and_fail_are_told_apart(talk: str, forging: str, leak: str) -> None:
    """Under a real server, whose own records are between the lines of the app."""
    ran = check("--select", "I7,T4", "--format", "json", "talking_app:app", TALK=talk)

    checks = {found["id"]: found for found in json.loads(ran.stdout)["checks"]}
    assert checks["I7"]["status"] == forging
    assert leak in [found["message"] for found in checks["T4"]["findings"]]
