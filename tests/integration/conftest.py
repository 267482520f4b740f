"""The shop of the examples, once for all tests of a worker that do nothing to it but ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.shop import Site, bare, hardened

if TYPE_CHECKING:
    from collections.abc import Iterator

# On a busy machine nothing is to be ended for being slow.
PATIENT = {
    "GARRISON_TIMEOUTS_HANDLER": "2m",
    "GARRISON_TIMEOUTS_BODY_GRACE": "2m",
    "GARRISON_HEALTH_REMEMBERED": "100ms",
}


@pytest.fixture(scope="session")
def open_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The shop as it comes."""
    with bare(tmp_path_factory.mktemp("bare")) as up:
        yield up


@pytest.fixture(scope="session")
def closed_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The shop with all of its settings."""
    with hardened(tmp_path_factory.mktemp("hardened"), **PATIENT) as up:
        yield up
