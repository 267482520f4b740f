"""What one request brought that nobody may see, for the exceptions that quote it without its name."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from garrison.token_shapes import MASK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from garrison.asgi import Scope
    from garrison.redaction import Redactor

# Looking for each takes time in proportion to the text, and what is shorter is in every text by chance.
MOST: Final = 64
SHORTEST: Final = 4
SHORTEST_COOKIE: Final = 8


def own_secrets(scope: Scope, path: str, redactor: Redactor) -> list[str]:
    """The values of this request that the policy hides by their names, the longest first.

    Args:
        scope: of the request.
        path: as the server gave it, before mounts moved it.
        redactor: the policy.
    """
    found = set(redactor.hidden_segments(path))
    for name, value in scope["headers"]:
        if redactor.hides_header(name):
            found.update(_of_header(name.lower(), value.decode("latin-1")))
    for value in redactor.hidden_values(scope.get("query_string", b"").decode("latin-1")):
        found.update((value, unquote_plus(value)))
    return sorted((one for one in found if len(one) >= SHORTEST), key=len, reverse=True)[:MOST]


def without(text: str, secrets: Iterable[str]) -> str:
    """A text in which each of these is masked."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def _of_header(name: bytes, value: str) -> Iterator[str]:
    yield value
    if name == b"cookie":
        for pair in value.split(";"):
            content = pair.partition("=")[2].strip(' "')
            if len(content) >= SHORTEST_COOKIE:
                yield content
        return
    scheme, _, credentials = value.strip().partition(" ")
    yield credentials.strip()
    if scheme.lower() == "basic":  # RFC 7617: user and password in Base64
        try:
            decoded = base64.b64decode(credentials.strip(), validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return
        yield decoded.partition(":")[2]
