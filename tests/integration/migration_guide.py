"""What the guide to migrating shows, section by section, ready to be run."""

from __future__ import annotations

import re
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from garrison import Settings
from garrison.settings import load
from tests.integration.documents import DOCS, FENCE, Block, variables

if TYPE_CHECKING:
    from pathlib import Path

PAGE: Final = DOCS / "how-to" / "migrate.md"


def found(package: str, language: str) -> list[Block]:
    """The code blocks of what the page says of one package, in one language."""
    (section,) = re.findall(
        rf"^## {package}\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return [
        Block(page=PAGE, line=0, language=language, text=in_an_hour(match[2]))
        for match in FENCE.finditer(section)
        if match[1] == language
    ]


def in_an_hour(text: str) -> str:
    """A snippet whose quotas do not come back while a busy machine takes its time."""
    for minute, hour in {"/minute": "/hour", "window=60": "window=3600", "60_000": "3_600_000"}.items():
        text = text.replace(minute, hour)
    return text


def before(package: str) -> dict[str, Any]:
    """What the first snippet makes."""
    return made(found(package, "python")[0])


def made(block: Block) -> dict[str, Any]:
    """The names that a snippet defines."""
    module = ModuleType("snippet_of_the_guide_to_migrating")
    # Pydantic looks there for what annotations mean.
    sys.modules[module.__name__] = module
    exec(compile(block.text, PAGE.name, "exec"), module.__dict__)  # noqa: S102 - our own documentation
    return module.__dict__


def settings_beside(package: str, folder: Path) -> Settings:
    """What the settings beside a snippet come to.

    Args:
        package: that the section is about.
        folder: where they can be written to a file.
    """
    (block,) = found(package, "env")
    return load(Settings, environ=variables(block, folder)).value
