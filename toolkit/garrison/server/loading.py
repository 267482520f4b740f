"""Finds the app that `module:attribute` names."""

from __future__ import annotations

import difflib
import importlib
import inspect
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from types import ModuleType

    from garrison.asgi import ASGIApp


class TargetError(Exception):
    """The name does not lead to an app; the message says why and what to do, on one line."""


class TargetUsageError(TargetError):
    """The name is no name of an app at all."""


def load_app(target: str, *, factory: bool = False) -> ASGIApp:
    """Import an app; the current directory is searched first, as `python -m` does it.

    Args:
        target: `module:attribute`, where the attribute may have dots.
        factory: whether to call what is found, without arguments, for the app.

    Raises:
        TargetUsageError: the target is not written as it should be.
        TargetError: the import fails, there is no such attribute, or it is no app.
    """
    module_name, colon, path = target.partition(":")
    if not colon or not module_name or not path or "/" in target or module_name.endswith(".py"):
        raise TargetUsageError(f"expected an app as module:attribute such as shop.main:app, found {target!r}")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    found: Any = _import(module_name)
    for name in path.split("."):
        if not hasattr(found, name):
            raise TargetError(f"{module_name} has no attribute {path!r}.{_nearest(name, found)}")
        found = getattr(found, name)
    if factory:
        found = _call(found, target)
    elif _is_factory(found):
        raise TargetError(f"{target} takes no scope; if it is a function that makes the app, add --factory")
    if not callable(found):
        raise TargetError(f"{target} is of type {type(found).__name__}, which is no ASGI app")
    return cast("ASGIApp", found)


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise TargetError(
                f"there is no module {error.name!r} in {Path.cwd()} or in this environment"
            ) from None
        raise TargetError(f"importing {name} failed: {_summary(error)}") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever an app does at import is its failure
        raise TargetError(f"importing {name} failed: {_summary(error)}") from None


def _call(factory: Any, target: str) -> Any:
    try:
        return factory()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a factory does is its failure
        raise TargetError(f"calling {target} failed: {_summary(error)}") from None


def _is_factory(found: Any) -> bool:
    if not inspect.isfunction(found):
        return False
    required = [
        parameter
        for parameter in inspect.signature(found).parameters.values()
        if parameter.kind
        in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD, parameter.VAR_POSITIONAL}
    ]
    return not required


def _summary(error: BaseException) -> str:
    """The exception on one line, with the place in the app's own code that it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    if isinstance(error, SyntaxError):
        place = f" ({error.filename}, line {error.lineno})"
    lines = "".join(traceback.format_exception_only(error)).strip().splitlines()
    return f"{lines[-1]}{place}"


def _nearest(name: str, holder: object) -> str:
    near = difflib.get_close_matches(name, dir(holder), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
