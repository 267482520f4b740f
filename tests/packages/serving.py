"""An app under `garrison run`, from an environment that has the wheel."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from http.client import HTTPConnection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from http.client import HTTPMessage
    from pathlib import Path

    from tests.packages.environments import Environment

# Against hanging only.
SECONDS = 60.0


def served(environment: Environment, folder: Path, log: Path) -> tuple[int, HTTPMessage]:
    """What `shop:app` answers under `garrison run`, which is told to stop then, and does.

    Args:
        environment: has the command.
        folder: has the app.
        log: is written.
    """
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [str(environment.folder / "bin" / "garrison"), "run", "shop:app", "--port", "0"],
            cwd=folder, env=environment.variables(), stdout=subprocess.DEVNULL, stderr=stream,
        )  # fmt: skip
    try:
        until = time.monotonic() + SECONDS
        while (told := re.search(r"listening on http://127\.0\.0\.1:(\d+) ", log.read_text("utf-8"))) is None:
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < until, log.read_text("utf-8")
            time.sleep(0.05)
        connection = HTTPConnection("127.0.0.1", int(told[1]), timeout=SECONDS)
        connection.request("GET", "/")
        reply = connection.getresponse()
        connection.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0, log.read_text("utf-8")
        return reply.status, reply.headers
    finally:
        process.kill()
        process.wait()
