"""Reads the status of a reply from the first bytes of it."""

from __future__ import annotations


def status_in(head: bytes) -> int | None:
    """The status code of the first line of a reply; None where it is no reply of HTTP/1 (RFC 9112 section 4).

    Args:
        head: What was received so far, at least the first line.
    """
    version, _, rest = head.partition(b" ")
    code = rest[:3]
    if version not in {b"HTTP/1.1", b"HTTP/1.0"} or not code.isdigit() or rest[3:4] not in {b" ", b"\r", b""}:
        return None
    return int(code)
