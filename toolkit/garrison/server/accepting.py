"""How a server accepts connections, which uvicorn leaves to the defaults of its event loop."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from garrison.server.listening import bound_unsent, listen

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Iterator

# What event loops have where nobody says (asyncio, loop.create_server).
BACKLOG: Final = 100


@contextmanager
def accepting(loop: AbstractEventLoop, handshake: float) -> Iterator[None]:
    """Have sockets that are listened on meanwhile hold little, and TLS handshakes end in time.

    No protocol knows of a connection before its handshake is done, for which event loops give a minute.

    Args:
        loop: that listens.
        handshake: seconds for a TLS handshake.

    Yields:
        Nothing.
    """
    create = loop.create_server

    async def create_server(*args: Any, **options: Any) -> Any:
        bound = options.get("sock")
        if bound is not None:
            bound_unsent(bound)
            listen(bound, options.get("backlog", BACKLOG))
        if options.get("ssl") is not None:
            options.setdefault("ssl_handshake_timeout", handshake)
        return await create(*args, **options)

    own: Any = loop
    own.create_server = create_server
    try:
        yield
    finally:
        del own.create_server
