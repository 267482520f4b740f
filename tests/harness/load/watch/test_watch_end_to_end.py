"""`garrison load` watches real servers: what holds under load is kept, what does not is broken and told."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from garrison_harness.load.command import load
from tests.harness.load.command_line import APPS

if TYPE_CHECKING:
    from tests.harness.load.command_line import Command

PROMISES = ["headers", "ids", "problems", "saturation", "quota", "secrets", "log lines"]


def served(app: str) -> list[str]:
    """The command that serves an app and logs nothing itself."""
    uvicorn = [sys.executable, "-m", "uvicorn", "--app-dir", str(APPS), "--log-level", "warning"]
    return ["--", *uvicorn, f"watched_app:{app}", "--port", "{port}"]


def watched(command: Command, app: str, *words: str) -> tuple[int, dict[str, Any]]:
    """Exit status and result of a load of 8 users who share an address, so that they share a quota."""
    ended = command.run_here(
        "--users", "8", "--duration", "1s", "--one-address", "--quota", "30/minute", "--format", "json",
        "--expect", "503", *words, *served(app), watch=True,
    )  # fmt: skip
    assert ended.left == []
    return ended.status, json.loads(ended.stdout)


def test_app_that_holds_under_load_keeps_its_promises(command: Command) -> None:
    """Nothing is broken, and memory and loop lag are measured for thresholds."""
    status, found = watched(command, "firm", "--threshold", "lag_p99<1m", "--threshold", "memory<100GB")
    verdicts = {one["id"]: one["verdict"] for one in found["promises"]}
    assert verdicts == dict.fromkeys(PROMISES, "kept") | {"saturation": "not judged"}, found["promises"]
    assert (status, found["verdict"]) == (0, "passed")
    assert all(one["passed"] and one["actual"] > 0 for one in found["thresholds"])
    # What the watch asks is no part of what is counted, and uses up nobody's quota; who waited for the app
    # to start asked from the same address.
    assert 25 <= found["statuses"]["200"] <= 30
    assert found["plan"]["paths"] == ["/"]


def test_app_that_forgets_itself_under_load_breaks_them(command: Command) -> None:
    """Each promise that is broken is told with examples, and fails a run whose thresholds are kept."""
    status, found = watched(command, "loose", "--threshold", "requests>1")
    promises = {one["id"]: one for one in found["promises"]}
    assert [one["id"] for one in found["promises"]] == PROMISES
    assert {one["verdict"] for one in found["promises"]} == {"broken"}, found["promises"]
    assert (status, found["verdict"]) == (1, "failed")
    assert "lacks x-frame-options" in promises["headers"]["examples"][0]
    assert "x-request-id the same" in promises["ids"]["examples"][0]
    assert "text/plain, no problem document" in promises["problems"]["examples"][0]
    assert "no Retry-After" in promises["saturation"]["examples"][0]
    assert "pass a quota of 30" in promises["quota"]["examples"][0]
    assert "(the secret)" in promises["secrets"]["examples"][0]


def test_target_of_somebody_else_is_asked_for_no_more_than_was_agreed(command: Command, url: str) -> None:
    """The paths of the run are asked twice before, from addresses that no user has."""
    ended = command.run_here(
        url, "--path", "/watched", "--duration", "300ms", "--users", "1", "--format", "json", watch=True
    )
    assert (ended.status, ended.left) == (0, [])
    found = json.loads(ended.stdout)
    # The tiny app sends none of the headers, and its log is somewhere else.
    verdicts = {one["id"]: one["verdict"] for one in found["promises"]}
    assert verdicts == dict.fromkeys(PROMISES, "not judged")
    with urlopen(f"{url}/calls/watched", timeout=5) as reply:  # noqa: S310 - loopback
        callers = [address for address, _ in json.load(reply)]
    assert callers.count("127.0.1.1") == found["requests"]
    others = [address for address in callers if address != "127.0.1.1"]
    assert len(others) == len(set(others)) == 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--quota", "lots"], ["--quota", "'lots' is no quota", "5/minute"]),
        (
            ["--quota", "5/minute", "--no-watch"],
            ["--quota is held while the target is watched", "--no-watch"],
        ),
        (["--quota", "5/minute", "--harden", "--compare", "bare"], ["--compare bare does not"]),
    ],
)
def test_quota_that_cannot_be_held_is_a_usage_error(words: list[str], expected: list[str]) -> None:
    """Exit status 2 and one line, before anything is started."""
    ended = CliRunner().invoke(load, ["app:app", *words])
    assert (ended.exit_code, ended.stderr.count("\n")) == (2, 1), ended.stderr
    for text in expected:
        assert text in ended.stderr
