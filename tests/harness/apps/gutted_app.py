"""The good app in a process where one layer of the toolkit passes everything on; GUTTED names its class."""

from __future__ import annotations

import importlib
import os
from typing import Any

app = importlib.import_module("good_app").app


async def pass_on(self: Any, scope: Any, receive: Any, send: Any) -> None:
    """Do nothing."""
    await self.app(scope, receive, send)


module, _, name = os.environ["GUTTED"].partition(":")
getattr(importlib.import_module(module), name).__call__ = pass_on
