"""Where a Valkey or Redis server is, as a URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from garrison.extras import needs
from garrison.rules import NotationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from urllib.parse import SplitResult

    from garrison.ratelimit.coalescing import Line

EXPECTED: Final = (
    "a URL such as valkey://host:6379/0, valkeys://host (TLS), unix:///run/valkey.sock,"
    " valkey+sentinel://host:26379,host2:26379/mymaster or valkey+cluster://host:6379,host2:6379"
)
ESCAPED: Final = "a URL with /, ?, # and @ of a password or an option written as %2F, %3F, %23 and %40"
PLAIN: Final = {"valkey": "valkey", "redis": "valkey", "valkeys": "valkeys", "rediss": "valkeys"}
UNIX: Final = frozenset({"unix", "valkey+unix", "redis+unix"})
SENTINEL: Final = frozenset({"valkey+sentinel", "redis+sentinel"})
CLUSTER: Final = frozenset({"valkey+cluster", "redis+cluster"})
SCHEMES: Final = frozenset({*PLAIN, *UNIX, *SENTINEL, *CLUSTER})

# What a URL may say besides, as in the client's own notation.
BOOLEANS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
OPTIONS: Final = frozenset(
    {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_ca_data", "username", "password"}
)
SENTINEL_OPTIONS: Final = frozenset({"sentinel_username", "sentinel_password"})
VERIFICATION: Final = ("none", "optional", "required")
PORT: Final = 6379
SENTINEL_PORT: Final = 26379


def line_maker(url: str) -> Callable[[bytes], Line]:
    """Read a URL, and import the client.

    Certificates and host names are verified unless `ssl_cert_reqs=none` or `ssl_check_hostname=false` says
    otherwise. For a Sentinel or a cluster `ssl=true` stands for TLS; a Sentinel's own password is
    `sentinel_password`.

    Args:
        url: see `EXPECTED`, with `?name=value` for options.

    Returns:
        Makes the way to the server for one event loop, with the script that decides there.

    Raises:
        NotationError: the URL is not one of those.
        ModuleNotFoundError: the client is not installed; the message says how.
    """
    try:
        import valkey  # noqa: F401, PLC0415 - only who has such a store pays for it
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(needs("a Valkey store", error.name, "valkey"), name=error.name) from error
    try:
        parts = urlsplit(url)
    except ValueError:
        raise NotationError(EXPECTED, display(url)) from None
    if "@" in parts.query + parts.fragment:
        raise NotationError(ESCAPED, display(url))
    if parts.scheme in SENTINEL:
        return _sentinel(parts)
    if parts.scheme in CLUSTER:
        return _cluster(parts)
    if parts.scheme in PLAIN or parts.scheme in UNIX:
        return _direct(parts)
    raise NotationError(EXPECTED, display(url))


def display(url: str) -> str:
    """A URL without its user, password and options, for logs and messages."""
    scheme, separator, rest = url.partition("://")
    place, _, options = rest.partition("?")
    # A password with a ? in it, or an option that is one: what is behind the last @ may be part of either.
    return scheme + separator + ("***" if "@" in options else place.rpartition("@")[2])


def _direct(parts: SplitResult) -> Callable[[bytes], Line]:
    from valkey.asyncio.connection import (  # noqa: PLC0415 - see `line_maker`
        Connection,
        ConnectionPool,
        SSLConnection,
        UnixDomainSocketConnection,
    )

    from garrison.ratelimit.valkey_lines import DirectLine  # noqa: PLC0415

    options = _options(parts, "ssl_check_hostname")
    options.update(_database(parts))
    if parts.scheme in UNIX:
        path = unquote(parts.netloc.rpartition("@")[2] + parts.path)
        if not path:
            raise NotationError(EXPECTED, display(parts.geturl()))
        options = _verifying(options, tls=False)
        options.update(connection_class=UnixDomainSocketConnection, path=path)
    else:
        ((host, port),) = _hosts(parts, PORT, most=1)
        tls = PLAIN[parts.scheme] == "valkeys"
        options = _verifying(options, tls=tls)
        options.update(connection_class=SSLConnection if tls else Connection, host=host, port=port)
    # The trip has a limit of its own, and the client's would be a task for every write.
    return lambda script: DirectLine(ConnectionPool(socket_timeout=None, **options), script)


def _sentinel(parts: SplitResult) -> Callable[[bytes], Line]:
    from valkey.asyncio.sentinel import Sentinel, SentinelConnectionPool  # noqa: PLC0415 - see `line_maker`

    from garrison.ratelimit.valkey_lines import DirectLine  # noqa: PLC0415

    hosts = _hosts(parts, SENTINEL_PORT)
    service, _, database = unquote(parts.path).strip("/").partition("/")
    if not service or (database and not database.isdecimal()):
        raise NotationError(EXPECTED, display(parts.geturl()))
    options = _options(parts, "ssl", "ssl_check_hostname", *SENTINEL_OPTIONS)
    own = {name.removeprefix("sentinel_"): options.pop(name) for name in SENTINEL_OPTIONS & options.keys()}
    options = _verifying(options, tls=options.get("ssl", False))
    if options.get("ssl"):
        own |= {name: value for name, value in options.items() if name.startswith("ssl")}

    def make(script: bytes) -> Line:
        sentinel = Sentinel(hosts, sentinel_kwargs={"socket_timeout": 1.0, **own})  # type: ignore[no-untyped-call]
        pool = SentinelConnectionPool(  # type: ignore[no-untyped-call]
            service, sentinel, socket_timeout=None, db=int(database or 0), **options
        )
        return DirectLine(pool, script, sentinel.sentinels)

    return make


def _cluster(parts: SplitResult) -> Callable[[bytes], Line]:
    from valkey.asyncio.cluster import ClusterNode, ValkeyCluster  # noqa: PLC0415 - see `line_maker`

    from garrison.ratelimit.valkey_lines import ClusterLine  # noqa: PLC0415

    hosts = _hosts(parts, PORT)
    if parts.path.strip("/"):
        raise NotationError("a cluster without a database", display(parts.geturl()))
    options = _options(parts, "ssl", "ssl_check_hostname")
    options = _verifying(options, tls=options.get("ssl", False))

    def connect() -> ValkeyCluster:
        nodes = [ClusterNode(host, port) for host, port in hosts]
        # Keys of a range that no node serves fail by themselves.
        return ValkeyCluster(startup_nodes=nodes, require_full_coverage=False, socket_timeout=None, **options)

    return lambda script: ClusterLine(connect, script)


def _hosts(parts: SplitResult, port: int, most: int = 100) -> list[tuple[str, int]]:
    wrong = NotationError(EXPECTED, display(parts.geturl()))
    hosts = []
    for place in parts.netloc.rpartition("@")[2].split(","):
        try:
            one = urlsplit(f"//{place}")
            hosts.append((one.hostname or "localhost", one.port or port))
        except ValueError:
            raise wrong from None
    if len(hosts) > most:
        raise wrong
    return hosts


def _database(parts: SplitResult) -> dict[str, int]:
    text = "" if parts.scheme in UNIX else parts.path.strip("/")
    text = dict(parse_qsl(parts.query)).get("db", text)
    if text and not text.isdecimal():
        raise NotationError("the number of a database, such as /0", text)
    return {"db": int(text or 0)}


def _options(parts: SplitResult, *more: str) -> dict[str, Any]:
    """The options of a URL; what it says before the host stands for user and password."""
    options: dict[str, Any] = {}
    for name, value in parse_qsl(parts.query):
        if name in {"ssl", "ssl_check_hostname"} & set(more):
            if value.lower() not in BOOLEANS:
                raise NotationError(f"{name}=true or {name}=false", f"{name}={value}")
            options[name] = BOOLEANS[value.lower()]
        elif name in OPTIONS or name in more:
            options[name] = value
        elif name != "db":
            known = ", ".join(sorted({"db", *OPTIONS, *more}))
            raise NotationError(f"one of the options {known}", name)
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    if user:
        options["username"] = unquote(user)
    if password:
        options["password"] = unquote(password)
    return options


def _verifying(options: dict[str, Any], *, tls: bool) -> dict[str, Any]:
    """The options, with names verified unless certificates are not.

    Raises:
        NotationError: what is said about TLS cannot be used.
    """
    told = [name for name in options if name.startswith("ssl_")]
    if not tls and told:
        raise NotationError(f"valkeys://, or ssl=true for a Sentinel or a cluster, beside {told[0]}", told[0])
    wanted = options.get("ssl_cert_reqs", "required")
    if wanted not in VERIFICATION:
        raise NotationError(f"one of {', '.join(VERIFICATION)} as ssl_cert_reqs", wanted)
    return {"ssl_check_hostname": wanted != "none", **options} if tls else options
