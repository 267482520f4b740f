"""`garrison run` with apps that are called in threads, as Flask's and Django's are."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from garrison import Settings, harden
from garrison.server.wsgi import FromWSGI
from tests.toolkit.driver import call, http_scope
from tests.toolkit.server.conftest import Running, running
from tests.toolkit.server.wire import ask, connected

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A WSGI app by hand."""
    with running(tmp_path_factory.mktemp("plain"), "old:make", "--factory") as up:
        yield up


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A Flask app."""
    with running(tmp_path_factory.mktemp("site"), "old:site") as up:
        yield up


def test_flask_is_served_hardened(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Replies of a Flask app have the headers of the layers, and its failures are told to nobody."""
    with running(tmp_path_factory.mktemp("flask"), "old:site") as up:
        reply = ask(up.port, "/items/7", "X-Forwarded-For: 203.0.113.9")
        assert reply.json == {"number": 7, "client": "203.0.113.9", "scheme": "http"}
        assert reply["x-content-type-options"] == "nosniff"
        assert ask(up.port, "/nothing-here").status == 404
        failed = ask(up.port, "/boom")
        assert failed.status == 500
        assert b"hunter2" not in failed.body
        assert "hunter2" not in up.stdout + up.stderr
        assert up.stop() == 0


@pytest.mark.parametrize(
    ("lines", "body", "found"),
    [
        (("Transfer-Encoding: chunked",), b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde"),
        (("Content-Length: 5",), b"abcde", "abcde"),
        ((), b"", ""),
    ],
    ids=["chunked", "of known length", "none"],
)
def test_bodies_reach_a_framework(lines: tuple[str, ...], body: bytes, found: str, site: Running) -> None:
    """Also one whose length nobody has declared: Flask would take it for empty, and nobody would notice."""
    with connected(site.port) as connection:
        connection.send("POST /echo HTTP/1.1", "Host: shop.example", *lines, body=body)
        assert connection.reply().json["body"] == found


def test_a_body_that_breaks_off_reaches_nobody(plain: Running) -> None:
    """Also a chunked one, of which nobody could tell that it is not whole: the log has one who left."""
    before, calls = plain.settled(), plain.stderr.count("said by an app")
    with connected(plain.port) as connection:
        connection.send(
            "POST /note HTTP/1.1", "Host: shop.example", "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n"
        )
    (event,) = plain.events_after(before, 1)
    assert (event["outcome"], event["http.response.status_code"]) == ("client_gone", 499)
    assert plain.stderr.count("said by an app") == calls


def test_header_names_with_an_underscore_do_not_reach_it(plain: Running) -> None:
    """A WSGI app cannot tell `X_Forwarded_For` from `X-Forwarded-For`, which a stranger must not set."""
    reply = ask(plain.port, "/", "X_Forwarded_For: 203.0.113.9", source="127.0.0.9")
    assert (reply.status, reply.body.split()[0]) == (200, b"-")


@pytest.mark.parametrize("sent", [[], [(b"x_odd", b"1")]], ids=["usual headers", "an odd header"])
@pytest.mark.parametrize("body", [b"", b"hello"], ids=["without a body", "with a body"])
def test_an_app_tells_the_template_of_its_route(
    sent: list[tuple[bytes, bytes]], body: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it writes to `asgi.scope` is in the log, whatever the names of the headers are."""

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ["asgi.scope"]["path_template"] = "/items/<number>"
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"HTTP_X_ODD" if "HTTP_X_ODD" in environ else b"nothing odd"]

    length = (b"content-length", b"%d" % len(body))
    scope = http_scope("/items/7", method="POST", headers=[*sent, length])
    reply = call(harden(FromWSGI(app, threads=1), Settings()), scope, body)
    assert (reply.status, reply.body) == (200, b"nothing odd")
    event = json.loads(capsys.readouterr().out)
    assert event["http.route"] == "/items/<number>"


def test_bodies_arrive_and_banners_do_not_leave(plain: Running) -> None:
    """What a client sends is read in a thread, and the app's own banner is taken off."""
    with connected(plain.port) as connection:
        connection.send(
            "POST / HTTP/1.1", "Host: shop.example", "Content-Length: 100000", body=b"x" * 100_000
        )
        reply = connection.reply()
    assert reply.body.split()[1] == b"100000"
    assert "server" not in reply


def test_what_it_writes_to_its_error_stream_is_no_event(plain: Running) -> None:
    """`wsgi.errors` is standard error; standard output holds events only."""
    ask(plain.port)
    assert "said by an app of the other kind" in plain.stderr
    assert all(event["event"] == "http.request" for event in plain.events)


def test_so_many_at_a_time(tmp_path_factory: pytest.TempPathFactory) -> None:
    """As many requests as there are threads are handled at once."""
    with (
        running(tmp_path_factory.mktemp("threads"), "old:plain", GARRISON_SERVER_WSGI_THREADS="2") as up,
        ThreadPoolExecutor(4) as pool,
    ):
        begin = time.monotonic()
        replies = list(pool.map(lambda _: ask(up.port, "/slow"), range(4)))
        assert time.monotonic() - begin >= 0.6
        assert len({reply.body.split()[2] for reply in replies}) == 2
