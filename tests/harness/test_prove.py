"""`garrison prove`, as a person runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from functools import cache
from typing import TYPE_CHECKING

import jsonschema
import pytest

from garrison_harness.proving import report
from garrison_harness.proving.settings import effective
from tests.harness.commands import APPS, Ran, processes_told, processes_with, wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


# Nobody is told to be quick: only what hangs is ended.
pytestmark = pytest.mark.timeout(180)


def prove(*words: str | Path, variables: Mapping[str, str] | None = None) -> Ran:
    """Run `garrison prove`, without a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "garrison_harness", "prove", *map(str, words)],
        cwd=APPS,
        env={**os.environ, **(variables or {})},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    return Ran(status=done.returncode, stdout=done.stdout, stderr=done.stderr)


@cache
def layers() -> tuple[str, ...]:
    """Those of the toolkit."""
    return effective({}).layers


def all_off_but(*kept: str) -> dict[str, str]:
    """Variables that switch off every other layer that there is."""
    return {f"GARRISON_{layer}": "off" for layer in layers() if layer not in kept}


def test_exactly_the_checks_of_a_layer_turn_red(tmp_path: Path) -> None:
    """Hosts, errors, cookies and exposure are each missed by their own, and nothing is left running."""
    output = tmp_path / "proof.json"
    mark = uuid.uuid4().hex
    ran = prove(
        *("good_app:app", "--select", "I2,E2,C2,X1,M3", "--format", "json", "--output", output),
        variables={
            **all_off_but("HOSTS", "ERRORS", "COOKIES", "EXPOSURE"),
            "GARRISON_HOSTS_ALLOWED": "shop.example",
            "GARRISON_EXPOSURE_CLOSED": "/admin/*",
            "PROOF_MARK": mark,
        },
    )

    proof = json.loads(output.read_text())
    jsonschema.Draft202012Validator(report.schema()).validate(proof)
    rows = {row["layer"]: row for row in proof["layers"]}
    missed = {layer: row["missed"] for layer, row in rows.items() if row["missed"]}
    assert missed == {"HOSTS": ["I2"], "ERRORS": ["E2"], "COOKIES": ["C2"], "EXPOSURE": ["X1"]}
    assert {rows[layer]["status"] for layer in missed} == {"proven"}
    assert {row["status"] for layer, row in rows.items() if layer not in missed} == {"idle"}
    assert (ran.status, ran.stdout, ran.stderr) == (0, "", "")
    assert not processes_told(mark)


def test_only_the_layers_of_the_checks_that_were_chosen_are_to_be_proven() -> None:
    """The others are idle and say why, as do those that are not set; none of them fails."""
    kept = all_off_but("REQUEST_ID", "COOKIES", "EXPOSURE")
    ran = prove("good_app:app", "--select", "C2", variables=kept)

    lines = ran.stdout.splitlines()
    assert "errors            idle    GARRISON_ERRORS is off" in lines
    assert "exposure          idle    nothing to prove until GARRISON_EXPOSURE_CLOSED is set" in lines
    assert "cookies           proven  C2" in lines
    assert "request_id        idle    --select and --ignore leave no check that names it" in lines
    assert lines[-1].startswith("proven: 1 proven, ")
    assert max(map(len, lines)) <= 80
    assert not any(line.endswith(" ") for line in lines)
    assert ran.status == 0


def test_a_layer_that_was_made_to_do_nothing_fails() -> None:
    """It is on, and whatever it should do is not done: that is what a proof is for."""
    ran = prove(
        *("gutted_app:app", "--select", "I2,C2"),
        variables={
            **all_off_but("HOSTS", "COOKIES"),
            "GARRISON_HOSTS_ALLOWED": "shop.example",
            "GUTTED": "garrison.middleware.hosts:HostsMiddleware",
        },
    )

    assert "hosts             not missed  no check turned red" in ran.stdout
    assert "red with it already: I2" in ran.stdout
    assert "cookies           proven      C2" in ran.stdout
    assert ran.status == 1


def test_a_wsgi_app_is_taken_apart_alike() -> None:
    """Most people who want to know whether their layers work have an app of Flask or Django."""
    ran = prove("wsgi_app:app", "--select", "C2", variables=all_off_but("COOKIES"))

    assert "cookies           proven  C2" in ran.stdout
    assert ran.status == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_the_proof_stops_every_target(number: signal.Signals) -> None:
    """What was found out is printed, the rest is said not to be reached, and nothing is left running."""
    variables = all_off_but("COOKIES", "HOSTS")
    variables["GARRISON_HOSTS_ALLOWED"] = "shop.example"
    # Other proofs may be under way on this machine.
    mark = variables["PROOF_MARK"] = uuid.uuid4().hex
    words = [sys.executable, "-m", "garrison_harness", "prove", "good_app:app", "--select", "C2,I2,L4"]
    with subprocess.Popen(
        words, cwd=APPS, env={**os.environ, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        try:
            # The second target is there once the first has been asked and ended.
            assert wait_until(
                lambda: len({*processes_with("proving.shim")} & {*processes_told(mark)}) > 1, 30
            )
            process.send_signal(number)
            output, errors = process.communicate(timeout=15)
        finally:
            process.kill()

    assert "not reached" in output
    assert "interrupted" in output
    assert (process.returncode, errors) == (4, "")
    assert wait_until(lambda: not processes_told(mark))


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["http://127.0.0.1:9"], 2, "is no module:attribute"),
        (["nowhere:app"], 3, "garrison: nowhere:app could not be loaded: ModuleNotFoundError"),
        (["good_app:app", "--timeout", "nan"], 2, "nan is no number of seconds"),
        (["good_app:app", "--select", "Q9"], 2, "is no check"),
        (["good_app:app", "--select", "M3"], 2, "leave no check that names a layer"),
        (["good_app:app", "--select", "W1"], 2, "leave no check that names a layer"),
        (["good_app:app", "--env", "GARRISON_HOSTS_ALLOWED=https://a.example"], 2, "HOSTS_ALLOWED"),
    ],
)
def test_what_cannot_be_proven_is_one_line(words: list[str], status: int, said: str) -> None:
    """With the exit status that says whose turn it is."""
    ran = prove(*words)

    assert ran.status == status
    assert said in ran.error_line
