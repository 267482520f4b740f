"""Where reports go, and what is said when they cannot."""

from __future__ import annotations

import io
import json
import os
import subprocess
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from garrison_harness.output import write_all
from tests.harness.commands import APPS, check, command

FULL = Path("/dev/full")
# As a person has it: what could not be written is still there when the process ends.
BUFFERED = {**os.environ, "PYTHONUNBUFFERED": ""}
QUICK = ("good_app:app", "--in-process", "--select", "H2")

full_disk = pytest.mark.skipif(not FULL.exists(), reason="/dev/full is Linux's")


@full_disk
def test_a_file_that_takes_no_report_is_one_line_and_keeps_no_other_from_being_written(
    tmp_path: Path,
) -> None:
    """Exit status 2, since 1 would say that something was found; the report that can be written is."""
    kept = tmp_path / "report.json"
    ran = check(*QUICK, "--format", "html", "--output", FULL, "--format", "json", "--output", kept)

    assert ran.status == 2
    assert ran.error_line == "garrison: cannot write /dev/full: No space left on device"
    assert json.loads(kept.read_text())["schema_version"] == 1


@full_disk
@pytest.mark.parametrize("words", [(*QUICK, "--format", "json"), QUICK, ("--list",)])
def test_stdout_that_takes_no_report_is_one_line(words: tuple[str, ...]) -> None:
    """Nothing is tried once more when the process ends."""
    with FULL.open("w") as full:
        done = subprocess.run(
            command(*words),
            cwd=APPS,
            env=BUFFERED,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=50,
            check=False,
        )

    last = done.stderr.splitlines()[-1]
    assert (done.returncode, last) == (2, "garrison: cannot write stdout: No space left on device")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_reader_who_goes_away_finds_nothing(form: str) -> None:
    """A pipe that is closed does not end in the exit status of findings."""
    with subprocess.Popen(
        command(*QUICK, "--format", form),
        cwd=APPS,
        env=BUFFERED,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()

    assert (process.wait(), said) == (2, "garrison: cannot write stdout: Broken pipe\n")


@pytest.mark.parametrize(("form", "mark"), [("markdown", "✅"), ("html", "<!DOCTYPE html>")])
def test_what_programs_read_is_in_utf_8_whatever_the_terminal_speaks(form: str, mark: str) -> None:
    """A locale of another encoding changes nothing of it."""
    done = subprocess.run(
        ["env", "PYTHONIOENCODING=ascii", *command(*QUICK, "--format", form, "--path", "/")],
        cwd=APPS,
        capture_output=True,
        timeout=50,
        check=False,
    )

    assert done.returncode == 0
    assert mark in done.stdout.decode("utf-8")


def test_text_has_a_question_mark_for_what_the_terminal_cannot_show(tmp_path: Path) -> None:
    """A report with other letters ends as it would elsewhere."""
    (tmp_path / "größe.py").write_text("from good_app import app\n", encoding="utf-8")
    words = ("größe:app", *QUICK[1:])
    ran = check(*words, cwd=tmp_path, PYTHONIOENCODING="ascii", PYTHONPATH=str(APPS))

    assert (ran.status, ran.stdout.splitlines()[0]) == (0, "garrison check gr??e:app")


def test_no_encoding_is_asked_of_a_stream_that_has_none() -> None:
    """Who takes stdout as a mere stream of text gets the report."""
    page = io.StringIO()
    with redirect_stdout(page):
        write_all([("json", None)], lambda form, stream: stream.write(form))

    assert page.getvalue() == "json"
