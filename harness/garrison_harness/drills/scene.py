"""What a drill works with: the target to start, the load on it, and what the person said of the app."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from garrison_harness import interruption
from garrison_harness.drills.addresses import Addresses
from garrison_harness.drills.bounds import Bounds
from garrison_harness.drills.constant_load import ConstantLoad
from garrison_harness.drills.refusal import NotRun
from garrison_harness.drills.wire import PATIENCE, Place, ask
from garrison_harness.running import running
from garrison_harness.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from garrison_harness.drills.recording import Ask
    from garrison_harness.running import Running

STORE_VARIABLE: Final = "GARRISON_RATE_LIMIT_STORAGE"
"""Where Garrison reads the URL of its store."""

_WARM: Final = 0.4  # seconds

RATE: Final = 50.0
"""Requests a second, unless another rate is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the person asked for, and said of the app.

    Attributes:
        rate: Requests a second.
        window: Seconds that something is broken for, and as long before and after.
        paths: What the load asks for, in turn.
        headers: Lines that every request carries.
        one_address: All requests come from the address that the system picks.
        error_path: A path that raises.
        body_path: A path that takes JSON by POST.
        slow_path: A path that takes its time.
        large_path: A path with a large reply.
        ready_path: A path that says whether the app is ready.
        store_variables: Variables that get the URL of the store.
        needs_store: The person named them, so the app may not even start without a store.
        slow_clients: How many of each kind.
        bounds: What the app is held to.
    """

    rate: float = RATE
    window: float = 2.0
    paths: tuple[str, ...] = ("/",)
    headers: tuple[tuple[str, str], ...] = ()
    one_address: bool = False
    error_path: str | None = None
    body_path: str | None = None
    slow_path: str | None = None
    large_path: str | None = None
    ready_path: str | None = None
    store_variables: tuple[str, ...] = (STORE_VARIABLE,)
    needs_store: bool = False
    slow_clients: int = 20
    bounds: Bounds = field(default_factory=Bounds)


@dataclass(slots=True, kw_only=True)
class Scene:
    """What the drive of one drill is given.

    Attributes:
        target: What to start, or to reach.
        asked: What the person asked for.
        directory: An empty directory of this drill.
        bounds: What the app is held to; a drive may know better than the person.
        requests: How many the load of this drill sent so far.
    """

    target: Target
    asked: Asked
    directory: Path
    bounds: Bounds
    requests: int = 0

    def require_start(self) -> None:
        """Go on only where the target is started here.

        Raises:
            NotRun: It was not.
        """
        if self.target.kind == "url":
            raise NotRun("the target was not started here: give module:attribute or a command")

    def setting(self, name: str) -> str | None:
        """The value that the person gave a variable of the target, None where it has none."""
        return dict(self.target.environment).get(name, os.environ.get(name))

    @contextmanager
    def boot(
        self,
        variables: Mapping[str, str] | None = None,
        *,
        port: int | None = None,
        logs: Path | None = None,
    ) -> Iterator[Running]:
        """Start the target, and end it afterwards; one that is up already is reached.

        It was asked for a moment already, unless it is started again in the middle of a load.

        Args:
            variables: On top of its environment; what the person said of them is not heard.
            port: Where it is to listen; a free port unless given.
            logs: Where its output goes; the directory of the drill unless given.

        Raises:
            TargetFailed: It did not start.
        """
        target = self.target
        if variables and target.kind != "url":
            target = replace(target, environment=(*target.environment, *variables.items()))
        with running(target, log_directory=logs or self.directory, port=port) as up:
            if port is None:
                self._warm_up(up)
            yield up

    def _warm_up(self, up: Running) -> None:
        """Let the app open its connections and load what it loads late, before anything is compared."""
        with self.load(up) as load:
            interruption.pause(_WARM)
            load.finish()

    def load(
        self, up: Running, paths: Sequence[str] | None = None, rate: float | None = None
    ) -> ConstantLoad:
        """The load on a target that is up; it begins where it is entered.

        Args:
            up: The target.
            paths: What to ask for; what the person named unless given.
            rate: Requests a second; likewise.
        """
        place = Place.of(up, self.asked.headers)
        addresses = Addresses(up.host, one=self.asked.one_address)
        return ConstantLoad(place, paths or self.asked.paths, rate or self.asked.rate, addresses)


async def one(load: ConstantLoad, path: str, *, address: str = "", patience: float = PATIENCE) -> Ask:
    """One request beside the load, due now.

    Args:
        load: Where and by which clock.
        path: What to ask for.
        address: Where from; a new one unless given.
        patience: Seconds after which nobody waits any more.
    """
    source = address or load.addresses.new()
    head = load.place.lines(path)
    return await ask(load.place, head, load.now, due=load.now(), address=source, patience=patience)
