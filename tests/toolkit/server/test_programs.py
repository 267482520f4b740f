"""What programs and other process managers get: the same server, started by them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import garrison.server
from garrison import Settings, SettingsError
from garrison.server_section import Server
from tests.ports import free_port
from tests.toolkit.server.apps import waits
from tests.toolkit.server.conftest import APPS, environment, wait_for
from tests.toolkit.server.wire import ask

if TYPE_CHECKING:
    from pathlib import Path


def section(**more: Any) -> Settings:
    """Settings for a server that nobody waits for."""
    return Settings(server=Server(port=free_port(), drain_delay=0.0, **more))


def test_an_app_in_a_running_loop() -> None:
    """A program serves beside what else it does, and goes on when the server was told to stop."""
    settings = section()

    async def program() -> int:
        serving = asyncio.create_task(garrison.server.serve(waits.app, settings))
        async with asyncio.timeout(10):
            while True:
                try:
                    reply = await asyncio.to_thread(ask, settings.server.port)
                    break
                except ConnectionRefusedError:
                    await asyncio.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)
        await serving
        return reply.status

    before = signal.getsignal(signal.SIGTERM)
    assert asyncio.run(program()) == 200
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("what", ["waits.app", "'waits:app'"])
def test_a_program_that_serves_only(tmp_path: Path, what: str) -> None:
    """`run` returns after SIGTERM, with an app in hand or by its name."""
    workers = 2 if ":" in what else 1
    port = free_port()
    program = tmp_path / "program.py"
    program.write_text(
        "import garrison.server, waits\n"
        "from garrison import Settings\n"
        "from garrison.server_section import Server\n"
        "if __name__ == '__main__':\n"
        f"    section = Server(port={port}, workers={workers}, drain_delay=0.0)\n"
        f"    garrison.server.run({what}, Settings(server=section))\n"
        "    print('done')\n"
    )
    with subprocess.Popen(
        [sys.executable, str(program)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=environment({"PYTHONPATH": str(APPS)}),
    ) as process:  # fmt: skip
        try:

            def answers() -> bool:
                try:
                    return ask(port).status == 200
                except OSError:
                    return False

            wait_for(answers)
            process.terminate()
            told, _ = process.communicate(timeout=15)
        finally:
            process.kill()
    assert told.splitlines()[-1] == "done"
    assert process.returncode == 0


@pytest.mark.parametrize(("field", "value"), [("workers", 2), ("reload", True)])
def test_an_app_without_a_name_is_served_by_one_process(field: str, value: object) -> None:
    """What another process would have to import has to have a name."""
    with pytest.raises(SettingsError, match=rf"Server\.{field}: expected .*the app by its name"):
        garrison.server.run(waits.app, section(**{field: value}))


def test_gunicorn_keeps_its_place(tmp_path: Path) -> None:
    """With gunicorn as the process manager the layers, the protocol and the drain are the same."""
    port = free_port()
    words = ("-k", "garrison.server.gunicorn_worker.GarrisonWorker", "-w", "2", "-b", f"127.0.0.1:{port}")
    log, out = tmp_path / "stderr", tmp_path / "stdout"
    with log.open("wb") as stderr, out.open("wb") as stdout:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--no-control-socket", *words, "shop:app"],
            cwd=APPS, stdout=stdout, stderr=stderr, env=environment({}),
        )  # fmt: skip
    try:
        wait_for(lambda: log.read_text().count("Application startup complete") == 2)
        reply = ask(port)
        assert (reply.json["started"], "x-request-id" in reply, "server" in reply) == (True, True, False)
        process.terminate()
        assert process.wait(15) == 0
    finally:
        process.kill()
    assert log.read_text().count('"event":"ending"') == 2
    assert "Traceback" not in log.read_text()
    assert out.read_text().count('"event":"http.request"') == 1
