"""The documentation as a site, built once for all workers of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docs.site.__main__ import build
from tests.once import once

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def built_once(factory: pytest.TempPathFactory) -> Path:
    """The folder that the site is in.

    Args:
        factory: of the worker.
    """
    return once(factory, "docs-site", _build)


def _build(folder: Path) -> None:
    assert build(folder) == [], "nothing is wrong with the pages"
