"""What a rule puts on a reply beside its policy: a sandbox, a file to save, an order to forget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.headers.framing import CSP
from garrison.headers.presets import SANDBOX_POLICY

if TYPE_CHECKING:
    from garrison.asgi import Headers
    from garrison.headers.override import Override

DISPOSITION: Final = b"content-disposition"
SANDBOX: Final = (CSP, SANDBOX_POLICY.encode("ascii"))


def finished(lines: Headers, status: int, override: Override) -> Headers:
    """The lines of a reply with what its rule says.

    Args:
        lines: of the reply; names in any case.
        status: of the reply. What failed is no file, and a logout that failed leaves everything as it is.
        override: what the rule says.
    """
    if override.sandbox:
        # A policy of its own beside whatever else is there: browsers keep to all of them at once.
        lines = [*lines, SANDBOX]
    if status < 400 and override.attachment:
        lines = saved(lines)
    if status < 400 and override.clear:
        lines = [*lines, (b"clear-site-data", override.clear)]
    return lines


def saved(lines: Headers) -> Headers:
    """The lines of a reply that browsers save; the name that the app gave the file stays (RFC 6266)."""
    found: Headers = []
    said = False
    for name, value in lines:
        if name.lower() == DISPOSITION:
            _, semicolon, parameters = value.partition(b";")
            value = b"attachment" + semicolon + parameters  # noqa: PLW2901
            said = True
        found.append((name, value))
    return found if said else [*found, (DISPOSITION, b"attachment")]
