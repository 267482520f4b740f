"""An app as the proof starts it: inside the toolkit, with planted routes around it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from garrison_harness.proving import shim
from garrison_harness.target import Target

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Shimmed(Target):
    """An import string that is served inside the toolkit, with planted routes around it.

    Attributes:
        env_file: Handed to the toolkit.
    """

    env_file: Path | None = None

    def command(self, port: int) -> list[str]:
        """The command that serves the shim on a port of 127.0.0.1."""
        # Not super(): a dataclass with slots is made anew, and the implicit cell names the old class.
        words = [sys.executable, "-m", "garrison", "run", f"{shim.__name__}:{shim.make.__name__}"]
        words += ["--factory", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        return words + (["--env-file", str(self.env_file)] if self.env_file is not None else [])

    def with_variables(self, variables: Mapping[str, str]) -> Shimmed:
        """The same target with more variables, which win.

        Args:
            variables: By name.
        """
        inside = {shim.TARGET: self.words[0], shim.FACTORY: "1" if self.factory else ""}
        merged = {**dict(self.environment), **variables, **inside}
        return replace(self, environment=tuple(merged.items()))
