"""Judges one request by everything that a section can ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.limiting.counting import replace_legacy
from garrison.limiting.fields import SOON, UNAVAILABLE, block, refusal
from garrison.limiting.refunding import Refunding
from garrison.limiting.telling import telling, telling_below
from garrison.problems import reject
from garrison.ratelimit.unavailable import StoreUnavailableError
from garrison.security_events import EXCESS

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from garrison.context import RequestContext
    from garrison.limiting.fields import Fields
    from garrison.limiting.limiter import Limiter
    from garrison.limiting.plan import Plan
    from garrison.limiting.rulebook import Rulebook


class Judging:
    """Judges the requests of one layer.

    Args:
        app: the app below.
        rules: costs and refunds.
        limiter: decides.
        fields: writes what clients are told.
    """

    def __init__(self, app: ASGIApp, rules: Rulebook, limiter: Limiter, fields: Fields) -> None:
        self._app = app
        self._rules = rules
        self._limiter = limiter
        self._fields = fields

    async def run(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        context: RequestContext,
        plan: Plan,
        path: str,
        *,
        tells: bool,
    ) -> None:
        """Call the app, or refuse.

        Args:
            scope: of the request.
            receive: of the request.
            send: where the reply goes.
            context: of the request.
            plan: what the request takes.
            path: as rules see it.
            tells: whether the reply says where the client stands, and may give back what it took; that of a
                preflight does not.
        """
        costs = self._rules.costs
        cost = 1 if costs is None else await costs.cost_of(scope, context.method, path)
        try:
            ruling = await plan.judge(self._limiter, scope, context, cost) if cost else None
        except StoreUnavailableError:
            # What a client has used is not known, so that nothing is said of quotas.
            self._limiter.outcomes.unavailable += 1
            await reject(scope, receive, send, context, "rate_limit", UNAVAILABLE, [SOON])
            return
        if ruling is None:
            await self._app(scope, receive, telling_below(context, send))
            return
        self._limiter.count(ruling)
        lines = self._fields.lines(ruling.parts, ruling.standings)
        if not ruling.allowed:
            if context.quota_lines is not None:
                replace_legacy(context.quota_lines, lines)
            lines.append(self._fields.retry_after(ruling.retry_after))
            problem = (block if ruling.blocked else refusal)(ruling.refused_by)
            context.note(EXCESS)
            await reject(scope, receive, send, context, "rate_limit", problem, lines)
            return
        # What is given back for every preflight would let a flood of them go on.
        statuses = self._rules.refunded(context.method, path) if tells else None
        if statuses and ruling.standings:
            above = context.quota_lines
            refunding = Refunding(self._limiter, self._fields, ruling, statuses, send, above)
            context.quota_lines = refunding.lines_below
            await refunding.run(self._app, scope, receive)
            return
        await self._app(scope, receive, telling(context, send, lines) if tells and lines else send)
