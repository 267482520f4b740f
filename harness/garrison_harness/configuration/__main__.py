"""Prints the reference of `[tool.garrison]`."""

from __future__ import annotations

import sys

from garrison_harness.configuration.reference import document

sys.stdout.write(document())
