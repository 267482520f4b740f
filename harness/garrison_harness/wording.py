"""Words what `garrison check` advises for those who read it in tests, where flags have other names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from garrison_harness.configuration.fields import fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# A whole command stays as it is; a flag by itself is said otherwise.
_SAID: Final = re.compile(r"garrison [a-z]+[^(),:;]*|(?<![\w-])--(?!garrison)[a-z][a-z-]*[a-z]")
_LISTED: Final = ("--list names", "garrison explain --list names")
_CONSENT: Final = (
    "audit it with garrison check --i-own-this-host",
    "audit it with garrison check --i-own-this-host: consent is given on the command line only",
)
_CONNECTION: Final = "run without --in-process"


def for_flags(advice: str, ours: Mapping[str, str]) -> str:
    """Advice with the flags of the plugin, or the keys of `[tool.garrison]`, in place of the command's flags.

    Args:
        advice: As `garrison check` gives it.
        ours: The flags of the plugin, by what the command calls them.
    """
    keys = {field.flag: f"{field.key} in [tool.garrison]" for field in fields()}
    advice = advice.replace(_CONNECTION, "add --garrison-server uvicorn")
    return _worded(advice, lambda flag: ours.get(flag) or keys.get(flag))


def for_arguments(advice: str, arguments: Mapping[str, str]) -> str:
    """Advice with the arguments of the fixtures in place of the command's flags.

    Args:
        advice: As `garrison check` gives it.
        arguments: Those of the fixtures, by what the command calls them.
    """
    advice = advice.replace(" or with the login of [tool.garrison]", "")
    advice = advice.replace(_CONNECTION, "use garrison check, or pytest --garrison-server uvicorn")
    return _worded(advice, lambda flag: f"{arguments[flag]}=" if flag in arguments else None)


def _worded(advice: str, ours: Callable[[str], str | None]) -> str:
    def said(match: re.Match[str]) -> str:
        if not match[0].startswith("--"):
            return match[0]
        return ours(match[0]) or f"{match[0]} of garrison check"

    for theirs, whole in (_LISTED, _CONSENT):
        advice = advice.replace(theirs, whole)
    return _SAID.sub(said, advice)
