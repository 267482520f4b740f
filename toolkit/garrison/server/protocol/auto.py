"""The guarded protocol for the parser that is installed, as uvicorn chooses it."""

from __future__ import annotations

try:
    from garrison.server.protocol.over_httptools import GuardedHttpToolsProtocol as AutoProtocol
except ImportError:
    from garrison.server.protocol.over_h11 import GuardedH11Protocol as AutoProtocol  # type: ignore[assignment]

__all__ = ["AutoProtocol"]
