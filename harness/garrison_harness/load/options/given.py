"""What the options of `garrison load` hold once they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.options import target

if TYPE_CHECKING:
    from pathlib import Path

    from garrison_harness.load.mix import Share
    from garrison_harness.load.thresholds import Threshold
    from garrison_harness.site import Quota


class Given(target.Given):
    """The value of each option, by the name of its parameter."""

    # How much load, and for how long.
    users: int | None
    spawn_rate: float | None
    rate: float | None
    max_users: int | None
    duration: float | None
    profile: str | None
    # Who makes it.
    workers: int | None
    master: bool
    expect_workers: int | None
    bind: tuple[str, int] | None
    worker: bool
    master_host: str | None
    master_port: int | None
    max_wait: float | None
    # What is asked for.
    paths: tuple[str, ...]
    openapi: str | None
    methods: tuple[str, ...]
    requests: Path | None
    mix: tuple[Share, ...]
    headers: list[tuple[str, str]]
    locustfile: Path | None
    expected: tuple[int, ...]
    one_address: bool
    # What is judged.
    thresholds: tuple[Threshold, ...]
    compare: str | None
    rounds: int | None
    unwatched: bool
    quotas: tuple[Quota, ...]
    uncalibrated: bool
    # The reports.
    formats: tuple[str, ...]
    outputs: tuple[str, ...]
    progress: bool
    log_directory: Path | None
