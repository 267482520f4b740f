"""Percent-encoding: text of raw bytes, read strictly, and the raw path that a router stands for."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote, unquote_to_bytes

# RFC 3986 section 2.1.
BROKEN: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
# What may stand in a path as it is (RFC 3986 section 3.3, pchar) and the slash between segments.
PATH_SAFE: Final = "/:@!$&'()*+,;=~"


class UnreadableError(Exception):
    """Text of a request that cannot be read as it is declared.

    Args:
        rule: as in `Violation`.
        detail: as in `Violation`; nothing of the text itself.
    """

    def __init__(self, rule: str, detail: str) -> None:
        self.rule = rule
        self.detail = detail
        super().__init__(detail)


def decoded(raw: bytes) -> str:
    """The text of a part of a URL.

    Args:
        raw: the part, split off before anything is decoded.

    Raises:
        UnreadableError: it has a `%` without two hexadecimal digits, or its bytes are no UTF-8, or it has
            bytes that must be percent-encoded.
    """
    if b"%" in raw:
        if BROKEN.search(raw) or not raw.isascii():
            raise UnreadableError("encoding", "is not percent-encoded as RFC 3986 has it")
        raw = unquote_to_bytes(raw)
    elif not raw.isascii():
        raise UnreadableError("encoding", "has bytes that must be percent-encoded")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise UnreadableError("encoding", "is not UTF-8 behind its percent-encoding") from None


def decoded_form(raw: bytes) -> str:
    """The text of a name or a value in a query or a form, where `+` is a blank (WHATWG URL section 5.1).

    Args:
        raw: as for `decoded`.

    Raises:
        UnreadableError: as for `decoded`.
    """
    return decoded(raw.replace(b"+", b" ") if b"+" in raw else raw)


def wire_path(path: str, raw_path: bytes | None, root_path: str) -> bytes:
    """The raw path below `root_path`, which stands for what a framework routes.

    Frameworks route the decoded path. Where the raw one is not what it was decoded from, because a server
    does not give it or something in between has rewritten one of them, the decoded path counts, and is
    encoded again: which of its slashes and commas had been encoded is lost then, as it is for the app.

    Args:
        path: decoded, with `root_path` or without it.
        raw_path: still percent-encoded; a query behind it is ignored.
        root_path: where the app is mounted.
    """
    raw = raw_path or b""
    if b"?" in raw:
        raw = raw.partition(b"?")[0]
    if b"%" in raw:
        agrees = raw.isascii() and unquote(raw.decode("ascii")) == path
    else:
        agrees = raw == path.encode("utf-8", "replace")
    if agrees and not root_path:
        return raw
    # uvicorn puts one with a slash at its end in front as it is, and frameworks take it off as it is.
    root = root_path if path.startswith(f"{root_path}/") else root_path.rstrip("/")
    if not root or not path.startswith(root) or path[len(root) : len(root) + 1] not in {"", "/"}:
        return raw if agrees else _encoded(path)
    rest = path[len(root) :] or "/"
    if agrees:
        end = _end_of(raw, root.count("/"))
        if unquote(raw[:end].decode("ascii", "replace")) == root:
            return raw[end:] or b"/"
    return _encoded(rest)


def misplaced_path(path: str, root_path: str) -> bytes | None:
    """The raw path that is routed by who looks for `root_path` anywhere in the path, as Litestar does.

    Args:
        path: decoded.
        root_path: where the app is mounted.

    Returns:
        None where that is what `wire_path` says.
    """
    before, root, rest = path.partition(root_path)
    if not root or (not before and (root[-1:] == "/" or rest[:1] in {"", "/"})):
        return None
    return _encoded(f"/{rest.lstrip('/')}")


def _end_of(raw: bytes, slashes: int) -> int:
    """Where the slash behind so many slashes stands, or the end."""
    end = -1
    for _ in range(slashes + 1):
        end = raw.find(b"/", end + 1)
        if end < 0:
            return len(raw)
    return end


def _encoded(path: str) -> bytes:
    return quote(path, safe=PATH_SAFE, errors="replace").encode("ascii")
