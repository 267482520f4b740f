"""Whom the contract verifies is who handlers, the access log and quotas see; others are told why at once."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any, Final

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garrison import Contract, RateLimit, Settings, harden
from garrison.openapi.api_keys import key_digest
from garrison.units import Secret
from tests.integration.lifespan import alive
from tests.toolkit.driver import Reply, exchange, http_scope
from tests.toolkit.openapi.security.made import jwk_of, jwks
from tests.toolkit.openapi.security.test_key_fetch import answering, serving
from tests.toolkit.server.conftest import running
from tests.toolkit.server.wire import Connection, connected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from garrison.openapi.credentials import Credential
    from garrison.openapi.model import Head

SECRET: Final = Secret("sixteen letters.")
ISSUER_KEY: Final = Ed25519PrivateKey.generate()
TILL: Final = "the-key-of-the-till"
# Less than what anybody may send as JSON.
UPLOAD: Final = 9_000_000
TOKENS: Final = {"jwt_issuers": ("https://issuer.example",), "jwt_audiences": ("orders",)}

DOCUMENT: Final = """
openapi: 3.1.0
info: {title: Orders, version: "1"}
paths:
  /orders:
    get:
      security: [{user: []}, {key: []}]
      parameters: [{name: limit, in: query, schema: {type: integer}}]
      responses: {"200": {description: orders}}
    post:
      security: [{user: [orders:write]}]
      parameters: [{name: limit, in: query, schema: {type: integer}}]
      requestBody:
        content:
          application/json: {schema: {type: object, required: [item]}}
          application/octet-stream: {}
      responses: {"201": {description: ordered}}
components:
  securitySchemes:
    user: {type: openIdConnect, openIdConnectUrl: https://issuer.example}
    key: {type: apiKey, in: header, name: X-API-Key}
"""

APP: Final = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    name = scope["garrison"].principal.encode()
    headers = [(b"content-length", b"%d" % len(name)), (b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": name})
"""


def token(name: str, scope: str = "", *, seconds: float = 60) -> str:
    """A token of the issuer, good for so many seconds from now."""
    claims = {
        "iss": "https://issuer.example",
        "aud": ["orders", "mail"],
        "sub": name,
        "exp": time.time() + seconds,
        "scope": scope,
    }
    return jwt.encode(claims, ISSUER_KEY, algorithm="EdDSA", headers={"kid": "k1"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A document, the issuer's keys, and an app that answers with the name of who asks."""
    (tmp_path / "openapi.yaml").write_text(DOCUMENT, encoding="utf-8")
    (tmp_path / "keys.json").write_bytes(jwks(jwk_of(ISSUER_KEY)))
    (tmp_path / "orders.py").write_text(APP, encoding="utf-8")
    return tmp_path


async def who(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the name of who asks."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = (scope["garrison"].principal or "").encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})


def hardened(folder: Path, *, limits: str = "", **fields: Any) -> ASGIApp:
    """The app behind its document, and quotas if any."""
    told = {"jwt_keys": str(folder / "keys.json"), **TOKENS, **fields}
    told.setdefault("api_keys", Secret(f"till={key_digest(TILL, SECRET)}"))
    section = Contract(document=str(folder / "openapi.yaml"), **told)
    return harden(who, Settings(secret=SECRET, contract=section, rate_limit=RateLimit(limits=limits)))


def ask(app: ASGIApp, *requests: tuple[tuple[str, str], ...], **more: Any) -> list[Reply]:
    """One request after the other, each with its header lines, all from one address."""

    async def serve() -> list[Reply]:
        async with alive(app):
            return [
                await exchange(
                    app,
                    http_scope(
                        "/orders",
                        headers=[(name.encode(), value.encode()) for name, value in lines],
                        client=("203.0.113.9", 40000),
                        **more,
                    ),
                )
                for lines in requests
            ]

    return asyncio.run(serve())


def bearing(text: str) -> tuple[tuple[str, str], ...]:
    """A bearer token."""
    return (("authorization", f"Bearer {text}"),)


def test_a_principal_reaches_handlers_the_log_and_quotas(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two users behind one address have a quota each, strangers use up none, and lines say who it was."""
    app = hardened(folder, limits="GET /orders: 2/minute by principal")
    ann, ben, till = bearing(token("ann")), bearing(token("ben")), (("x-api-key", TILL),)
    replies = ask(app, ann, (), bearing("bad"), ann, ann, ben, till)
    assert [reply.status for reply in replies] == [200, 401, 401, 200, 429, 200, 200]
    assert [reply.body for reply in replies if reply.status == 200] == [b"ann", b"ann", b"ben", b"till"]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    logged = [line for line in lines if line["event"] == "http.request"]
    assert [line.get("enduser.id") for line in logged] == ["ann", None, None, "ann", "ann", "ben", "till"]
    assert [line.get("rejected_by") for line in logged] == [
        None, "contract", "contract", None, "rate_limit", None, None,
    ]  # fmt: skip
    denied = [line for line in lines if line["event"] == "contract_denied"]
    assert [line["reason"] for line in denied] == ["missing", "invalid"]
    assert TILL not in json.dumps(lines)


def test_what_is_wrong_first_is_what_is_told(folder: Path) -> None:
    """Who asks comes before what may be done, that before the parameters, and they before the body."""
    app = hardened(folder)
    lines = (("content-type", "application/json"), ("content-length", "2"))
    good = bearing(token("ann", "orders:write"))
    requests = [(*lines, *sender) for sender in ((), bearing(token("ann")), good)]
    replies = ask(app, *requests, method="POST", query=b"limit=x")
    assert [reply.status for reply in replies] == [401, 403, 400]
    assert replies[0].all("www-authenticate") == ['Bearer realm="api"']
    assert replies[1].all("www-authenticate") == [
        'Bearer realm="api", error="insufficient_scope", scope="orders:write"'
    ]
    expired = bearing(token("ann", seconds=-60))
    (reply,) = ask(app, expired)
    assert reply.all("www-authenticate") == [
        'Bearer realm="api", error="invalid_token"',
        'APIKey realm="api"',
    ]
    assert reply.header("cache-control") == "no-store"


def test_a_provider_that_is_down_is_no_fault_of_the_client(folder: Path) -> None:
    """A token that nobody can judge is a 503 with a time to come back; an API key needs no provider."""
    with serving(answering(500)) as (url, asked):
        app = hardened(folder, jwt_keys=f"{url}/jwks")
        token_reply, key_reply, none = ask(app, bearing(token("ann")), (("x-api-key", TILL),), ())
        assert len(asked) == 1
    assert (token_reply.status, key_reply.status, none.status) == (503, 200, 401)
    assert token_reply.header("retry-after")
    assert not token_reply.all("www-authenticate")


def test_keys_come_from_the_provider_that_is_up(folder: Path) -> None:
    """They are fetched when the first token comes, and once."""
    with serving(answering(200, jwks(jwk_of(ISSUER_KEY)))) as (url, asked):
        app = hardened(folder, jwt_keys=f"{url}/jwks")
        replies = ask(app, bearing(token("ann")), bearing(token("ben")))
        assert len(asked) == 1
    assert [reply.body for reply in replies] == [b"ann", b"ben"]


async def verify(credential: Credential, head: Head) -> Any:
    """A verifier that does what the token says."""
    if credential.value == "raise":
        raise RuntimeError("canary of the database")
    return {"none": None, "true": True, "empty": ""}.get(credential.value, (head.method, ["orders:write"]))


def test_a_callable_that_fails_lets_nobody_in(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error, or an answer that is none, is a 500 without a detail, and the app is not called."""
    app = hardened(folder, verifiers=f"user={__name__}:verify", jwt_keys="", jwt_issuers=(), jwt_audiences=())
    words = ("raise", "true", "empty", "none", "good")
    replies = ask(app, *(bearing(word) for word in words))
    assert [reply.status for reply in replies] == [500, 500, 500, 401, 200]
    assert replies[-1].body == b"GET"
    assert not any(b"canary" in reply.body for reply in replies)
    assert '"error.type":"RuntimeError"' in capsys.readouterr().out.replace('": "', '":"')


class TestOnTheWire:
    """What a client of `garrison run` sees of its connection."""

    @pytest.fixture
    def connection(self, folder: Path) -> Iterator[Connection]:
        """A connection to the app."""
        environ = {
            "GARRISON_SECRET": SECRET.reveal(),
            "GARRISON_CONTRACT_DOCUMENT": "openapi.yaml",
            "GARRISON_CONTRACT_JWT_KEYS": "keys.json",
            "GARRISON_CONTRACT_JWT_ISSUERS": "https://issuer.example",
            "GARRISON_CONTRACT_JWT_AUDIENCES": "orders",
            "GARRISON_CONTRACT_VERIFIERS": "key=refuse",
        }
        with (
            running(folder, "orders:app", directory=folder, **environ) as server,
            connected(server.port) as found,
        ):
            yield found

    @pytest.mark.parametrize("kind", ["json", "octet-stream"])
    def test_a_stranger_need_not_send_an_upload(self, connection: Connection, kind: str) -> None:
        """The refusal is there when nothing of 9 MB is sent yet, and the connection ends."""
        connection.send(
            "POST /orders HTTP/1.1", "Host: a", f"Content-Type: application/{kind}",
            f"Content-Length: {UPLOAD}",
        )  # fmt: skip
        reply = connection.reply()
        assert (reply.status, reply["www-authenticate"]) == (401, 'Bearer realm="api"')
        assert reply["connection"] == "close"
        assert connection.is_closed()

    @pytest.mark.parametrize("kind", ["json", "octet-stream"])
    def test_who_expects_a_refusal_gets_it(self, connection: Connection, kind: str) -> None:
        """There is no 100 for a body that nobody will read, of whoever lacks the scope."""
        connection.send(
            "POST /orders HTTP/1.1", "Host: a", f"Content-Type: application/{kind}",
            "Content-Length: 100", "Expect: 100-continue", f"Authorization: Bearer {token('ann')}",
        )  # fmt: skip
        assert connection.reply().status == 403
        assert connection.is_closed()

    def test_the_next_request_is_answered(self, connection: Connection) -> None:
        """A small body that was refused is read over, and whoever authenticates next is served."""
        for sender, status in (
            ("X-None: 1", 401),
            (f"Authorization: Bearer {token('ann', 'orders:write')}", 200),
        ):
            connection.send(
                "POST /orders HTTP/1.1", "Host: a", "Content-Type: application/json", "Content-Length: 14",
                sender, body=b'{"item":"tea"}',
            )  # fmt: skip
            reply = connection.reply()
            assert reply.status == status
        assert reply.body == b"ann"
