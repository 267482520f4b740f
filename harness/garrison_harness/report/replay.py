"""A request of an audit as a command that sends it once more."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison_harness.exchange import Request

_LONGEST: Final = 4000  # bytes of a request that somebody would paste
_SECONDS: Final = 10
_HEADS: Final = re.compile(
    rb"([!-~]+) ([!-~]+) HTTP/1\.1\r\n((?:[!-9;-~]+:[ -~\t]*\r\n)*)\r\n(.*)", re.DOTALL
)
_TEXT: Final = re.compile(r"[ -~\n\t]*")
_PATH: Final = re.compile(r"/[!-~]*")
# What curl sets by itself, and what would be sent twice or wrongly if it were given.
_CURLS: Final = frozenset({"content-length"})
_ONLY_RAW: Final = frozenset({"transfer-encoding", "expect", "upgrade"})
# What curl adds unless it is told not to.
_ADDED: Final = ("User-Agent", "Accept")


def command(request: Request, base_url: str, own: re.Pattern[str]) -> str:
    """A command for a shell, empty where the request is too long for one.

    `curl` where it can send such a request, and otherwise the bytes as they are.

    Args:
        request: What was sent.
        base_url: Scheme and authority to send it to.
        own: The hosts that stand for the target itself, which curl names without being told.
    """
    if request.size > _LONGEST:
        return ""
    pieces = [piece for piece in request.pieces if piece != b""]
    if len(pieces) == 1 and isinstance(pieces[0], bytes):
        made = _curl(pieces[0], base_url, own)
        if made:
            return made
    return _raw(pieces, base_url)


def _curl(sent: bytes, base_url: str, own: re.Pattern[str]) -> str:
    """The same with curl; empty where curl would send something else."""
    found = _HEADS.fullmatch(sent)
    if found is None:
        return ""
    method, target = found[1].decode(), found[2].decode()
    body = found[4].decode("latin-1")
    headers = [
        (name, value.strip())
        for line in found[3].decode().split("\r\n")[:-1]
        for name, _, value in [line.partition(":")]
    ]
    names = [name.lower() for name, _ in headers]
    plain = names.count("host") == 1 and not _ONLY_RAW & set(names) and _TEXT.fullmatch(body)
    if not plain or bool(body) != ("content-length" in names):
        return ""
    words = ["curl", "--include", "--http1.1", "--globoff", "--max-time", str(_SECONDS)]
    if base_url.startswith("https:"):
        words.append("--insecure")
    if method == "HEAD":
        words.append("--head")
    elif method != ("POST" if body else "GET"):
        words += ["--request", method]
    for name, value in headers:
        if name.lower() in _CURLS or (name.lower() == "host" and own.fullmatch(value)):
            continue
        # curl takes a semicolon for a header without a value.
        words += ["--header", f"{name}: {value}" if value else f"{name};"]
    added = (*_ADDED, *(("Content-Type",) if body else ()))
    words += [word for name in added if name.lower() not in names for word in ("--header", f"{name}:")]
    if body:
        words += ["--data-raw", body]
    if _PATH.fullmatch(target) and "#" not in target:
        words += ["--path-as-is", base_url + target]
    else:
        words += ["--request-target", target, f"{base_url}/"]
    return shlex.join(words)


def _raw(pieces: Iterable[bytes | float], base_url: str) -> str:
    """The bytes as they are, with the pauses between them."""
    parts = urlsplit(base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    steps = [
        f"printf {_printf(piece)}" if isinstance(piece, bytes) else f"sleep {piece:g}" for piece in pieces
    ]
    # What is piped ends the sending too, so it stays open for as long as a reply may take.
    steps.append(f"sleep {_SECONDS}")
    host = parts.hostname or ""
    where = f"[{host}]" if ":" in host else host
    if parts.scheme == "https":
        return f"{{ {'; '.join(steps)}; }} | openssl s_client -quiet -connect {where}:{port}"
    return f"{{ {'; '.join(steps)}; }} | nc {host} {port}"


def _printf(piece: bytes) -> str:
    """The format of a `printf` that writes these bytes, in octal where they are not plain (POSIX)."""
    special = {0x0D: "\\r", 0x0A: "\\n", 0x09: "\\t", 0x25: "%%", 0x5C: "\\\\", 0x27: "\\047"}
    letters = (special.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}") for byte in piece)
    text = "".join(letters)
    # What begins with a dash would be an option.
    return f"'\\055{text[1:]}'" if text.startswith("-") else f"'{text}'"
