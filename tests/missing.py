"""What a test does where something is not installed."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def do_without(what: str) -> NoReturn:
    """Skip a test for want of something; in CI, where nothing may be missing, fail it.

    Args:
        what: is missing, and how it is installed.
    """
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(what)
    pytest.skip(what)
