"""A callable that a setting names, imported."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from garrison.nearest import nearest_to
from garrison.redaction import Redaction, Redactor
from garrison.settings import Problem, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

# As Python writes names, on both sides of the colon.
IMPORT_STRING: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
# Enough for a database's complaint, and short enough for a terminal.
LONGEST_TEXT: Final = 400


def is_import_string(text: str) -> bool:
    """Whether a text is written as `module.path:attribute`, where the attribute may have dots too."""
    return IMPORT_STRING.fullmatch(text) is not None


def search_here() -> None:
    """Have imports look in the current directory first, as they do for the app of `garrison run`."""
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))


def imported(text: str, setting: str) -> Callable[..., object]:
    """Import what a setting names.

    Args:
        text: an import string.
        setting: how the setting is called, for the error.

    Raises:
        SettingsError: the text is none, the import fails, there is no such attribute, or it cannot be
            called.
    """
    if not is_import_string(text):
        raise _problem(setting, text, "")
    module_name, _, path = text.partition(":")
    found = _module(module_name, text, setting)
    place = module_name
    for name in path.split("."):
        found = _attribute(found, name, place, text, setting)
        place = f"{place}.{name}"
    if not callable(found):
        raise _problem(setting, text, f"It is of type {type(found).__name__}, which cannot be called.")
    return cast("Callable[..., object]", found)


def _module(name: str, text: str, setting: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name != missing and not name.startswith(f"{missing}."):
            raise _problem(setting, text, _failure(f"Importing {name}", error)) from None
        hint = f"There is no module {missing} where this process looks for modules."
        here = Path.cwd().joinpath(*missing.split("."))
        searched = not {"", str(Path.cwd())}.isdisjoint(sys.path)
        if not searched and (here.is_dir() or here.with_suffix(".py").is_file()):
            hint += " It is in the current directory: set PYTHONPATH=. to have that searched too."
        raise _problem(setting, text, hint) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a module does at import is its failure
        raise _problem(setting, text, _failure(f"Importing {name}", error)) from None


def _attribute(holder: Any, name: str, place: str, text: str, setting: str) -> Any:
    try:
        return getattr(holder, name)
    except AttributeError as error:
        hint = f"{place} has no attribute {name}."
        nearest = nearest_to(name, dir(holder))
        # Python says so of a module that is still being run.
        if "circular import" in str(error):
            hint += " It is still being imported: have the callable in a module of its own."
        elif nearest:
            hint += f" Did you mean {nearest}?"
        raise _problem(setting, text, hint) from None
    except Exception as error:  # noqa: BLE001 - a module or a property may do anything here
        raise _problem(setting, text, _failure(f"Reading {place}.{name}", error)) from None


def _failure(attempt: str, error: BaseException) -> str:
    """What went wrong, on one line; what looks like a secret in it is masked, as in connection strings."""
    text = Redactor(Redaction()).text(" ".join(str(error).split()))[:LONGEST_TEXT]
    return f"{attempt} failed with {type(error).__qualname__}{': ' if text else ''}{text}."


def _problem(setting: str, text: str, hint: str) -> SettingsError:
    expected = "a callable as module:attribute such as package.module:function"
    return SettingsError([Problem(name=setting, expected=expected, found=text, hint=hint)])
