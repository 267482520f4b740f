"""An app that can be imported, and lacks what it needs to start."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Ask a database that is not there."""
    if "DATABASE" not in os.environ:
        raise RuntimeError("the database is away")
    yield


app = Starlette(lifespan=lifespan)
