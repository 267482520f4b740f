"""How a route refuses: exceptions that Starlette and FastAPI make replies of, and those as problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException, WebSocketException

from garrison.asgi import accepts_denial
from garrison.limiting.counting import context_of, replace_legacy
from garrison.limiting.fields import SOON, UNAVAILABLE, refusal
from garrison.limiting.messages import POLICY_VIOLATION, TRY_AGAIN_LATER
from garrison.problems import MEDIA_TYPE, Problem
from garrison.security_events import EXCESS

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.responses import Response

    from garrison.asgi import Headers
    from garrison.context import RequestContext
    from garrison.limiting.fields import Fields
    from garrison.limiting.limiter import Ruling

NO_STORE: Final = (b"cache-control", b"no-store")
# RFC 9110 sections 15.3.5 and 15.4.5.
WITHOUT_CONTENT: Final = frozenset({204, 304})


class RefusedError(HTTPException):
    """A request that quotas keep from its handler; frameworks answer it as any HTTPException.

    Args:
        problem: what went wrong.
        headers: of the reply.

    Attributes:
        problem: the same.
    """

    def __init__(self, problem: Problem, headers: Headers) -> None:
        lines = {name.decode("latin-1"): value.decode("latin-1") for name, value in [NO_STORE, *headers]}
        super().__init__(problem.status, problem.title, lines)
        self.problem = problem


class QuotaExceededError(RefusedError):
    """A quota has no room for a request: status 429.

    Args:
        ruling: that refuses it.
        headers: of the reply.

    Attributes:
        retry_after: seconds after which it would be allowed.
        violated: the names of the quotas that had no room.
    """

    def __init__(self, ruling: Ruling, headers: Headers) -> None:
        super().__init__(refusal(ruling.refused_by), headers)
        self.retry_after = ruling.retry_after
        self.violated = tuple(quota.name for quota in ruling.refused_by)


class QuotaUnknownError(RefusedError):
    """The store does not answer, and requests are to be refused then: status 503."""

    def __init__(self) -> None:
        super().__init__(UNAVAILABLE, [SOON])


def exceeded(request: HTTPConnection, context: RequestContext, fields: Fields, ruling: Ruling) -> Exception:
    """What to raise for a request that was refused.

    Args:
        request: that was refused.
        context: of the request.
        fields: writes what its client is told.
        ruling: that refused it.
    """
    context.rejected_by = "rate_limit"
    context.note(EXCESS)
    wait = fields.retry_after(ruling.retry_after)
    if _has_no_reply(request):
        reason = f"quota exceeded, try again in {wait[1].decode('ascii')} s"
        return WebSocketException(POLICY_VIOLATION, reason)
    lines = [*fields.lines(ruling.parts, ruling.standings), wait]
    if context.quota_lines is not None:
        replace_legacy(context.quota_lines, lines)
    return QuotaExceededError(ruling, lines)


def unknown(request: HTTPConnection, context: RequestContext) -> Exception:
    """What to raise for a request about which the store said nothing.

    Args:
        request: of which nothing is known.
        context: of the request.
    """
    context.rejected_by = "rate_limit"
    if _has_no_reply(request):
        return WebSocketException(TRY_AGAIN_LATER, "quotas cannot be counted")
    return QuotaUnknownError()


async def problem_handler(request: HTTPConnection, error: Exception) -> Response:
    """Answer an HTTPException with a problem document (RFC 9457), for `add_exception_handler`.

    `app.add_exception_handler(QuotaExceededError, problem_handler)` has refusals by quotas answered so, and
    with Starlette's `HTTPException` in place of it everything that routes refuse.

    Args:
        request: that is answered, or the WebSocket whose handshake is denied.
        error: an HTTPException.

    Raises:
        TypeError: it is another exception.
    """
    from starlette.responses import Response  # noqa: PLC0415 - start-up time, for who has no use for it

    if not isinstance(error, HTTPException):
        raise TypeError(f"problem_handler answers HTTPException, not {type(error).__name__}") from error
    problem = getattr(error, "problem", None)
    if not isinstance(problem, Problem):
        # FastAPI lets a detail be anything.
        detail: object = error.detail
        text = detail if isinstance(detail, str) else ""
        extensions = {} if isinstance(detail, str) or detail is None else {"errors": detail}
        problem = Problem(status=error.status_code, detail=text, extensions=extensions)
    headers = {"cache-control": "no-store", **(error.headers or {})}
    if error.status_code in WITHOUT_CONTENT:
        return Response(None, error.status_code, headers)
    body = problem.document(context_of(request).request_id)
    return Response(body, error.status_code, headers, MEDIA_TYPE.decode("ascii"))


def _has_no_reply(request: HTTPConnection) -> bool:
    """Whether it is a WebSocket that was accepted, or that the server can only close."""
    if request.scope["type"] != "websocket":
        return False
    state = getattr(request, "application_state", None)
    accepted = state is not None and state.name != "CONNECTING"
    return accepted or not accepts_denial(request.scope)
