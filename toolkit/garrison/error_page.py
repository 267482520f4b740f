"""The page that somebody at a browser sees in place of a problem document: plain, small, without a script."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from garrison.asgi import Headers

STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{margin:0;font:1rem/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}"
    "main{max-width:40rem;margin:15vh auto 0;padding:0 1.5rem}"
    "h1{margin:0 0 1rem;font-size:1.75rem;line-height:1.2}"
    "small{opacity:.75}code,pre{font-family:ui-monospace,monospace;overflow-wrap:anywhere}"
    "pre{overflow:auto;padding:1rem;border:1px solid;font-size:.8125rem}"
)
_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode("ascii")
# The page needs its own style and nothing else; where another policy is enforced it is readable without it.
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{_HASH}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final[Headers] = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", POLICY.encode("ascii")),
    (b"x-content-type-options", b"nosniff"),
]


def error_page(status: int, title: str, detail: str, request_id: str | None, more: str = "") -> bytes:
    """The whole page.

    Args:
        status: the HTTP status code.
        title: a short name of what went wrong.
        detail: one sentence about it, or nothing.
        request_id: the id under which the log knows this request.
        more: what only a developer sees, such as a traceback.
    """
    heading = escape(f"{status} {title}")
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{heading}</title><style>{STYLE}</style></head><body><main><h1>{heading}</h1>",
    ]
    if detail:
        parts.append(f"<p>{escape(detail)}</p>")
    if request_id is not None:
        parts.append(f"<p><small>Request <code>{escape(request_id)}</code></small></p>")
    if more:
        parts.append(f"<pre>{escape(more)}</pre>")
    parts.append("</main></body></html>\n")
    return "".join(parts).encode("utf-8", "backslashreplace")
