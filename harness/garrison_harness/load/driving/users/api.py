"""A user that sends the requests of an OpenAPI document, or of a list."""

from __future__ import annotations

import itertools
import json
import os
import random
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Final

from gevent.lock import RLock
from locust import task

from garrison_harness.discovery.document import USUAL_PATHS, parse_document
from garrison_harness.load.driving.users.http_user import TOO_MANY, HttpUser, shortened
from garrison_harness.load.requests.carrying import Carrier, Chosen, Sent, Success
from garrison_harness.load.requests.drawing import METHODS, draw
from garrison_harness.load.requests.spec import READING, RequestSpec, one_request

if TYPE_CHECKING:
    from collections.abc import Sequence

_BARREN: Final = 3  # replies that brought no id, after which one is made up
_DEEPEST: Final = 4
_CHECKED: Final = 16 * 1024  # bytes of a reply that are parsed, to see whether it is the JSON that it says
_NUMBERS: Final = itertools.count(random.randrange(90_000_000))  # noqa: S311 - no secret
_APART: Final = 104_729  # a prime: processes that follow one another are far apart
_ONE_READS: Final = RLock()


class ApiUser(HttpUser):
    """Sends requests by weight, and carries ids from one reply to the next: POST, then GET, PUT and DELETE.

    It deletes only what it has made itself. An error is a status from 400 on that nobody expects, no reply,
    and a reply that says JSON and is none. 429 is none; 404 is one only for what this user has made, or what
    the document names.

    Attributes:
        requests: What to send; None for what the app's OpenAPI document lists, and without one for `path`.
        methods: Of the document, only these.
        openapi: Where the document is, as a path; empty for the places where frameworks put it.
    """

    abstract = True
    tags = ("api",)
    requests: ClassVar[Sequence[RequestSpec] | None] = None
    methods: ClassVar[Sequence[str]] = METHODS
    openapi: ClassVar[str] = ""

    def on_start(self) -> None:
        """Get to know the requests, once for all users of the class."""
        self._carrier = Carrier()
        self._barren: Counter[str] = Counter()
        self._turn = random.randrange(1_000)  # noqa: S311 - no secret
        self._specs = self._known()
        self._weights = list(itertools.accumulate(spec.weight for spec in self._specs))
        self._free = [spec for spec in self._specs if not spec.takes]
        self._givers: dict[str, list[RequestSpec]] = {}
        for spec in self._specs:
            for gift in spec.gives:
                self._givers.setdefault(gift.to, []).append(spec)

    @task
    def send_next(self) -> None:
        """Send the request whose turn it is, or one that brings the id that it needs."""
        spec = random.choices(self._specs, cum_weights=self._weights)[0]  # noqa: S311 - no secret
        for _ in range(_DEEPEST):
            chosen = self._carrier.choose(spec)
            if chosen is not None:
                self.send(spec, chosen)
                return
            givers = self._givers.get(spec.takes)
            if not givers or self._barren[spec.takes] >= _BARREN:
                break
            self._barren[spec.takes] += 1
            spec = random.choice(givers)  # noqa: S311 - no secret
        if spec.method in READING:
            self.send(spec, Chosen())
        elif self._free:
            self.send(random.choice(self._free), Chosen())  # noqa: S311 - no secret

    def send(self, spec: RequestSpec, chosen: Chosen) -> Any:
        """Send one request, and learn from its reply.

        Args:
            spec: What to send.
            chosen: What it is for.
        """
        self._turn += 1
        number = _fresh_number()
        example = spec.examples[self._turn % len(spec.examples)].renewed(number)
        with self.client.request(
            spec.method,
            spec.target(example, chosen.ids),
            name=spec.name,
            data=example.body,
            headers={"Accept": "application/json, */*;q=0.5", **dict(example.headers)},
            catch_response=True,
            context={"tags": (*self.tags, *spec.tags)},
        ) as reply:
            status = reply.status_code
            if not status:
                return reply  # no reply at all: Locust knows why
            if status == TOO_MANY or (status >= 400 and self._carrier.expects(spec, chosen, status)):
                reply.success()
            elif status < 400 and not _is_what_it_says(reply):
                reply.failure(f"says JSON, and is none, at {shortened(spec.path)}")
            elif status < 300:
                self._learn(spec, chosen, Sent(example, number), reply)
        return reply

    def _learn(self, spec: RequestSpec, chosen: Chosen, sent: Sent, reply: Any) -> None:
        success = Success(reply.status_code, reply.headers or {}, reply.content or b"")
        self._carrier.learn(spec, chosen, sent, success)
        for gift in spec.gives:
            if self._carrier.knows(gift.to):
                self._barren[gift.to] = 0

    def _known(self) -> Sequence[RequestSpec]:
        cls = type(self)
        with _ONE_READS:
            if cls.requests is None:
                cls.requests = self._drawn() or (one_request(self.path),)
        return cls.requests

    def _drawn(self) -> Sequence[RequestSpec]:
        """What the document of the app comes to; nothing where it has none."""
        for path in (self.openapi,) if self.openapi else USUAL_PATHS:
            reply = self.ask(path, name="OpenAPI document", headers={}, tags=("read",))
            document = parse_document(reply.content or b"") if reply.status_code == 200 else None
            if document is not None:
                return draw(document, self.methods).specs
        return ()


def _fresh_number() -> str:
    """Eight digits of which the first is not nought, since JSON has no such numbers."""
    # Processes that were forked count on from the same number.
    return str(10_000_000 + (next(_NUMBERS) + _APART * os.getpid()) % 90_000_000)


def _is_what_it_says(reply: Any) -> bool:
    kind = ((reply.headers or {}).get("content-type") or "").partition(";")[0].strip().lower()
    content = reply.content
    if not content or len(content) > _CHECKED or not (kind == "application/json" or kind.endswith("+json")):
        return True
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True
