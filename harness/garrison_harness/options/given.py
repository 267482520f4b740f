"""What the options of `garrison check` hold once they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.options import target

if TYPE_CHECKING:
    from pathlib import Path

    from garrison_harness.finding import Severity
    from garrison_harness.site import Quota


class Given(target.Given):
    """The value of each option, by the name of its parameter."""

    # What requests say, and where they go.
    headers: list[tuple[str, str]]
    host: str | None
    path: str | None
    body_path: str | None
    openapi: str | None
    error_path: str | None
    slow_path: str | None
    one_address: bool
    as_https: bool
    # The limits that the app declares.
    time_limit: float | None
    slow_limit: float | None
    concurrency: int | None
    quota: Quota | None
    max_body: int
    # The checks, and what fails.
    select: list[str]
    ignore: list[str]
    severities: dict[str, Severity]
    fail_on: str
    timeout: float
    baseline: str | None
    catalogue: bool
    # The reports.
    formats: tuple[str, ...]
    outputs: tuple[str, ...]
    log_directory: Path | None
    reference: str | None
