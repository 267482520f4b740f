"""What the page about probes and restarts says: its numbers add up, and are those of the settings."""

from __future__ import annotations

import re
from typing import Any

import yaml

from garrison import Health, Server
from garrison.draining.chained_signal import LINGER
from garrison.draining.drain import LAST_CALL
from garrison.draining.drain_file import PERIOD
from garrison.draining.work import PATIENCE
from garrison.settings import load
from garrison.stack import Settings
from tests.integration.documents import DOCS, blocks, variables

PAGE = DOCS / "how-to" / "probes.md"

# What the page leaves to the app's own shutdown.
SHUTDOWN = 5


def pods() -> list[dict[str, Any]]:
    """The manifests of the page."""
    return [yaml.safe_load(block.text)["spec"] for block in blocks(PAGE, "yaml")]


def test_the_grace_period_of_a_pod_is_the_grace_and_a_shutdown() -> None:
    """In every manifest, with the defaults."""
    for pod in pods():
        assert pod["terminationGracePeriodSeconds"] == Server().grace + SHUTDOWN


def test_the_probes_are_those_of_the_settings() -> None:
    """Their paths, and times that fit each other."""
    (container,) = pods()[0]["containers"]
    section, server = Health(), Server()
    assert container["startupProbe"]["httpGet"]["path"] == section.startup
    assert container["readinessProbe"]["httpGet"]["path"] == section.readiness
    assert container["livenessProbe"]["httpGet"]["path"] == section.liveness
    ready = container["readinessProbe"]
    assert section.timeout < ready["timeoutSeconds"]
    assert ready["periodSeconds"] * ready["failureThreshold"] <= server.drain_delay


def test_the_table_of_the_drain_is_right() -> None:
    """Second by second."""
    seconds = re.findall(r"^\| (\d+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    server = Server()
    assert [int(second) for second in seconds] == [
        0,
        server.drain_delay,
        server.drain_delay + 1,
        server.grace - LAST_CALL,
        server.grace,
        server.grace + SHUTDOWN,
    ]
    assert PATIENCE < 1


def test_the_recipes_for_other_servers_add_up() -> None:
    """What the hook waits for and what the server is given make the grace."""
    text = PAGE.read_text(encoding="utf-8")
    server = Server()
    (container,) = pods()[1]["containers"]
    waits = int(re.findall(r"sleep (\d+)", container["lifecycle"]["preStop"]["exec"]["command"][-1])[0])
    assert waits >= PERIOD + server.drain_delay + 1
    command = container["command"]
    given = int(command[command.index("--graceful-timeout") + 1])
    assert waits + given == server.grace
    assert re.findall(r"--workers-kill-timeout (\d+)", text) == [str(given)]
    told = server.drain_delay + LINGER
    assert [int(found) + told for found in re.findall(r"--timeout-graceful-shutdown (\d+)", text)] == [
        server.grace
    ]
    file = re.findall(r"touch (\S+);", container["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert f"GARRISON_HEALTH_DRAIN_FILE={file[0]}" in text


def test_a_longer_delay_comes_with_a_longer_grace(tmp_path: Any) -> None:
    """That of a balancer with slow checks of its own."""
    (block,) = [one for one in blocks(PAGE, "env") if "DRAIN_DELAY" in one.text]
    server = load(Settings, environ=variables(block, tmp_path)).value.server
    assert server.drain_delay > 2 * 10
    (period,) = re.findall(r"`terminationGracePeriodSeconds: (\d+)`", PAGE.read_text(encoding="utf-8"))
    assert int(period) >= server.grace + SHUTDOWN
