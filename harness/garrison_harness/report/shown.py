"""A request and a reply as text that people can read, bounded, with nothing that acts on whoever shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from garrison_harness.exchange import Reply, Request

_MOST: Final = 4000  # letters of a request or a reply


def shown_request(request: Request) -> str:
    """The bytes that were sent, with the pauses between them; what is not plain ASCII is escaped.

    Args:
        request: What was sent.
    """
    parts = []
    left = _MOST
    for piece in request.pieces:
        if not isinstance(piece, bytes):
            parts.append(f"\n[{piece:g} s later]\n")
            continue
        parts.append(_legible(piece[:left].decode("ascii", "backslashreplace")))
        left = max(0, left - len(piece))
    return "".join(parts) + _rest(request.size - _MOST)


def shown_reply(reply: Reply) -> str:
    """Status, headers and content, or what came in place of them.

    Args:
        reply: What came back.
    """
    if reply.status is None:
        raw = _legible(reply.raw[:_MOST].decode("ascii", "backslashreplace"))
        return f"[{reply.outcome}]" + (f"\n{raw}" if raw else "")
    head = [f"HTTP {reply.status} {reply.reason}".rstrip()]
    head += [f"{name}: {value}" for name, value in reply.headers]
    content = _legible(reply.text[:_MOST])
    text = "\n".join(_legible(line) for line in head) + (f"\n\n{content}" if content else "")
    notes = [_rest(len(reply.text) - _MOST)]
    if reply.failure:
        notes.append(f"\n[{reply.failure}]")
    if reply.rest:
        after = _legible(reply.rest[:_MOST].decode("ascii", "backslashreplace"))
        notes.append(f"\n[and after the reply:]\n{after}")
    return text + "".join(notes)


def _legible(text: str) -> str:
    """Line breaks as they are, and every other letter that is not printable escaped."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(
        "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in line)
        for line in lines
    )


def _rest(more: int) -> str:
    return f"\n[{more:,} more]" if more > 0 else ""
