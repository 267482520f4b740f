"""What the users that speak HTTP share: how they connect and ask, and when a reply is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from locust import FastHttpUser

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from locust.env import Environment

TOO_MANY: Final = 429


class HttpUser(FastHttpUser):
    """A user of HTTP. A reply is an error from 500 on, and when there is none; a subclass may know more.

    Attributes:
        path: Where it goes first, with a query where it has one.
        headers: What every request carries.
        tags: What every request is counted under, beside its name.
    """

    abstract = True
    concurrency = 1
    network_timeout = 30.0
    connection_timeout = 10.0

    path: ClassVar[str] = "/"
    headers: Sequence[tuple[str, str]] = ()
    tags: ClassVar[Sequence[str]] = ()
    address: str | None = None

    def __init__(self, environment: Environment) -> None:
        """Prepare a connection.

        Args:
            environment: Locust's.
        """
        if self.headers:
            self.default_headers = {**(self.default_headers or {}), **dict(self.headers)}
        super().__init__(environment)
        # They may lead to another host. The client's own switch is no good for requests side by side.
        self.client.client.redirect_response_codes = frozenset()  # type: ignore[misc]  # by instance

    def ask(self, path: str, *, name: str, headers: Mapping[str, str], tags: Sequence[str]) -> Any:
        """Get something, and let `fault_in` judge the reply.

        Args:
            path: With a query where it has one.
            name: What it is counted under, behind the method.
            headers: Beside those of every request.
            tags: Beside those of every request.
        """
        context = {"tags": (*self.tags, *tags)}
        with self.client.get(
            path, name=name, headers=dict(headers), catch_response=True, context=context
        ) as reply:
            if not reply.status_code:
                return reply  # no reply at all: Locust knows why
            fault = self.fault_in(reply, path, headers)
            if fault is not None:
                reply.failure(fault)
            elif reply.status_code < 500:
                reply.success()
        return reply

    def fault_in(self, reply: Any, path: str, headers: Mapping[str, str]) -> str | None:
        """What is wrong with a reply, beside a status from 500 on; None for nothing.

        Args:
            reply: As Locust's client has it.
            path: What was asked for.
            headers: What the request said.
        """
        del reply, path, headers
        return None


def shortened(path: str) -> str:
    """A path that fits a line of the report, where what reads alike is counted together."""
    return path if len(path) <= 60 else f"{path[:57]}..."
