"""What drills write is gone after them, whatever ended them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from garrison_harness.drills.scratch import scratch_directory

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

KILLED = """
import os, signal, tempfile, sys
from garrison_harness.drills.scratch import scratch_directory
tempfile.tempdir = sys.argv[1]
with scratch_directory() as directory:
    (directory / "stdout.log").write_text("x")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_drill_left_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory that nobody uses any more is gone; one that is in use, and those of others, stay."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    (left,) = tmp_path.glob("garrison-drill-*")
    (tmp_path / "garrison-drill-begun").mkdir()
    for directory in tmp_path.iterdir():
        os.utime(directory, (0, 0))
    with scratch_directory() as used:
        assert not left.exists()
        os.utime(used, (0, 0))
        with scratch_directory() as other:
            assert used.exists()
            assert other != used
    assert [path.name for path in tmp_path.iterdir()] == ["garrison-drill-begun"]
