"""What users read in replies, and the requests that break the grammar."""

from __future__ import annotations

from datetime import UTC, datetime

import h11
import pytest

from garrison_harness.load.protocols.faults import FAULTS, Fault
from garrison_harness.load.protocols.retry_after import seconds_to_wait
from garrison_harness.load.protocols.status_line import status_in

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Sat, 31 Jan 2026 12:00:30 GMT", 30),
        ("Sat, 31 Jan 2026 11:00:00 GMT", 0),
        ("1.5", None),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("9" * 5000, 999_999_999),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    """Both forms of RFC 9110 section 10.2.3 are understood, and nothing else is."""
    assert seconds_to_wait(value, NOW) == seconds


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", 400),
        (b"HTTP/1.0 204\r\n", 204),
        (b"HTTP/1.1 505 ", 505),
        (b"HTTP/2 200 OK", None),
        (b"HTTP/1.1 20 OK", None),
        (b"HTTP/1.1 2000 OK", None),
        (b"hello\n", None),
        (b"", None),
    ],
)
def test_status_lines(line: bytes, status: int | None) -> None:
    """Only a status line of HTTP/1 is a reply."""
    assert status_in(line) == status


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_malformed_requests_are_complete(fault: Fault) -> None:
    """A server that is asked this has nothing left to wait for: whoever hangs does so by itself."""
    data = fault.write(b"/", b"127.0.0.1:8000")
    head, end, body = data.partition(b"\r\n\r\n")
    assert end
    lines = head.lower().split(b"\r\n")
    announced = [
        int(line[15:])
        for line in lines
        if line.startswith(b"content-length:") and line[15:].strip().isdigit()
    ]
    if b"transfer-encoding: chunked" in lines:
        assert body.endswith(b"0\r\n\r\n")
    else:
        assert len(body) >= max(announced, default=0)


CHOICE = {"folded line", "length and chunks", "unknown version", "header too large"}
STRICT = [fault for fault in FAULTS if fault.name not in CHOICE]


@pytest.mark.parametrize("fault", STRICT, ids=lambda fault: fault.name)
def test_malformed_requests_break_the_grammar(fault: Fault) -> None:
    """A strict parser refuses each of them; the others are what RFC 9112 lets a server choose."""
    parser = h11.Connection(h11.SERVER)
    parser.receive_data(fault.write(b"/", b"127.0.0.1:8000"))
    with pytest.raises(h11.RemoteProtocolError):
        _read(parser)


def _read(parser: h11.Connection) -> None:
    while not isinstance(parser.next_event(), type):  # until it wants more, or has read all
        pass
