"""Asks the target a few things while nothing else is asked of it."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Final

from garrison_harness.load.sample import BODY_LENGTH, Sample
from garrison_harness.load.watch.quotas import Crowd
from garrison_harness.probe import Budget, has_addresses
from garrison_harness.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from garrison_harness.exchange import Reply, Request
    from garrison_harness.load.plan import Plan
    from garrison_harness.load.watch.canaries import Canaries
    from garrison_harness.running import Running
    from garrison_harness.site import Quota

_MOST_PATHS: Final = 20
_SECONDS: Final = 10.0  # for all that is asked at a time
_READING: Final = 1.0  # seconds for the end of a reply that has begun: some have none
_LEAVES: Final = 2.0  # seconds for a reply as a whole
_PATIENCE: Final = 2  # requests without a reply, after which no more are made
_MOST_REQUESTS: Final = 200
_THRONG: Final = 16  # requests at the same time
_LARGEST_CROWD: Final = 1500  # requests; more would be a load of its own
_LIVEZ: Final = "/livez"
_TRIES: Final = 3
# Far from the addresses of users, which begin at 127.0.1.1, and from those of an audit.
_OWN_NET: Final = "127.99"


def quiet_paths(plan: Plan) -> list[str]:
    """What can be asked for without harm: the paths that are asked for in the run, as far as they are known.

    Args:
        plan: What the run does.
    """
    if plan.locustfile or plan.mix:
        found: list[str] = ["/"]
    elif plan.requests:
        found = [path for one in plan.requests if (path := _plain_get(one))]
    else:
        found = list(plan.paths)
    return list(dict.fromkeys(found))[:_MOST_PATHS]


def _plain_get(request: Mapping[str, object]) -> str:
    path = request.get("path")
    plain = request.get("method") == "GET" and isinstance(path, str) and "{" not in path
    return path if plain and isinstance(path, str) else ""


class QuietAsker:
    """Puts single requests to a target, each from an address of its own where there are such.

    So no quota that counts clients is used up by what is asked here, and none that users need.
    """

    def __init__(self, up: Running, plan: Plan, canaries: Canaries) -> None:
        """Ask a target that is up.

        Args:
            up: The target.
            plan: What the run does; its headers go with every request.
            canaries: The secrets of this run, of which one names the path that is missing.
        """
        host = f"[{up.host}]" if ":" in up.host else up.host
        self._up = up
        self._site = Site(
            authority=f"{host}:{up.port}",
            canary=f"garrison-{canaries.word[:12]}",
            https=up.https,
            headers=tuple(plan.headers),
        )
        self._canaries = canaries
        self.addresses = has_addresses(up.host, up.port)
        self._numbers = itertools.count(1)

    @property
    def missing(self) -> str:
        """A path that no app serves."""
        return self._site.missing_path

    def source(self) -> str:
        """The next address to speak from; empty where there is only the system's."""
        number = next(self._numbers)
        return f"{_OWN_NET}.{number // 250 % 250}.{number % 250 + 1}" if self.addresses else ""

    def _ask(self, request: Request, budget: Budget) -> Reply:
        asker = self._up.asker("", budget)
        hurried = replace(request, reading=_READING, leaves=_LEAVES)
        return asker.ask(hurried, source=self.source() or None)

    def _sample(self, method: str, path: str, budget: Budget) -> Sample:
        reply = self._ask(self._site.request(method, path), budget)
        return Sample(
            at=0.0,
            method=method,
            path=path,
            status=reply.status or 0,
            headers=tuple((name.lower(), value) for name, value in reply.headers),
            body=reply.body[:BODY_LENGTH].decode("utf-8", "replace") if (reply.status or 0) >= 400 else "",
        )

    def baseline(self, paths: Iterable[str]) -> list[Sample]:
        """Each path twice, and errors that any app makes: a missing page, and methods that are refused.

        Args:
            paths: What is asked for in the run.
        """
        asked = [("GET", path) for path in paths]
        asked += [("GET", self.missing), ("POST", self.missing)]
        # Known to every parser, safe, and taken by hardly any route.
        return self._samples([*asked, *asked, ("PROPFIND", "/"), ("TRACE", "/")])

    def again(self, paths: Iterable[str]) -> list[Sample]:
        """Paths that came up in the run, twice each.

        Args:
            paths: Of GET requests.
        """
        return self._samples([("GET", path) for path in list(paths)[:_MOST_PATHS] for _ in range(2)])

    def _samples(self, asked: Iterable[tuple[str, str]]) -> list[Sample]:
        budget, found, silent = _budget(), list[Sample](), set[tuple[str, str]]()
        for method, path in asked:
            if (method, path) in silent:
                continue  # it was waited for once
            found.append(self._sample(method, path, budget))
            if not found[-1].status:
                silent.add((method, path))
            if len(silent) == len(found) >= _PATIENCE:
                break  # it does not answer at all
        return found

    def send_secrets(self, budget: Budget | None = None) -> bool:
        """One round of secrets, to paths where they do no harm; whether anything answered.

        Args:
            budget: What may be spent; by default enough for one round.
        """
        budget, site = budget or _budget(), self._site
        kind = [("Content-Type", "application/json")]
        replies = [
            self._ask(site.get("/", self._canaries.headers()), budget),
            self._ask(site.get(f"/?{self._canaries.query()}"), budget),
            # A path that is not there takes the body of nobody, and whoever logs bodies logs this one.
            self._ask(site.request("POST", self.missing, kind, body=self._canaries.body()), budget),
        ]
        return any(reply.status for reply in replies)

    def crowd(self, path: str, quota: Quota) -> Crowd | None:
        """Ask for more than a quota at once, as one client that nobody knows yet; None where there is none.

        Args:
            path: What to ask for.
            quota: What the client may ask.
        """
        size = quota.limit + max(_THRONG, quota.limit // 4)
        if not self.addresses or size > _LARGEST_CROWD:
            return None
        budget = Budget(deadline=time.monotonic() + _SECONDS, requests=size)
        asker, source = self._up.asker("", budget), self.source()
        request = replace(self._site.get(path), kept=0, reading=_READING, leaves=_LEAVES)
        began = time.monotonic()
        with ThreadPoolExecutor(_THRONG) as throng:
            replies = list(throng.map(lambda _: asker.ask(request, source=source), range(size)))
        passed = sum(reply.status not in {None, 429, 503} for reply in replies)
        return Crowd(passed=passed, seconds=time.monotonic() - began)

    def trivial(self) -> tuple[str, str]:
        """The request whose reply is the least work: method and path."""
        budget, site = _budget(), self._site
        if all(self._ask(site.get(_LIVEZ), budget).status == 200 for _ in range(_TRIES)):
            return "GET", _LIVEZ
        took = {}
        for method, path in (("GET", self.missing), ("PROPFIND", "/")):
            replies = [self._ask(site.request(method, path), budget) for _ in range(_TRIES)]
            if all(reply.status in {404, 405} for reply in replies):
                took[method, path] = median(reply.elapsed for reply in replies)
        return min(took, key=lambda one: took[one]) if took else ("GET", self.missing)


def _budget() -> Budget:
    return Budget(deadline=time.monotonic() + _SECONDS, requests=_MOST_REQUESTS)
