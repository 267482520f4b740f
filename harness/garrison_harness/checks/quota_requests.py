"""The request that a declared quota counts: that of the page, or that of the route which it names."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from garrison_harness.checks.check import Unjudged
from garrison_harness.checks.inputs import parameters
from garrison_harness.load.requests.operation import examples_for
from garrison_harness.load.requests.parameters import parameters_in
from garrison_harness.load.requests.values import CannotMakeError
from garrison_harness.route import SENT_AS_IS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Reply, Request
    from garrison_harness.load.requests.spec import Example
    from garrison_harness.route import Route
    from garrison_harness.site import Quota, Site

_KEPT: Final = 1024  # bytes of each reply: of hundreds, only their heads matter
_WRITING: Final = frozenset({"POST", "PUT", "PATCH"})
# Where nobody says which method of a path is meant.
_USUAL: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
# What an app says of a body that it cannot take.
_NOT_TAKEN: Final = frozenset({400, 422})
_PARAMETER: Final = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What is asked for to use up the quota.

    Attributes:
        method: Of the request.
        target: Path, and query if there is one.
        headers: Lines that it carries beside those of every request, such as the type of its body.
        body: None for none.
        secured: Whether a caller must authenticate, as the OpenAPI document says.
    """

    method: str = "GET"
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    secured: bool = False

    @property
    def twin(self) -> str:
        """The target with a slash more or less at the end of its path."""
        path, mark, query = self.target.partition("?")
        return f"{path.rstrip('/') if path != '/' and path.endswith('/') else f'{path}/'}{mark}{query}"

    def request(
        self,
        site: Site,
        headers: Sequence[tuple[str, str]] = (),
        *,
        voice: int,
        method: str = "",
        target: str = "",
        brief: bool = False,
    ) -> Request:
        """The request as one client sends it.

        Args:
            site: What is known of the app.
            headers: More lines.
            voice: The client.
            method: In place of its own.
            target: In place of its own.
            brief: No more of its reply is kept than says what became of it.
        """
        request = site.request(
            method or self.method,
            target or self.target,
            (*self.headers, *headers),
            body=self.body,
            voice=voice,
        )
        return replace(request, kept=_KEPT) if brief else request


def counted(site: Site) -> Counted:
    """What the declared quota counts.

    Raises:
        Unjudged: It names a route that nothing valid can be asked of.
    """
    quota = site.quota
    if quota is None or not quota.path:
        return Counted(target=site.path)
    route = _route(site, quota)
    if route is not None and route.operation is not None:
        return _declared(site, quota, route)
    method = quota.method or (route.method if route is not None else "GET")
    if method in _WRITING:
        raise Unjudged(
            f"what {method} {quota.path} takes is not known: name the OpenAPI document that declares it"
            " with --openapi"
        )
    if route is None and "{" in quota.path:
        raise Unjudged(
            f"no route {quota.route} is known: write the path as a client asks for it, or name the OpenAPI"
            " document that declares it with --openapi"
        )
    if route is not None and _as_declared(quota, route):
        return Counted(method=method, target=route.target)
    return Counted(method=method, target=quota.path)


def askable(site: Site) -> Counted | None:
    """The same; None where nothing can be asked, of which the judge says why."""
    try:
        return counted(site)
    except Unjudged:
        return None


def taken(seen: Seen, label: str, *, refused: bool) -> Reply:
    """The reply to the first of the requests, if the route did with it what the others are compared with.

    A login that fails is answered with 401, and that is what a quota counts there.

    Args:
        seen: What was asked.
        label: Of the first request.
        refused: A later one was refused for the quota, which therefore counts what the route does not take.

    Raises:
        Unjudged: The app did not answer, or did not let it through.
    """
    quota, exchange = seen.site.quota, seen.exchanges[label]
    if quota is None or not quota.path:
        return seen.control(label)
    asked, reply = counted(seen.site), exchange.reply
    if reply.status in _NOT_TAKEN and not refused:
        raise Unjudged(
            f"{exchange.request.summary} answered {reply.outcome}, so its quota may count nothing yet: give"
            " the operation an example in the OpenAPI document that the app takes"
        )
    if reply.status == 401 and asked.method in _WRITING and not asked.secured and not reply.failure:
        return reply
    return seen.control(label)


def _route(site: Site, quota: Quota) -> Route | None:
    """The route that a quota names: as it is declared, or one that its path fits."""
    methods = (quota.method,) if quota.method else _USUAL
    found = [route for route in site.routes if route.method in methods]
    fitting = [route for route in found if route.template == quota.path] or [
        route for route in found if _pattern(route.template).fullmatch(quota.path)
    ]
    return min(fitting, key=lambda route: methods.index(route.method), default=None)


def _as_declared(quota: Quota, route: Route) -> bool:
    """Whether the path has parameters to fill in, whatever it calls them; else a client writes it so."""
    return quota.path == route.template or "{" in quota.path


def _pattern(template: str) -> re.Pattern[str]:
    literals = (re.escape(quote(part, safe=SENT_AS_IS)) for part in _PARAMETER.split(template))
    return re.compile("[^/]+".join(literals))


def _declared(site: Site, quota: Quota, route: Route) -> Counted:
    try:
        return declared(site, route, "" if _as_declared(quota, route) else quota.path)
    except CannotMakeError as error:
        raise Unjudged(
            f"no valid request to {route.method} {route.template} can be made: {error}; give it an example in"
            " the OpenAPI document"
        ) from error


def declared(site: Site, route: Route, path: str = "") -> Counted:
    """A valid request to a route of the OpenAPI document.

    Args:
        site: Holds the document.
        route: One with an operation.
        path: As a client writes it; the template with examples of its parameters if empty.

    Raises:
        CannotMakeError: There is none, or none that can be made; the text says what of.
    """
    document = site.document or {}
    # Those of the operation count before those of its path.
    listed = [*reversed(parameters(route, site))]
    example = examples_for(route.template, parameters_in(listed, document), route.operation or {}, document)[
        0
    ]
    path = path or _filled(route.template, example)
    return Counted(
        method=route.method,
        target=f"{path}?{example.query}" if example.query else path,
        headers=example.headers,
        body=example.body.encode() if example.body is not None else b"" if route.method in _WRITING else None,
        secured=route.secured is True,
    )


def _filled(template: str, example: Example) -> str:
    values = iter(example.values)
    return _PARAMETER.sub(lambda _: next(values), template)
