"""Sizes as people write them on the command line."""

from __future__ import annotations

import click
import pytest

from garrison_harness.cli import check as check_command
from garrison_harness.options.reading import size

PARAMETER = next(one for one in check_command.params if one.name == "max_body")


@pytest.mark.parametrize(
    ("text", "number"),
    [("4096", 4096), ("64KB", 64_000), ("64KiB", 65_536), ("1 mib", 1_048_576), ("10M", 10_000_000)],
)
def test_a_size_has_the_units_that_settings_have(text: str, number: int) -> None:
    """What stands in a setting can be declared to the audit as it stands there."""
    assert size(click.Context(check_command), PARAMETER, text) == number


@pytest.mark.parametrize("text", ["64iB", "64KK", "KiB", "64 KiBs", "-1KB", "0KiB", "1GiB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """So is what an audit would not send."""
    with pytest.raises(click.BadParameter):
        size(click.Context(check_command), PARAMETER, text)
