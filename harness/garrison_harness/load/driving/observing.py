"""Users that are seen: each gains an address of its own, and an account of what it asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from locust import FastHttpUser, User
from locust import HttpUser as PlainHttpUser

from garrison_harness.load.driving.addresses import BoundPool, SourceAddresses
from garrison_harness.load.driving.crowd import ByArrival
from garrison_harness.load.driving.users.http_user import HttpUser
from garrison_harness.load.driving.users.socket_user import SocketUser

if TYPE_CHECKING:
    from locust.env import Environment

    from garrison_harness.load.driving.recorder import Recorder
    from garrison_harness.load.driving.sampling import Sampler
    from garrison_harness.load.plan import Plan


class _Observed:
    """What every user gains: an address of its own, and an account of requests that were cut off."""

    recorder: ClassVar[Recorder]
    addresses: ClassVar[SourceAddresses | None]
    common_headers: ClassVar[dict[str, str]]
    sampler: ClassVar[Sampler | None]

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)  # type: ignore[call-arg]  # a mixin, always in front of a User
        user: object = self
        if isinstance(user, SocketUser):
            self._observe(user)
        if isinstance(user, PlainHttpUser):
            user.client.headers.update(self.common_headers)
        if not isinstance(self, FastHttpUser):
            return
        session, address = self.client, ""
        if self.addresses is not None and self.client_pool is None:
            agent, address = session.client, self.addresses.next()
            agent.clientpool = BoundPool(address, agent.clientpool.client_args)
        if isinstance(user, HttpUser):
            user.address = address or None
        if self.sampler is not None:
            self.sampler.know(self, address)
        session.client.default_headers.update(self.common_headers)
        session.request = self.recorder.account(session.request)  # type: ignore[method-assign]

    def _observe(self, user: Any) -> None:
        """The same for a user with a socket of its own."""
        if self.addresses is not None:
            user.address = self.addresses.next()
        if self.sampler is not None:
            self.sampler.know(user, user.address or "")
        user.headers = (*self.common_headers.items(), *user.headers)
        if hasattr(user, "request"):
            user.request = self.recorder.account(user.request)


def observed(
    user_class: type[User],
    plan: Plan,
    recorder: Recorder,
    *,
    addresses: SourceAddresses | None,
    sampler: Sampler | None,
) -> type[User]:
    """A user class of the same name whose users have an address each and an account of their requests.

    Args:
        user_class: The class as the locustfile defines it.
        plan: Says which headers all requests have, and whether users wait for arrivals.
        recorder: Keeps the account.
        addresses: Where users get their address from; None leaves that to the system.
        sampler: Is told who speaks from which address; None where nobody asks.
    """
    members = {
        "recorder": recorder,
        "addresses": addresses,
        "common_headers": dict(plan.headers),
        "sampler": sampler,
        "__module__": user_class.__module__,
    }
    mixins = (ByArrival, _Observed) if plan.model == "open" else (_Observed,)
    return type(user_class.__name__, (*mixins, user_class), members)
