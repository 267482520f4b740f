"""What a reply is to a browser, by its media type."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from garrison.headers.presets import Kind

PAGES: Final = frozenset({b"text/html", b"application/xhtml+xml"})
DATA: Final = frozenset({b"application/json", b"text/plain"})


# Nobody sees what is in these. A policy for what is shown would change where the browser goes next: the
# opener of a pop-up is lost, an image that is elsewhere blocked, and the Referer gone.
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
NOT_MODIFIED: Final = 304

# What an app's own policy may name the nonce of. Some apps ask for one on every request, and the rest of
# what they send stays in shared caches.
NONCED: Final = frozenset({"page", "unchanged"})


@lru_cache(maxsize=1024)
def kind_of(content_type: bytes, status: int) -> Kind:
    """What a reply is to a browser (RFC 9110 section 8.3: media types in any case).

    Args:
        content_type: the value of its header; empty where there is none.
        status: of the reply.
    """
    if status in REDIRECTS:
        return "other"
    if status == NOT_MODIFIED and not content_type:
        return "unchanged"
    media_type = content_type.partition(b";")[0].strip().lower()
    if media_type in PAGES:
        return "page"
    if media_type in DATA or media_type.endswith(b"+json"):
        return "api"
    return "other"
