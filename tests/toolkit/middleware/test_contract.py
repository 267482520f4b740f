"""The contract layer: what keeps the document passes untouched, what does not is told why, and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import orjson
import pytest
from litestar import Litestar, get

from garrison import Contract, ContractMiddleware, RateLimit, Settings, SettingsError, harden
from garrison.buffer_budget import BufferBudget
from garrison.openapi.api_keys import key_digest
from garrison.units import Secret
from tests.toolkit.contracting.shop import CANARY, DOCUMENT, JSON, KEY, Shop, echo
from tests.toolkit.driver import accepts, call, handshake, http_scope, websocket_scope

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.asgi import ASGIApp


SECRET = Secret("0123456789abcdef0123456789abcdef")
MULTIPART = (b"content-type", b"multipart/form-data; boundary=b")


def multipart(title: str = "A cat", picture: bytes = b"\x89PNG", name: str = "picture") -> bytes:
    """The body of an upload."""
    return (
        (
            f'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\n{title}\r\n'
            f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="c.png"\r\n'
            "Content-Type: image/png\r\n\r\n"
        ).encode()
        + picture
        + b"\r\n--b--\r\n"
    )


def rules_of(body: bytes) -> list[tuple[str, str, str]]:
    """Where and what the errors of a problem are."""
    return [(each["in"], each["pointer"], each["rule"]) for each in orjson.loads(body)["errors"]]


def test_without_a_document_nothing_is_checked() -> None:
    """The layer with its defaults passes everything on."""
    app = ContractMiddleware(echo, Contract())
    assert call(harden(app, Settings()), http_scope("/orders", query=b"limit=x")).status == 200


def test_what_keeps_the_document_passes_as_it_came(tmp_path: Path) -> None:
    """The app gets the very bytes, in whatever pieces they came."""
    shop = Shop(tmp_path)
    assert shop.ask("/orders", query=b"limit=5").status == 200
    assert shop.ask("/orders/7").status == 200
    body = b'{ "item": "tea",\n "count": 2 }'
    reply = shop.ask("/orders", body[:7], body[7:], method="POST", headers=(JSON, KEY))
    assert (reply.status, reply.body) == (200, body)
    upload = multipart()
    reply = shop.ask("/pictures", upload[:50], upload[50:], method="POST", headers=(MULTIPART,))
    assert (reply.status, reply.body) == (200, upload)
    assert shop.log.getvalue() == ""


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/orders", b"limit=500", ("query", "/limit", "maximum")),
        ("/orders", b"limit=x", ("query", "/limit", "type")),
        ("/orders", b"limit=1&limit=2", ("query", "/limit", "repeated")),
        ("/orders", b"canary-8c1f=1", ("query", "", "unknown")),
        ("/orders/canary-8c1f", b"", ("path", "/id", "type")),
    ],
)
def test_parameters_that_do_not_fit(
    tmp_path: Path, path: str, query: bytes, expected: tuple[str, str, str]
) -> None:
    """A wrong parameter is a 400 that names it and its rule, and no value."""
    shop = Shop(tmp_path)
    reply = shop.ask(path, query=query)
    assert reply.status == 400
    assert rules_of(reply.body) == [expected]
    assert CANARY not in reply.body.decode() + shop.log.getvalue()


@pytest.mark.parametrize(
    ("body", "headers", "status", "expected"),
    [
        (b'{"item": 1}', (JSON, KEY), 422, ("body", "/item", "type")),
        (b'{"item": "a", "canary-8c1f": 1}', (JSON, KEY), 422, ("body", "", "additionalProperties")),
        (b'{"count": 1}', (JSON, KEY), 422, ("body", "/item", "required")),
        (b'{"item":', (JSON, KEY), 400, ("body", "", "syntax")),
        (b'{"item": NaN}', (JSON, KEY), 400, ("body", "", "syntax")),
        (b"item=tea", ((b"content-type", b"text/plain"), KEY), 415, ("body", "", "mediaType")),
        (b'{"item": "tea"}', (KEY,), 415, ("body", "", "mediaType")),
    ],
)
def test_bodies_that_do_not_fit(
    tmp_path: Path,
    body: bytes,
    headers: tuple[tuple[bytes, bytes], ...],
    status: int,
    expected: tuple[str, str, str],
) -> None:
    """What cannot be read is a 400, what is of another type a 415, and what breaks the schema a 422."""
    shop = Shop(tmp_path)
    reply = shop.order(body, *headers)
    assert reply.status == status
    assert rules_of(reply.body) == [expected]
    assert CANARY not in reply.body.decode() + shop.log.getvalue()


def test_a_body_that_is_missing(tmp_path: Path) -> None:
    """An operation that needs a body says so, with chunks that hold nothing too."""
    shop = Shop(tmp_path)
    assert rules_of(shop.ask("/orders", method="POST", headers=(JSON, KEY)).body) == [
        ("body", "", "required")
    ]
    chunked = (JSON, KEY, (b"transfer-encoding", b"chunked"))
    assert call(shop.app, http_scope("/orders", method="POST", headers=chunked), b"").status == 400


@pytest.mark.parametrize(
    ("lengths", "body", "status"), [("20", b"x" * 20, 400), ("02", b"xx", 400), ("00", b"", 200)]
)
def test_a_body_hides_behind_no_second_length(tmp_path: Path, lengths: str, body: bytes, status: int) -> None:
    """Of two lengths that a server lets through, one that is zero does not keep a body from being judged."""
    declared = [(b"content-length", length.encode()) for length in lengths]
    scope = http_scope("/orders", headers=declared)
    assert call(Shop(tmp_path).app, scope, body).status == status


def test_an_upload_that_does_not_fit_never_reaches_the_app_whole(tmp_path: Path) -> None:
    """A part that nobody declared is refused while it streams."""
    shop = Shop(tmp_path)
    upload = multipart(name="canary-8c1f")
    reply = shop.ask("/pictures", upload[:100], upload[100:], method="POST", headers=(MULTIPART,))
    assert reply.status == 422
    assert CANARY not in reply.body.decode() + shop.log.getvalue()


def test_a_body_that_is_too_long(tmp_path: Path) -> None:
    """What would have to be read and is longer than the bound is a 413, declared or not."""
    shop = Shop(tmp_path, max_body=20)
    assert shop.order(b'{"item": "tea", "count": 1}').status == 413
    scope = http_scope("/orders", method="POST", headers=(JSON, KEY, (b"transfer-encoding", b"chunked")))
    assert call(shop.app, scope, b'{"item": "tea",', b' "count": 1}').status == 413


def test_all_requests_share_a_budget(tmp_path: Path) -> None:
    """What all requests hold together is bounded; beyond it a request is to come back."""
    budget = BufferBudget(20)
    shop = Shop(tmp_path, max_body=20, budget=budget)
    with budget.share() as other:
        assert other.take(10)
        reply = shop.order(b'{"item": "tea"}')
        assert (reply.status, reply.header("retry-after")) == (503, "1")
    assert shop.order(b'{"item": "tea"}').status == 200
    assert budget.held == 0


def test_who_may_call_is_decided_before_anything_is_read(tmp_path: Path) -> None:
    """Without a credential there is a 401 with a challenge, whatever else is wrong."""
    shop = Shop(tmp_path)
    reply = shop.order(b'{"item":', JSON)
    assert reply.status == 401
    assert reply.header("www-authenticate")


def test_a_document_from_a_file_is_enforced(tmp_path: Path) -> None:
    """Unless told otherwise, an operation that declares security needs somebody to verify it."""
    with pytest.raises(SettingsError, match="a verifier for the security scheme key"):
        Shop(tmp_path, security="auto")


def test_api_keys_say_who_asks(tmp_path: Path) -> None:
    """A key that is known lets its owner in, with the scopes it has; another is refused."""
    digest = key_digest(KEY[1].decode(), SECRET)
    shop = Shop(tmp_path, security="verify", api_keys=Secret(f"alice={digest} orders"), secret=SECRET)
    reply = shop.order(b'{"item": "tea"}')
    assert (reply.status, reply.header("x-principal")) == (200, "alice")
    assert shop.order(b'{"item": "tea"}', JSON, (b"x-api-key", b"another-one-0123456789")).status == 401
    poor = Shop(tmp_path, security="verify", api_keys=Secret(f"alice={digest}"), secret=SECRET)
    assert poor.order(b'{"item": "tea"}').status == 403


def test_principals_have_quotas(tmp_path: Path) -> None:
    """Whom the contract verifies is whom a quota by principal counts, from whatever address."""
    digest = key_digest(KEY[1].decode(), SECRET)
    path = tmp_path / "openapi.json"
    path.write_bytes(orjson.dumps(DOCUMENT))
    app = harden(
        echo,
        Settings(
            secret=SECRET,
            contract=Contract(document=str(path), api_keys=Secret(f"alice={digest} orders")),
            rate_limit=RateLimit(limits="2/minute by principal"),
        ),
    )
    assert app.layers[-2:] == ("contract", "rate_limit_by_principal")
    body = b'{"item": "tea"}'
    lines = [JSON, KEY, (b"content-length", b"%d" % len(body))]
    asked = [
        call(
            app, http_scope("/orders", method="POST", headers=lines, client=(f"192.0.2.{number}", 1)), body
        ).status
        for number in range(4)
    ]
    assert asked == [200, 200, 429, 429]


@pytest.mark.parametrize(("unknown", "statuses"), [("pass", [200, 200]), ("refuse", [404, 405])])
def test_what_the_document_does_not_have(tmp_path: Path, unknown: str, statuses: list[int]) -> None:
    """Undocumented paths and methods pass and are logged, or are refused where that is asked for."""
    shop = Shop(tmp_path, unknown=unknown)
    replies = [shop.ask("/nowhere"), shop.ask("/orders/7", method="DELETE")]
    assert [reply.status for reply in replies] == statuses
    if unknown == "refuse":
        assert "GET" in (replies[1].header("allow") or "")
    events = [orjson.loads(line) for line in shop.log.getvalue().splitlines()]
    assert [(event["event"], event["url.path"]) for event in events] == [
        ("contract_undocumented", "/nowhere"),
        ("contract_undocumented", "/orders/7"),
    ]


def test_a_path_that_routers_read_differently_is_refused(tmp_path: Path) -> None:
    """What some framework would route to an operation never passes for undocumented."""
    assert Shop(tmp_path).ask("//orders").status == 400


def test_report_lets_everything_pass(tmp_path: Path) -> None:
    """In report mode each kind of violation is one event, and the app gets what was sent."""
    shop = Shop(tmp_path, mode="report")
    assert shop.ask("/orders", query=b"limit=x").status == 200
    reply = shop.order(b'{"item": 1}', JSON)
    assert (reply.status, reply.body) == (200, b'{"item": 1}')
    upload = multipart(name="other")
    assert shop.ask("/pictures", upload, method="POST", headers=(MULTIPART,)).body == upload
    shop.ask("/orders", query=b"limit=y")
    events = [orjson.loads(line)["event"] for line in shop.log.getvalue().splitlines()]
    assert events == ["contract_violation", "contract_denied", "contract_violation", "contract_violation"]


@pytest.mark.parametrize("denial", [True, False])
def test_a_websocket_handshake_is_a_get(tmp_path: Path, denial: bool) -> None:
    """Its parameters are judged before the app sees it, whether or not the server can send a reply."""
    app = Shop(tmp_path, app=accepts).app
    fits = handshake(app, websocket_scope("/orders", query=b"limit=5", denial=denial))
    assert fits.sent[0]["type"] == "websocket.accept"
    wrong = handshake(app, websocket_scope("/orders", query=b"limit=x", denial=denial))
    if denial:
        assert (wrong.reply.status, rules_of(wrong.reply.body)) == (400, [("query", "/limit", "type")])
    else:
        assert wrong.sent == [{"type": "websocket.close", "code": 1008, "reason": ""}]


def test_a_head_with_a_body_is_held_to_the_get(tmp_path: Path) -> None:
    """It takes no body either, and the refusal has none."""
    reply = Shop(tmp_path).ask("/orders", b"{}", method="HEAD", headers=(JSON,))
    assert (reply.status, reply.body) == (400, b"")


def test_a_prefix_in_front_of_the_app(tmp_path: Path) -> None:
    """Behind a proxy that passes a prefix on, operations are found all the same."""
    shop = Shop(tmp_path)
    reply = shop.ask("/api/orders/x", root_path="/api", raw_path=b"/api/orders/x")
    assert reply.status == 400


@pytest.mark.parametrize("path", ["/x/api/secrets", "/apisecrets", "/open/api/secrets"])
def test_a_prefix_in_the_middle_of_a_path(tmp_path: Path, path: str) -> None:
    """Litestar routes what is behind it; such a request gets around nothing, whatever it is taken for."""

    @get("/secrets")
    async def secrets() -> str:
        return "a secret"

    app = cast("ASGIApp", Litestar([secrets], logging_config=None, openapi_config=None))
    assert call(app, http_scope(path, root_path="/api", state={})).body == b"a secret"
    operation: dict[str, object] = {"security": [{"key": []}], "responses": {}}
    paths = {"/secrets": {"get": operation}, "/open/{a}/{b}": {"get": {"responses": {}}}}
    shop = Shop(tmp_path, app=app, document={**DOCUMENT, "paths": paths})
    assert shop.ask(path, root_path="/api").status == 400
    for fine, status in (("/api/secrets", 401), ("/secrets", 401), ("/open/a/b", 404), ("/x/api", 404)):
        assert shop.ask(fine, root_path="/api", state={}).status == status


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"document": "nowhere.yaml"}, "Contract.document: expected the path of an OpenAPI document"),
        ({"document": "https://shop.example/openapi.json"}, "GARRISON_CONTRACT_REMOTE=on"),
        ({"verifiers": "bearerAuth=nobody"}, "Contract.verifiers"),
        ({"api_keys": Secret("alice")}, "Contract.api_keys: expected principals with the hashes"),
        ({"jwt_issuers": ("",)}, "Contract.jwt_issuers: expected names that are not empty"),
        ({"jwt_audiences": ("",)}, "Contract.jwt_audiences: expected names that are not empty"),
        ({"jwt_algorithms": ("RS257",)}, "Did you mean RS256"),
        ({"jwt_keys": "keys.json"}, "an issuer, because jwt_keys is set"),
        ({"max_body": 0}, "at least 1 byte"),
    ],
)
def test_settings_that_make_no_sense(fields: dict[str, object], message: str) -> None:
    """What is wrong with a section is said when it is made."""
    with pytest.raises(SettingsError, match=message):
        Contract(**fields)  # type: ignore[arg-type]


def test_a_document_that_is_none(tmp_path: Path) -> None:
    """A broken document is one line that says where."""
    broken = {**DOCUMENT, "paths": {"/orders": {"get": {"parameters": [{"$ref": "#/nowhere"}]}}}}
    with pytest.raises(
        SettingsError, match=r"GARRISON_CONTRACT_DOCUMENT: expected .*/paths/~1orders/get/parameters/0"
    ):
        Shop(tmp_path, document=broken)
