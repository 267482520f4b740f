"""The stacks that are measured beside each other, all around the same trivial app."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from garrison.middleware.proxy import Proxy
from garrison.middleware.rate_limit import RateLimit
from garrison.stack import Settings, harden
from loadtests.bench.limiters import limiters
from loadtests.bench.measure import Variant
from loadtests.bench.names import ALONE, BARE, DOWN_TO, GARRISON, NO_OPS, QUOTA, RECIPE, RECIPE_ASGI, REST
from loadtests.bench.recipe import REQUESTS_PER_MINUTE, usual_recipe

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from loadtests.bench.names import Group


class DoNothing:
    """An ASGI layer that only calls the app below: the price of having a layer at all.

    Args:
        app: the app below.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the app."""
        await self.app(scope, receive, send)


def trivial_app() -> Starlette:
    """A Starlette app with one route that replies with a small JSON document."""

    async def item(request: Request) -> JSONResponse:
        return JSONResponse({"id": request.path_params["item_id"], "name": "lantern"})

    return Starlette(routes=[Route("/items/{item_id}", item)])


def variants(group: Group) -> list[Variant]:
    """Every stack of a group, the bare app first.

    Args:
        group: which SDK this process has; it must be installed before.
    """
    return [*_peers(group), *_garrison(group)]


def _peers(group: Group) -> list[Variant]:
    no_ops: ASGIApp = trivial_app()
    for _ in range(6):
        no_ops = DoNothing(no_ops)
    peers = [
        Variant(name=BARE, app=trivial_app()),
        Variant(name=NO_OPS, app=no_ops),
        Variant(name=RECIPE, app=usual_recipe(trivial_app())),
    ]
    if group == "no SDK":
        peers.append(Variant(name=RECIPE_ASGI, app=usual_recipe(trivial_app(), asgi_limiter=True)))
        peers += limiters(trivial_app())
    return peers


def _garrison(group: Group) -> list[Variant]:
    default = Settings()
    stacks = [_hardened(GARRISON, default)]
    if group != "no SDK":
        return stacks
    quota = replace(default, rate_limit=RateLimit(limits=f"{REQUESTS_PER_MINUTE}/minute"))
    stacks.append(_hardened(QUOTA, quota))
    rest = replace(default, proxy=None, security_headers=None, cookies=None, cross_origin=None, hosts=None)
    stacks.append(_hardened(REST, rest))
    # Layers as `garrison run` has them with a quota, which is every layer there is.
    every = replace(quota, proxy=Proxy(trusted=(ip_network("127.0.0.1"), ip_network("::1"))))
    names = harden(trivial_app(), every).layers
    stacks += [_hardened(ALONE + name, _only((name,), names, every)) for name in names]
    for count, name in enumerate(names, start=1):
        stacks.append(_hardened(DOWN_TO + name, _only(names[:count], names, every)))
    return stacks


def _hardened(name: str, settings: Settings) -> Variant:
    return Variant(name=name, app=harden(trivial_app(), settings))


def _only(kept: tuple[str, ...], names: tuple[str, ...], settings: Settings) -> Settings:
    left_out: dict[str, Any] = dict.fromkeys(set(names) - set(kept))
    return replace(settings, **left_out)
