"""Judges one request by its operation, from the path to the last byte of its body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote

from garrison.buffer_budget import RETRY_AFTER
from garrison.contracting.answers import refusal
from garrison.contracting.body_gate import LAYER, BodyGate
from garrison.contracting.unlisted import NONE
from garrison.openapi.percent import misplaced_path
from garrison.openapi.routing import Match, Miss
from garrison.openapi.security import Denied
from garrison.problems import Problem, reject
from garrison.security_events import INPUT_FAIL, LOGIN_SUCCESS

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Headers, Receive, Scope, Send
    from garrison.buffer_budget import BufferBudget
    from garrison.context import RequestContext
    from garrison.contracting.replies import Replies
    from garrison.contracting.telling import Teller
    from garrison.contracting.unlisted import Unlisted
    from garrison.openapi.contract import Contract
    from garrison.openapi.model import Head


class Judging:
    """Judges the requests of one layer.

    Args:
        app: the app below.
        contract: the document.
        teller: writes down what does not keep it.
        budget: what all requests may hold together.
        mode: `enforce` or `report`.
        unknown: what becomes of paths that the document does not have.
        max_body: bytes of a body that is read.
        replies: judges replies; None where nobody does.
        unlisted: what the document by design does not have.
    """

    def __init__(
        self,
        app: ASGIApp,
        contract: Contract,
        teller: Teller,
        budget: BufferBudget,
        *,
        mode: Literal["enforce", "report"],
        unknown: Literal["pass", "refuse"],
        max_body: int,
        replies: Replies | None = None,
        unlisted: Unlisted = NONE,
    ) -> None:
        self._app = app
        self._unlisted = unlisted
        self._contract = contract
        self._replies = replies
        self._teller = teller
        self._gate = BodyGate(app, teller, budget, mode=mode, max_body=max_body)
        self._mode = mode
        self._enforces = mode == "enforce"
        self._refuses_unknown = unknown == "refuse"

    async def run(
        self, scope: Scope, receive: Receive, send: Send, context: RequestContext, head: Head
    ) -> None:
        """Call the app, or answer in its place."""
        contract = self._contract
        match = contract.find(head)
        root_path = scope.get("root_path")
        if root_path:
            match = self._below(root_path, scope["path"], head, match)
        if isinstance(match, Miss):
            await self._missed(scope, receive, send, context, head, match)
            return
        operation = match.operation
        if not contract.is_open(operation):
            granted = await contract.authenticate(operation, head)
            if isinstance(granted, Denied):
                context.principal = granted.principal or context.principal
                self._teller.denied(context, operation, granted, self._mode)
                if self._enforces:
                    await reject(scope, receive, send, context, LAYER, *_denial(granted))
                    return
            elif granted.principal:
                context.principal = granted.principal
                context.note(LOGIN_SUCCESS)
        violations = contract.parameters(match, head)
        if violations:
            self._teller.violated(context, operation, violations, self._mode)
            if self._enforces:
                await reject(scope, receive, send, context, LAYER, refusal(violations))
                return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        reader = contract.body(operation)
        watched = None if self._replies is None else self._replies.watch(context, operation, send)
        if watched is None:
            await self._gate.run(scope, receive, send, context, operation, reader)
            return
        with watched:
            await self._gate.run(scope, receive, watched.send, context, operation, reader)

    def _below(self, root_path: str, path: str, head: Head, match: Match | Miss) -> Match | Miss:
        """What was found, unless a router that reads `root_path` in another way would find something else."""
        other = misplaced_path(path, root_path)
        found = None if other is None else self._contract.find(head._replace(path=other))
        if found is None or (isinstance(found, Miss) and not found.ambiguous):
            return match
        if isinstance(found, Miss) or isinstance(match, Miss):
            return Miss(frozenset(), ambiguous=True)
        is_same = found.operation is match.operation and found.values == match.values
        return match if is_same else Miss(frozenset(), ambiguous=True)

    async def _missed(
        self, scope: Scope, receive: Receive, send: Send, context: RequestContext, head: Head, miss: Miss
    ) -> None:
        """A request without an operation; what routers could take for one never passes for undocumented."""
        is_preflight = context.method == "OPTIONS" and miss.outcome == "method"
        if is_preflight:
            await self._app(scope, receive, send)
            return
        is_wrong = self._refuses_unknown or miss.ambiguous
        if is_wrong or not self._unlisted.has(context.method, unquote(head.path)):
            self._teller.missed(context, miss.outcome, self._mode, is_wrong=is_wrong)
        if not self._enforces or not is_wrong:
            await self._app(scope, receive, send)
            return
        lines: Headers = []
        if miss.ambiguous:
            context.note(INPUT_FAIL)
            problem = Problem(status=400, detail="The path can be read in more than one way.")
        elif miss.allowed:
            problem = Problem(status=405, detail="The path does not have this method.")
            lines = [(b"allow", ", ".join(sorted(miss.allowed)).encode("ascii"))]
        else:
            problem = Problem(status=404)
        await reject(scope, receive, send, context, LAYER, problem, lines)


def _denial(denied: Denied) -> tuple[Problem, Headers]:
    lines = [(b"www-authenticate", challenge) for challenge in denied.challenges]
    if denied.status == 503:
        return Problem(status=503, detail="Credentials cannot be verified at the moment."), list(RETRY_AFTER)
    return Problem(status=denied.status), lines
