"""The page that somebody at a browser sees in place of a problem document: plain, small, without a script."""

from __future__ import annotations

import base64
import hashlib
import re
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
    # Of a traceback every line can be read to its end: the number of the line stands behind the path.
    "main.wide{max-width:80rem;margin:4vh auto}"
    "pre{white-space:pre-wrap;padding:1rem;border:1px solid;font-size:.8125rem}"
)
# A frame of a traceback, also of a group, and whatever stands in front of the line that names the exception.
FRAME: Final = re.compile(r'  (?:\|   )?File "')
BESIDE_BARS: Final = "  | "
LONGEST_LEAD: Final = 400

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
        more: what only a developer sees, such as a traceback; what was raised stands above it.
    """
    heading = escape(f"{status} {title}")
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{heading}</title><style>{STYLE}</style></head><body>",
        f"<main{' class=wide' if more else ''}><h1>{heading}</h1>",
    ]
    if lead := raised(more):
        parts.append(f"<p><strong><code>{escape(lead)}</code></strong></p>")
    if detail:
        parts.append(f"<p>{escape(detail)}</p>")
    if request_id is not None:
        parts.append(f"<p><small>Request <code>{escape(request_id)}</code></small></p>")
    if more:
        parts.append(f"<pre>{escape(more)}</pre>")
    parts.append("</main></body></html>\n")
    return "".join(parts).encode("utf-8", "backslashreplace")


def raised(traceback: str) -> str:
    """The line of a traceback that says which exception it is of, cut; nothing where there is none.

    Args:
        traceback: as the module traceback writes it; of a chain the last exception counts, of a group the
            group.
    """
    found, begun = "", False
    for line in traceback.split("\n"):
        if FRAME.match(line):
            begun = True
            continue
        said = line.removeprefix(BESIDE_BARS)
        if begun and said[:1] not in {"", " "}:
            found, begun = said, False
    return found if len(found) <= LONGEST_LEAD else f"{found[:LONGEST_LEAD]}\u2026"
