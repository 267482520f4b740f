"""What of a URL is told in reports."""

from __future__ import annotations

from urllib.parse import urlsplit


def path_of(url: object) -> str:
    """Path and query of a URL, printable; empty where it is none, as users of other protocols have."""
    if not isinstance(url, str):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return path if path.isprintable() else ascii(path)[1:-1]
