"""Which account a login is about, without taking the body away from the handler."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from anyio import from_thread
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm  # noqa: TC002 - FastAPI reads annotations
from pydantic import BaseModel
from starlette.requests import Request  # noqa: TC002 - FastAPI reads annotations

from garrison import Attempt, LoginLimit
from garrison.ratelimit.memory import MemoryStore
from tests.toolkit.driver import Reply, call, http_scope

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=x"


HAS_FORMS = find_spec("python_multipart") is not None
# In CI it was installed, and a test without it fails.
needs_forms = pytest.mark.skipif(
    not HAS_FORMS and not os.environ.get("CI"), reason="forms are missing: pip install python-multipart"
)


class Credentials(BaseModel):
    """What a client submits."""

    username: str
    password: str


def site(**options: Any) -> FastAPI:
    """The ways in which FastAPI apps read a login."""
    limited = Depends(LoginLimit(store=MemoryStore(), stuffing="1000/hour", **options))
    form_of_oauth2 = Depends()
    app = FastAPI()

    async def check(attempt: Attempt, username: object, password: object) -> str:
        if password != "right":
            raise HTTPException(401)
        await attempt.succeeded()
        return f"welcome {username}"

    @app.post("/model")
    async def model(body: Credentials, attempt: Attempt = limited) -> str:
        return await check(attempt, body.username, body.password)

    @app.post("/document")
    async def document(request: Request, attempt: Attempt = limited) -> str:
        body = await request.json()
        return await check(attempt, body.get("username"), body.get("password"))

    @app.post("/thread")
    def thread(body: Credentials, attempt: Attempt = limited) -> str:
        if body.password == "right":
            from_thread.run(attempt.succeeded)
        return "welcome"

    if not HAS_FORMS:
        return app

    @app.post("/form")
    async def form(request: Request, attempt: Attempt = limited) -> str:
        async with request.form() as body:
            return await check(attempt, body.get("username"), body.get("password"))

    @app.post("/token")
    async def token(body: OAuth2PasswordRequestForm = form_of_oauth2, attempt: Attempt = limited) -> str:
        return await check(attempt, body.username, body.password)

    return app


def post(app: ASGIApp, path: str, media_type: str, body: bytes, address: str = "192.0.2.1") -> Reply:
    """One attempt; every one from an address of its own is a guess from a botnet."""
    headers = [(b"content-type", media_type.encode()), (b"content-length", b"%d" % len(body))]
    if not media_type:
        headers = headers[1:]
    return call(app, http_scope(path, method="POST", headers=headers, client=(address, 1)), body)


def written(media_type: str, **fields: str) -> bytes:
    """A body of a media type."""
    if media_type == FORM:
        return urlencode(fields).encode()
    if media_type == PARTS:
        parts = [
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        return "".join([*parts, "--x--\r\n"]).encode()
    return json.dumps(fields).encode()


WAYS = pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/model", JSON),
        ("/document", JSON),
        ("/document", "text/plain"),
        ("/document", ""),
        pytest.param("/form", FORM, marks=needs_forms),
        pytest.param("/form", PARTS, marks=needs_forms),
        pytest.param("/token", FORM, marks=needs_forms),
        pytest.param("/token", PARTS, marks=needs_forms),
    ],
)


@WAYS
def test_the_handler_still_has_the_body(path: str, media_type: str) -> None:
    """Whoever is right gets in, however the handler reads what was submitted."""
    reply = post(site(), path, media_type, written(media_type, username="ann", password="right"))
    assert (reply.status, reply.json) == (200, "welcome ann")


@WAYS
def test_the_account_is_found_wherever_the_handler_finds_it(path: str, media_type: str) -> None:
    """Guesses from many addresses are counted for the account, whichever media type they claim to be."""
    app = site(failures="3/hour")
    body = written(media_type, username="ann", password="wrong")
    found = [post(app, path, media_type, body, f"192.0.2.{number // 2}").status for number in range(20)]
    assert found.count(401) == 3 + 9


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        (JSON, b"[1, 2]"),
        (JSON, b"\xff"),
        (JSON, b"[" * 100_000),
        (JSON, b'{"username": ["ann"]}'),
        (JSON, b'{"username": ""}'),
        (FORM, b""),
        (FORM, b"password=wrong"),
        (PARTS, b"--x--\r\n"),
    ],
)
def test_no_account_is_counted_by_address(media_type: str, body: bytes) -> None:
    """A body that names nobody is no error of the limit, and takes of the attempts of its address."""
    limited = Depends(LoginLimit(store=MemoryStore()))
    app = FastAPI()

    @app.post("/")
    async def page(attempt: Attempt = limited) -> None: ...

    found = [post(app, "/", media_type, body).status for _ in range(6)]
    assert found == [200] * 5 + [429]


@pytest.mark.parametrize("media_type", [JSON, FORM, PARTS, "text/plain", f"{JSON}; form"])
def test_a_handler_that_has_read_the_document_before(media_type: str) -> None:
    """Whatever media type a guess claims to be, it is counted for the account that the handler has seen."""
    limit = LoginLimit(store=MemoryStore(), stuffing="1000/hour", failures="3/hour")
    app = FastAPI()

    @app.post("/")
    async def page(request: Request) -> None:
        await request.json()
        await limit(request)

    body = b'{"username": "ann"}'
    found = [post(app, "/", media_type, body, f"192.0.2.{number // 2}").status for number in range(20)]
    assert found.count(200) <= 3 + 10
    assert 429 in found or set(found) == {400}


@needs_forms
def test_a_body_that_names_two_accounts_is_refused() -> None:
    """What is a form and a document at once does not have one of them counted and the other looked at."""
    limit = LoginLimit(store=MemoryStore())
    app = FastAPI()

    @app.post("/")
    async def page(request: Request) -> None:
        await request.body()
        await limit(request)

    assert post(app, "/", FORM, b'{"username": "ann", "x": "&username=junk&"}').status == 400
    assert post(app, "/", FORM, b'{"username": "ann", "x": "&username=ann&"}').status == 200
    assert post(app, "/", FORM, b"username=ann&password=right").status == 200


@pytest.mark.parametrize("before", ["", "json", "form", "body"])
@pytest.mark.parametrize("after", ["json", "form", "body", "stream"])
@pytest.mark.parametrize("media_type", [JSON, FORM, PARTS, "text/plain", "multipart/form-data"])
def test_the_body_is_there_for_the_handler_in_every_order(media_type: str, before: str, after: str) -> None:
    """Whatever JSON claims to be, and whoever has read it, the handler reads what it could read without."""
    limit = LoginLimit(store=MemoryStore())

    async def read(request: Request, way: str) -> object:
        if way == "stream":
            return b"".join([chunk async for chunk in request.stream()]).decode()
        found = await getattr(request, way)()
        return sorted(found) if way == "form" else found if way == "json" else found.decode()

    def app(*, limited: bool) -> FastAPI:
        found = FastAPI()

        @found.post("/")
        async def page(request: Request) -> object:
            if before:
                await read(request, before)
            if limited:
                await limit(request)
            return await read(request, after)

        return found

    def answer(*, limited: bool) -> object:
        try:
            reply = post(app(limited=limited), "/", media_type, b'{"username": "ann"}')
        except (RuntimeError, AssertionError) as error:
            # What the handler does to itself, and without the library for forms.
            return str(error)
        return reply.status, reply.json

    assert answer(limited=True) == answer(limited=False)


def test_a_handler_in_a_thread_can_say_that_it_succeeded() -> None:
    """A handler without `async` gives back what the attempt took, too."""
    app = site()
    for password, found in (("right", [200] * 7), ("wrong", [200] * 5 + [429] * 2)):
        body = written(JSON, username="ann", password=password)
        assert [post(app, "/thread", JSON, body).status for _ in range(7)] == found


def test_a_number_is_an_account_too() -> None:
    """A number in a document is the same account as its digits."""
    app = site()
    bodies = [b'{"username": 7}', b'{"username": "7"}'] * 3
    assert [post(app, "/document", JSON, body).status for body in bodies] == [401] * 5 + [429]


def test_the_account_can_be_another_field() -> None:
    """`account` names the field that an app has."""
    app = site(account="email")
    for number in range(6):
        reply = post(app, "/document", JSON, written(JSON, email="ann@shop.example", username=str(number)))
    assert reply.status == 429


def test_the_account_can_be_for_a_callable_to_say() -> None:
    """A callable, sync or async, finds the account where no field has it."""

    async def from_header(request: Request) -> str | None:
        return request.headers.get("x-account")

    for account in (from_header, lambda request: request.headers.get("x-account")):
        app = site(account=account, failures="1/hour")
        found = []
        for number in range(2):
            headers = [(b"x-account", b"ann"), (b"content-type", b"application/json")]
            for _ in range(2):
                scope = http_scope(
                    "/document", method="POST", headers=headers, client=(f"192.0.2.{number}", 1)
                )
                found.append(call(app, scope, b"{}").status)
        assert found == [401, 401, 401, 429]


def test_a_callable_that_fails_lets_nobody_through() -> None:
    """What is neither a text nor None is an error."""
    with pytest.raises(TypeError, match="not str or None"):
        post(site(account=lambda _: 7), "/document", JSON, b"{}")
