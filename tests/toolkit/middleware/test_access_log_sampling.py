"""The access log: which requests it leaves out, and which it never does."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from garrison import AccessLog
from garrison.settings import SettingsError
from tests.toolkit.driver import call, http_scope, raises, replies_with
from tests.toolkit.middleware.logged import Logged

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


def written(settings: AccessLog, *, status: int = 200, chance: float = 0.5, **request: Any) -> bool:
    """Whether a request that gets this status is written; `chance` stands for the dice."""
    logged = Logged(replies_with(status), settings, chance=lambda: chance)
    call(logged.app, http_scope(**request))
    return bool(logged.events)


def test_a_part_is_written_and_says_so() -> None:
    """Of ten thousand requests about a tenth are there, each with its part, so that counts can be scaled."""
    dice = random.Random(7)  # noqa: S311 - the same each time
    logged = Logged(replies_with(), AccessLog(sample="10%"), chance=dice.random)
    for _ in range(10_000):
        call(logged.app)
    assert abs(sum(1 / event["sample"] for event in logged.events) - 10_000) < 1000
    assert {event["sample"] for event in logged.events} == {0.1}


def test_without_rules_everything_is_written() -> None:
    """Nothing is left out by default, and no event claims to stand for others."""
    logged = Logged(replies_with(), chance=lambda: 0.999999)
    call(logged.app)
    assert "sample" not in logged.event


@pytest.mark.parametrize("status", [500, 503, 599])
def test_failures_are_always_written(status: int) -> None:
    """No rule leaves out a 5xx, and they say no part."""
    settings = AccessLog(sample="0% of 2xx|3xx|4xx; 0%", quiet="/")
    assert written(settings, status=status)
    logged = Logged(raises(LookupError()), settings)
    with pytest.raises(LookupError):
        call(logged.app)
    assert "sample" not in logged.event


def test_slow_requests_are_always_written() -> None:
    """What is looked for when somebody complains is there, quiet or not."""
    times = iter([0.0, 0.1, 6.0])
    settings = AccessLog(sample="0%", quiet="/")
    logged = Logged(replies_with(), settings, clock=lambda: next(times))
    call(logged.app)
    assert logged.event["slow"] is True


@pytest.mark.parametrize(
    ("sample", "status", "expected"),
    [
        ("0%", 200, False),
        ("0%", 304, False),
        ("0%", 404, True),
        ("0% of 4xx", 404, False),
        ("0% of 404", 404, False),
        ("0% of 404", 403, True),
        ("0% of 404|2xx", 204, False),
        ("0% of 404", 200, True),
        ("0.4", 200, False),
        ("0.6", 200, True),
        ("100%", 200, True),
        ("40%", 200, False),
        ("60%", 200, True),
    ],
)
def test_statuses_choose(sample: str, status: int, expected: bool) -> None:
    """Without statuses a rule is about what went well; those of clients' mistakes have to be named."""
    assert written(AccessLog(sample=sample), status=status) is expected


def test_the_first_rule_that_fits_decides() -> None:
    """A path can be kept whole although all else is sampled, by method too."""
    settings = AccessLog(sample="POST /pay: 100%; /static/*: 1%; 60%")
    assert written(settings, path="/pay", method="POST", chance=0.99)
    assert not written(settings, path="/pay", chance=0.99)
    assert not written(settings, path="/static/a.css")
    assert written(settings, path="/other")


def test_a_rule_may_name_a_route() -> None:
    """The template stands for all paths of a route, through mounts too."""

    async def handler(request: Request) -> Response:
        return PlainTextResponse("ok")

    routes = [Route("/items/{id}", handler), Mount("/v1", routes=[Route("/users/{name}", handler)])]
    settings = AccessLog(sample="/items/{id}: 0%; /v1/users/{name}: 0%")
    logged = Logged(Starlette(routes=routes), settings)
    for path in ("/items/7", "/v1/users/ann", "/nowhere"):
        call(logged.app, http_scope(path))
    assert [event["url.path"] for event in logged.events] == ["/nowhere"]


@pytest.mark.parametrize("template", ["/items/{id:int}", "/items/{id}"])
@pytest.mark.parametrize("field", ["sample", "quiet"])
def test_a_template_may_have_its_converters(template: str, field: str) -> None:
    """A route is named as it stands in the source, or as the log has it."""

    async def handler(request: Request) -> Response:
        return PlainTextResponse("ok")

    text = f"{template}: 0%" if field == "sample" else template
    routes = [Route("/items/{id:int}", handler), Route("/files/{path:path}", handler)]
    logged = Logged(Starlette(routes=routes), AccessLog(**{field: text}))  # type: ignore[arg-type]
    for path in ("/items/7", "/files/a/b"):
        call(logged.app, http_scope(path))
    assert [event["url.path"] for event in logged.events] == ["/files/a/b"]


def test_the_example_is_one_of_its_own_section() -> None:
    """Who forgets the slash is shown a share, and no quota."""
    with pytest.raises(
        SettingsError, match=r"such as 'GET /static/\*: 1%' or '10% of 2xx', found 'POST orders"
    ):
        AccessLog(sample="POST orders: 3%")


def test_a_path_is_that_of_the_app() -> None:
    """Behind a prefix that a server or proxy takes away, rules are about what the router sees."""
    settings = AccessLog(sample="/users: 0%")
    assert not written(settings, path="/api/users", root_path="/api")
    assert written(settings, path="/api/users")


def test_probes_are_quiet_unless_they_fail() -> None:
    """The paths of probes fill no log; a probe that gets an error does."""
    for path in ("/livez", "/readyz", "/startupz"):
        assert not written(AccessLog(), path=path)
        assert written(AccessLog(), path=path, status=503)
        assert written(AccessLog(), path=path, status=404)
        assert written(AccessLog(quiet=""), path=path)
    assert not written(AccessLog(quiet="GET /metrics"), path="/metrics")
    assert written(AccessLog(quiet="GET /metrics"), path="/metrics", method="POST")
    assert written(AccessLog(quiet="/livez"), path="/livez/x")


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("sample", "ten"),
        ("sample", "101%"),
        ("sample", "-1%"),
        ("sample", "1.5"),
        ("sample", "10% of 5xx"),
        ("sample", "10% of 500"),
        ("sample", "10% of "),
        ("sample", "10% of 2xx by address"),
        ("sample", "/a b: 10%"),
        ("quiet", "livez"),
        ("quiet", "/livez: 5"),
    ],
)
def test_what_is_no_rule_is_refused(field: str, text: str) -> None:
    """The error names the setting and shows what fits."""
    with pytest.raises(SettingsError, match=rf"AccessLog\.{field}: expected .*(share|paths|rule|value)"):
        AccessLog(**{field: text})  # type: ignore[arg-type]
