"""Signs of a leak: found in what frameworks really show, and not in honest error pages."""

from __future__ import annotations

import gzip
import time
import zlib
from typing import Final

import pytest

from garrison import Redaction
from garrison.leaks import evidence, only_says
from garrison.redaction import Redactor

REVEALS: Final = Redactor(Redaction()).reveals
PYTHON: Final = b'Traceback (most recent call last):\n  File "/srv/app.py", line 7, in pay\n'


@pytest.mark.parametrize(
    "body",
    [
        PYTHON,
        b"<code>File &quot;/srv/app/views.py&quot;</code>, line <b>12</b>",
        b'File <cite class="filename">"/srv/app.py"</cite>, line <em>7</em>',
        b"<span>/srv/app.py</span> in <span>pay</span> at line <span>7</span>",
        b"TypeError: x\n    at pay (/srv/app/pay.js:12:7)\n    at next (/srv/x.js:1:1)",
        b"java.lang.Error\n\tat com.shop.Pay.run(Pay.java:12)",
        b'<div class="traceback">',
        b"?__debugger__=yes&cmd=resource",
        b"You're seeing this error because you have <code>DEBUG = True</code>",
        b"SQLSTATE[42000]: Syntax error",
        b"ORA-00942: table or view does not exist",
        b"psycopg.errors.UndefinedTable: relation",
        b"sqlite3.OperationalError: no such table: users",
        b"(sqlalchemy.exc.ProgrammingError)",
        b"could not connect: postgresql://shop:hunter2@db/shop",
    ],
)
def test_a_leak_is_found(body: bytes) -> None:
    """Tracebacks, debug pages, database errors and credentials are evidence, compressed or not."""
    assert evidence([], body, REVEALS)
    assert evidence([], b"<html>" + b"x " * 500 + body + b"</html>", REVEALS)
    for coding, packed in ((b"gzip", gzip.compress(body)), (b"deflate", zlib.compress(body))):
        assert evidence([(b"Content-Encoding", coding)], packed, REVEALS)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"Internal Server Error",
        b"<h1>Sorry</h1><p>We are at line capacity. Look at (12:30) again.</p>",
        b'{"error": "The file could not be read.", "line": 7}',
        b"The profile.py of a mountain, in line with the map",
        b"Your password is wrong.",
        "Wir sind gleich zurück \u2026".encode(),
        b"\xff\xfe\x00\x01",
    ],
)
def test_an_honest_error_page_is_none(body: bytes) -> None:
    """Words that only resemble a leak leave the app's page alone."""
    assert not evidence([(b"content-type", b"text/html")], body, REVEALS)


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"identity", b""])
def test_a_coding_that_is_a_lie_breaks_nothing(coding: bytes) -> None:
    """What does not decode is judged as it is."""
    assert evidence([(b"content-encoding", coding)], PYTHON, REVEALS)
    assert not evidence([(b"content-encoding", coding)], b"\x1f\x8b broken", REVEALS)


@pytest.mark.parametrize("coding", [b"gzip", b"X-Gzip", b"deflate"])
def test_a_coding_by_each_of_its_names(coding: bytes) -> None:
    """What clients undo is undone, and deflate without its zlib header too."""
    bare = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bodies = [gzip.compress(PYTHON)]
    if coding == b"deflate":
        bodies = [zlib.compress(PYTHON), bare.compress(PYTHON) + bare.flush()]
    for body in bodies:
        assert evidence([(b"content-encoding", coding)], body, REVEALS)


def test_a_compressed_bomb_is_opened_so_far_only() -> None:
    """A reply that inflates a thousandfold costs no more than its first part."""
    bomb = gzip.compress(b"x" * 50_000_000, 9)
    started = time.thread_time()
    assert not evidence([(b"content-encoding", b"gzip")], bomb, REVEALS)
    assert time.thread_time() - started < 1


@pytest.mark.parametrize(
    "attack", [b'File "', b'File "a.py" ', b"\n  at ", b"\n at a.", b".py</a> in ", b" ", b"\n"]
)
def test_no_body_takes_long(attack: bytes) -> None:
    """A reply made to confuse the expression takes no more time than its length."""
    started = time.thread_time()
    evidence([], attack * (64 * 1024 // len(attack)), REVEALS)
    assert time.thread_time() - started < 1


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b"Internal Server Error", True),
        (b"  Internal Server Error\n", True),
        (b'{"detail":"Internal Server Error"}', True),
        (b'{"status_code":500,"detail":"Internal Server Error"}', True),
        (b'{"status_code":500,"detail":"Internal Server Error","extra":null}', True),
        (b'{"detail":"The warehouse burns."}', False),
        (b'{"detail":"Internal Server Error","retry":true}', False),
        (b'{"detail":["Internal Server Error"]}', False),
        (b"{}", False),
        (b"{broken", False),
        (b"<h1>Internal Server Error</h1>", False),
        (b"", False),
        (b"\xff", False),
    ],
)
def test_what_says_no_more_than_its_status(body: bytes, *, verdict: bool) -> None:
    """A framework's default words are told from an app's own."""
    assert only_says(body, "Internal Server Error") is verdict


def test_a_page_with_a_link_that_holds_a_token_is_none() -> None:
    """Pages show what browsers use; the same in JSON is evidence."""
    body = b"<a href='/retry?token=abc123'>Try again</a>"
    assert not evidence([(b"Content-Type", b"text/html; charset=utf-8")], body, REVEALS)
    assert evidence([(b"content-type", b"application/json")], body, REVEALS)
