"""Reads the documentation as its readers do: code blocks, commands, links, variables."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from garrison.env_file import read_env_file

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
NOTES = EXAMPLES / "notes"
GUIDES = sorted((DOCS / "how-to").glob("*.md"))
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# In front of what no test can run, or parse: why.
ILLUSTRATION = re.compile(r"<!-- illustration: \S.*-->\n\Z")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One code block.

    Attributes:
        page: where it stands.
        line: of its first line.
        language: what its fence says; empty for none.
        text: all of it.
    """

    page: Path
    line: int
    language: str
    text: str

    @property
    def name(self) -> str:
        """Where to look when a test fails."""
        return f"{self.page.name}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command of a console block.

    Attributes:
        environ: the variables in front of it.
        words: the command and its arguments.
        output: what the page shows of its output; empty where it shows nothing.
    """

    environ: dict[str, str]
    words: tuple[str, ...]
    output: str


def blocks(page: Path, language: str) -> list[Block]:
    """The code blocks of a page in one language, in order, without those that are marked as illustrations."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(page=page, line=text.count("\n", 0, found.start()) + 2, language=found[1], text=found[2])
        for found in FENCE.finditer(text)
        if found[1] == language and not ILLUSTRATION.search(text[: found.start()])
    ]


def all_blocks(language: str) -> list[Block]:
    """The same of all guides."""
    return [block for page in GUIDES for block in blocks(page, language)]


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def commands(block: Block) -> Iterator[Command]:
    """The commands of a console block, which begin with `$`."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        line, _, output = part.partition("\n")
        words = shlex.split(line, comments=True)
        environ = {}
        while re.match(r"[A-Z_]+=", words[0]):
            name, _, environ[name] = words.pop(0).partition("=")
        yield Command(environ=environ, words=tuple(words), output=output)


def variables(block: Block, folder: Path) -> dict[str, str]:
    """What `--env-file` reads from an env block.

    Args:
        block: the code block.
        folder: where it can be written to a file.
    """
    path = folder / "app.env"
    path.write_text(block.text, encoding="utf-8")
    return read_env_file(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a curl command sends."""

    method: str
    host: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def curl(words: tuple[str, ...]) -> Request:
    """The request of a curl command; an option that is not known here is an error."""
    method, headers, body, url = "", [], b"", ""
    rest = iter(words[1:])
    for word in rest:
        if word in {"-s", "-si"}:
            continue
        if word == "-X":
            method = next(rest)
        elif word == "-H":
            name, _, value = next(rest).partition(": ")
            headers.append((name, value))
        elif word == "-d":
            body = next(rest).encode()
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        elif word == "--json":
            body = next(rest).encode()
            headers += [("Content-Type", "application/json"), ("Accept", "application/json")]
        else:
            assert word.startswith(("http://", "https://")), word
            url = word
    host, _, path = url.partition("://")[2].partition("/")
    return Request(
        method=method or ("POST" if body else "GET"),
        host=host,
        path=f"/{path}",
        headers=tuple(headers),
        body=body,
    )


def anchors(page: Path) -> set[str]:
    """What can stand behind `#` in a link to a page: its headings as forges write them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> list[str]:
    """The targets of the links in a page that lead to other files of this repository."""
    return [target for target in LINK.findall(prose(page)) if "://" not in target]


def copied_notes(folder: Path) -> Path:
    """A copy of the example of notes, so that nothing is left in the tree."""
    copied = folder / "notes"
    shutil.copytree(NOTES, copied, ignore=shutil.ignore_patterns("__pycache__"))
    return copied


def squeezed(text: str) -> str:
    """A text with single blanks, since columns are no matter of what it says."""
    return " ".join(text.split())
