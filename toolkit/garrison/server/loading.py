"""Finds the app that `module:attribute` names."""

from __future__ import annotations

import importlib
import inspect
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from garrison.nearest import nearest_to
from garrison.redaction import Redaction, Redactor

if TYPE_CHECKING:
    from types import ModuleType

    from garrison.asgi import ASGIApp


# Enough for a database's complaint, and short enough for a terminal.
LONGEST_TEXT: Final = 400


class TargetError(Exception):
    """The name does not lead to an app; the message says why and what to do, on one line."""


class TargetUsageError(TargetError):
    """The name is no name of an app at all."""


def load_app(target: str, *, factory: bool = False) -> ASGIApp:
    """Import an app; the current directory is searched first, as `python -m` does it.

    Args:
        target: `module:attribute`, where the attribute may have dots.
        factory: whether to call what is found, without arguments, for the app.

    Returns:
        The app as it was found: a WSGI app too, which `is_wsgi` tells apart.

    Raises:
        TargetUsageError: the target is not written as it should be.
        TargetError: the import fails, there is no such attribute, or it is no app.
    """
    module_name, colon, path = target.partition(":")
    if (
        not colon
        or not module_name
        or not path
        or "/" in target
        or module_name.endswith(".py")
        or target[0] == "."
    ):
        raise TargetUsageError(f"expected an app as module:attribute such as shop.main:app, found {target!r}")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    found: Any = _import(module_name)
    for name in path.split("."):
        found = _attribute(found, name, module_name, path)
    if factory:
        found = _call(found, target)
    _check_app(found, target)
    return cast("ASGIApp", found)


def is_wsgi(app: Any) -> bool:
    """Whether an app takes an environ and a callable (PEP 3333), and not a scope, receive and send.

    Args:
        app: anything that can be called.
    """
    return _takes(app, 2) and not _takes(app, 3)


def summarize(error: BaseException) -> str:
    """The exception on one line, with the place in the app's own code that it came from.

    Start-up errors like to quote connection strings, so that what looks like a secret is masked.
    """
    text = " ".join(str(error).split())
    if isinstance(error, SyntaxError):
        text, place = error.msg, f" ({error.filename}, line {error.lineno})"
    else:
        place = _place(traceback.extract_tb(error.__traceback__))
    text = Redactor(Redaction()).text(text)[:LONGEST_TEXT]
    return f"{type(error).__qualname__}{': ' if text else ''}{text}{place}"


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise TargetError(
                f"there is no module {error.name!r} in {Path.cwd()} or in this environment"
            ) from None
        raise TargetError(f"importing {name} failed: {summarize(error)}") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever an app does at import is its failure
        raise TargetError(f"importing {name} failed: {summarize(error)}") from None


def _attribute(holder: Any, name: str, module_name: str, path: str) -> Any:
    try:
        return getattr(holder, name)
    except AttributeError:
        raise TargetError(f"{module_name} has no attribute {path!r}.{_nearest(name, holder)}") from None
    except Exception as error:  # noqa: BLE001 - a module or a property may do anything here
        raise TargetError(f"reading {module_name}:{path} failed: {summarize(error)}") from None


def _call(factory: Any, target: str) -> Any:
    if not callable(factory) or not _takes(factory, 0):
        raise TargetError(f"{target} is no function without arguments; if it is the app, leave --factory out")
    if inspect.iscoroutinefunction(factory):
        raise TargetError(f"{target} is async; --factory takes a plain function that returns the app")
    try:
        return factory()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a factory does is its failure
        raise TargetError(f"calling {target} failed: {summarize(error)}") from None


def _check_app(found: Any, target: str) -> None:
    if not callable(found):
        raise TargetError(f"{target} is of type {type(found).__name__}, which is no ASGI app")
    # Scope, receive, send; or environ, start_response. What a decorator says of a function is not always
    # how it can be called.
    if any(_takes(found, count, wrapped=wrapped) for count in (3, 2) for wrapped in (True, False)):
        return
    if _takes(found, 0):
        raise TargetError(f"{target} takes no scope; if it is a function that makes the app, add --factory")
    raise TargetError(
        f"{target} takes neither scope, receive and send, as an ASGI app does, nor environ and"
        " start_response, as a WSGI app does"
    )


def _takes(function: Any, count: int, *, wrapped: bool = True) -> bool:
    """Whether a callable can be called with so many positional arguments, as far as one can tell."""
    try:
        signature = inspect.signature(function, follow_wrapped=wrapped)
    except (TypeError, ValueError):
        return True  # compiled code may have no signature
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


def _nearest(name: str, holder: object) -> str:
    near = nearest_to(name, dir(holder))
    return f" Did you mean {near!r}?" if near else ""


def _place(frames: traceback.StackSummary) -> str:
    real = [frame for frame in frames if not frame.filename.startswith("<frozen ")]
    own = [frame for frame in real if Path(frame.filename).is_relative_to(Path.cwd())]
    own = [frame for frame in own if "site-packages" not in frame.filename] or real
    return f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
