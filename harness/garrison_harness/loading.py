"""Imports the app that `module:attribute` names, to drive it in this process.

`python -m garrison_harness.loading module:attribute [--factory]` tells whether it is a WSGI app, or none.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import traceback
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from garrison_harness.finding import printable
from garrison_harness.startup import own_place
from garrison_harness.target import TargetFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from garrison_harness.asgi_call import App

WSGI: Final = 5
"""The exit status of this module where the app that was named is a WSGI app."""

NO_APP: Final = 6
"""The exit status of this module where what was named is no app."""

NO_ATTRIBUTE: Final = 7
"""The exit status of this module where there is no such attribute."""

TOLD: Final = "garrison: "
"""What the line on standard error begins with that says what was named in place of one."""

_LONGEST_CAUSE = 400
_FIX: Final = "start this in the directory where the import works, and check module, attribute and --factory"


class NoApp(TargetFailed):
    """What was named is no app."""


class NoAttribute(TargetFailed):
    """There is nothing of that name."""


class FactoryFound(NoApp):
    """What was named makes the app, and nobody said so."""


class WSGIFound(TargetFailed):
    """What was named is a WSGI app, where only an ASGI app will do."""

    def __init__(self, name: str, *, factory: bool) -> None:
        """Say how to start it: `name` as it was given, and whether it makes the app."""
        made = f"{name}()" if factory else name
        super().__init__(
            f"{name} is a WSGI app and no ASGI app: give the server that it is made for, such as"
            f" -- gunicorn --bind 127.0.0.1:{{port}} '{made}', or --harden"
        )


def load_app(name: str, *, factory: bool = False, environment: Iterable[tuple[str, str]] = ()) -> App:
    """Import an app; the current directory is searched first, as servers do it.

    Args:
        name: `module:attribute`, where the attribute may have dots.
        factory: Whether to call what is found for the app.
        environment: Variables that this process has from now on, as that of a server would.

    Raises:
        FactoryFound: It is a function that takes nothing, which no app is.
        NoApp: It is something else that is none.
        NoAttribute: There is nothing of that name in the module.
        TargetFailed: The import fails.
    """
    module, _, path = name.partition(":")
    os.environ.update(environment)
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(module)
        for attribute in path.split("."):
            found = _attribute(found, attribute, module, path)
        if factory:
            found = found()
    except NoAttribute:
        raise
    except (Exception, SystemExit) as error:
        raise TargetFailed(f"{name} could not be loaded: {_cause(error)}") from error
    if _makes_an_app(found):
        raise FactoryFound(f"{name} is a function that makes the app, and no app: add --factory")
    _require_app(found, f"{name}()" if factory else name, factory=factory)
    return cast("App", found)


def load_asgi_app(name: str, *, factory: bool = False, environment: Iterable[tuple[str, str]] = ()) -> App:
    """The same, for whoever can call nothing but an ASGI app.

    Args:
        name: `module:attribute`, where the attribute may have dots.
        factory: Whether to call what is found for the app.
        environment: Variables that this process has from now on.

    Raises:
        TargetFailed: It is none, or cannot be loaded.
    """
    app = load_app(name, factory=factory, environment=environment)
    if is_wsgi(app):
        raise WSGIFound(name, factory=factory)
    return app


def is_wsgi(app: object) -> bool:
    """Whether an app takes two arguments, `environ` and `start_response`, and not three (PEP 3333).

    Args:
        app: Anything.
    """
    return _takes(app, 2) and not _takes(app, 3)


def _attribute(holder: object, name: str, module: str, path: str) -> Any:
    try:
        return getattr(holder, name)
    except AttributeError:
        near = get_close_matches(name, [word for word in dir(holder) if not word.startswith("_")], n=1)
        hint = f" Did you mean {near[0]!r}?" if near else " Name the attribute that is the app."
        raise NoAttribute(f"{module} has no attribute {path!r}.{hint}") from None


def _cause(error: BaseException) -> str:
    """The exception in its own words, with the place in the app's code that it comes from, or what to do."""
    words = " ".join(f"{type(error).__name__}: {error}".split())
    place = own_place("".join(traceback.format_exception(error)).splitlines())
    cause = printable(words, _LONGEST_CAUSE) + (f" ({place})" if place else "")
    return cause if place and not isinstance(error, ModuleNotFoundError) else f"{cause}; {_FIX}"


def _takes(app: object, count: int, *, wrapped: bool = True) -> bool:
    try:
        inspect.signature(cast("Callable[..., object]", app), follow_wrapped=wrapped).bind(*range(count))
    except (TypeError, ValueError):
        return False
    return True


def main(arguments: Sequence[str]) -> int:
    """5 for a WSGI app, 0 for any other, 6 for what is none, 7 for nothing, 3 where it cannot be loaded."""
    try:
        app = load_app(arguments[0], factory="--factory" in arguments)
    except NoApp as found:
        sys.stderr.write(f"\n{TOLD}{found}\n")
        return NO_APP
    except NoAttribute as found:
        sys.stderr.write(f"\n{TOLD}{found}\n")
        return NO_ATTRIBUTE
    except TargetFailed:
        return 3
    return WSGI if is_wsgi(app) else 0


def _require_app(found: object, name: str, *, factory: bool) -> None:
    """See that it can be called as an app is, as far as one can tell.

    Raises:
        NoApp: It cannot.
    """
    fix = "name a function that returns one" if factory else "name the attribute that is one"
    if not callable(found):
        raise NoApp(f"{name} is of type {type(found).__name__}, which is no ASGI app: {fix}")
    try:
        inspect.signature(found)
    except (TypeError, ValueError):
        return  # compiled code may have no signature
    # What a decorator says of a function is not always how it can be called.
    if not any(_takes(found, count, wrapped=wrapped) for count in (3, 2) for wrapped in (True, False)):
        raise NoApp(
            f"{name} takes neither scope, receive and send, as an ASGI app does, nor environ and"
            f" start_response, as a WSGI app does: {fix}"
        )


def _makes_an_app(found: object) -> bool:
    """Whether it is a plain function that can be called without arguments, as no app can."""
    if not inspect.isfunction(found) or inspect.iscoroutinefunction(found):
        return False
    needed = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(found).parameters.values()
    return all(one.default is not one.empty or one.kind not in needed for one in parameters) and not any(
        one.kind is one.VAR_POSITIONAL for one in parameters
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
