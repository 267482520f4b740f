"""What a client submitted, in a validation error that echoes it: found by its exact shape, and taken out."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import orjson

from garrison.leaks import decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from garrison.asgi import Headers

# What is held of a reply that comes in parts; one that comes whole is in memory already.
HELD: Final = 1024 * 1024
# As far as one is read; with every field missing, the echo is as many times as long as the request.
READ: Final = 16 * 1024 * 1024

# Pydantic's errors as FastAPI puts them (fastapi.exception_handlers).
NEEDED: Final = frozenset({"type", "loc", "msg"})
KNOWN: Final = NEEDED | {"input", "ctx", "url"}
BEGINNING: Final = re.compile(rb'\s*\{\s*"detail"\s*:\s*\[\s*\{\s*"(?:type|loc|msg|input|ctx|url)"\s*:')


def without_echoes(headers: Headers, body: bytes, masked: Callable[[str], str]) -> bytes | None:
    """The body of a 422 without `input` and `ctx.error`; None where it has none, or another shape.

    Args:
        headers: of the reply.
        body: the whole of it.
        masked: the redaction policy, for the messages.

    Raises:
        ValueError: it has the shape, and cannot be read to its end.
    """
    if not is_json(headers):
        return None
    plain = decoded(headers, body, READ)
    if BEGINNING.match(plain) is None:
        return None
    document = _read(plain)
    errors = document.get("detail") if isinstance(document, dict) and len(document) == 1 else None
    if not isinstance(errors, list) or not all(map(_is_error, errors)):
        return None
    stripped = [_stripped(error, masked) for error in errors]
    return None if stripped == errors else orjson.dumps({"detail": stripped})


def begins_like_one(headers: Headers, body: bytes) -> bool:
    """Whether a reply that is too long to be read looks like one that echoes.

    Args:
        headers: of the reply.
        body: the first part of it.
    """
    return is_json(headers) and BEGINNING.match(decoded(headers, body, READ)) is not None


def is_json(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the reply says that it is JSON, and no more special kind of it."""
    return any(
        name.lower() == b"content-type" and value.partition(b";")[0].strip().lower() == b"application/json"
        for name, value in headers
    )


def _read(plain: bytes) -> Any:
    if len(plain) >= READ:
        raise ValueError("it is too long")
    try:
        return orjson.loads(plain)
    except orjson.JSONDecodeError:
        # It takes fewer things for JSON than Python writes: lone surrogates, and depth.
        try:
            return json.loads(plain)
        except RecursionError as error:
            raise ValueError("it is too deep") from error


def _is_error(error: object) -> bool:
    return (
        isinstance(error, dict)
        and error.keys() >= NEEDED
        and error.keys() <= KNOWN
        and isinstance(error["type"], str)
        and isinstance(error["loc"], list)
        and isinstance(error["msg"], str)
        and isinstance(error.get("ctx", {}), dict)
    )


def _stripped(error: dict[str, Any], masked: Callable[[str], str]) -> dict[str, Any]:
    kept = {name: value for name, value in error.items() if name not in {"input", "ctx"}}
    # A validator's own words may quote the value.
    kept["msg"] = masked(error["msg"])
    if "ctx" in error:
        context = {name: value for name, value in error["ctx"].items() if name != "error"}
        if context or not error["ctx"]:
            kept["ctx"] = context
    return kept
