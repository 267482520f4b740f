"""Problem replies: every refusal and error that Garrison makes, as RFC 9457 has it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import orjson

from garrison.asgi import send_reply

if TYPE_CHECKING:
    from garrison.asgi import Headers, Receive, Rest, Scope, Send
    from garrison.context import RequestContext

MEDIA_TYPE: Final = b"application/problem+json"

# RFC 9110 renamed some phrases that http.HTTPStatus of older Pythons still has.
PHRASES: Final = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}

QUOTA_EXCEEDED: Final = "https://iana.org/assignments/http-problem-types#quota-exceeded"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What went wrong, in words for the client's developer; never with a value that was submitted.

    Attributes:
        status: the HTTP status code, which the reply has too.
        detail: one sentence about this occurrence, or nothing.
        type: a URI that names the kind of problem; `about:blank` says no more than the status.
        title: a short name of the kind; the status phrase unless the type has its own.
        extensions: further members of the document, by name.
    """

    status: int
    detail: str = ""
    type: str = "about:blank"
    title: str = ""
    extensions: Mapping[str, object] = dataclasses.field(default_factory=dict)

    def document(self, request_id: str | None) -> bytes:
        """The JSON document.

        Args:
            request_id: the id under which the log knows this request.
        """
        members: dict[str, object] = {
            "type": self.type,
            "title": self.title or phrase(self.status),
            "status": self.status,
        }
        if self.detail:
            members["detail"] = self.detail
        if request_id is not None:
            members["request_id"] = request_id
        return orjson.dumps({**members, **self.extensions})


def phrase(status: int) -> str:
    """The phrase of a status code in RFC 9110, or `Unknown` for a code that has none."""
    try:
        return PHRASES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def problem_headers(headers: Headers | None = None) -> Headers:
    """The header lines of a problem reply: its media type, `no-store`, and what the caller adds."""
    return [(b"content-type", MEDIA_TYPE), (b"cache-control", b"no-store"), *(headers or [])]


async def reject(
    scope: Scope,
    receive: Receive,
    send: Send,
    context: RequestContext,
    layer: str,
    problem: Problem,
    headers: Headers | None = None,
    rest: Rest = "unread",
) -> None:
    """Answer with a problem in place of the app, and note which layer did.

    Args:
        scope: of the request that is refused.
        receive: of the same request.
        send: where the reply goes.
        context: of the same request.
        layer: the name of the layer's section, for the log and the metrics.
        problem: what to say.
        headers: further header lines, such as Retry-After.
        rest: what became of the request's body.
    """
    context.rejected_by = layer
    body = problem.document(context.request_id)
    await send_reply(scope, receive, send, problem.status, problem_headers(headers), body, rest)
