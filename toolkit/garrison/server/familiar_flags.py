"""What `garrison run` has for the flags of uvicorn and gunicorn that people know."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

_HANDLER = "GARRISON_TIMEOUTS_HANDLER bounds a request"
_LAYERS_LOG = "the access log is the layer ACCESS_LOG, and GARRISON_ACCESS_LOG=off switches it off"
_PROXIES = "GARRISON_PROXY_TRUSTED says which proxies are believed"
_ROOT = "the app's own prefix counts, such as FastAPI(root_path=…)"
_NO_BANNER = "there is no Server header"
_CHOSEN = "uvloop and httptools are used where they are installed"

# By the flag of uvicorn 0.54 or gunicorn 27, a clause.
FAMILIAR: Final = MappingProxyType(
    {
        # uvicorn
        "--uds": "use --unix-socket",
        "--fd": "use --unix-socket, or --host and --port",
        "--ssl-certfile": "use --tls-certificate",
        "--ssl-keyfile": "use --tls-key",
        "--ssl-keyfile-password": "set GARRISON_SERVER_TLS_KEY_PASSWORD",
        "--reload-dir": "--reload looks at the current directory",
        "--reload-include": "--reload looks at Python files",
        "--reload-exclude": "--reload looks at Python files",
        "--loop": _CHOSEN,
        "--http": _CHOSEN,
        "--interface": "ASGI and WSGI apps are told apart",
        "--lifespan": "the lifespan of an app that has one is run",
        "--ws-max-size": "set GARRISON_TIMEOUTS_WEBSOCKET_MESSAGE",
        "--app-dir": "change to the directory, or set PYTHONPATH",
        "--proxy-headers": _PROXIES,
        "--no-proxy-headers": _PROXIES,
        "--root-path": _ROOT,
        "--server-header": _NO_BANNER,
        "--no-server-header": _NO_BANNER,
        "--no-access-log": _LAYERS_LOG,
        "--access-log": _LAYERS_LOG,
        "--limit-concurrency": "set GARRISON_OVERLOAD_LIMIT",
        "--timeout-keep-alive": "set GARRISON_SERVER_KEEP_ALIVE",
        "--timeout-graceful-shutdown": "set GARRISON_SERVER_GRACE",
        "--h11-max-incomplete-event-size": "set GARRISON_SERVER_HEADER_BYTES",
        # both
        "--forwarded-allow-ips": "set GARRISON_PROXY_TRUSTED",
        "--log-level": "set GARRISON_SERVER_LOG_LEVEL",
        # gunicorn
        "-b": "use --host and --port, or --unix-socket",
        "--bind": "use --host and --port, or --unix-socket",
        "-w": "use --workers",
        "-k": "ASGI and WSGI apps are told apart, and there is one kind of worker",
        "--worker-class": "ASGI and WSGI apps are told apart, and there is one kind of worker",
        "--threads": "set GARRISON_SERVER_WSGI_THREADS",
        "-t": _HANDLER,
        "--timeout": _HANDLER,
        "--graceful-timeout": "set GARRISON_SERVER_GRACE",
        "--keep-alive": "set GARRISON_SERVER_KEEP_ALIVE",
        "--limit-request-line": "set GARRISON_SERVER_HEADER_BYTES",
        "--limit-request-fields": "set GARRISON_SERVER_HEADER_LINES",
        "--limit-request-field_size": "set GARRISON_SERVER_HEADER_BYTES",
        "--access-logfile": "events are on standard output; send that to the file",
        "--error-logfile": "log lines are on standard error; send that to the file",
        "--log-file": "log lines are on standard error; send that to the file",
        "--certfile": "use --tls-certificate",
        "--keyfile": "use --tls-key",
        "--chdir": "change to the directory, or set PYTHONPATH",
        "--pythonpath": "set PYTHONPATH",
        "-e": "use --env-file, or set the variable in the environment",
        "--env": "use --env-file, or set the variable in the environment",
        "--config": "use --env-file",
        "-c": "use --env-file",
    }
)


def advice_for(flag: str) -> str | None:
    """What to do in place of a flag of another server, as a clause; None for a flag that nobody knows.

    Args:
        flag: as it was written, without its value.
    """
    return FAMILIAR.get(flag)
