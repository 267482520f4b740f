"""The users that make the load; for the load process only, since Locust patches who imports it."""

from __future__ import annotations

import ipaddress
import itertools
import math
import time
from typing import TYPE_CHECKING, Any, ClassVar

from gevent import socket
from geventhttpclient.client import HTTPClientPool
from locust import FastHttpUser, User, task

if TYPE_CHECKING:
    from geventhttpclient.client import HTTPClient
    from geventhttpclient.url import URL
    from locust.env import Environment

    from garrison_harness.load.plan import Plan
    from garrison_harness.load.recorder import Recorder

# Above 127.0.0.0/24: servers trust 127.0.0.1 as a proxy, and audits speak from its neighbours.
_FIRST_ADDRESS = ipaddress.IPv4Address("127.0.1.1")
_ADDRESSES = 1 << 22


class SourceAddresses:
    """Hands out loopback addresses, one to a user, so that a quota per client sees many clients."""

    def __init__(self) -> None:
        self.given = 0

    def next(self) -> str:
        """The next address; after four million users they come round again."""
        address = _FIRST_ADDRESS + self.given % _ADDRESSES
        self.given += 1
        return str(address)

    @staticmethod
    def available(host: str) -> bool:
        """Whether a target at `host` can be spoken to from such addresses: Linux lends the whole of 127/8."""
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
                probe.bind((str(_FIRST_ADDRESS), 0))
        except OSError:
            return False
        return _is_loopback_ipv4(host)


def _is_loopback_ipv4(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


class BoundPool(HTTPClientPool):
    """Clients whose connections to this machine start from one address."""

    def __init__(self, address: str, arguments: dict[str, Any]) -> None:
        super().__init__(**arguments)
        self._address = address

    def get_client(self, url: str | URL) -> HTTPClient:
        """The client for a URL, bound when it is new."""
        known = len(self.clients)
        client = super().get_client(url)
        if len(self.clients) > known and _is_loopback_ipv4(client.host):
            self._bind(client)
        return client

    def _bind(self, client: HTTPClient) -> None:
        # The library offers no source address. This method is its hook for subclasses, but it names the
        # class of the pool itself, so the hook is set on the one pool.
        pool: Any = client._connection_pool  # noqa: SLF001
        create = pool._create_tcp_socket  # noqa: SLF001

        def create_bound(family: int, kind: int, protocol: int) -> socket.socket:
            made = create(family, kind, protocol)
            if family == socket.AF_INET:
                made.bind((self._address, 0))
            return made

        pool._create_tcp_socket = create_bound  # noqa: SLF001


class _Observed:
    """What every user gains: an address of its own, and an account of requests that were cut off."""

    recorder: ClassVar[Recorder]
    addresses: ClassVar[SourceAddresses | None]

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)  # type: ignore[call-arg]  # a mixin, always in front of a User
        if not isinstance(self, FastHttpUser):
            return
        session = self.client
        if self.addresses is not None and self.client_pool is None:
            agent = session.client
            agent.clientpool = BoundPool(self.addresses.next(), agent.clientpool.client_args)
        session.request = self.recorder.account(session.request)  # type: ignore[method-assign]


def observed(user_class: type[User], recorder: Recorder, addresses: SourceAddresses | None) -> type[User]:
    """A user class of the same name whose users have an address each and an account of their requests.

    Args:
        user_class: The class as the locustfile defines it.
        recorder: Keeps the account.
        addresses: Where users get their address from; None leaves that to the system.
    """
    members = {"recorder": recorder, "addresses": addresses, "__module__": user_class.__module__}
    return type(user_class.__name__, (_Observed, user_class), members)


def path_user(plan: Plan) -> type[User]:
    """A user that asks for the plan's paths in turn, at the plan's pace."""
    numbers = itertools.count()
    started = time.perf_counter()
    period = plan.users / plan.rate if plan.rate else 0.0

    class PathUser(FastHttpUser):
        """Asks for one path after the other. Redirects are not followed: they may lead to another host."""

        network_timeout = 30.0
        connection_timeout = 10.0
        concurrency = 1

        def __init__(self, environment: Environment) -> None:
            super().__init__(environment)
            number = next(numbers)
            # Users that start together would ask together: each has its own place in the period, and the
            # first turn is the next one at that place.
            self._due = started + number * period / plan.users - period
            if period:
                late = max(0.0, time.perf_counter() - (self._due + period))
                self._due += math.ceil(late / period) * period
            self._turns = itertools.cycle(plan.paths[number % len(plan.paths) :] + plan.paths)

        def on_start(self) -> None:
            if period:
                self.wait()  # type: ignore[no-untyped-call]

        def wait_time(self) -> float:
            now = time.perf_counter()
            # A closed model, as Locust's constant_throughput: a turn that came late is not made up for.
            self._due = max(self._due + period, now) if period else now
            return self._due - now

        @task
        def ask(self) -> None:
            self.client.get(next(self._turns), allow_redirects=False)

    return PathUser
