"""Problem replies: every refusal and error that Garrison makes, as RFC 9457 has it."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import orjson

from garrison.asgi import send_reply
from garrison.error_page import HEADERS as PAGE_HEADERS
from garrison.error_page import error_page
from garrison.negotiation import prefers_page

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
REDUCED_CAPACITY: Final = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"

# What would end a header line, or the header block (RFC 9110 section 5.5).
_BREAKS: Final = re.compile(r"[\r\n\0]")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What went wrong, in words for the client's developer; never with a value that was submitted.

    Attributes:
        status: the HTTP status code, which the reply has too.
        detail: one sentence about this occurrence, or nothing.
        type: a URI that names the kind of problem; `about:blank` says no more than the status.
        title: a short name of the kind; the status phrase unless the type has its own.
        extensions: further members of the document, by name.
        headers: header lines of the reply beside its own, by name, such as Retry-After.
        traceback: lines that only a developer may see.
    """

    status: int
    detail: str = ""
    type: str = "about:blank"
    title: str = ""
    extensions: Mapping[str, object] = dataclasses.field(default_factory=dict)
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    traceback: tuple[str, ...] = ()

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
        if self.traceback:
            members["traceback"] = self.traceback
        return _json({**members, **self.extensions})

    def page(self, request_id: str | None) -> bytes:
        """The same for somebody at a browser, without the extensions.

        Args:
            request_id: the id under which the log knows this request.
        """
        title = self.title or phrase(self.status)
        return error_page(self.status, title, self.detail, request_id, "\n".join(self.traceback))

    def lines(self) -> Headers:
        """Its header lines; what could not be one is left out."""
        return [
            (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in self.headers.items()
            if name and not _BREAKS.search(name + value)
        ]


def _json(members: dict[str, object]) -> bytes:
    try:
        return orjson.dumps(members)
    except TypeError:
        # Lone surrogates, and what an extension may hold that JSON has no word for.
        text = json.dumps(members, default=repr, skipkeys=True)
        return text.encode("ascii")


def phrase(status: int) -> str:
    """The phrase of a status code in RFC 9110, or `Unknown` for a code that has none."""
    try:
        return PHRASES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def problem_headers(headers: Headers | None = None) -> Headers:
    """The header lines of a problem reply: its media type, `no-store`, and what the caller adds."""
    return [(b"content-type", MEDIA_TYPE), (b"cache-control", b"no-store"), *(headers or [])]


def rendered(
    scope: Scope, problem: Problem, request_id: str | None, headers: Headers | None = None
) -> tuple[Headers, bytes]:
    """Header lines and body of the reply that a client gets: a page where it would rather have one.

    Args:
        scope: of the request.
        problem: what to say.
        request_id: the id under which the log knows this request.
        headers: further header lines.
    """
    lines = [*problem.lines(), *(headers or [])]
    if prefers_page(scope):
        return [*PAGE_HEADERS, *lines], problem.page(request_id)
    return problem_headers(lines), problem.document(request_id)


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
    """Answer with a problem in place of the app, and note which layer did, unless nobody is there any more.

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
    # Who hangs up in the middle of a body was not refused.
    if not context.gone:
        context.rejected_by = layer
    lines, body = rendered(scope, problem, context.request_id, headers)
    await send_reply(scope, receive, send, problem.status, lines, body, rest)
