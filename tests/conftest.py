"""What the tests share: how much hypothesis tries, and readable assertions in shared modules."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

# A shell's background job begins with SIGINT ignored, one under nohup with SIGHUP, and so would every
# process that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

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
