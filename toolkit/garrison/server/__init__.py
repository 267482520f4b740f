"""The hardened server behind `garrison run`, for programs that start it themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from garrison.asgi import ASGIApp
    from garrison.stack import Settings

# What follows needs uvicorn, and the modules beside this one are used without it.

__all__ = ["run", "serve"]


def run(app: Callable[..., Awaitable[object]] | str, settings: Settings | None = None) -> None:
    """Serve an app with every layer on, and return when the process was told to stop, as `garrison run` does.

    Args:
        app: an ASGI app that nobody has hardened yet, or `module:attribute`, which several workers need,
            because each of them imports it.
        settings: what `garrison run` reads from the environment, unless given.

    Raises:
        SettingsError: the settings contradict themselves, are unsafe, or ask for several workers of an
            app without a name.
        PortTakenError: the address cannot be listened on.
        TargetError: there is no such app.
        NotStartedError: the app's own startup failed.
        ModuleNotFoundError: the extra `server` is not installed.
    """
    from garrison.server import programs  # noqa: PLC0415

    programs.run(cast("ASGIApp | str", app), settings)


async def serve(app: Callable[..., Awaitable[object]], settings: Settings | None = None) -> None:
    """Serve an app in the running event loop, and return when the process was told to stop.

    The process's log is left to the program.

    Args:
        app: an ASGI app that nobody has hardened yet.
        settings: what `garrison run` reads from the environment, unless given.

    Raises:
        SettingsError: the settings contradict themselves, are unsafe, or ask for more than one process.
        PortTakenError: the address cannot be listened on.
        NotStartedError: the app's own startup failed.
        ModuleNotFoundError: the extra `server` is not installed.
    """
    from garrison.server import programs  # noqa: PLC0415

    await programs.serve(cast("ASGIApp", app), settings)
