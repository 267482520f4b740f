"""The command `garrison run`: serve an app with every layer on."""

from __future__ import annotations

from pathlib import Path

import click

from garrison.ending import fail
from garrison.env_file import take_env_file, told
from garrison.extras import needs
from garrison.settings import SettingsError


@click.command(short_help="Serve an app with every layer on.")
@click.argument("target", required=False)
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="PORT", help="Port; 0 takes a free one.  [default: 8000]"
)
@click.option("--unix-socket", metavar="PATH", help="Unix socket to listen on in place of host and port.")
@click.option("--tls-certificate", metavar="PATH", help="PEM file; clients are served over https.")
@click.option("--tls-key", metavar="PATH", help="PEM file with the certificate's key.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes that serve.  [default: 1]")
@click.option("--factory", is_flag=True, default=None, help="TARGET names a function that makes the app.")
@click.option("--reload", is_flag=True, default=None, help="Start anew when a Python file changes.")
@click.option(
    "--env-file", type=click.Path(path_type=Path), help="File of NAME=value lines; the environment wins."
)
def run(env_file: Path | None, **flags: object) -> None:
    """Serve TARGET, an app as module:attribute, with every layer on.

    TARGET may be an ASGI app or a WSGI app.

    \b
    Examples:
      garrison run shop.main:app --port 8000
      garrison run shop.main:make_app --factory --workers 4 --env-file shop.env
      garrison run shop.main:app --unix-socket /run/shop.sock

    Exit status: 0 after a stop, 2 for usage and settings, 3 where the app does
    not start.
    """  # noqa: D301 - click wants the backspace itself
    try:
        from garrison.server import environment, listening, loading, serving  # noqa: PLC0415 - only this command serves
    except ModuleNotFoundError as error:
        fail(needs("`garrison run`", error.name, "server"), 2)
    sources: dict[str, str] = {}
    try:
        sources = take_env_file(env_file)
        settings = serving.with_flags(environment.load_serving_settings().value, **flags)
        if not settings.server.target:
            fail(
                "no app to serve. Name it as in `garrison run shop.main:app`, or set GARRISON_SERVER_TARGET.",
                2,
            )
        serving.serve(settings, leaves=True)
    except SettingsError as error:
        fail(told(error, sources), 2)
    except loading.TargetUsageError as error:
        fail(str(error), 2)
    except (loading.TargetError, listening.PortTakenError, serving.NotStartedError) as error:
        fail(str(error), 3)
