"""`python -m loadtests.bench.startup`: CPU time of processes that start, and what the base install takes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import distribution
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import TYPE_CHECKING, Any, Final

from packaging.requirements import Requirement

import garrison
from loadtests.bench.results import Target
from loadtests.bench.worker import WorkerError, environment, interrupts_ignored

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS: Final = 7
QUICK_ROUNDS: Final = 1

# Without rich, which is not in the base install, and which structlog imports where it is there.
LIBRARIES: Final = (
    "import sys; sys.modules['rich'] = None\n"
    "import click, limits.aio, opentelemetry.metrics, opentelemetry.trace, orjson, secure"
    ", starlette.requests, starlette.responses, structlog"
)
PYTHON: Final = "python -c pass"
ALONE: Final = "its libraries, imported eagerly"
IMPORT: Final = "import garrison"
HARDEN: Final = "harden(app)"
HELP: Final = "garrison --help"
RUN: Final = "garrison run, until it listens"
COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    PYTHON: ("-c", "pass"),
    ALONE: ("-c", LIBRARIES),
    IMPORT: ("-c", "import garrison"),
    HARDEN: ("-c", "from garrison import harden; harden(print)"),
    HELP: ("-m", "garrison", "--help"),
    "garrison check --help": ("-m", "garrison", "check", "--help"),
    RUN: ("-m", "garrison", "run", "--port", "0", "loadtests.bench.startup_app:app"),
}
# What says that a server is up.
LISTENING: Final = b"listening on "

# 120 ms and 200 ms were asked for where the libraries take 110 ms.
LONGEST: Final = {IMPORT: 120 / 110, HELP: 200 / 110}
MOST_MEGABYTES: Final = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was measured.

    Attributes:
        rounds: how often each was started.
        cpu: ms of CPU of one start, the least of all rounds, because others can only add to it.
        megabytes: by package of the base install, without what Python compiles.
    """

    rounds: int
    cpu: dict[str, float]
    megabytes: dict[str, float]

    def share(self, name: str) -> float:
        """The CPU of a start over that of the libraries alone."""
        return self.cpu[name] / self.cpu[ALONE]


def measured(*, quick: bool) -> Report:
    """Start each command in turn, round after round.

    Args:
        quick: to show that it runs, and no more.

    Raises:
        WorkerError: one of them fails.
    """
    rounds = QUICK_ROUNDS if quick else ROUNDS
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, words in COMMANDS.items():
            found[name].append(spent(name, words))
    return Report(rounds=rounds, cpu={name: min(each) for name, each in found.items()}, megabytes=installed())


def installed() -> dict[str, float]:
    """The packages of the base install, with the MB that their files take."""
    found = {"garrison": _megabytes(Path(garrison.__file__).parent.rglob("*"))}
    wanted = ["garrison"]
    while wanted:
        package = distribution(wanted.pop())
        for text in package.requires or ():
            needed = Requirement(text)
            name = needed.name.lower().replace("_", "-")
            if name not in found and (needed.marker is None or needed.marker.evaluate({"extra": ""})):
                files = distribution(name).files or ()
                found[name] = _megabytes(Path(str(file.locate())) for file in files)
                wanted.append(name)
    return found


def text(report: Report) -> list[str]:
    """The figures for people.

    Args:
        report: what was measured.
    """
    head = f"{f'CPU of a process that starts, the least of {report.rounds}':<44}{'ms':>9}{'of libraries':>20}"
    count, total, own = len(report.megabytes), sum(report.megabytes.values()), report.megabytes["garrison"]
    return [
        head,
        *(f"  {name:<42}{ms:>9.0f}{report.share(name):>20.2f}" for name, ms in report.cpu.items()),
        f"  The base install is {total:.1f} MB in {count} packages, {own:.1f} MB of it Garrison.",
    ]


def targets(report: Report) -> Iterator[Target]:
    """What was promised beside what was found, both relative to the libraries of the same run."""
    for name, limit in LONGEST.items():
        share = report.share(name)
        words = f"{name}: of its libraries' CPU"
        yield Target(text=words, limit=round(limit, 2), found=share, scaled=share, met=share <= limit)
    total = sum(report.megabytes.values())
    met = total <= MOST_MEGABYTES
    yield Target(text="MB of the base install", limit=MOST_MEGABYTES, found=total, scaled=total, met=met)


def document(report: Report) -> dict[str, Any]:
    """The same as `text`, for a JSON file."""
    return asdict(report)


def spent(name: str, words: tuple[str, ...]) -> float:
    """The CPU that a process takes to its end, or a server until it listens, in ms.

    Args:
        name: what is started.
        words: behind that of Python.

    Raises:
        WorkerError: it fails.
    """
    before = getrusage(RUSAGE_CHILDREN)
    with interrupts_ignored():
        process = subprocess.Popen(  # noqa: S603 - of our own words
            [sys.executable, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={key: value for key, value in environment().items() if not key.startswith("GARRISON_")},
        )
    with process:
        said = b""
        for line in process.stderr or ():
            said = line
            if LISTENING in line:
                process.kill()
        if process.wait() != 0 and LISTENING not in said:
            raise WorkerError(f"{name!r} ended with status {process.returncode}: {said.decode().strip()}")
    after = getrusage(RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def _megabytes(paths: Iterator[Path]) -> float:
    return sum(path.stat().st_size for path in paths if path.is_file() and path.suffix != ".pyc") / 1e6


if __name__ == "__main__":
    print(*text(measured(quick=False)), sep="\n")
