"""Serves for programs: what `garrison run` does, with an app or a name in hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from garrison.server import serving
from garrison.server.environment import load_serving_settings
from garrison.settings import Problem, SettingsError

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp
    from garrison.stack import Settings


def run(app: ASGIApp | str, settings: Settings | None) -> None:
    """See `garrison.server.run`."""
    chosen = load_serving_settings().value if settings is None else settings
    if isinstance(app, str):
        serving.serve(replace(chosen, server=replace(chosen.server, target=app)))
        return
    _check_alone(chosen)
    serving.serve(chosen, app)


async def serve(app: ASGIApp, settings: Settings | None) -> None:
    """See `garrison.server.serve`."""
    chosen = load_serving_settings().value if settings is None else settings
    _check_alone(chosen)
    await serving.serve_in_loop(chosen, app)


def _check_alone(settings: Settings) -> None:
    section = settings.server
    if section.workers > 1:
        expected = "one worker, or the app by its name, which each worker imports"
        raise SettingsError([Problem(name="Server.workers", expected=expected, found=str(section.workers))])
    if section.reload:
        expected = "no reload, or the app by its name, which is imported anew"
        raise SettingsError([Problem(name="Server.reload", expected=expected, found="True")])
