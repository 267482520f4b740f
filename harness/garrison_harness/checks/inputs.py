"""Where a route takes the words of its caller, and how a request puts words of ours there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from garrison_harness.checks.check import Unjudged
from garrison_harness.discovery.examples import resolve
from garrison_harness.route import SENT_AS_IS, Route

if TYPE_CHECKING:
    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Request
    from garrison_harness.site import Site

_PARAMETER: Final = re.compile(r"\{[^}]*\}")
# What ends a login would end it for all other checks; what never ends is waited for in vain.
_AVOIDED: Final = re.compile(
    r"log[-_]?out|sign[-_]?out|/(?:events?|sse|stream|live|ws)(?:/|$)", re.IGNORECASE
)
_CREDENTIAL: Final = re.compile(r"auth|cookie|token|key|session|secret|user|identity", re.IGNORECASE)
_READING: Final = 1.0  # seconds
_ENDLESS: Final = "text/event-stream"


def read_routes(site: Site, most: int) -> list[Route]:
    """The routes that are asked with GET, the page first, and none twice.

    Args:
        site: What is known of the app.
        most: How many at most.
    """
    page = Route(method="GET", template=site.path, target=site.path, source="crawl")
    found = {page.template: page}
    for route in site.routes:
        # What is declared says more than the page as such.
        new = route.template not in found or found[route.template] is page
        if new and route.method == "GET" and not _is_avoided(route, site):
            found[route.template] = route
    return list(found.values())[:most]


def _is_avoided(route: Route, site: Site) -> bool:
    if _AVOIDED.search(route.template):
        return True
    replies = mapping((route.operation or {}).get("responses"))
    return any(
        _ENDLESS in mapping(resolve(reply, site.document or {}).get("content")) for reply in replies.values()
    )


def parameters(route: Route, site: Site) -> list[Mapping[str, Any]]:
    """What an operation declares that its caller may fill in, those of the whole path included.

    Args:
        route: The operation's.
        site: Holds the document.
    """
    document = site.document or {}
    declared = list(_items((route.operation or {}).get("parameters")))
    for template, item in mapping(document.get("paths")).items():
        if route.template.endswith(template):
            found = resolve(item, document)
            if route.operation is not None and found.get(route.method.lower()) is route.operation:
                declared += _items(found.get("parameters"))
    return [found for part in declared if (found := resolve(part, document)).get("name")]


def query_names(route: Route, site: Site, usual: Sequence[str]) -> list[str]:
    """Names of the query parameters that take text.

    Args:
        route: Of which to know; where an operation is declared, its own parameters are all there are.
        site: Holds the document.
        usual: What to guess where nothing is declared.
    """
    if route.operation is not None:
        return [
            str(parameter["name"])
            for parameter in parameters(route, site)
            if parameter.get("in") == "query" and _takes_text(parameter, site)
        ]
    own = [part.partition("=")[0] for part in route.target.partition("?")[2].split("&") if part]
    return list(dict.fromkeys([*own, *usual]))


def _takes_text(parameter: Mapping[str, Any], site: Site) -> bool:
    return bool(kinds(parameter, site) & {"string", ""})


def kinds(parameter: Mapping[str, Any], site: Site) -> set[str]:
    """The types that a parameter may have, as documents call them; an empty one if that is open.

    Args:
        parameter: As it is declared.
        site: Holds the document.
    """
    schema = resolve(parameter.get("schema"), site.document or {})
    found = [
        resolve(option, site.document or {}).get("type") for option in (schema, *_items(schema.get("anyOf")))
    ]
    # Of several, as in {"type": ["integer", "null"]}, any will do.
    return {str(kind or "") for one in found for kind in (one if isinstance(one, list) else [one])}


def with_query(target: str, names: Sequence[str], value: str) -> str:
    """A target with a value for each of these parameters, beside what it has for others.

    Args:
        target: Path, and query if there is one.
        names: Of the parameters.
        value: As it is to be sent, percent-encoded already.
    """
    path, _, query = target.partition("?")
    written = [quote(name, safe="[]") for name in names]
    kept = [part for part in query.split("&") if part and part.partition("=")[0] not in written]
    return f"{path}?{'&'.join([*kept, *(f'{name}={value}' for name in written)])}"


def with_path(route: Route, value: str) -> str | None:
    """A target of a route with a value for each parameter of its path; None where it has none.

    Args:
        route: The route.
        value: As it is to be sent, percent-encoded already.
    """
    if "{" not in route.template:
        return None
    _, mark, query = route.target.partition("?")
    return _PARAMETER.sub(lambda _: value, quote(route.template, safe=SENT_AS_IS)) + mark + query


def anonymous(site: Site) -> list[tuple[str, str]]:
    """Header lines that leave out of a request what says who the caller is.

    Args:
        site: Holds the lines that requests carry, and the document that may name a scheme's own header.
    """
    schemes = mapping(mapping((site.document or {}).get("components")).get("securitySchemes"))
    named = {str(mapping(scheme).get("name", "")).lower() for scheme in schemes.values()}
    return [
        (name, "")
        for name, _ in site.headers
        if name.lower() in named or _CREDENTIAL.search(name) is not None
    ]


def briefly(request: Request) -> Request:
    """The request, of whose reply no more is read than comes soon: some routes are streams without end.

    Args:
        request: To any route.
    """
    return replace(request, reading=_READING)


def require_success(seen: Seen) -> None:
    """See to it that at least one route did what it is for.

    Raises:
        Unjudged: Every request was refused, led elsewhere, or failed.
    """
    if not any(
        200 <= (exchange.reply.status or 500) < 300 and exchange.reply.failure is None
        for exchange in seen.exchanges.values()
    ):
        raise Unjudged(
            "every request was refused or sent elsewhere, so nothing that a caller writes came any further"
        )


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is an object of a document, an empty one otherwise."""
    return value if isinstance(value, Mapping) else {}


def _items(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
