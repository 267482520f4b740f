"""Load from several processes of one machine, and from workers that have a master."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from garrison_harness.load.account import Account
from garrison_harness.load.generator import generate
from garrison_harness.load.plan import Plan
from garrison_harness.load.roll_call import absent
from garrison_harness.load.stream import Follower
from garrison_harness.startup import free_port
from garrison_harness.target import UsageFault
from tests.harness.load.asking import calls
from tests.harness.load.command_line import Command, read_json, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from garrison_harness.load.delta import Delta
    from garrison_harness.load.forks import Forks
    from garrison_harness.running import Running

JOURNEYS = """
from locust import FastHttpUser, constant, task

class Visitor(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def visit(self):
        self.client.get("/journeys", name="journey")
"""


@pytest.fixture
def worker() -> Iterator[Command]:
    """Another `garrison load`, that is gone after the test."""
    made = Command()
    yield made
    made.clean()
    if made.process is not None:
        made.process.communicate(timeout=10)


def _account(deltas: list[Delta]) -> Account:
    account = Account()
    for delta in deltas:
        account.add(delta)
    return account


def test_totals_are_the_sum_of_what_each_process_saw(
    up: Running, load_processes: Forks, tmp_path: Path
) -> None:
    """Requests, latencies, arrivals and addresses: the result is that of both, to the last bucket."""
    plan = Plan(rate=20.0, role="master", workers=2, duration=0.8, grace=2.0, paths=("/both",))
    (tmp_path / "load").mkdir()
    outcome = generate(plan.at(up.base_url), up, log_directory=tmp_path, forks=load_processes)
    assert outcome.how == "finished", outcome.detail
    each = [_account(Follower(tmp_path / "load" / f"worker-{one}.jsonl").deltas()) for one in (1, 2)]
    whole, name = outcome.account, "GET /both"
    assert [one.arrivals.due for one in each] == [8, 8]
    assert [one.names[name].requests for one in each] == [8 - one.arrivals.dropped for one in each]
    merged = each[0].names[name]
    merged.merge(each[1].names[name])
    assert whole.names[name].to_record() == merged.to_record()
    assert whole.arrivals.due == 16
    assert whole.addresses == each[0].addresses + each[1].addresses
    assert whole.began == pytest.approx(each[1].began, abs=1e-6)
    assert sum(second.tally.requests for second in whole.series) == merged.requests
    assert [round(one.cpu, 6) for one in whole.processes] == [round(one.cpu, 6) for one in each]
    _assert_in_turn(calls(up.base_url, "both"), began=whole.began, every=0.05)


def _assert_in_turn(asked: list[tuple[str, float]], *, began: float, every: float) -> None:
    """Every second arrival is of the other process; a busy machine makes some late, and none early."""
    networks = sorted({address.split(".")[1] for address, _ in asked}, key=int)
    assert networks == ["0", "32"], "each process has addresses of its own"
    for place, network in enumerate(networks):
        own = [moment for address, moment in asked if address.split(".")[1] == network]
        due = [began + (place + 2 * number) * every for number in range(len(own))]
        # They know one another's clocks to less than half of that.
        assert all(moment > then - every / 2 for moment, then in zip(own, due, strict=True)), asked


def _children(number: int) -> list[int]:
    try:
        found = Path(f"/proc/{number}/task/{number}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(word) for word in found.split()]


def test_worker_that_dies_ends_the_run(up: Running, url: str, load_processes: Forks, tmp_path: Path) -> None:
    """A part of the load is not the load: what was seen is kept, and the run ends at once and says why."""
    plan = Plan(base_url=url, users=3, spawn_rate=3, role="master", workers=2, duration=60, paths=("/dies",))
    (tmp_path / "load").mkdir()

    def asked() -> Counter[str]:
        return Counter(address for address, _ in calls(url, "dies"))

    def kill() -> None:
        # Whoever asks again has taken a reply.
        wait_for(lambda: [count > 1 for count in asked().values()] == [True] * 3)
        (master,) = _children(load_processes.child.pid)
        os.kill(_children(master)[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    outcome = generate(plan, up, log_directory=tmp_path, forks=load_processes)
    killer.join()
    assert (outcome.how, outcome.detail) == ("generator died", "worker 1 of 2: signal 9")
    each = [_account(Follower(tmp_path / "load" / f"worker-{one}.jsonl").deltas()) for one in (1, 2)]
    # What the other one wrote last may not have been sent.
    seen = outcome.account.tally.requests
    assert 0 < each[1].tally.requests <= seen <= sum(one.tally.requests for one in each)
    assert each[1].users_peak in {1, 2}, "three users are two here and one there"


def test_interrupting_the_master_ends_its_workers(
    command: Command, worker: Command, url: str, locustfile: Callable[[str], str], tmp_path: Path
) -> None:
    """A worker gets plan and locustfile from its master, and goes in order when that is stopped."""
    port, result = free_port(), tmp_path / "load.json"
    master = command.start(
        url, "--master", "--bind", f"127.0.0.1:{port}", "--expect-workers", "1", "--duration", "1m",
        "--users", "2", "--locustfile", locustfile(JOURNEYS), "--format", "json", "--output", str(result),
    )  # fmt: skip
    worker.start_worker("--master-port", str(port))
    wait_for(lambda: len(calls(url, "journeys")) > 2)  # of two users, so that one has taken a reply
    master.send_signal(signal.SIGINT)
    ended, done = command.end(), worker.end()
    assert (ended.status, ended.left) == (4, []), ended.stderr
    assert "waiting for 1 worker at" in ended.stderr
    assert "interrupted after" in ended.stderr
    assert (done.status, done.left) == (0, []), done.stderr
    found = read_json(result)
    assert set(found["names"]) == {"GET journey"}
    assert done.stdout.startswith(f"{found['requests']:,} requests in "), "all that it saw has come"


def test_worker_ends_when_its_master_is_gone(
    worker: Command, url: str, load_processes: Forks, tmp_path: Path
) -> None:
    """Nobody keeps loading a target for a master that was killed."""
    port = free_port()
    plan = Plan(base_url=url, rate=20, role="master", bind=("127.0.0.1", port), duration=60, paths=("/gone",))
    plan.write(tmp_path / "master.json")
    load_processes.start(tmp_path / "master.json", tmp_path / "master.jsonl")
    worker.start_worker("--master-port", str(port))
    wait_for(lambda: calls(url, "gone"))
    (master,) = _children(load_processes.child.pid)
    os.kill(master, signal.SIGKILL)
    done = worker.end()
    assert (done.status, done.left) == (4, []), done.stderr
    assert f"garrison: lost: the master at 127.0.0.1:{port} is gone\n" in done.stderr


def test_strangers_and_workers_without_a_target_are_told(load_processes: Forks, tmp_path: Path) -> None:
    """A worker of another version is refused; one that does not reach the target ends the run."""
    port = free_port()
    Plan(
        base_url="http://127.0.0.1:1", role="master", workers=1, bind=("127.0.0.1", port), duration=1.0
    ).write(tmp_path / "master.json")
    Plan(role="worker", bind=("127.0.0.1", port), duration=0.0).write(tmp_path / "worker.json")
    master = load_processes.start(tmp_path / "master.json", tmp_path / "master.jsonl")
    child = [sys.executable, "-m", "garrison_harness.load.driving.locust_child"]
    older = (
        "import sys; from garrison_harness.load.driving import locust_child, messages;"
        " messages.SPEECH = 'garrison 0.0 and Locust 2.0'; locust_child.main(*sys.argv[1:])"
    )
    for words in (
        [sys.executable, "-c", older, "worker.json", "older.jsonl"],
        [*child, "worker.json", "fit.jsonl"],
    ):
        subprocess.run(words, cwd=tmp_path, check=True, timeout=50)
    wait_for(lambda: master.exit_status() is not None)
    old, fit, led = (Follower(tmp_path / f"{name}.jsonl").deltas()[-1] for name in ("older", "fit", "master"))
    assert {old.ended, fit.ended, led.ended} == {"refused"}
    assert old.fault.startswith(
        f"this worker is garrison 0.0 and Locust 2.0, and the master at 127.0.0.1:{port} is"
    )
    assert fit.fault.startswith("nothing answers at http://127.0.0.1:1 on this machine: forward that port")
    assert led.fault == f"worker 1 of 1 (on {socket.gethostname()}): {fit.fault}"


def test_who_has_not_come_is_said() -> None:
    """Whoever has to start the others learns which are there, and which came in vain."""
    line = absent(
        ["alpha", "beta"], ["gamma (this worker is old)"], size=4, where="127.0.0.1:5557 within 60 s"
    )
    assert line.startswith(
        "2 of 4 workers came to 127.0.0.1:5557 within 60 s (alpha, beta); refused: gamma (this"
    )


def test_master_does_not_wait_for_ever(run: Callable[[Plan], Account]) -> None:
    """Workers that do not come end the run with the number that came."""
    plan = Plan(role="master", workers=2, bind=("127.0.0.1", free_port()), max_wait=0.2, duration=1.0)
    with pytest.raises(UsageFault, match="0 of 2 workers came to"):
        run(plan)


def test_port_that_is_taken(run: Callable[[Plan], Account]) -> None:
    """Where something else listens, nothing waits: one line says what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address: Any = taken.getsockname()
        plan = Plan(role="master", workers=1, bind=address, duration=1.0)
        with pytest.raises(UsageFault, match=r"127\.0\.0\.1:\d+: the port is taken: end what listens there"):
            run(plan)
