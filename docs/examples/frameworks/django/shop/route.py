"""Lets the log have the template of the route, which Django keeps to itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.decorators import async_only_middleware

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from django.core.handlers.asgi import ASGIRequest
    from django.http import HttpResponse

    View = Callable[[ASGIRequest], Awaitable[HttpResponse]]


@async_only_middleware
def tell_route(get_response: View) -> View:
    """A middleware of Django's, which leaves the template where the log looks for it."""

    async def told(request: ASGIRequest) -> HttpResponse:
        reply = await get_response(request)
        if request.resolver_match is not None:
            request.scope["path_template"] = f"/{request.resolver_match.route}"
        return reply

    return told
