"""Fetches a page of a document, at start-up and never later."""

from __future__ import annotations

from http.client import HTTPException
from time import monotonic
from typing import Any, Final
from urllib import request
from urllib.error import HTTPError
from urllib.parse import urljoin, urlsplit

from garrison.openapi.model import DocumentError
from garrison.openapi.retrieval import is_page

# Seconds without a byte, and seconds for all of them.
SILENCE: Final = 10.0
LONGEST: Final = 60.0

MAX_REDIRECTS: Final = 3
_CHUNK: Final = 64 * 1024


def fetch(url: str, largest: int) -> bytes:
    """What is at a URL.

    Args:
        url: with the scheme http or https.
        largest: bytes beyond which it is refused.

    Raises:
        DocumentError: it cannot be had.
    """
    for _ in range(MAX_REDIRECTS + 1):
        try:
            with _opened(url) as reply:
                return _body(reply, largest)
        except HTTPError as error:
            with error:
                url = _redirected(error, url)
        except (HTTPException, OSError, ValueError) as error:
            if isinstance(error, DocumentError):
                raise
            reason = getattr(error, "reason", None) or error
            raise DocumentError(
                "", "a page that can be fetched", " ".join(str(reason).split())[:200]
            ) from None
    raise DocumentError("", f"a page that redirects at most {MAX_REDIRECTS} times")


def _opened(url: str) -> Any:
    """A reply; one that is no success is raised as an HTTPError."""
    # The stock opener reads files too, and follows redirections to them.
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler(),
        request.HTTPHandler(),
        request.HTTPSHandler(),
        request.HTTPDefaultErrorHandler(),
        request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener.open(request.Request(url), timeout=SILENCE)  # noqa: S310 - it knows no other scheme


def _body(reply: Any, largest: int) -> bytes:
    end = monotonic() + LONGEST
    found = bytearray()
    while chunk := reply.read1(_CHUNK):
        found += chunk
        if len(found) > largest:
            raise DocumentError("", f"a page of at most {largest // 2**20} MiB", "more")
        if monotonic() > end:
            raise DocumentError("", f"a page that comes within {LONGEST:.0f} s")
    return bytes(found)


def _redirected(error: HTTPError, url: str) -> str:
    location = error.headers.get("location", "")
    if error.code not in {301, 302, 303, 307, 308} or not location:
        raise DocumentError("", "a page that is there", f"status {error.code}")
    target = urljoin(url, location)
    if not is_page(target) or (urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https"):
        raise DocumentError("", "a page that redirects to one that is as safe", repr(target[:120]))
    return target
