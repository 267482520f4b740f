"""Leads the workers of a run: lets them begin together, and puts together what they tell."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import gevent
from locust.exception import RPCError

from garrison_harness.load.delta import Delta
from garrison_harness.load.driving import messages
from garrison_harness.load.driving.listening import Listening, LostError, StoppedError, UnfitError
from garrison_harness.load.driving.loading import LocustfileFault
from garrison_harness.load.driving.local_workers import LocalWorkers
from garrison_harness.load.driving.master import Master
from garrison_harness.load.driving.run import Run
from garrison_harness.load.driving.troop import Troop
from garrison_harness.load.roll_call import absent
from garrison_harness.load.stream import tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.env import Environment

    from garrison_harness.load.plan import Plan

SILENCE: Final = 10
"""Seconds without a sign of life after which a worker from elsewhere is gone, or the way to it."""

LEAD: Final = 0.2
"""Seconds between the word to begin and the moment: longer than a message takes."""

_TAKEN: Final = "Address already in use"
_FOR_EVER: Final = 1_000_000  # seconds
_READY_PATIENCE: Final = 30.0  # seconds for workers to import a locustfile and start their first users
_OVERDUE: Final = 15.0  # seconds after the end of the plan at which nobody is waited for any more


def lead(plan: Plan, stream: Path) -> None:
    """Lead the workers of a plan.

    Args:
        plan: Of all of them together.
        stream: Where to tell what they saw, as one load process would.
    """
    local = LocalWorkers(plan.workers, stream) if plan.bind is None else None
    try:
        environment = Run(plan, lambda _delta: None).environment()
        host, port = plan.bind or ("127.0.0.1", 0)
        lead = _Lead(plan, environment, _bind(environment, host, port, local), local, partial(tell, stream))
    except (LocustfileFault, UnfitError) as fault:
        tell(stream, Delta(ended="refused", fault=str(fault)))
    else:
        lead.lead()
    finally:
        if local is not None:
            local.kill()


def _bind(environment: Environment, host: str, port: int, local: LocalWorkers | None) -> Master:
    try:
        # The kernel says when one of this machine has ended, however busy that is.
        return Master(environment, host, port, silence=SILENCE if local is None else _FOR_EVER)
    except (SystemExit, RPCError) as error:
        # Locust exits where it knows that the port is taken, which depends on what ZeroMQ says of it.
        taken = isinstance(error, SystemExit) or _TAKEN in str(error)
        why = "the port is taken: end what listens there" if taken else f"{error}: check the address"
        raise UnfitError(
            f"the master cannot wait for workers at {host}:{port}: {why}, or --bind to another"
        ) from error


class _Lead:
    """The lead of one run."""

    def __init__(
        self,
        plan: Plan,
        environment: Environment,
        master: Master,
        local: LocalWorkers | None,
        tell: Callable[[Delta], None],
    ) -> None:
        self._plan = plan
        self._environment = environment
        environment.runner = self._master = master
        if environment.shape_class is not None:
            environment.shape_class.runner = master
        self._local = local
        self._tell = tell
        self._troop = Troop(master, size=plan.workers, token=local.token if local else "")
        classes = sorted(environment.user_classes_by_name)
        self._listening = Listening(plan, master, self._troop, local, classes=classes, tell=tell)

    def lead(self) -> None:
        """All of it."""
        events: Any = self._environment.events  # its hooks carry no types
        events.init.fire(environment=self._environment, runner=self._master, web_ui=None)
        # The shape of a locustfile may end the test before its time.
        events.test_stopping.add_listener(lambda **_event: self._troop.say(messages.CLOSE))
        for number in (signal.SIGINT, signal.SIGTERM):
            gevent.signal_handler(number, self._stop)
        last = Delta(ended="finished")
        try:
            self._assemble()
            self._begin()
            self._follow()
        except UnfitError as fault:
            self._troop.send_home(f"the run does not take place: {fault}")
            last = Delta(ended="refused", fault=str(fault))
        except LostError as loss:
            last = Delta(ended="lost", fault=str(loss))
        except StoppedError:
            last = Delta(ended="stopped")
        if last.ended in {"lost", "stopped"}:
            self._listening.hear_last_words()
        self._tell(replace(last, began=self._listening.last.began, at=self._listening.last.at))
        self._leave()

    def _stop(self) -> None:
        self._listening.stopping = True

    def _assemble(self) -> None:
        if self._local is not None:
            self._local.meet(self._master.server.port)
        self._listening.wait(lambda: self._troop.complete, self._plan.max_wait, self._absent)
        self._master.complete = True
        # What has come without an introduction is none of ours: a worker of plain Locust.
        for name in set(self._master.clients) - set(self._troop.members):
            self._master.dismiss(name, "this master is one of garrison load")
            self._master.say(name, "quit")
        source = _source(self._plan)
        for name, member in self._troop.members.items():
            plan = replace(self._plan, role="worker", index=member.number, bind=None)
            own = member.local or member.has_locustfile
            self._master.say(
                name, messages.PLAN, {"plan": plan.to_text(), "locustfile": None if own else source}
            )
        self._listening.wait(lambda: self._troop.ready, _READY_PATIENCE, self._unready)

    def _begin(self) -> None:
        users = sum(member.first_users for member in self._troop.members.values())
        if users:
            gevent.spawn(self._master.start, users, users)
            self._listening.wait(lambda: self._troop.peopled, _READY_PATIENCE, self._unready)
        self._listening.begun = True
        self._troop.say(messages.BEGIN, {"at": time.monotonic() + (LEAD if users else 0.0)})
        if self._environment.shape_class is not None:
            self._master.start_shape()
        elif not users:
            gevent.spawn(self._master.start, self._plan.users, self._plan.spawn_rate)

    def _follow(self) -> None:
        patience = self._plan.duration + self._plan.grace + _OVERDUE
        self._listening.wait(lambda: self._listening.over, patience, lambda: "workers did not end in time")

    def _leave(self) -> None:
        """Let the last messages go out, and wait for nobody."""
        self._master.greenlet.kill()
        server: Any = self._master.server  # it has no types
        context = server.socket.context
        server.close(linger=500)
        context.term()

    def _absent(self) -> str:
        came = [member.host for member in self._troop.members.values()]
        where = f"{self._master.place} within {self._plan.max_wait:g} s"
        return absent(came, self._troop.refused, size=self._plan.workers, where=where)

    def _unready(self) -> str:
        members, all_ready = self._troop.members.values(), self._troop.ready
        slow = next(one for one in members if not (one.peopled if all_ready else one.ready))
        return f"{self._troop.describe(slow)} was not ready within {_READY_PATIENCE:g} s"


def _source(plan: Plan) -> dict[str, str] | None:
    """The locustfile, for workers that have none."""
    if plan.locustfile is None:
        return None
    path = Path(plan.locustfile)
    return {"name": path.name, "source": path.read_text(encoding="utf-8")}
