"""One nonce a request, for the inline scripts and styles of its page."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final, cast

from garrison.context import RequestContext

if TYPE_CHECKING:
    from collections.abc import MutableMapping

# CSP Level 3 section 7.1 asks for at least 128 bits; in base64url they are a `base64-value`.
NONCE_BYTES: Final = 16


def csp_nonce(request: Any) -> str:
    """The nonce of this request, the same however often it is asked for; made when somebody first asks.

    A template writes it into the tags that may run, and the policy of the reply names it:

        templates.env.globals["csp_nonce"] = csp_nonce
        <script nonce="{{ csp_nonce(request) }}">…</script>

    The policy needs the keyword `'nonce'`, which the presets `web` and `strict` have. A page whose nonce was
    asked for is kept out of shared caches.

    Args:
        request: an ASGI scope, or whatever has it as `.scope`, such as the requests of Starlette, FastAPI,
            Litestar and Quart.

    Raises:
        TypeError: there is no scope in what was given.
    """
    context = context_of(request)
    if context.nonce is None:
        context.nonce = secrets.token_urlsafe(NONCE_BYTES)
    return context.nonce


def context_of(request: Any) -> RequestContext:
    """The context of a request, made here where no layer has made one: a page renders without any, too.

    Args:
        request: an ASGI scope, or whatever has it as `.scope`.

    Raises:
        TypeError: there is no scope in what was given.
    """
    scope = getattr(request, "scope", request)
    if not hasattr(scope, "setdefault") or "type" not in scope:
        raise TypeError(f"expected an ASGI scope or a request that has one, not {type(request).__name__}")
    found = cast("MutableMapping[str, Any]", scope)
    context = found.get("garrison")
    if context is None:
        context = found["garrison"] = RequestContext(found)
    return cast("RequestContext", context)
