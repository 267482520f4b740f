"""The file of the project that a finding is filed under.

Code scanning takes no result without a file of the repository, and a person who follows it should land where
the app is made or configured.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from garrison_harness.target import IMPORT_STRING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.target import Target

# A command names databases, sockets and interpreters too, which nobody reads.
_READABLE = frozenset(
    {
        *(".py", ".pyw", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".go", ".rs"),
        *(".rb", ".ru", ".php", ".pl", ".java", ".kt", ".scala", ".cs", ".fs", ".ex", ".exs", ".lua", ".sh"),
        *(".toml", ".json", ".yaml", ".yml", ".ini", ".cfg", ".conf", ".xml", ".properties"),
    }
)
_PROJECT_FILES = ("pyproject.toml", "package.json", "go.mod", "README.md")


def source_file(target: Target, directory: Path) -> str:
    """The file, relative to the directory where the audit was started, with forward slashes.

    It is the module of an import string, be it the target or a word of a command; else the first word of a
    command that is a source or configuration file; else the first of the files that make a project.
    `pyproject.toml` where there is none at all: some name has to stand there.
    """
    root = directory.resolve()
    for candidate in _candidates(target):
        path = (root / candidate).resolve()
        if path.is_file() and path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return _PROJECT_FILES[0]


def _candidates(target: Target) -> Iterator[Path]:
    if target.kind != "url":
        for word in target.words:
            # Gunicorn takes a factory as `shop:create()`.
            if IMPORT_STRING.fullmatch(word.removesuffix("()")):
                yield from _module_files(word.partition(":")[0])
    if target.kind == "command":
        yield from (path for path in map(Path, target.words) if path.suffix in _READABLE)
    yield from map(Path, _PROJECT_FILES)


def _module_files(module: str) -> Iterator[Path]:
    path = Path(*module.split("."))
    for root in (Path(), Path("src")):
        yield root / path.with_suffix(".py")
        yield root / path / "__init__.py"
