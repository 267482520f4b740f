"""How each command of the harness is asked what it does."""

from __future__ import annotations

from importlib import import_module

import pytest
from click.testing import CliRunner

from garrison_harness.__main__ import COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_asked_alike(name: str) -> None:
    """Whoever hands a command on by itself, as `garrison` does, hands on both spellings."""
    command = getattr(import_module(COMMANDS[name].module), name)
    shown = CliRunner().invoke(command, ["-h"])
    assert (shown.exit_code, "-h, --help" in shown.output) == (0, True)
