"""What ships for plain Locust, run as Locust's own users run it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from garrison_harness.load.profiles import PROFILES
from garrison_harness.load.units import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from garrison_harness.running import Running

ROOT = Path(__file__).parents[3]
LOADTESTS = ROOT / "loadtests"


# How long users take to come by everything is the machine's affair.
UNTIL = """
from locust import events

wanted = {wanted}

@events.init.add_listener
def listen(environment, **_event):
    @environment.events.request.add_listener
    def hear(name, exception, **_event):
        wanted.difference_update([name, str(exception)])
        if not wanted:
            environment.runner.quit()
"""


@pytest.fixture
def locust(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs plain Locust until it has seen these names and errors; the result is its status and output."""

    def run(url: str, profile: str, files: str, users: int, *wanted: str) -> tuple[int, str]:
        until = tmp_path / "until.py"
        until.write_text(UNTIL.format(wanted=set(wanted)), encoding="utf-8")
        words = ["--config", f"loadtests/profiles/{profile}.conf", "-f", f"{files},{until}", "-u", str(users)]
        ended = subprocess.run(
            [sys.executable, "-m", "locust", *words, "--host", url, "-t", "20s"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=50,
        )
        return ended.returncode, ended.stdout + ended.stderr

    return run


def test_plain_locust_runs_the_profiles_and_scenarios(
    serve: Callable[[str], AbstractContextManager[Running]], locust: Callable[..., tuple[int, str]]
) -> None:
    """`locust --config` passes, with a user of every file, as many as the course says."""
    files = ",".join(f"loadtests/{name}" for name in ("locustfile.py", "shape.py", "scenarios"))
    names = ["start page", "asset", "OpenAPI document", "/items/{item_id}"]
    names += ["no Host", "/ws (handshake)"]
    with serve("shop_app:app") as up:
        status, output = locust(up.base_url, "smoke", files, 24, *names)
    assert status == 0, output
    assert "Traceback" not in output
    assert "Shape test updating to 24 users" in output
    for name in names:
        assert name in output


def test_plain_locust_fails_where_a_reply_is_an_error(
    serve: Callable[[str], AbstractContextManager[Running]], locust: Callable[..., tuple[int, str]]
) -> None:
    """The exit status is 1, and the table of failures says what was wrong and where."""
    files, error = "loadtests/locustfile.py,loadtests/shape.py", "304 to a request that did not ask for it"
    with serve("faulty_app:app") as up:
        status, output = locust(up.base_url, "spike", files, 4, f"{error}, at /unasked.css")
    assert status == 1, output
    assert f"{error}, at /unasked.css" in output
    assert "Shape test updating to 1 users" in output, (
        "a tenth of four is none, and there is one all the same"
    )


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_has_a_config_for_plain_locust(name: str) -> None:
    """It asks for as many users, for as long, as `garrison load --profile` does."""
    text = (LOADTESTS / "profiles" / f"{name}.conf").read_text(encoding="utf-8")
    options = dict(re.findall(r"^([a-z-]+) = (.+)$", text, re.MULTILINE))
    assert int(options["users"]) == PROFILES[name].users
    assert parse_duration(options["run-time"]) == PROFILES[name].duration
    assert options.get("course", name) == name
    assert all((ROOT / file).is_file() for file in options["locustfile"].split(","))
