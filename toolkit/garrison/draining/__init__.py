"""What becomes of requests while a process ends: the part that a layer can do, under every server.

The layer that refuses work makes one `Drain` of the lifecycle, and calls the app through it::

    if self._drain.refuses:
        await reject(scope, receive, send, context, "overload", TOO_LATE, RETRY)
    else:
        await self._drain.run(self.app, scope, context, receive, send)

in place of `await self.app(scope, receive, send)`. What is refused or answered above it needs none of that.
"""

from garrison.draining.drain import Drain
from garrison.draining.work import RETRY, TOO_LATE

__all__ = ["RETRY", "TOO_LATE", "Drain"]
