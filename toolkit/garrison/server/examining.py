"""What keeps `garrison run` from starting beside the settings themselves: the app, and the TLS files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from garrison.preflight import Advice
from garrison.server.loading import TargetError, is_wsgi, load_app
from garrison.server.tls import Certificate
from garrison.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.server_section import Server
    from garrison.stack import Settings


def examine_target_and_files(settings: Settings) -> Iterator[Advice]:
    """Load the app and the certificate that settings name, as `garrison run` will.

    It runs the app's code, so that it is for who asks for advice.

    Args:
        settings: as they will be used. Without a target, which the command line has then, no app is loaded.
    """
    section = settings.server
    try:
        Certificate(section).context()
    except SettingsError as error:
        for problem in error.problems:
            text = str(problem).removeprefix(f"{problem.name}: ")
            yield Advice(level="error", variable=problem.name, text=text)
    if section.target:
        try:
            _load(section)
        except TargetError as error:
            text = f"`garrison run` does not start with it: {error}"
            # A command to copy ends as it is.
            text += "" if text.endswith((".", "?", "]'")) else "."
            yield Advice(level="error", variable="GARRISON_SERVER_TARGET", text=text)


def _load(section: Server) -> None:
    app = load_app(section.target, factory=section.factory)
    if is_wsgi(app):
        from garrison.server.wsgi import FromWSGI  # noqa: PLC0415 - needs uvicorn, and most apps do without

        FromWSGI(cast("Any", app), section.wsgi_threads)
