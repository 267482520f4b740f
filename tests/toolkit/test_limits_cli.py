"""The commands `garrison limits`: an operator sees what a client has used, and forgives it."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from click.testing import CliRunner, Result

from garrison import Hardened, RateLimit, Settings, harden, limits_cli
from garrison.cli import main
from garrison.units import Secret
from tests.integration.lifespan import alive, plain
from tests.missing import do_without
from tests.ports import free_port
from tests.toolkit.driver import Wire, exchange, http_scope, websocket_scope
from tests.toolkit.ratelimit.servers import MEMCACHED, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send

CLIENT: Final = "192.0.2.1"
SECRET: Final = "sixteen letters."
ADDRESSED: Final = "POST /login: 2/minute as burst; 3/minute"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A Valkey server."""
    with Server() as running:
        yield running


@pytest.fixture
def empty(server: Server) -> Server:
    """The same, with nothing in it."""
    server.call("FLUSHALL")
    return server


def variables(**fields: str) -> dict[str, str]:
    """The environment of an app with these fields in its section."""
    named = {f"GARRISON_RATE_LIMIT_{name.upper()}": value for name, value in fields.items()}
    return {"GARRISON_SECRET": SECRET, "COLUMNS": "80", **named}


def garrison(*words: str, **fields: str) -> Result:
    """What the command prints, with these fields of the section in its environment."""
    return CliRunner().invoke(main, ["limits", *words], prog_name="garrison", env=variables(**fields))


def hardened(app: ASGIApp = plain, **fields: Any) -> Hardened:
    """An app with these quotas and nothing else that could refuse or write."""
    section = RateLimit(deadline=2.0, **fields)
    return harden(app, Settings(secret=Secret(SECRET), rate_limit=section, access_log=None))


async def statuses(app: Hardened, count: int, path: str = "/", **scope: Any) -> list[int]:
    """The statuses of so many requests."""
    return [(await exchange(app, http_scope(path, **scope))).status for _ in range(count)]


def ask(count: int, path: str = "/", *, scope: dict[str, Any] | None = None, **fields: Any) -> list[int]:
    """The statuses of so many requests to a process that has just started."""

    async def serve() -> list[int]:
        app = hardened(**fields)
        async with alive(app):
            return await statuses(app, count, path, **(scope or {}))

    return asyncio.run(serve())


def test_a_client_that_used_its_quota_is_shown_and_forgiven(empty: Server) -> None:
    """Each quota says what is left and when there is more; after the reset the client is served again."""
    fields: dict[str, Any] = {"limits": ADDRESSED, "storage": empty.url}
    assert ask(3, "/login", scope={"method": "POST"}, **fields) == [200, 200, 429]
    shown = garrison("show", CLIENT, **fields)
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert shown.stdout == (
        f"{CLIENT} at {empty.url}\n"
        "\n"
        "POST /login\n"
        "  burst: 0 of 2 left, more in 30s, all in 1m\n"
        "everything\n"
        "  3-per-minute: 3 of 3 left\n"
    )
    forgotten = garrison("reset", CLIENT, **fields)
    assert (forgotten.exit_code, forgotten.stderr) == (0, "")
    assert forgotten.stdout == (
        f"{CLIENT} at {empty.url}, forgotten:\n\nPOST /login\n  burst: 0 of 2 left, more in 30s, all in 1m\n"
    )
    assert ask(3, "/login", scope={"method": "POST"}, **fields) == [200, 200, 429]


def test_forgetting_nothing_is_said_and_no_failure(empty: Server) -> None:
    """A client that has used nothing is none to fail about, and looking at it leaves nothing behind."""
    fields: dict[str, Any] = {"limits": ADDRESSED, "storage": empty.url}
    found = garrison("reset", CLIENT, **fields)
    assert (found.exit_code, found.stdout) == (0, f"{CLIENT} at {empty.url}: there was nothing to forget.\n")
    assert json.loads(garrison("reset", CLIENT, "--format", "json", **fields).stdout)["forgotten"] == []
    assert garrison("show", CLIENT, **fields).exit_code == 0
    assert empty.call("DBSIZE") == 0


def test_a_worker_that_remembers_a_refusal_notices_within_a_second(empty: Server) -> None:
    """The same process that refused serves the client again, without a restart."""
    fields: dict[str, Any] = {"limits": "1/hour", "storage": empty.url}

    async def forgive() -> list[int]:
        app = hardened(**fields)
        async with alive(app):
            found = await statuses(app, 2)
            forgotten = await asyncio.to_thread(garrison, "reset", CLIENT, **fields)
            assert "1-per-hour: 0 of 1 left" in forgotten.stdout
            await asyncio.sleep(1.05)
            return found + await statuses(app, 1)

    assert asyncio.run(forgive()) == [200, 429, 200]


def test_a_block_is_shown_and_lifted(empty: Server) -> None:
    """A client in the penalty box is said to be, for how long, and let out of it."""
    section: dict[str, Any] = {"limits": "1/minute", "storage": empty.url}
    fields = {**section, "penalty": "10m", "penalty_after": "2"}
    assert ask(4, **section, penalty=600, penalty_after=2) == [200, 429, 429, 429]
    assert "everything\n  blocked for another 10m\n" in garrison("show", CLIENT, **fields).stdout
    found = json.loads(garrison("reset", "--format", "json", CLIENT, **fields).stdout)
    (key,) = found["forgotten"]
    assert 595 < key["blocked_for"] <= 600
    assert ask(1, **section, penalty=600, penalty_after=2) == [200]
    assert "blocked" not in garrison("show", CLIENT, **fields).stdout


def test_json_has_every_key_and_all_digits(empty: Server) -> None:
    """Programs get what is counted, for which target, under which key, and the numbers."""
    fields: dict[str, Any] = {"limits": "2/minute as burst; /api/*: 9/hour", "storage": empty.url}
    assert ask(1, **fields) == [200]
    found = json.loads(garrison("show", "--format", "json", CLIENT, **fields).stdout)
    assert (found["store"], found["identity"]) == (empty.url, "address")
    assert [(key["counts"], key["target"], key["blocked_for"]) for key in found["keys"]] == [
        ("requests", "everything", None),
        ("requests", "/api/*", None),
    ]
    (quota,) = found["keys"][0]["quotas"]
    assert found["keys"][0]["key"] == f"burst:2/60 {CLIENT}"
    assert (quota["name"], quota["limit"], quota["period"], quota["remaining"]) == ("burst", 2, 60.0, 1)
    assert 25 < quota["more_after"] <= 30
    assert 25 < quota["reset_after"] <= 30


async def listens(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that accepts a WebSocket and takes what comes over it."""
    if scope["type"] != "websocket":
        await plain(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


def test_preflights_and_messages_are_counted_apart(empty: Server) -> None:
    """What browsers ask before requests, and what comes over WebSockets, has quotas of its own."""
    fields: dict[str, Any] = {"limits": "5/minute", "messages": "/ws/*: 60/minute", "storage": empty.url}
    asking = [(b"origin", b"https://a.example"), (b"access-control-request-method", b"GET")]
    assert ask(1, scope={"method": "OPTIONS", "headers": asking}, **fields) == [200]
    leaving: Message = {"type": "websocket.disconnect", "code": 1001}
    hello: Message = {"type": "websocket.receive", "text": "hello"}
    wire = Wire(deque([{"type": "websocket.connect"}, hello, hello, leaving]))

    async def talk() -> None:
        app = hardened(listens, **fields)
        async with alive(app):
            await app(websocket_scope("/ws/chat"), wire.receive, wire.send)

    asyncio.run(talk())
    page = garrison("show", CLIENT, **fields).stdout
    assert "everything\n  5-per-minute: 4 of 5 left" in page
    assert "preflights of everything\n  preflights-10x-5-per-minute: 49 of 50 left" in page
    assert "messages of /ws/*\n  60-per-minute: 58 of 60 left" in page


@pytest.mark.parametrize(
    ("peer", "key", "named"),
    [
        ("2001:db8:0:1::7", "2001:db8:0:1:ffff::1", "2001:db8:0:1::/64"),
        ("2001:db8:0:1::7", "2001:db8:0:1::/64", "2001:db8:0:1::/64"),
        ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "address=192.0.2.1", "192.0.2.1"),
        (None, "unknown", "unknown"),
    ],
)
def test_an_address_stands_for_whom_the_layer_counts(
    peer: str | None, key: str, named: str, empty: Server
) -> None:
    """An IPv6 client is its /64, a mapped address the IPv4 one, and a Unix socket's peer is unknown."""
    fields: dict[str, Any] = {"limits": "5/minute", "storage": empty.url}
    ask(1, scope={"client": None if peer is None else (peer, 50000)}, **fields)
    page = garrison("show", key, **fields).stdout
    assert page.startswith(f"{named} at ")
    assert "5-per-minute: 4 of 5 left" in page


def test_a_header_value_may_hold_any_sign_and_is_not_repeated(empty: Server) -> None:
    """Behind the first = everything is the value, in the bytes that clients send; no page shows it."""
    fields: dict[str, Any] = {"limits": "9/minute; 5/minute by header:X-API-Key", "storage": empty.url}
    value = "a+b=é="
    assert ask(2, scope={"headers": [(b"x-api-key", value.encode())]}, **fields) == [200, 200]
    page = garrison("show", f"header:X-Api-Key={value}", **fields).stdout
    assert page.startswith("header:x-api-key at ")
    assert "5-per-minute-by-x-api-key: 3 of 5 left" in page
    assert "9-per-minute" not in page
    assert (
        value not in page + garrison("show", f"header:x-api-key={value}", "--format", "json", **fields).stdout
    )


def test_another_secret_is_not_taken_for_a_client_that_used_nothing(empty: Server) -> None:
    """Where nothing is found under a hash, the secret may be another one, which the page says."""
    fields: dict[str, Any] = {"limits": "9/minute; 5/minute by header:x-api-key", "storage": empty.url}
    doubt = "unless the app's GARRISON_SECRET is another one"
    key = "header:x-api-key=abc"
    for command in ("show", "reset"):
        assert doubt in " ".join(garrison(command, key, **fields).stdout.split())
    assert doubt not in " ".join(garrison("show", CLIENT, **fields).stdout.split())
    assert ask(1, scope={"headers": [(b"x-api-key", b"abc")]}, **fields) == [200]
    assert doubt not in " ".join(garrison("show", key, **fields).stdout.split())


def test_several_keys_are_one_client(empty: Server) -> None:
    """What rules count by two things at once takes both, in any order."""
    fields: dict[str, Any] = {"limits": "9/minute; 5/minute by address+header:x-user", "storage": empty.url}
    assert ask(2, scope={"headers": [(b"x-user", b"alice")]}, **fields) == [200, 200]
    for keys in (("header:x-user=alice", CLIENT), (CLIENT, "header:x-user=alice")):
        page = garrison("show", *keys, **fields).stdout
        assert "5-per-minute-by-address-x-user: 3 of 5 left" in page
        assert "9-per-minute:" not in page
    other = garrison("reset", CLIENT, "header:x-user=bob", "--format", "json", **fields)
    assert json.loads(other.stdout)["forgotten"] == []


class User:
    """Whom an app has authenticated, as Starlette has it."""

    is_authenticated = True
    identity = "alice"


def test_a_principal_is_shown_whatever_the_settings_verify(empty: Server) -> None:
    """Quotas by who is authenticated are kept under a hash, and found by name."""
    fields: dict[str, Any] = {"limits": "5/minute by principal", "storage": empty.url}
    assert ask(2, scope={"user": User()}, **fields) == [200, 200]
    page = garrison("show", "principal=alice", **fields).stdout
    assert page.startswith("principal at ")
    assert "everything\n  5-per-minute-by-principal: 3 of 5 left" in page
    assert b"alice" not in b"".join(empty.call("KEYS", "*"))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of an app, with callables about tenants, as the current directory."""
    (tmp_path / "shop_limits.py").write_text(
        "async def quotas(tenant):\n"
        "    if tenant == 'acme':\n"
        "        return '7/minute as plan'\n"
        "    if tenant == 'free':\n"
        "        return None\n"
        "    raise LookupError(f'no tenant at postgres://db:hunter2@db/{tenant}')\n"
        "def tenant(request):\n"
        "    return request.headers.get('x-tenant')\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("shop_limits", None)


def test_quotas_of_a_tenant_come_from_the_callable(
    empty: Server, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The app's own callable is found in the current directory, and asked as the layer asks it."""
    fields: dict[str, Any] = {
        "limits": "9/minute; shop_limits:quotas by shop_limits:tenant",
        "storage": empty.url,
    }
    key = "shop_limits:tenant=acme"
    found = garrison("show", key, **fields)
    assert "everything\n  plan: 7 of 7 left\n" in found.stdout
    monkeypatch.syspath_prepend(shop)
    assert ask(2, scope={"headers": [(b"x-tenant", b"acme")]}, **fields) == [200, 200]
    assert "everything\n  plan: 5 of 7 left" in garrison("show", key, **fields).stdout


def test_a_tenant_without_quotas_is_shown_so(empty: Server, shop: Path) -> None:
    """Where the callable limits nobody there is nothing to show, and nothing to forget."""
    del shop
    fields: dict[str, Any] = {
        "limits": "9/minute; shop_limits:quotas by shop_limits:tenant",
        "storage": empty.url,
    }
    found = garrison("show", "shop_limits:tenant=free", **fields)
    assert (found.exit_code, found.stdout) == (0, f"shop_limits:tenant at {empty.url}: no quota counts.\n")
    assert "nothing to forget" in garrison("reset", "shop_limits:tenant=free", **fields).stdout


def test_a_callable_that_fails_is_one_line(empty: Server, shop: Path) -> None:
    """What it raised is told, without a traceback and without what looks like a password."""
    del shop
    fields: dict[str, Any] = {
        "limits": "9/minute; shop_limits:quotas by shop_limits:tenant",
        "storage": empty.url,
    }
    found = garrison("show", "shop_limits:tenant=x", **fields)
    assert (found.exit_code, found.stdout, found.stderr.count("\n")) == (2, "", 1)
    assert found.stderr.startswith("garrison: shop_limits:quotas failed with LookupError: no tenant at")
    assert "hunter2" not in found.stderr
    fields["limits"] = "9/minute; shop_limits:nothing by shop_limits:tenant"
    found = garrison("show", "shop_limits:tenant=x", **fields)
    assert (found.exit_code, found.stderr.count("\n")) == (2, 1)
    assert "shop_limits has no attribute nothing." in found.stderr


def test_a_callable_that_waits_for_ever_is_given_up(
    empty: Server, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database behind the callable that does not answer is told from a store that does not."""
    module = "import asyncio\nasync def quotas(address):\n    await asyncio.sleep(60)\n"
    (shop / "shop_limits.py").write_text(module, encoding="utf-8")
    monkeypatch.setattr(limits_cli, "SECONDS", 0.1)
    found = garrison("show", CLIENT, limits="shop_limits:quotas", storage=empty.url)
    assert (found.exit_code, found.stdout) == (3, "")
    assert found.stderr == "garrison: a callable of the settings does not answer within 0.1 s.\n"


def test_another_store_can_be_named(empty: Server) -> None:
    """`--store` looks where a jump host reaches the server, whatever the settings call it."""
    fields: dict[str, Any] = {"limits": "5/minute", "storage": empty.url}
    assert ask(1, **fields) == [200]
    page = garrison(
        "show", CLIENT, "--store", f"redis://127.0.0.1:{empty.port}/0", **{**fields, "storage": "memory://"}
    )
    assert page.stdout.startswith(f"{CLIENT} at redis://127.0.0.1:{empty.port}/0\n")
    assert "4 of 5 left" in page.stdout


def test_an_env_file_has_the_settings(empty: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that `garrison run` takes will do, with its secret."""
    fields: dict[str, Any] = {"limits": "9/minute; 5/minute by header:x-user", "storage": empty.url}
    assert ask(1, scope={"headers": [(b"x-user", b"alice")]}, **fields) == [200]
    path = tmp_path / "app.env"
    path.write_text("".join(f"{name}={value}\n" for name, value in variables(**fields).items()), "utf-8")
    # What the command puts there is gone again after the test.
    monkeypatch.setattr(os, "environ", dict(os.environ))
    words = ["limits", "show", "--env-file", str(path), "header:x-user=alice"]
    assert "4 of 5 left" in CliRunner().invoke(main, words, prog_name="garrison").stdout


@pytest.mark.parametrize(
    ("words", "fields", "said"),
    [
        (["203.0.113"], {}, "Invalid value for 'KEY...': expected an address such as 203.0.113.9, or"),
        (["203.0.113.0/24"], {}, "Invalid value for 'KEY...': expected an address"),
        (["address="], {}, "Invalid value for 'KEY...': expected an address"),
        (["principal="], {}, "Invalid value for 'KEY...': expected an address"),
        (["address+principal=a"], {}, "Invalid value for 'KEY...': expected an address"),
        (["somebody=alice"], {}, "Invalid value for 'KEY...': expected an address"),
        ([], {}, "Missing argument 'KEY...'."),
        ([CLIENT, CLIENT], {}, "several KEYs are one client, so that each"),
        ([CLIENT], {"limits": ""}, "no client is limited, because GARRISON_RATE_LIMIT_LIMITS is not set."),
        ([CLIENT], {"limits": "5/blink"}, "GARRISON_RATE_LIMIT_LIMITS: expected a quota such as 100/minute"),
        ([CLIENT], {}, "counts are in the memory of each process; nothing outside can see them."),
        ([CLIENT, "--store", "async+memory://"], {}, "counts are in the memory of each process;"),
        ([CLIENT, "--store", "memory://"], {"storage": "valkey://h"}, "counts are in the memory of each"),
        ([CLIENT, "--store", "valkey://u:hunter2@h/x"], {}, "--store: expected the number of a database"),
        ([CLIENT, "--store", "gopher://u:hunter2@h"], {}, "--store: expected the URI of an async storage"),
        ([CLIENT, "--store", "hunter2"], {}, "--store: expected memory://, a URL such as valkey://host:6379"),
        (["principal=alice"], {}, "no rule counts by principal. Those of the settings count by address."),
        (
            ["header:x-key=a"],
            {"limits": "5/minute; 5/day by header:x-api-key; 9/day by address+principal"},
            "no rule counts by header:x-key. Those of the settings count by address, header:x-api-key, ",
        ),
    ],
)
def test_what_cannot_be_looked_at_is_one_line(words: list[str], fields: dict[str, str], said: str) -> None:
    """A key, a store or settings of no use are a line with status 2, and no password is in it."""
    for command in ("show", "reset"):
        found = garrison(command, *words, **{"limits": "5/minute", **fields})
        assert (found.exit_code, found.stdout, found.stderr.count("\n")) == (2, "", 1), found.stderr
        assert found.stderr.startswith(f"garrison: {said}")
        assert words[-1:] == ["hunter2"] or "hunter2" not in found.stderr


def test_hashed_values_need_the_secret(empty: Server) -> None:
    """Without the app's secret nobody finds a value, and the line names the variable; addresses are found."""
    fields: dict[str, Any] = {"limits": "9/minute; 5/minute by header:x-user", "storage": empty.url}
    environment = {**variables(**fields), "GARRISON_SECRET": None}
    for key, status in (("header:x-user=a", 2), (CLIENT, 0)):
        words = ["limits", "show", "--store", empty.url, key]
        found = CliRunner().invoke(
            main, words, prog_name="garrison", env={**environment, "GARRISON_RATE_LIMIT_STORAGE": "memory://"}
        )
        assert found.exit_code == status
        assert found.stderr.startswith("garrison: GARRISON_SECRET: expected ") == bool(status)


def test_a_store_that_is_gone_or_silent_is_one_line(empty: Server) -> None:
    """Nobody waits long for a store that does not answer; the status is 3, and the password is not told."""
    gone = f"valkey://u:hunter2@127.0.0.1:{free_port()}"
    with frozen(empty):
        silent = garrison("reset", CLIENT, limits="5/minute", storage=empty.url)
    for found in (silent, garrison("show", CLIENT, limits="5/minute", storage=gone)):
        assert (found.exit_code, found.stdout, found.stderr.count("\n")) == (3, "", 1)
        assert found.stderr.startswith("garrison: the store does not answer: valkey://127.0.0.1:")
        assert "hunter2" not in found.stderr


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """A server that holds its connections and answers nothing."""
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


def test_what_does_not_fit_a_storage_is_said() -> None:
    """A storage that counts in another way than the settings say is refused before it is asked."""
    fields: dict[str, Any] = {"limits": "5/minute", "algorithm": "sliding-window", "penalty": "1m"}
    found = garrison("show", CLIENT, "--store", "async+memcached://u:hunter2@127.0.0.1:1", **fields)
    assert (found.exit_code, found.stdout, found.stderr.count("\n")) == (2, "", 1)
    assert found.stderr.startswith("garrison: --store: expected ")
    assert "hunter2" not in found.stderr


@pytest.fixture(scope="module")
def memcached() -> Iterator[Server]:
    """A memcached."""
    if MEMCACHED is None:
        do_without("memcached is missing: apt-get install memcached")
    if importlib.util.find_spec("memcachio") is None:
        do_without("memcachio is missing: pip install 'limits[async-memcached]'")
    options = ("-l", "127.0.0.1", "-p", "{port}", "-U", "0", "-u", "nobody")
    with Server(MEMCACHED, quiet=options) as running:
        yield running


def test_a_memcached_is_shown_and_reset_too(memcached: Server) -> None:
    """What `limits` counts elsewhere is found under the same names."""
    fields: dict[str, Any] = {
        "limits": "3/minute",
        "storage": f"memcached://127.0.0.1:{memcached.port}",
        "algorithm": "fixed-window",
    }
    assert ask(4, **fields) == [200, 200, 200, 429]
    assert "3-per-minute: 0 of 3 left, more in " in garrison("show", CLIENT, **fields).stdout
    assert "3-per-minute: 0 of 3 left, more in " in garrison("reset", CLIENT, **fields).stdout
    assert ask(1, **fields) == [200]
    assert "nothing to forget" in garrison("reset", "192.0.2.2", **fields).stdout


def test_a_store_that_waits_for_ever_is_given_up(memcached: Server) -> None:
    """A storage whose client has no time limit of its own has one here."""
    uri = f"memcached://127.0.0.1:{memcached.port}"
    script = (
        "from garrison import cli, limits_cli; limits_cli.SECONDS = 0.2;"
        f" cli.main(['limits', 'show', '{CLIENT}'], prog_name='garrison')"
    )
    fields = {"limits": "3/minute", "storage": uri, "algorithm": "fixed-window"}
    with frozen(memcached):
        found = subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, **variables(**fields)},
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    assert (found.returncode, found.stdout) == (3, "")
    assert found.stderr == f"garrison: the store {uri} does not answer within 0.2 s.\n"


def test_it_runs_as_a_command(empty: Server, memcached: Server) -> None:
    """As a process it ends cleanly, with nothing on standard error, whichever store it asked."""
    command = Path(sys.executable).with_name("garrison")
    for storage, algorithm, words, said in (
        (empty.url, "token-bucket", "show", "1 of 2 left"),
        (f"memcached://127.0.0.1:{memcached.port}", "fixed-window", "reset", "forgotten:"),
    ):
        fields: dict[str, Any] = {"limits": "2/day", "storage": storage, "algorithm": algorithm}
        assert ask(1, scope={"client": ("192.0.2.9", 1)}, **fields) == [200]
        found = subprocess.run(
            [command, "limits", words, "192.0.2.9"], env={**os.environ, **variables(**fields)},
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert (found.returncode, found.stderr) == (0, "")
        assert said in found.stdout


def test_a_page_fits_a_terminal(empty: Server) -> None:
    """Long names and targets break between words, within 80 columns, and so does the help."""
    name = "a" * 56
    fields: dict[str, Any] = {
        "limits": f"GET|POST|PUT|DELETE /a/rather/long/path: 1000/day as {name}",
        "storage": empty.url,
    }
    ask(1, "/a/rather/long/path", **fields)
    pages = [
        garrison(*words, **fields)
        for words in (["show", CLIENT], [], ["-h"], ["show", "-h"], ["reset", "-h"])
    ]
    assert [page.exit_code for page in pages] == [0] * 5
    assert max(len(line) for page in pages for line in page.stdout.splitlines()) <= 80
    assert f"  {name}: 999 of 1000 left,\n    more in 1m" in pages[0].stdout


def test_serving_pays_nothing_for_it() -> None:
    """The clients of stores are imported by these commands alone, and only when they run."""
    script = (
        "import sys, garrison.cli; names = ('valkey', 'garrison.ratelimit.limits_store')"
        "; print([name for name in names if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    assert found.stdout == "[]\n"
