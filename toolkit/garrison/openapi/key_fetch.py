"""One small document over HTTP, in a thread that nobody has to wait for."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from time import monotonic
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from garrison.host_names import is_local, read_host

# Seconds without a byte, and seconds for all of them.
SILENCE: Final = 5.0
LONGEST: Final = 10.0
CHUNK: Final = 64 * 1024
REDIRECTS: Final = 3
URL_OR_PATH: Final = "an https URL (http only on localhost), without user and password, or a path"
TOO_SLOW: Final = f"it took more than {LONGEST:.0f} s"


class FetchError(Exception):
    """A document was not got: why, in a few words without anything of the reply."""


async def fetched(url: str, largest: int) -> bytes:
    """Get a document without blocking the event loop, or keeping the process from ending.

    Args:
        url: one that `is_key_url`.
        largest: bytes beyond which it is refused.

    Raises:
        FetchError: there is none.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes | FetchError] = loop.create_future()

    def land(found: bytes | FetchError) -> None:
        if not answer.done():
            answer.set_result(found)

    def run() -> None:
        try:
            found: bytes | FetchError = _get(url, largest)
        except FetchError as error:
            found = error
        except Exception as error:  # noqa: BLE001 - it would be lost in this thread, and somebody waits for it
            found = FetchError(f"it failed with {type(error).__name__}")
        # The loop may be closed by now.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(land, found)

    # The loop's own threads are waited for at shutdown, and looking up a name can take half a minute.
    threading.Thread(target=run, name="garrison-keys", daemon=True).start()
    try:
        # A head that drips is nowhere else bounded.
        async with asyncio.timeout(LONGEST + SILENCE):
            result = await answer
    except TimeoutError:
        raise FetchError(TOO_SLOW) from None
    if isinstance(result, FetchError):
        raise result
    return result


def _get(url: str, largest: int) -> bytes:
    # Start-up time: only who has keys at a URL needs them.
    from http.client import HTTPException  # noqa: PLC0415
    from urllib.error import HTTPError, URLError  # noqa: PLC0415

    until = monotonic() + LONGEST
    try:
        for _ in range(REDIRECTS + 1):
            try:
                with _opened(url) as reply:
                    return _body(reply, largest, until)
            except HTTPError as error:
                with error:
                    url = _redirected(error.code, url, error.headers.get("location", ""))
    except URLError as error:
        raise FetchError(_words(error.reason)) from None
    except (HTTPException, OSError) as error:
        raise FetchError(_words(error)) from None
    raise FetchError(f"it redirects more than {REDIRECTS} times")


def _opened(url: str) -> Any:
    """A reply; one that is no success is raised as an HTTPError."""
    from urllib import request  # noqa: PLC0415 - as above

    # Nothing else than HTTP, and no redirects. A proxy that the environment names is for what is outside.
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler(None if url.startswith("https:") else {}),
        request.HTTPHandler(),
        request.HTTPSHandler(),
        request.HTTPDefaultErrorHandler(),
        request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    headers = {"Accept": "application/jwk-set+json, application/json", "User-Agent": "garrison"}
    return opener.open(request.Request(url, headers=headers), timeout=SILENCE)  # noqa: S310 - `is_key_url`


def _body(reply: Any, largest: int, until: float) -> bytes:
    found = bytearray()
    while chunk := reply.read1(CHUNK):
        found += chunk
        if len(found) > largest:
            raise FetchError(f"it has more than {largest // 1024} KiB")
        if monotonic() > until:
            raise FetchError(TOO_SLOW)
    return bytes(found)


def _redirected(status: int, url: str, location: str) -> str:
    """Where a reply leads, as safe as where it comes from."""
    if status not in {301, 302, 303, 307, 308} or not location:
        raise FetchError(f"the reply has status {status}")
    target = urljoin(url, location)
    if not is_key_url(target) or urlsplit(target).scheme != urlsplit(url).scheme:
        raise FetchError("it redirects to somewhere less safe")
    return target


def is_key_url(text: str) -> bool:
    """Whether keys may be had from a URL: nobody on the way can change them."""
    try:
        parts = urlsplit(text)
        host = read_host(parts.netloc.encode("latin-1"))
    except ValueError:
        return False
    if host is None or not text.isascii() or not text.isprintable() or " " in text:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_local(host))


def _words(reason: object) -> str:
    if isinstance(reason, TimeoutError):
        return f"nothing came for {SILENCE:.0f} s"
    if isinstance(reason, OSError) and reason.strerror:
        return f"it failed with {type(reason).__name__}: {reason.strerror}"
    return f"it failed with {type(reason).__name__}"
