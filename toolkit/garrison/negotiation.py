"""Whether a client would rather have a page than JSON, by RFC 9110 section 12.5.1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from garrison.asgi import Headers, Scope

PAGE: Final = ("text", "html")
DATA: Final = (("application", "problem+json"), ("application", "json"))
# Longer than what any browser sends; nobody needs to be read so far.
LONGEST_ACCEPT: Final = 1024


def prefers_page(scope: Scope) -> bool:
    """Whether the request accepts HTML with more weight than JSON; where both are equal it is an API client.

    Browsers name `text/html` when somebody follows a link, and `*/*` for what a script fetches.

    Args:
        scope: of the request. A WebSocket handshake has nobody who would read a page.
    """
    if scope["type"] != "http":
        return False
    headers: Headers = scope["headers"]
    accept = b",".join([value for name, value in headers if name == b"accept"])
    if b"html" not in accept.lower() or len(accept) > LONGEST_ACCEPT:
        return False
    ranges = list(map(_weighed, accept.decode("latin-1").lower().split(",")))
    page = _weight(ranges, PAGE)
    return page > max(_weight(ranges, kind) for kind in DATA)


def _weighed(text: str) -> tuple[str, str, float]:
    """Type, subtype and weight of one media range; a weight that is none makes it count for nothing."""
    media, *parameters = text.split(";")
    kind, _, subtype = media.strip().partition("/")
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            try:
                weight = float(value)
            except ValueError:
                weight = 0.0
            return kind, subtype, weight if 0.0 <= weight <= 1.0 else 0.0
    return kind, subtype, 1.0


def _weight(ranges: list[tuple[str, str, float]], media: tuple[str, str]) -> float:
    """What a media type weighs: what the most specific range says that it is in."""
    for kind, subtype in (media, (media[0], "*"), ("*", "*")):
        weights = [weight for found, inner, weight in ranges if (found, inner) == (kind, subtype)]
        if weights:
            return max(weights)
    return 0.0
