"""Reads from `garrison config` which layers there are and how they are set."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from garrison_harness.startup import refused_settings
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SECONDS: Final = 30.0
# The lines of the template that it prints: a layer that is on, one that is off, a default, a value.
_ON: Final = re.compile(r"# GARRISON_([A-Z_]+)=off switches this layer off\.")
_CHAPTER: Final = re.compile(r"# ([A-Z_ ]+): ")
_VALUE: Final = re.compile(r"(#?)(GARRISON_[A-Z_]+)=(.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """The settings of the toolkit as a start would find them.

    Attributes:
        layers: The sections that can be switched off, outermost first, as in `RATE_LIMIT`.
        off: Those of them that are off.
        values: Every setting by its variable, as it is written in the environment.
        given: The variables that somebody has set.
    """

    layers: tuple[str, ...]
    off: frozenset[str]
    values: Mapping[str, str]
    given: frozenset[str]


def effective(environment: Mapping[str, str], env_file: Path | None = None) -> Effective:
    """Ask the toolkit, in a process of its own.

    Args:
        environment: Variables on top of those of this process.
        env_file: Handed to the toolkit.

    Raises:
        UsageFault: The settings are wrong, or the toolkit is not there.
    """
    command = [sys.executable, "-m", "garrison", "config", "--format", "env"]
    command += ["--env-file", str(env_file)] if env_file is not None else []
    try:
        done = subprocess.run(  # noqa: S603 - the toolkit beside this harness
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            env={**os.environ, **environment},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageFault(f"garrison config did not answer: {error}") from error
    if done.returncode:
        lines = done.stderr.splitlines()
        cause = refused_settings(lines) or (lines[-1] if lines else f"it exited with {done.returncode}")
        raise UsageFault(f"garrison config refuses the settings: {cause}")
    return parse_template(done.stdout.splitlines())


def parse_template(lines: Sequence[str]) -> Effective:
    """Read what `garrison config --format env` prints.

    Args:
        lines: All of it.
    """
    layers: list[str] = []
    off: set[str] = set()
    values: dict[str, str] = {}
    given: set[str] = set()
    chapter = ""
    for line in lines:
        if match := _CHAPTER.match(line):
            chapter = match[1].replace(" ", "_")
        elif match := _ON.fullmatch(line):
            layers.append(match[1])
        elif match := _VALUE.fullmatch(line):
            comment, name, value = match.groups()
            if not comment and value == "off" and name == f"GARRISON_{chapter}":
                layers.append(chapter)
                off.add(chapter)
            else:
                values[name] = value
                given.update([] if comment else [name.removesuffix("_FILE")])
    return Effective(layers=tuple(layers), off=frozenset(off), values=values, given=frozenset(given))
