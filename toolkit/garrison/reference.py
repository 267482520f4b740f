"""The reference of all settings, and of what handlers call, as Markdown: written from the docstrings."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from garrison.csp.hashes import csp_hash
from garrison.headers.override import set_policy
from garrison.listing import Row, rows_of, sentence
from garrison.nonce import csp_nonce
from garrison.sections import PREFIX, attribute_docs, optional_sections, sections_of
from garrison.settings import Loaded
from garrison.stack import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WIDTH: Final = 100
FUNCTIONS: Final[tuple[Callable[..., object], ...]] = (csp_nonce, set_policy, csp_hash)

# Parts of a docstring, in the style that the whole package is written in (Google).
PARTS: Final = re.compile(r"^(Args|Returns|Raises|Attributes):\n", re.MULTILINE)
ENTRY: Final = re.compile(r"^ {4}(?=\w+: )", re.MULTILINE)

# What begins a list, a heading or a quotation where it begins a line of Markdown (CommonMark, section 4).
BLOCK_MARK: Final = re.compile(r" (?=(?:[-+*#>]|\d+[.)])(?: |$))")

OPENING: Final = f"""\
# Settings

Every layer has a section, and every field of a section is a variable in the environment. Nothing has
to be set. `garrison config` prints what is in effect and where it comes from, and with `--check` also
what is missing or unsafe.

- `{PREFIX}<SECTION>=off` switches a layer off.
- Any variable with `_FILE` behind its name holds the path of a file with the value, as container
  secrets do.
- A size is a number of bytes such as `512`, `64KiB` or `10MB`; a duration is a number of seconds such
  as `0.5`, or `250ms`, `30s`, `1h30m`; a list is parted by commas.
- A rule is a value behind the requests that it is about: `POST /login: 5/minute`. Methods are joined
  by `|`, GET stands for HEAD too, and a `*` at the end of a path for anything. Rules are parted by
  `;`.
- In code each section is a frozen dataclass, as in
  `harden(app, Settings(hosts=Hosts(allowed=("shop.example",))))`. Sizes and durations are numbers
  there, lists are tuples, and `off` is None.

This page is written by `garrison config --format markdown`."""


def document() -> str:
    """The whole page; it depends on nothing but the code."""
    about = attribute_docs(Settings)
    rows = rows_of(Loaded(value=Settings(), origins={}, unused=()))
    by_section = {name: list(group) for name, group in groupby(rows, key=lambda row: row.section)}
    contents = [
        "- [The whole](#the-whole)",
        *(f"- [{name.upper()}](#{name}): {about[name]}" for name in sections_of(Settings)),
        "- [What handlers call](#what-handlers-call)",
    ]
    blocks = [OPENING, "\n".join(contents), "## The whole", *map(_setting, by_section[""])]
    for name, section in sections_of(Settings).items():
        blocks += [*_chapter(name, section), *map(_setting, by_section[name])]
    blocks += ["## What handlers call", "Import it from `garrison`."]
    for function in FUNCTIONS:
        blocks += _function(function)
    return "\n\n".join(blocks) + "\n"


def _chapter(name: str, section: type[Any]) -> Iterator[str]:
    """A section: the job of its layer, and what its docstring says before the fields."""
    yield f"## {name.upper()}"
    module = section.__module__
    if module.startswith("garrison.middleware."):
        yield from paragraphs(inspect.cleandoc(sys.modules[module].__doc__ or ""))
    summary, *_ = PARTS.split(inspect.getdoc(section) or "")
    yield from paragraphs(summary.strip())
    notes = []
    if name in optional_sections(Settings):
        notes.append(f"`{PREFIX}{name.upper()}=off` switches this layer off.")
    alone = f", for the layer `{section.__name__}Middleware`" if notes else ""
    notes.append(f"In code this section is `{section.__name__}`{alone}.")
    yield wrapped(" ".join(notes))


def _setting(row: Row) -> str:
    # A blank behind each comma of a list is somewhere to break.
    value = row.value if len(row.value) < WIDTH // 2 else row.value.replace(",", ", ")
    default = f"`{value}`" if value else "empty"
    facts = wrapped(f"Expects {row.expects}. Default: {default}.")
    return f"### {row.variable}\n\n{wrapped(sentence(row.about))}\n\n{facts}"


def _function(function: Callable[..., object]) -> Iterator[str]:
    """A function from its signature and docstring."""
    yield f"### {function.__name__}"
    yield f"```python\n{_signature(function)}\n```"
    text, *parts = PARTS.split(inspect.getdoc(function) or "")
    yield from paragraphs(text.strip())
    for title, body in zip(parts[::2], parts[1::2], strict=True):
        yield f"{title}:"
        yield "\n".join(entries(body)) or wrapped(" ".join(body.split()))


def entries(body: str) -> Iterator[str]:
    """The named entries of a part, as a list; nothing where it is a sentence."""
    for entry in ENTRY.split(body)[1:]:
        name, _, about = " ".join(entry.split()).partition(": ")
        yield wrapped(f"- `{name}`: {about}", "  ")


def _signature(function: Callable[..., object]) -> str:
    """The head of its definition, one parameter a line where that is long."""
    # Annotations are kept as text, and shown with its quotes.
    line = f"def {function.__name__}{inspect.signature(function)}: ...".replace("'", "")
    if len(line) <= WIDTH:
        return line
    inside, _, result = line.partition("(")[2].rpartition(")")
    parameters = re.sub(r", (?=\w+:|\*,)", ",\n    ", inside)
    return f"def {function.__name__}(\n    {parameters},\n){result}"


def paragraphs(text: str) -> Iterator[str]:
    """Paragraphs wrapped anew; what is indented is code, and keeps its lines."""
    for block in text.split("\n\n"):
        yield block if block.startswith(" ") else wrapped(" ".join(block.split()))


def wrapped(text: str, further: str = "") -> str:
    """A text in lines of equal width, none of which begins with a mark that Markdown knows."""
    lines = textwrap.fill(
        BLOCK_MARK.sub("\0", text),
        WIDTH,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines.replace("\0", " ")
