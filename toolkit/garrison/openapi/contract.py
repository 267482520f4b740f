"""A compiled document: what is decided about a request before its body, and what its body has to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from garrison.openapi.bodies import BodyReader
from garrison.openapi.parameters import Reader
from garrison.openapi.responses import ReplyReader
from garrison.openapi.routing import Router
from garrison.openapi.security import Authenticator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from garrison.openapi.attempt import Granted
    from garrison.openapi.compiled import Compiled
    from garrison.openapi.model import Head, Operation, Violation
    from garrison.openapi.routing import Match, Miss
    from garrison.openapi.security import Denied, Mode
    from garrison.openapi.verifiers import Verifier


class Contract:
    """Judges the requests of one document.

    Args:
        compiled: the document.
        verifiers: of its security schemes.
        security: who enforces its security requirements.
        unknown_query: what becomes of query parameters that an operation does not have.
        undeclared_body: what becomes of a body where the operation declares none.
        replies: whether there is to be what reads replies; compiling that takes its time.

    Attributes:
        operations: how many there are.

    Raises:
        SettingsError: an operation needs a scheme that nobody verifies.
        DocumentError: an operation cannot be read.
    """

    def __init__(
        self,
        compiled: Compiled,
        verifiers: Mapping[str, Verifier],
        *,
        security: Mode,
        unknown_query: Literal["refuse", "pass"] = "refuse",
        undeclared_body: Literal["refuse", "pass"] = "refuse",
        replies: bool = False,
    ) -> None:
        # A gateway or root_path may have taken a server's path off; what then passed for undocumented would
        # be an operation that nobody guards.
        self._router = Router(compiled.operations, prefixes=("", *compiled.servers))
        self._authenticator = Authenticator(compiled.operations, verifiers, security)
        validators = compiled.requests
        self._readers = {
            id(operation): Reader(operation, validators, unknown_query=unknown_query)
            for operation in compiled.operations
        }
        self._bodies = {
            id(operation): BodyReader(operation, validators, undeclared=undeclared_body)
            for operation in compiled.operations
        }
        self._replies: dict[int, ReplyReader] = {}
        if replies:
            of_replies = compiled.replies()
            self._replies = {id(each): ReplyReader(each, of_replies) for each in compiled.operations}
        # What is known by its place must stay alive.
        self._kept = compiled.operations
        self._open = frozenset(
            id(operation)
            for operation in compiled.operations
            if security == "app" or not any(operation.security)
        )
        self.operations = len(compiled.operations)

    def find(self, head: Head) -> Match | Miss:
        """The operation that a request is for."""
        return self._router.match(head.method, head.path)

    def is_open(self, operation: Operation) -> bool:
        """Whether anybody may call an operation, so that there is nobody to ask for."""
        return id(operation) in self._open

    async def authenticate(self, operation: Operation, head: Head) -> Granted | Denied:
        """Who asks, or why nobody who may.

        Raises:
            Exception: whatever a callable of the app raises.
        """
        return await self._authenticator.authenticate(operation, head)

    def parameters(self, match: Match, head: Head) -> tuple[Violation, ...]:
        """What is wrong with path, query, headers and cookies."""
        return self._readers[id(match.operation)].check(head, match.values)

    def body(self, operation: Operation) -> BodyReader:
        """What reads the bodies of an operation."""
        return self._bodies[id(operation)]

    def reply(self, operation: Operation) -> ReplyReader:
        """What reads the replies of an operation, where that was asked for."""
        return self._replies[id(operation)]
