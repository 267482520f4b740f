"""Where the forms of a result go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from garrison_harness.load.report.destinations import destinations
from garrison_harness.output import write_all
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from pathlib import Path


def test_csv_is_four_files_that_begin_alike(tmp_path: Path) -> None:
    """As Locust names them; the other forms keep their places."""
    prefix = tmp_path / "run"
    places = destinations(("csv", "json"), (str(prefix), "-"))
    assert places == [
        ("csv_stats.csv", tmp_path / "run_stats.csv"),
        ("csv_stats_history.csv", tmp_path / "run_stats_history.csv"),
        ("csv_failures.csv", tmp_path / "run_failures.csv"),
        ("csv_exceptions.csv", tmp_path / "run_exceptions.csv"),
        ("json", None),
    ]


def test_csv_needs_a_name_to_begin_with() -> None:
    """Four files do not fit on stdout."""
    with pytest.raises(
        UsageFault, match=r"^--format csv makes 4 files: give its --output .*, such as run for"
    ):
        destinations(("csv",), ())


def test_a_file_of_csv_that_cannot_be_written_is_found_before_the_run(tmp_path: Path) -> None:
    """Nobody loads an app for an hour to learn that."""
    (tmp_path / "run_failures.csv").mkdir()
    with pytest.raises(UsageFault, match=r"^--output .*/run_failures\.csv is a directory$"):
        destinations(("csv",), (str(tmp_path / "run"),))


def test_a_directory_that_is_not_there_is_named() -> None:
    """With what to do about it."""
    with pytest.raises(UsageFault, match=r"has no directory to be in: create /nowhere/at first$"):
        destinations(("html",), ("/nowhere/at/all.html",))


def test_files_are_put_in_place_in_one_step(tmp_path: Path) -> None:
    """Who reads the old report meanwhile reads all of it, and nothing stays behind."""
    path = tmp_path / "report.json"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o640)
    with path.open(encoding="utf-8") as reader:
        write_all([("json", path)], lambda _form, stream: stream.write("new"))
        assert reader.read() == "old"

    assert path.read_text(encoding="utf-8") == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_told_leaves_the_old_report(tmp_path: Path) -> None:
    """A fault half way through makes no half of a file."""

    def broken(_form: str, stream: object) -> None:
        raise ValueError(stream)

    path = tmp_path / "report.json"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(ValueError, match="StringIO"):
        write_all([("json", path)], broken)

    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_followed(tmp_path: Path) -> None:
    """What somebody linked to gets the report, and the link stays."""
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old", encoding="utf-8")
    link.symlink_to(real)
    write_all([("json", link)], lambda _form, stream: stream.write("new"))

    assert (link.is_symlink(), real.read_text(encoding="utf-8")) == (True, "new")
