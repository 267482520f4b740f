"""Hashes of inline scripts and styles, as sources for Content-Security-Policy."""

from __future__ import annotations

import base64
import hashlib


def csp_hash(text: str | bytes) -> str:
    r"""The source that lets one inline script or style run: put it into `script-src` or `style-src`.

    Browsers hash what stands between the tags, blanks and line ends included, in UTF-8 (CSP Level 3, "Does
    element match source list for type and source?"). Before that their HTML parser turns `\r\n` and `\r`
    into `\n` (HTML, "preprocessing the input stream"), and so does this, so that a template with the line
    ends of Windows gets the hash that browsers compute.

    Args:
        text: all between `<script>` and `</script>`, or the value of an event handler or `style` attribute
            (which also needs `'unsafe-hashes'`), with character references resolved; bytes are UTF-8.

    Returns:
        The source with its quotes, such as `'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='`.

    Raises:
        UnicodeEncodeError: the text holds half a surrogate pair, which no page can.
    """
    data = text.encode() if isinstance(text, str) else text
    normalized = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return f"'sha256-{base64.b64encode(hashlib.sha256(normalized).digest()).decode('ascii')}'"
