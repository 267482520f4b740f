"""A Litestar app that says nothing of logging, for which Litestar sets up its own."""

from __future__ import annotations

import logging
import os

from litestar import Litestar, get
from litestar.logging import LoggingConfig

log = logging.getLogger("stars")


@get("/sells", sync_to_thread=False)
def sells() -> str:
    """A line, which Litestar would write as text."""
    log.info("sold at postgresql://shop:hunter2@db/shop")
    return "sold"


@get("/raises", sync_to_thread=False)
def raises() -> str:
    """What Litestar logs where it is told to."""
    raise RuntimeError("no database at postgresql://shop:hunter2@db/shop")


OWN = LoggingConfig(formatters={"standard": {"format": "own %(levelname)s %(name)s %(message)s"}})

app = Litestar(
    [sells, raises], logging_config=OWN if "STARS" in os.environ else LoggingConfig(log_exceptions="always")
)
