"""The locustfile that ships, run as Locust's own users run it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from garrison_harness.running import Running

LOCUSTFILE = Path(__file__).parents[3] / "loadtests" / "locustfile.py"


def test_plain_locust_runs_both_users(serve: Callable[[str], AbstractContextManager[Running]]) -> None:
    """`locust -f` alone passes; links, cache and documented paths are used, and nothing else is touched."""
    with serve("site_app:app") as up:
        words = ["--headless", "--host", up.base_url, "-u", "40", "-r", "40", "-t", "3s", "--only-summary"]
        ended = subprocess.run(
            [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *words],
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        with urlopen(f"{up.base_url}/visits", timeout=5) as reply:  # noqa: S310 - loopback
            visits = {tuple(visit) for visit in json.load(reply)}
    output = ended.stdout + ended.stderr
    assert ended.returncode == 0, output
    assert "Traceback" not in output
    for name in ("GET / (page)", "GET linked page", "GET / (JSON)", "GET documented path", "GET missing"):
        assert name in output
    assert visits == {
        ("GET", "/", "200"),
        ("GET", "/one", "200"),
        ("GET", "/one", "304"),
        ("GET", "/two", "200"),
        ("GET", "/things", "200"),
        ("GET", "/openapi.json", "200"),
        ("GET", "/no-such-page-of-a-load-test", "404"),
    }


def test_a_failure_names_the_path_that_failed(
    serve: Callable[[str], AbstractContextManager[Running]],
) -> None:
    """The table of failures says where to look, with long paths cut."""
    with serve("failing_app:app") as up:
        words = ["--headless", "--host", up.base_url, "-u", "20", "-r", "20", "-t", "3s", "--only-summary"]
        ended = subprocess.run(
            [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *words, "ApiClient"],
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
    output = ended.stdout + ended.stderr
    assert ended.returncode == 1, output
    assert "says JSON, and is none, at /boom" in output
    assert f"HTTP 500 at /long/{'x' * 51}..." in output
