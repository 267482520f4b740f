"""What the guide to API credentials promises of commands, settings, replies and events."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from garrison import Settings, harden
from garrison.openapi.api_keys import key_digest
from garrison.openapi.verifiers import VerifierUnavailableError
from garrison.preflight import examine
from garrison.settings import load
from tests.integration.documents import DOCS, EXAMPLES, blocks, commands, variables
from tests.toolkit.driver import call, http_scope
from tests.toolkit.server.conftest import environment

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from tests.toolkit.driver import Reply

PAGE: Final = DOCS / "how-to" / "api-credentials.md"
FOLDER: Final = EXAMPLES / "contract"
KEYS, TOKENS, CALLABLE = range(3)
KEY: Final = "k-of-a-shop-0123456789"


@pytest.fixture(autouse=True)
def in_the_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that settings name are found where the example is."""
    monkeypatch.chdir(FOLDER)


async def who(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the name of who asks."""
    body = (scope["garrison"].principal or "").encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})


def environ_of(folder: Path, number: int, **more: str) -> dict[str, str]:
    """The variables of an env block of the page, some of them changed."""
    return {**variables(blocks(PAGE, "env")[number], folder), **more}


def hardened(environ: dict[str, str]) -> ASGIApp:
    """The app behind these settings."""
    return harden(who, load(Settings, environ=environ).value)


def account(app: ASGIApp, *lines: tuple[str, str]) -> Reply:
    """Ask for the account, which needs the scheme `user`."""
    headers = [(name.encode(), value.encode()) for name, value in lines]
    return call(app, http_scope("/account", headers=headers))


def token(**changed: Any) -> str:
    """A token of the example's issuer, with other claims."""
    sys.path.insert(0, str(FOLDER))
    try:
        issuer = __import__("issuer")
    finally:
        sys.path.remove(str(FOLDER))
    claims = {
        "iss": "https://login.example",
        "aud": "orders",
        "sub": "ann",
        "exp": int(time.time()) + 60,
    }
    found = issuer.jwt.encode(claims | changed, issuer.KEY, algorithm="EdDSA", headers={"kid": "1"})
    return f"Bearer {found}"


def test_the_command_prints_what_is_shown(tmp_path: Path) -> None:
    """A new key and its entry, which lets the client in with the settings of the page."""
    (command,) = [
        found
        for block in blocks(PAGE, "console")
        for found in commands(block)
        if found.words[:2] == ("garrison", "contract")
    ]
    done = subprocess.run(
        [sys.executable, "-m", *command.words],
        capture_output=True, text=True, check=True, timeout=20, env=environment({"COLUMNS": "80"}),
    )  # fmt: skip
    (shown,) = [block.text for block in blocks(PAGE, "") if block.text.startswith("The key of")]
    made = re.compile(r"garrison_key_[\w-]{43}|[0-9a-f]{64}")
    assert made.sub("*", done.stdout) == made.sub("*", shown)
    assert made.sub("*", shown) != shown
    key, entry = re.findall(r"^  (.+)$", done.stdout, re.MULTILINE)
    assert place_order(hardened(environ_of(tmp_path, KEYS, GARRISON_CONTRACT_API_KEYS=entry)), key) == b"till"


def place_order(app: ASGIApp, key: str) -> bytes:
    """Place an order with a key; who it was, or an empty text for a refusal."""
    body = b'{"item": "tea", "count": 1, "payment": {"kind": "invoice", "email": "a@b.example"}}'
    headers = [
        (b"x-api-key", key.encode()),
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"idempotency-key", b"0b9e4c1a-3f7d-4e0e-9d54-1f6a2b3c4d5e"),
    ]
    reply = call(app, http_scope("/orders", method="POST", headers=headers), body)
    return reply.body if reply.status == 200 else b""


def test_a_key_that_was_there_already() -> None:
    """The line for a shell hashes it, and does not repeat it."""
    (block,) = blocks(PAGE, "sh")
    scripts = Path(sys.executable).parent
    more = {
        "OLD_KEY": KEY,
        "GARRISON_SECRET": "5f0c1b7e9a3d48d6a2e47c1f60b98d35",
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-c", block.text],
        capture_output=True, text=True, check=True, timeout=20, env=environment(more),
    )  # fmt: skip
    assert re.fullmatch(r"till=[0-9a-f]{64}\n", done.stdout)


def test_a_client_has_two_keys_while_it_changes_them(tmp_path: Path) -> None:
    """Both are the same caller's, and other hashes than those of the secret know nobody."""
    environ = environ_of(tmp_path, KEYS)
    secret = load(Settings, environ=environ).value.secret
    assert secret is not None
    entries = ", ".join(f"shop={key_digest(key, secret)}" for key in (KEY, KEY[::-1]))
    app = hardened({**environ, "GARRISON_CONTRACT_API_KEYS": entries})
    assert [place_order(app, key) for key in (KEY, KEY[::-1], KEY.upper())] == [b"shop", b"shop", b""]
    other = {**environ, "GARRISON_CONTRACT_API_KEYS": entries, "GARRISON_SECRET": "f" * 32}
    assert place_order(hardened(other), KEY) == b""


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 200),
        ({"iss": "https://login.example/"}, 401),
        ({"aud": "mail"}, 401),
        ({"aud": ["mail", "orders"]}, 200),
        ({"exp": 1_000_000_000}, 401),
        ({"nbf": 4_000_000_000}, 401),
    ],
)
def test_what_is_wanted_of_a_token(changed: dict[str, Any], status: int, tmp_path: Path) -> None:
    """The table's claims, each one that does not fit alone."""
    app = hardened(environ_of(tmp_path, TOKENS, GARRISON_CONTRACT_JWT_KEYS="keys.json"))
    assert account(app, ("authorization", token(**changed))).status == status


def test_another_claim_says_who_it_is(tmp_path: Path) -> None:
    """As the table has it."""
    more = {"GARRISON_CONTRACT_JWT_PRINCIPAL": "azp", "GARRISON_CONTRACT_JWT_KEYS": "keys.json"}
    app = hardened(environ_of(tmp_path, TOKENS, **more))
    assert account(app, ("authorization", token(azp="robot"))).body == b"robot"


def test_a_callable_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names who a session is of; what it returns else is a refusal or an error."""
    (block,) = blocks(PAGE, "python")
    (tmp_path / "sessions.py").write_text(block.text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "sessions", raising=False)
    app = hardened(environ_of(tmp_path, CALLABLE))
    sessions: dict[str, object] = __import__("sessions").SESSIONS
    sessions.update({"true": True, "empty": ""})
    words = ("s-4711-of-ann", "s-0815", "true", "empty")
    replies = [account(app, ("authorization", f"Bearer {word}")) for word in words]
    assert [reply.status for reply in replies] == [200, 401, 500, 500]
    assert replies[0].body == b"ann"
    monkeypatch.setattr(__import__("sessions"), "SESSIONS", Down())
    assert account(app, ("authorization", "Bearer s-4711-of-ann")).status == 503


class Down:
    """A store that does not answer."""

    def get(self, _: str) -> str:
        """What the page says to raise."""
        raise VerifierUnavailableError


@pytest.mark.parametrize(
    ("security", "lines", "answer"),
    [
        ([{"key": []}, {"user": []}], {"key"}, (200, b"shop")),
        ([{"key": []}, {"user": []}], {"user"}, (200, b"ann")),
        ([{"key": [], "user": []}], {"key"}, (401, b"")),
        ([{"key": [], "user": []}], {"key", "user"}, (200, b"shop+ann")),
        ([{"user": []}, {}], set(), (200, b"")),
        ([{"user": []}, {}], {"bad"}, (401, b"")),
        ([{"none": []}], {"key", "user"}, (401, b"")),
    ],
)
def test_schemes_together(
    security: list[Any], lines: set[str], answer: tuple[int, bytes], tmp_path: Path
) -> None:
    """The table of alternatives, with a scheme that is refused among them."""
    document = yaml.safe_load((FOLDER / "openapi.yaml").read_text(encoding="utf-8"))
    document["paths"] = {"/account": {"get": {"security": security, "responses": {}}}}
    document["components"]["securitySchemes"]["none"] = {"type": "http", "scheme": "bearer"}
    path = tmp_path / "openapi.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    environ = environ_of(tmp_path, TOKENS, GARRISON_CONTRACT_JWT_KEYS="keys.json")
    environ |= {"GARRISON_CONTRACT_DOCUMENT": str(path), "GARRISON_CONTRACT_VERIFIERS": "none=refuse"}
    environ["GARRISON_SECRET"] = "5f0c1b7e9a3d48d6a2e47c1f60b98d35"
    secret = load(Settings, environ=environ).value.secret
    assert secret is not None
    environ["GARRISON_CONTRACT_API_KEYS"] = f"shop={key_digest(KEY, secret)}"
    sent = {
        "key": ("x-api-key", KEY),
        "user": ("authorization", token()),
        "bad": ("authorization", "Bearer x"),
    }
    reply = account(hardened(environ), *(sent[name] for name in sorted(lines)))
    assert (reply.status, reply.body if reply.status == 200 else b"") == answer


def test_what_a_client_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Challenges and the event are those of the page."""
    text = PAGE.read_text(encoding="utf-8")
    app = hardened(environ_of(tmp_path, TOKENS, GARRISON_CONTRACT_JWT_KEYS="keys.json"))
    replies = [
        account(app),
        account(app, ("authorization", "Bearer x")),
        account(app, ("authorization", token(exp=1))),
    ]
    for reply in replies:
        assert f"`{reply.header('www-authenticate')}`" in text
    (shown,) = [json.loads(block.text) for block in blocks(PAGE, "json")]
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    denied = [event for event in events if event["event"] == "contract_denied"]
    assert shown in [{name: event[name] for name in shown} for event in denied]


@pytest.mark.parametrize("number", [KEYS, TOKENS, CALLABLE])
def test_settings_need_no_advice_about_the_contract(number: int, tmp_path: Path) -> None:
    """Nothing in a block contradicts the rest of it."""
    found = examine(load(Settings, environ=environ_of(tmp_path, number)).value)
    assert not [advice for advice in found if "CONTRACT" in advice.variable]
