"""Which files of the repository become pages, and under which name."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
# What a newcomer reads beside the documentation, by where it lies.
PROJECT: Final = {
    "README.md": "project/readme.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "LICENSE": "project/licence.md",
}
# Where files are shown that are no pages, and folders.
FILES: Final = PurePosixPath("files")
LARGEST: Final = 100_000
FENCES: Final = {
    "": "text",
    ".cfg": "ini",
    ".conf": "nginx",
    ".env": "sh",
    ".html": "html",
    ".js": "js",
    ".json": "json",
    ".md": "markdown",
    ".mjs": "js",
    ".py": "python",
    ".service": "ini",
    ".sh": "sh",
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
}


class NotThereError(Exception):
    """Something that a page links is not in the repository, or cannot be shown."""


def pages() -> Iterator[Path]:
    """Everything that is a page by itself, linked or not: the documentation without its examples."""
    for page in sorted(DOCS.rglob("*.md")):
        if not page.is_relative_to(DOCS / "examples") and not page.is_relative_to(DOCS / "site"):
            yield page
    yield from (ROOT / name for name in PROJECT)


def target_of(source: Path) -> PurePosixPath:
    """The page that a file or a folder of the repository becomes.

    Args:
        source: its path.

    Raises:
        NotThereError: there is no such file in this repository, or it cannot be shown.
    """
    if not source.exists() or not source.is_relative_to(ROOT):
        raise NotThereError("no such file")
    if source.suffix not in {".md", ".svg"} and not _can_be_shown(source):
        raise NotThereError("no text, or too large to be shown")
    inside = source.relative_to(ROOT).as_posix()
    if inside in PROJECT:
        return PurePosixPath(PROJECT[inside])
    if source == DOCS / "README.md":
        return PurePosixPath("index.md")
    if (
        source.suffix == ".md"
        and source.is_relative_to(DOCS)
        and not source.is_relative_to(DOCS / "examples")
    ):
        return PurePosixPath(source.relative_to(DOCS).as_posix())
    if source.suffix == ".svg" and source.is_relative_to(DOCS):
        return PurePosixPath(source.relative_to(DOCS).as_posix())
    if source.is_dir():
        return FILES / inside / "index.md"
    # `index.html` would be taken for the page of its folder, and `README.md` is.
    name = source.name.replace(".", "-").lower() if source.suffix != ".md" else source.stem.lower()
    return FILES / PurePosixPath(inside).with_name(f"{name}.md")


def parts_of(folder: Path) -> list[Path]:
    """What a folder shows: folders and files that are text, and not large.

    Args:
        folder: of the repository.
    """
    return sorted(
        (part for part in folder.iterdir() if not part.name.startswith(("__", ".")) and _can_be_shown(part)),
        key=lambda part: (part.is_file(), part.name),
    )


def listing(folder: Path) -> str:
    """A page for a folder, as Markdown whose links are relative to that folder.

    Args:
        folder: of the repository.
    """
    lines = [f"- [`{part.name}{'/' * part.is_dir()}`]({part.name})" for part in parts_of(folder)]
    return "\n".join([f"# `{folder.relative_to(ROOT).as_posix()}`", "", *lines, ""])


def shown(file: Path) -> str:
    """A page for a file that is none, as Markdown.

    Args:
        file: of the repository.
    """
    text = file.read_text(encoding="utf-8").rstrip("\n")
    fence = "`" * 4
    language = FENCES.get(file.suffix, "text")
    return f"# `{file.relative_to(ROOT).as_posix()}`\n\n{fence}{language}\n{text}\n{fence}\n"


def _can_be_shown(path: Path) -> bool:
    if path.is_dir():
        return any(_can_be_shown(part) for part in path.iterdir() if not part.name.startswith(("__", ".")))
    if path.stat().st_size > LARGEST:
        return False
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False
    return True
