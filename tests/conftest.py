"""What the tests share: how much hypothesis tries, and readable assertions in shared modules."""

from __future__ import annotations

import gc
import os
import signal
import sys

import pytest
from hypothesis import HealthCheck, settings

# A shell's background job begins with SIGINT ignored, one under nohup with SIGHUP, and so would every
# process that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Hundreds of tests start a process. Where bytecode is not kept, as in many containers, each would compile
# all that it imports once more, and so would every worker these tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

pytest.register_assert_rewrite("tests.toolkit.contract", "tests.toolkit.driver")

# `make test` samples; PROOF=1 takes the long counts. The examples of a sample are always the same, so
# that a red build means a change and not bad luck.
settings.register_profile(
    "sample", max_examples=60, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
settings.register_profile(
    "proof", max_examples=2000, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("proof" if os.environ.get("PROOF") == "1" else "sample")


def pytest_collection_finish() -> None:
    """Look through what was imported and collected once, and not in every round of the garbage collector."""
    gc.collect()
    gc.freeze()
