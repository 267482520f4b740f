"""A document is fetched in a bounded time, of a bounded size, from nowhere less safe."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from garrison.openapi import key_fetch
from garrison.openapi.key_fetch import FetchError, fetched, is_key_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Reply = "Callable[[BaseHTTPRequestHandler], None]"


class Server(ThreadingHTTPServer):
    """Does not wait for replies that never end."""

    daemon_threads = True
    block_on_close = False


@contextmanager
def serving(reply: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[tuple[str, list[str]]]:
    """A provider on this machine, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers['accept']}")
            reply(self)

        def do_CONNECT(self) -> None:
            asked.append(f"{self.path} {self.headers['accept']}")
            self.send_error(502)

        def log_message(self, *arguments: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


def get(url: str, largest: int = 1000) -> bytes:
    """Fetch in a loop of its own."""
    return asyncio.run(fetched(url, largest))


def fetching() -> list[threading.Thread]:
    """The threads that have not ended."""
    return [thread for thread in threading.enumerate() if thread.name == "garrison-keys"]


def answering(status: int, body: bytes = b"", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """The same reply, whoever asks."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def test_gets_a_document() -> None:
    """It asks for a set of keys, and says what it gets."""
    with serving(answering(200, b'{"keys": []}')) as (url, asked):
        assert get(f"{url}/jwks?a=b") == b'{"keys": []}'
    assert asked == ["/jwks?a=b application/jwk-set+json, application/json"]


def test_does_not_hold_the_event_loop_up() -> None:
    """Other requests are served while a provider takes its time."""
    served, in_time = threading.Event(), []

    def reply(handler: BaseHTTPRequestHandler) -> None:
        # The provider answers once others were served; the bound is against hanging only.
        in_time.append(served.wait(2))
        answering(200, b"{}")(handler)

    async def work(url: str) -> None:
        task = asyncio.create_task(fetched(url, 10))
        for _ in range(20):
            await asyncio.sleep(0.001)
        served.set()
        assert await task == b"{}"

    with serving(reply) as (url, _):
        asyncio.run(work(url))
    assert in_time == [True]


@pytest.mark.parametrize("status", [302, 304, 400, 404, 500, 503])
def test_another_status_is_no_document(status: int) -> None:
    """A provider that fails says so by its status; a redirect leads somewhere, and nothing else does."""
    with serving(answering(status)) as (url, asked), pytest.raises(FetchError, match=f"status {status}"):
        get(url)
    if status != 302:
        with serving(answering(status, location="/new")) as (url, asked), pytest.raises(FetchError):
            get(url)
    assert len(asked) == 1


def test_stops_at_the_bound_whatever_is_announced() -> None:
    """A reply without an end does not fill the memory."""

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 1000)
        except OSError:
            handler.close_connection = True

    with serving(endless) as (url, _), pytest.raises(FetchError, match="more than 4 KiB"):
        get(url, 4096)


def test_stops_after_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reply that drips, and one that never begins, end the same way."""
    monkeypatch.setattr(key_fetch, "LONGEST", 0.1)
    monkeypatch.setattr(key_fetch, "SILENCE", 0.2)

    def dripping(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(100):
                handler.wfile.write(b"x")
                time.sleep(0.02)
        except OSError:
            handler.close_connection = True

    with serving(dripping) as (url, _), pytest.raises(FetchError, match="it took more than"):
        get(url)
    for thread in fetching():
        thread.join(0.5)
        assert not thread.is_alive()
    with serving(lambda _: time.sleep(0.4)) as (url, _), pytest.raises(FetchError, match="nothing came"):
        get(url)


def test_a_head_that_drips_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line comes in time, and there is always another one."""
    monkeypatch.setattr(key_fetch, "LONGEST", 0.05)
    monkeypatch.setattr(key_fetch, "SILENCE", 0.1)

    def dripping(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.flush_headers()
        for number in range(10):
            handler.send_header(f"x-{number}", "1")
            handler.flush_headers()
            time.sleep(0.03)
        handler.end_headers()

    async def work(url: str) -> list[dict[str, object]]:
        errors: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
        with pytest.raises(FetchError, match="it took more than"):
            await fetched(url, 10)
        # What comes after all is too late for anybody.
        for thread in fetching():
            await asyncio.to_thread(thread.join, 2)
        await asyncio.sleep(0)
        return errors

    with serving(dripping) as (url, _):
        assert asyncio.run(work(url)) == []


def test_follows_a_redirect_on_the_same_ground() -> None:
    """Providers move their keys to another path."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/old":
            answering(302, location="/new")(handler)
        else:
            answering(200, b"{}")(handler)

    with serving(reply) as (url, asked):
        assert get(f"{url}/old") == b"{}"
    assert [line.partition(" ")[0] for line in asked] == ["/old", "/new"]


@pytest.mark.parametrize(
    "location",
    [
        "http://issuer.test/jwks",
        "https://127.0.0.1/jwks",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "http://user@127.0.0.1/jwks",
    ],
)
def test_follows_no_redirect_to_somewhere_else(location: str) -> None:
    """A reply cannot lead to a file, to plain HTTP of another host, or to another protocol."""
    refused = pytest.raises(FetchError, match="somewhere less safe")
    with serving(answering(302, location=location)) as (url, asked), refused:
        get(url)
    assert len(asked) == 1


def test_redirects_end() -> None:
    """A circle is an error."""
    with (
        serving(answering(302, location="/again")) as (url, asked),
        pytest.raises(FetchError, match="3 times"),
    ):
        get(url)
    assert len(asked) == key_fetch.REDIRECTS + 1


def test_an_address_where_nobody_listens_is_an_error() -> None:
    """It says what the system says."""
    with serving(answering(200)) as (url, _):
        pass
    with pytest.raises(FetchError, match="ConnectionRefusedError: Connection refused"):
        get(url)


def test_a_reply_that_is_no_http_is_an_error() -> None:
    """Nothing of what came is in it."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"canary canary canary\r\n\r\n")

    with serving(reply) as (url, _), pytest.raises(FetchError) as caught:
        get(url)
    assert str(caught.value) == "it failed with BadStatusLine"


def test_a_connection_that_is_closed_is_an_error() -> None:
    """Python has no words of the system for it, and its kind says enough."""
    with serving(lambda _: None) as (url, _), pytest.raises(FetchError) as caught:
        get(url)
    assert str(caught.value) == "it failed with RemoteDisconnected"


def test_a_loop_that_ends_leaves_nobody_waiting() -> None:
    """A process can stop while a provider hangs."""
    left, waited = threading.Event(), []

    async def leave(url: str) -> None:
        task = asyncio.create_task(fetched(url, 10))
        await asyncio.sleep(0.05)
        task.cancel()

    with serving(lambda _: waited.append(not left.wait(5))) as (url, _):
        asyncio.run(leave(url))
        assert True not in waited
        left.set()
        for thread in fetching():
            assert thread.daemon
            thread.join(2)


def test_a_proxy_of_the_environment_is_asked_for_what_is_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """In many networks there is no other way out; what goes through it is still encrypted."""
    with serving(answering(200)) as (url, asked):
        monkeypatch.setenv("https_proxy", url)
        monkeypatch.delenv("no_proxy", raising=False)
        with pytest.raises(FetchError):
            get("https://issuer.test/jwks")
    assert asked == ["issuer.test:443 None"]


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is here needs nobody in between."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serving(answering(200, b"{}")) as (url, _):
        assert get(url) == b"{}"


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://issuer.example/.well-known/jwks.json", True),
        ("https://issuer.example:8443/jwks?a=b", True),
        ("http://localhost:8080/jwks", True),
        ("http://127.0.0.1/jwks", True),
        ("http://[::1]:80/jwks", True),
        ("http://issuer.example/jwks", False),
        ("http://127.0.0.1.issuer.example/jwks", False),
        ("http://localhost@issuer.example/jwks", False),
        ("https://user:secret@issuer.example/jwks", False),
        ("ftp://issuer.example/jwks", False),
        ("ftp://localhost/jwks", False),
        ("https://issuer.example/schlüssel", False),
        ("https://issuer.example/a\x7fb", False),
        ("file:///etc/keys.json", False),
        ("https://", False),
        ("https://issuer.example/a b", False),
        ("https://[::1/jwks", False),
        ("https://issuer.example/jwks\r\nx: y", False),
    ],
)
def test_keys_are_taken_from_where_nobody_can_change_them(url: str, fine: bool) -> None:
    """Whoever can change the keys on the way can sign tokens."""
    assert is_key_url(url) is fine
