"""What the options ask for, and those that contradict each other."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from garrison_harness.load.command import load


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--threshold", "late<1%"], ["late<1%", "only a run with --rate has"]),
        (["--threshold", "dropped==0"], ["dropped is about arrivals"]),
        (["--threshold", "diff(p95)<1ms"], ["a difference takes two", "--compare"]),
        (["--threshold", "lag_p99<1s", "--no-watch"], ["lag_p99 is measured while", "--no-watch does not"]),
        (
            ["--threshold", "memory<1GB", "--harden", "--compare", "bare"],
            ["memory is measured while", "--compare bare does not"],
        ),
        (["--threshold", "p95{nam:x}<1s"], ["--threshold", "expected {name:...}"]),
        (["--threshold", "p95<1s abort soon"], ["--threshold", "behind abort"]),
        (["--server", "gunicorn"], ["--server", "'gunicorn' is not one of"]),
        (["--server", "granian", "--harden"], ["--harden starts garrison run", "granian"]),
        (["--env", "A"], ["--env", "NAME=value"]),
    ],
)
def test_contradiction_is_one_line(words: list[str], expected: list[str]) -> None:
    """What a run cannot measure is refused before anything starts, with exit status 2."""
    ended = CliRunner().invoke(load, ["shop:app", *words])
    assert (ended.exit_code, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    for text in expected:
        assert text in ended.stderr
