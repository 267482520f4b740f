"""The page in place of a problem document."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from garrison import Settings, harden
from garrison.context import enter
from garrison.error_page import HEADERS, LONGEST_LEAD, error_page, raised
from garrison.problems import Problem, reject
from tests.toolkit.driver import call, http_scope, raises
from tests.toolkit.test_negotiation import CHROME

if TYPE_CHECKING:
    from garrison.asgi import Receive, Scope, Send

HOSTILE = "<script>alert(1)</script>&\"'\ud800"


class Text(HTMLParser):
    """What a page says, and what it is made of."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(page.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_what_it_says() -> None:
    """Status, title, detail and the id to ask for, and nothing that loads or runs."""
    read = Text(error_page(503, "Service Unavailable", "Try again.", "abc"))
    assert read.words[0] == "503 Service Unavailable"
    assert [word for word in read.words[2:] if word.strip()] == [
        "503 Service Unavailable", "Try again.", "Request ", "abc",
    ]  # fmt: skip
    assert set(read.tags) <= {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "h1",
        "p",
        "small",
        "code",
    }


def test_everything_is_escaped() -> None:
    """Whatever comes from an app or a client is text."""
    page = error_page(500, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    assert b"<script" not in page
    read = Text(page)
    assert "script" not in read.tags
    assert "".join(read.words).count("<script>alert(1)</script>&\"'\\ud800") == 5


CAUSE = 'Traceback (most recent call last):\n  File "/srv/app.py", line 3, in sell\n    f()\nKeyError: 1\n'
GROUP = """\
  + Exception Group Traceback (most recent call last):
  |   File "/srv/app.py", line 3, in sell
  |     async with group:
  | ExceptionGroup: unhandled errors (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/srv/app.py", line 1, in f
    | ValueError: x
    +------------------------------------
"""


@pytest.mark.parametrize(
    ("traceback", "said"),
    [
        (CAUSE, "KeyError: 1"),
        (f"{CAUSE}\nDuring handling:\n\n{CAUSE.replace('KeyError: 1', 'shop.Sold: a')}", "shop.Sold: a"),
        (CAUSE.replace("KeyError: 1", "ValueError: first\n    second\nthird"), "ValueError: first"),
        (GROUP, "ExceptionGroup: unhandled errors (1 sub-exception)"),
        (CAUSE.replace("1\n", "1" * 9000), f"KeyError: {'1' * (LONGEST_LEAD - 10)}\u2026"),
        ("", ""),
        ("nothing of the kind", ""),
    ],
)
def test_what_was_raised_stands_on_top(traceback: str, said: str) -> None:
    """A developer reads the exception before the frames: the last of a chain, a group's own."""
    assert raised(traceback) == said
    page = error_page(500, "Oops", "", None, traceback)
    assert not said or Text(page).words[2:4] == ["500 Oops", said]
    assert (b"<main class=wide>" in page) is bool(traceback)


def test_its_policy_allows_its_style_and_nothing_else() -> None:
    """The hash is of the style that is in the page."""
    policy = dict(HEADERS)[b"content-security-policy"].decode()
    (style,) = re.findall("<style>(.*)</style>", error_page(500, "", "", None).decode())
    expected = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{expected}';")


@pytest.mark.parametrize("preset", ["auto", "web", "strict", "api"])
def test_every_preset_lets_it_be(preset: str) -> None:
    """Whatever policy the app has, the page keeps its own, which is stricter."""
    environ = Settings.from_environment()
    section = environ.security_headers
    assert section is not None
    settings = dataclasses.replace(environ, security_headers=dataclasses.replace(section, preset=preset))  # type: ignore[arg-type]
    reply = call(harden(raises(LookupError()), settings), http_scope(headers=[(b"accept", CHROME)]))
    assert reply.status == 500
    assert "style-src 'sha256-" in (reply.header("content-security-policy") or "")
    assert reply.all("x-content-type-options") == ["nosniff"]
    assert reply.all("cache-control") == ["no-store"]
    assert (reply.header("x-request-id") or "").encode() in reply.body


def test_refusals_are_pages_too() -> None:
    """Every layer's refusal is a page at a browser, with its headers, and HEAD has no body."""

    async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
        scope, context = enter(scope)
        await reject(scope, receive, send, context, "door", Problem(status=429), [(b"retry-after", b"3")])

    for method in ("GET", "HEAD"):
        reply = call(refusing, http_scope(method=method, headers=[(b"accept", CHROME)]))
        assert reply.header("content-type") == "text/html; charset=utf-8"
        assert (reply.header("retry-after"), bool(reply.body)) == ("3", method == "GET")
        assert int(reply.header("content-length") or 0) > 500
