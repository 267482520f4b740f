"""Who may frame a reply: X-Frame-Options and `frame-ancestors`, which are one matter to browsers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.headers.csp import without_directive

if TYPE_CHECKING:
    from garrison.asgi import Headers

CSP: Final = b"content-security-policy"
FRAMES: Final = b"x-frame-options"


def decides_framing(headers: Headers) -> bool:
    """Whether the app says itself who may frame a reply.

    `frame-ancestors` makes browsers ignore X-Frame-Options (CSP Level 3 section 6.4.2), so that ours would
    lift the app's `DENY`, and our X-Frame-Options would outlive the app's leave in browsers that know
    no `frame-ancestors`.
    """
    for name, value in headers:
        lowered = name.lower()
        if lowered == FRAMES or (lowered == CSP and b"frame-ancestors" in value.lower()):
            return True
    return False


def unframed(lines: Headers) -> Headers:
    """The lines without what they say about frames."""
    found: Headers = []
    for name, value in lines:
        if name == CSP:
            value = without_directive(value.decode("ascii"), "frame-ancestors").encode("ascii")  # noqa: PLW2901
        if name != FRAMES and value:
            found.append((name, value))
    return found
