"""The document of the app itself: found, read as its framework means it, and left as it was."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date, datetime  # noqa: TC003 - FastAPI and pydantic read annotations
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID  # noqa: TC003 - as above

import pytest
from fastapi import APIRouter, Depends, FastAPI, Form, Query, Request, UploadFile
from fastapi.security import APIKeyHeader, HTTPBearer
from litestar import Litestar, get
from litestar.params import FromPath, FromQuery  # noqa: TC002 - as above
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.routing import Mount

from garrison import Contract, ContractMiddleware, Settings, SettingsError, harden
from garrison.contracting.own_document import document_of
from garrison.events import event_log
from garrison.openapi.model import DocumentError
from tests.toolkit.driver import call, http_scope

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp
    from tests.toolkit.driver import Reply

JSON = b"application/json"
URLENCODED = b"application/x-www-form-urlencoded"
MULTIPART = b"multipart/form-data; boundary=b"


# FastAPI reads the annotations of handlers where they stand, so that their types stand out here.
class Order(BaseModel):
    item: str
    count: int = 1
    when: datetime | None = None
    day: date | None = None
    number: UUID | None = None


class Page(BaseModel):
    limit: int = 10
    all: bool = False


looks = HTTPBearer(auto_error=False)
wants = APIKeyHeader(name="X-Key")


def shop() -> FastAPI:
    """An app with what differs between FastAPI and its documents."""
    app = FastAPI(servers=[{"url": "https://shop.example/v1"}])
    included = APIRouter(prefix="/in")

    @app.get("/read")
    async def read(
        limit: Annotated[int, Query(le=100)] = 10,
        flag: bool = False,
        share: float = 1.0,
        since: datetime | None = None,
        number: UUID | None = None,
        months: Annotated[list[int] | None, Query()] = None,
    ) -> dict[str, Any]:
        return {}

    @app.get("/page")
    async def page(page: Annotated[Page, Query()]) -> Page:
        return page

    @app.get("/months/{month}")
    async def month(month: int) -> int:
        return month

    @app.post("/orders")
    async def order(order: Order) -> Order:
        return order

    @app.post("/forms")
    async def form(
        item: Annotated[str, Form()],
        count: Annotated[int, Form(le=9)] = 1,
        wrapped: Annotated[bool, Form()] = False,
        each: Annotated[int | None, Form()] = None,
    ) -> dict[str, Any]:
        return {}

    @app.post("/pictures")
    async def picture(
        picture: UploadFile | None = None, wide: Annotated[int | None, Form()] = None
    ) -> dict[str, Any]:
        return {}

    @app.post("/hooks")
    async def hook(request: Request) -> int:
        return len(await request.body())

    @app.get("/files/{path:path}")
    async def files(path: str) -> str:
        return path

    @included.get("/maybe")
    async def maybe(_caller: Annotated[Any, Depends(looks)]) -> str:
        return "anybody"

    @included.get("/both")
    async def both(_caller: Annotated[Any, Depends(looks)], _key: Annotated[str, Depends(wants)]) -> str:
        return "somebody"

    @included.get("/deep/{path:path}")
    async def deep(path: str, _key: Annotated[str, Depends(wants)]) -> str:
        return path

    app.include_router(included)
    return app


def contract(app: Any, **fields: Any) -> ContractMiddleware:
    """The layer around an app, with the app's own document."""
    return ContractMiddleware(app, Contract(document="app", **fields), log=event_log(stream=io.StringIO()))


@pytest.fixture(scope="module")
def hard() -> ContractMiddleware:
    """The shop behind its document."""
    return contract(shop())


def post(app: ASGIApp, path: str, body: bytes, content_type: bytes = JSON) -> Reply:
    """A request with a body."""
    lines = [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]
    return call(app, http_scope(path, method="POST", headers=lines), body)


def part(name: bytes, value: bytes, more: bytes = b"") -> bytes:
    """A part of a multipart body."""
    return b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (name, more, value)


@pytest.mark.parametrize(
    "query",
    [
        *(f"flag={text}" for text in ("true", "True", "FALSE", "1", "0", "yes", "no", "on", "off", "t", "N")),
        *(f"limit={text}" for text in ("7", "07", "%2B7", "7.0", "%207", "7+", "1_0", "-7")),
        *(f"share={text}" for text in ("0.5", ".5", "5.", "1e-3", "00.5", "%2B.5", "1_0.5", "nan", "-inf")),
        "since=2026-11-22T10:00:00",
        "since=2026-11-22 10:00".replace(" ", "%20"),
        "since=1577836800",
        "number=12345678123456781234567812345678",
        "months=01&months=2",
    ],
)
def test_every_spelling_that_the_app_reads(hard: ContractMiddleware, query: str) -> None:
    """Python clients write True, months have noughts, times have no offset: what works goes on working."""
    scope = http_scope("/read", query=query.encode())
    assert call(hard.app, scope).status == 200, "the app itself has to take it"
    assert call(hard, scope).status == 200


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("limit=101", "maximum"),
        ("limit=x", "type"),
        ("limit=1.5", "type"),
        ("flag=maybe", "type"),
        ("share=half", "type"),
        ("months=x", None),
        ("limit=1&limit=2", "repeated"),
        ("limti=1", "unknown"),
    ],
)
def test_what_the_app_would_not_take_is_refused(
    hard: ContractMiddleware, query: str, rule: str | None
) -> None:
    """Bounds, types, repetitions and names that are unknown are held to the document."""
    reply = call(hard, http_scope("/read", query=query.encode()))
    assert reply.status == 400
    assert rule is None or reply.json["errors"][0]["rule"] == rule


def test_a_model_of_a_query_is_read_alike(hard: ContractMiddleware) -> None:
    """FastAPI writes its members as parameters."""
    assert call(hard, http_scope("/page", query=b"limit=05&all=on")).status == 200
    assert call(hard, http_scope("/page", query=b"limit=five")).status == 400


def test_a_number_in_the_path(hard: ContractMiddleware) -> None:
    """With a nought in front it is still a number, and a word is none."""
    assert call(hard, http_scope("/months/01")).json == 1
    assert call(hard, http_scope("/months/may")).status == 400


@pytest.mark.parametrize(
    "body",
    [
        b'{"item": "tea", "when": "2026-11-22T10:00:00"}',
        b'{"item": "tea", "day": "2026-11-22T00:00:00"}',
        b'{"item": "tea", "number": "12345678123456781234567812345678", "other": 1}',
    ],
)
def test_what_the_app_sends_may_come_back(hard: ContractMiddleware, body: bytes) -> None:
    """A time without an offset is no `date-time`, but pydantic writes and reads it."""
    assert post(hard.app, "/orders", body).status == 200
    assert post(hard, "/orders", body).status == 200


@pytest.mark.parametrize(
    "body", [b'{"item": 7}', b'{"item": "tea", "count": "3"}', b'{"item": "tea", "count": true}', b"{}"]
)
def test_json_has_types(hard: ContractMiddleware, body: bytes) -> None:
    """In JSON a number is no text, even if pydantic would make one of it."""
    assert post(hard, "/orders", body).status == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"item=tea", 200),
        (b"item=tea&count=&wrapped=&each=", 200),
        (b"item=tea&wrapped=on&count=03", 200),
        (b"item=tea&count=10", 422),
        (b"item=tea&count=ten", 422),
        (b"count=1", 422),
        (b"item=tea&item=milk", 422),
    ],
)
def test_forms_as_browsers_send_them(hard: ContractMiddleware, body: bytes, status: int) -> None:
    """Fields that nobody filled in are empty, and boxes that are ticked are `on`."""
    assert post(hard, "/forms", body, URLENCODED).status == status
    fields = [pair.split(b"=") for pair in body.split(b"&")]
    multipart = b"".join(part(*field) for field in fields) + b"--b--\r\n"
    assert post(hard, "/forms", multipart, MULTIPART).status == status


def test_a_picture_that_nobody_chose(hard: ContractMiddleware) -> None:
    """A file that need not be there is sent empty by browsers, and read where it is sent."""
    for name in (b'; filename=""', b'; filename="c.png"'):
        body = part(b"picture", b"", name) + part(b"wide", b"") + b"--b--\r\n"
        assert post(hard.app, "/pictures", body, MULTIPART).status == 200
        assert post(hard, "/pictures", body, MULTIPART).status == 200


def test_a_body_that_the_handler_reads_by_itself(hard: ContractMiddleware) -> None:
    """Webhooks are signed as bytes; FastAPI's document does not know of them."""
    assert post(hard, "/hooks", b'{"signed": 1}').json == 13


@pytest.mark.parametrize(
    "path", ["/files/a", "/files/a/b", "/files/https://shop.example/a", "/files/a/../b", "/docs", "/none"]
)
def test_paths_that_the_document_cannot_tell(hard: ContractMiddleware, path: str) -> None:
    """Variables that take slashes, and pages that are not documented, are left to the app."""
    assert call(hard, http_scope(path)).status == call(hard.app, http_scope(path)).status


def test_whoever_refuses_unknown_paths_has_one_segment_of_a_greedy_one() -> None:
    """OpenAPI has no variables with slashes, and refusing was asked for."""
    hard = contract(shop(), unknown="refuse")
    assert call(hard, http_scope("/files/a")).status == 200
    assert call(hard, http_scope("/files/a/b")).status == 404


def test_callers_are_not_verified_by_a_document_with_gaps() -> None:
    """Paths with slashes would pass without anybody verifying who asks, so that this does not start."""
    fields = {"security": "verify", "verifiers": "HTTPBearer=refuse, APIKeyHeader=refuse"}
    with pytest.raises(SettingsError, match=r"take no slashes.*/paths/~1files~1\{path\}"):
        contract(shop(), **fields)
    hard = contract(shop(), unknown="refuse", **fields)
    assert call(hard, http_scope("/in/deep/a/b")).status == 404
    assert call(hard, http_scope("/in/deep/a")).status in {401, 403}
    # Nor does anything become optional by what the handler would do.
    assert call(hard, http_scope("/in/maybe")).status == 401


def test_a_scheme_that_only_looks_is_not_needed(hard: ContractMiddleware) -> None:
    """With `auto_error=False` a handler is called without credentials; what it needs beside it, it needs."""
    assert call(hard, http_scope("/in/maybe")).json == "anybody"
    key, bearer = (b"x-key", b"k"), (b"authorization", b"Bearer t")
    assert call(hard, http_scope("/in/both", headers=[key])).json == "somebody"
    reply = call(hard, http_scope("/in/both", headers=[bearer]))
    assert reply.status in {401, 403}
    assert "errors" not in reply.json


@pytest.mark.parametrize("root_path", ["", "/api"])
@pytest.mark.parametrize("prefix", ["", "/api"])
def test_servers_are_where_a_proxy_has_them(root_path: str, prefix: str) -> None:
    """The app's own paths are what counts, with `root_path` in front or without."""
    hard = contract(shop())
    scope = http_scope(f"{prefix}/read", query=b"limit=101", root_path=root_path)
    expected = 400 if prefix in {"", root_path} else 404
    assert call(hard, scope).status == expected


def test_an_app_without_pages_has_a_document() -> None:
    """`openapi_url=None` hides it from clients, and from nobody else."""
    app = FastAPI(openapi_url=None)

    @app.get("/read")
    async def read(limit: int) -> int:
        return limit

    assert call(contract(app), http_scope("/read", query=b"limit=x")).status == 400


def test_an_app_keeps_making_its_own_document() -> None:
    """What is added later is in the app's document, though not in the one that was taken."""
    app = shop()
    hard = harden(app, Settings(contract=Contract(document="app")))

    @app.get("/later")
    async def later(limit: int) -> int:
        return limit

    assert "/later" in app.openapi()["paths"]
    assert app.openapi()["servers"] == [{"url": "https://shop.example/v1"}]
    assert call(hard, http_scope("/later", query=b"limit=1&more=1")).status == 200


def test_a_document_that_was_made_stays() -> None:
    """One that an app has kept before is neither changed nor forgotten."""
    app = shop()
    before = app.openapi()
    written = repr(before)
    contract(app)
    assert app.openapi() is before
    assert repr(before) == written


def test_an_app_within_another() -> None:
    """A layer around a mounted app finds the operations of that, whatever is around the outer one."""
    inner = contract(shop())
    outer = Starlette(routes=[Mount("/shop", inner)])
    for app in (outer, harden(outer, Settings())):
        assert call(app, http_scope("/shop/read", query=b"limit=101")).status == 400
        assert call(app, http_scope("/shop/read", query=b"limit=1")).status == 200


def test_an_app_with_another_in_it() -> None:
    """What is mounted has a document of its own, and passes."""
    app = shop()
    app.mount("/sub", shop())
    assert call(contract(app), http_scope("/sub/read", query=b"limit=1&more=1")).status == 200


def test_a_layer_within_the_app_needs_to_be_told() -> None:
    """`add_middleware` hands over what is below it, which makes no document; `own` says who does."""
    app = shop()
    app.add_middleware(ContractMiddleware, settings=Contract(document="app"), own=app)
    assert call(app, http_scope("/read", query=b"limit=101")).status == 400
    with pytest.raises(DocumentError, match="needs own=app"):
        document_of(Starlette())


def test_an_app_that_cannot_make_its_document() -> None:
    """What goes wrong in it is one line."""
    app = FastAPI()

    def fail() -> dict[str, Any]:
        raise KeyError("the model")

    app.openapi = fail  # type: ignore[method-assign]
    with pytest.raises(SettingsError, match=r"can make its document.*KeyError: 'the model'"):
        contract(app)


def test_litestar() -> None:
    """Its documents are read alike: spellings, formats, and paths with slashes."""

    @get("/read")
    async def read(
        limit: FromQuery[int] = 1,
        flag: FromQuery[bool] = False,
        since: FromQuery[datetime | None] = None,
        months: FromQuery[list[int] | None] = None,
    ) -> dict[str, int]:
        return {}

    @get("/files/{path:path}")
    async def files(path: FromPath[str]) -> str:
        return path

    hard = contract(Litestar([read, files], logging_config=None), replies=1.0)
    for query in (b"limit=1.0", b"flag=1", b"since=2026-11-22T10:00:00", b"months=1&months=2"):
        scope = http_scope("/read", query=query)
        assert (call(hard.app, scope).status, call(hard, scope).status) == (200, 200), query
    assert call(hard, http_scope("/read", query=b"limit=x")).status == 400
    for path in ("/files/a/b", "/files//a", "/schema/openapi.json"):
        assert call(hard, http_scope(path)).status == call(hard.app, http_scope(path)).status
    document = document_of(hard.app)
    assert isinstance(document, Mapping)
    assert document["paths"]["/files/{path}"] == {}


def test_the_replies_of_fastapi_keep_its_document() -> None:
    """What its models write is no false alarm, its own refusals and times without an offset among it."""
    found: list[object] = []
    app = contract_with(found)
    for scope, body in (
        (http_scope("/read"), b""),
        (http_scope("/page", query=b"limit=2"), b""),
        (http_scope("/read", query=b"limit=101"), b""),
        (http_scope("/in/both"), b""),
        (http_scope("/read", method="HEAD"), b""),
        (http_scope("/read/"), b""),
    ):
        call(app, scope, body)
    post(app, "/orders", b'{"item": "tea", "when": "2026-11-22T10:00:00", "day": "2026-11-22"}')
    post(app, "/orders", b'{"item": 7}')
    assert found == []


def contract_with(found: list[object]) -> ContractMiddleware:
    """The shop, which notes what its replies break, and leaves requests to the app."""
    section = Contract(document="app", mode="report", replies=1.0)
    log = event_log(stream=io.StringIO())
    return ContractMiddleware(shop(), section, log=log, on_reply=found.append)
