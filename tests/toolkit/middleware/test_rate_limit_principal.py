"""Quotas by who is authenticated, wherever that becomes known."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

import pytest
from starlette.applications import Starlette
from starlette.authentication import (
    AuthCredentials,
    AuthenticationBackend,
    BaseUser,
    SimpleUser,
    UnauthenticatedUser,
)
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from garrison import RateLimit, RateLimitMiddleware, Settings, harden
from garrison.context import enter
from tests.toolkit.driver import call, replies_with
from tests.toolkit.middleware.limited import Limited, asked
from tests.toolkit.middleware.shop import HERE

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection, Request

    from garrison.asgi import ASGIApp, Receive, Scope, Send

ALICE: Final = SimpleUser("alice")
BOB: Final = SimpleUser("bob")


class Basic(AuthenticationBackend):
    """Believes whoever names itself, for a test."""

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        scheme, _, value = conn.headers.get("authorization", "").partition(" ")
        if scheme != "Basic":
            return None
        return AuthCredentials(["authenticated"]), SimpleUser(
            base64.b64decode(value).decode().partition(":")[0]
        )


def hello(request: Request) -> PlainTextResponse:
    """Greets whoever it is."""
    return PlainTextResponse(f"hello {request.user.display_name}")


def starlette(limits: str) -> Starlette:
    """An app that authenticates, with the layer below that."""
    return Starlette(
        routes=[Route("/", hello)],
        middleware=[
            Middleware(AuthenticationMiddleware, backend=Basic()),
            Middleware(RateLimitMiddleware, settings=RateLimit(limits=limits)),
        ],
    )


def as_user(app: ASGIApp, count: int, name: str = "", client: str = "192.0.2.1") -> list[int]:
    """What so many requests of a user get."""
    credentials = base64.b64encode(f"{name}:secret".encode()).decode()
    headers = {"authorization": f"Basic {credentials}"} if name else {}
    return [call(app, asked(client=client, headers=headers)).status for _ in range(count)]


def test_below_the_apps_own_authentication() -> None:
    """Each user has a quota, wherever it comes from, and users at one address do not share it."""
    app = starlette("2/minute by principal")
    assert as_user(app, 2, "alice") == [200, 200]
    assert as_user(app, 1, "alice", client="192.0.2.2") == [429]
    assert as_user(app, 3, "bob") == [200, 200, 429]


def test_anonymous_requests_are_counted_by_address() -> None:
    """Who is not logged in is nobody in particular, and shares no quota with others who are not."""
    app = starlette("3/minute; 2/minute by principal")
    assert as_user(app, 4) == [200] * 3 + [429]
    assert as_user(app, 4, client="192.0.2.2") == [200] * 3 + [429]
    assert as_user(app, 3, "alice", client="192.0.2.3") == [200] * 2 + [429]


def test_a_user_at_each_address() -> None:
    """`address+principal` counts a user's browser at home apart from the one at work."""
    limited = Limited(limits="1/minute by address+principal")
    assert limited.statuses(2, user=ALICE) == [200, 429]
    assert limited.statuses(2, user=ALICE, client="192.0.2.2") == [200, 429]
    assert limited.statuses(2, user=BOB) == [200, 429]
    assert limited.statuses(2, user=UnauthenticatedUser()) == [200, 200]


class Employee(BaseUser):
    """A user whose name others can have too."""

    def __init__(self, identity: object) -> None:
        self._identity = identity

    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def display_name(self) -> str:
        return "J. Smith" if self._identity else ""

    @property
    def identity(self) -> Any:
        return self._identity


def test_an_identity_counts_before_a_name() -> None:
    """Two people of the same name are two users."""
    limited = Limited(limits="1/minute by principal")
    assert limited.statuses(2, user=Employee("7")) == [200, 429]
    assert limited.statuses(2, user=Employee("8")) == [200, 429]


def authenticated(app: ASGIApp, principal: str | None) -> ASGIApp:
    """An app below something that verifies who asks, and says so on the context."""

    async def verify(scope: Scope, receive: Receive, send: Send) -> None:
        scope, context = enter(scope)
        context.principal = principal
        await app(scope, receive, send)

    return verify


def test_what_a_layer_of_this_stack_has_verified() -> None:
    """The principal on the context counts, before whatever user the app has."""
    limited = Limited(limits="1/minute by principal")
    app = authenticated(limited.layer, "alice")
    assert [call(app, asked(user=user)).status for user in (ALICE, BOB)] == [200, 429]
    assert call(authenticated(limited.layer, None), asked(user=BOB)).status == 200


def hardened(limits: str, app: ASGIApp | None = None, **more: Any) -> Any:
    """An app with the whole stack around it."""
    settings = Settings(rate_limit=RateLimit(limits=limits, **more), access_log=None, tracing=None)
    return harden(app or replies_with(), settings)


def test_the_second_mount_is_the_innermost_layer() -> None:
    """`harden()` judges rules by principal next to the app, and only where there are some."""
    assert hardened("5/minute; 1/minute by principal").layers[-1] == "rate_limit_by_principal"
    assert "rate_limit_by_principal" not in hardened("5/minute; 6/minute by address").layers
    assert hardened("5/minute", messages="1/minute by principal").layers[-1] == "rate_limit_by_principal"


def test_both_mounts_have_one_store_that_is_closed_once() -> None:
    """The quotas of a request are in one place; the outer layer closes it when the app has shut down."""
    layer, found = hardened("5/minute; 1/minute by principal")._outer, []
    while hasattr(layer, "app"):
        if isinstance(layer, RateLimitMiddleware):
            found.append(layer)
        layer = layer.app
    assert [each._store is found[0]._store for each in found] == [True, True]
    assert [each._closes for each in found] == [True, False]


def test_both_mounts_count() -> None:
    """A request takes from the quota of its address and from its user's, and is told of both."""
    app = hardened("3/minute; 2/minute by principal")
    replies = [call(app, asked(user=ALICE)) for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert replies[0].all("ratelimit") == ['"2-per-minute-by-principal";r=1;t=30', '"3-per-minute";r=2;t=20']
    assert call(app, asked(user=BOB)).status == 429
    assert call(app, asked(user=BOB, client="192.0.2.2")).status == 200


@pytest.mark.parametrize("stack", [True, False])
def test_a_rule_by_principal_does_not_stand_before_others(*, stack: bool) -> None:
    """A target that has a quota by principal only leaves everybody the general one by address."""
    limits = "POST /x: 1/minute by principal; 3/minute; /y: 2/minute by principal"
    app: ASGIApp = hardened(limits) if stack else Limited(limits=limits).layer

    def statuses(count: int, path: str = "/x", **more: Any) -> list[int]:
        return [call(app, asked(path, method="POST", **more)).status for _ in range(count)]

    assert statuses(4) == [200] * 3 + [429]
    assert statuses(2, client="192.0.2.2", user=ALICE) == [200, 429]
    assert statuses(3, "/y", client="192.0.2.3", user=ALICE) == [200] * 2 + [429]
    assert statuses(2, "/z", client="192.0.2.4", user=ALICE) == [200] * 2


@pytest.mark.parametrize("user", [Employee(None), SimpleUser("")])
def test_somebody_without_a_name_is_not_nobody(user: BaseUser) -> None:
    """A user who is authenticated as nothing that is a text is a fault of the app, and never let through."""
    reached = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope)

    assert call(hardened("1/minute by principal", app), asked(user=user)).status == 500
    assert not reached


def test_a_callable_has_the_last_word_of_a_principal() -> None:
    """The quotas of a user are those of the plan that a callable gives for it."""
    limited = Limited(limits=f"{HERE}:quotas by principal")
    assert limited.statuses(4, user=SimpleUser("gold")) == [200] * 3 + [429]
    assert limited.statuses(2, user=SimpleUser("free")) == [200, 429]
    assert limited.statuses(5, user=SimpleUser("staff")) == [200] * 5
