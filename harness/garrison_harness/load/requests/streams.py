"""Finds the replies that have no end, where the document does not say what they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from garrison_harness.load.requests.drawing import Drawn, LeftOut
from garrison_harness.load.requests.spec import RequestSpec, parameters_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison_harness.exchange import Reply

MOST_ASKED: Final = 50
"""Operations that are asked to find out."""

_NUMBER: Final = "10000000"  # what an example may hold a new one of each time


def without_streams(drawn: Drawn, ask: Callable[[str], Reply]) -> Drawn:
    """What a document comes to, less the operations whose users would wait for the end of the run.

    FastAPI, for one, documents a `StreamingResponse` as JSON of any kind. So what reads, has no parameter in
    its path and is documented no better is asked for once.

    Args:
        drawn: What the document came to.
        ask: Gets a path, and hangs up where the reply does not end soon.
    """
    unsaid = [spec for spec in drawn.specs if _name(spec) in drawn.unsaid and not parameters_of(spec.path)]
    endless = [_name(spec) for spec in unsaid[:MOST_ASKED] if _has_no_end(ask(_example(spec)))]
    return replace(
        drawn,
        specs=tuple(spec for spec in drawn.specs if _name(spec) not in endless),
        left_out=(
            *(LeftOut(name=name, reason="its reply is a stream that did not end") for name in endless),
            *drawn.left_out,
        ),
        secured=tuple(name for name in drawn.secured if name not in endless),
    )


def _name(spec: RequestSpec) -> str:
    return f"{spec.method} {spec.path}"


def _example(spec: RequestSpec) -> str:
    return spec.target(spec.examples[0].renewed(_NUMBER))


def _has_no_end(reply: Reply) -> bool:
    # A head alone tells too little: a stream of events may end, as those of language models do.
    return reply.failure in {"timeout", "left"} and reply.media_type == "text/event-stream"
