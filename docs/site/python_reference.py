"""`python -m docs.site.python_reference`: every public name of `garrison`, from signatures and docstrings."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import textwrap
from typing import TYPE_CHECKING, Any, Final

import garrison
from garrison.reference import PARTS, entries, paragraphs, wrapped
from garrison.sections import sections_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OPENING: Final = """\
# What Python code imports

Everything here is imported from `garrison`. What is not named here may change without notice.

This page is written by `make reference`, from the code's signatures and docstrings."""

ABOUT_SECTIONS: Final = """\
One frozen dataclass for each section of the settings. What a field means, and the variable that sets it,
stands in [the reference of settings](settings.md)."""
ABOUT_LAYERS: Final = """\
Each works alone, in any ASGI app, as in `app.add_middleware(RateLimitMiddleware, settings=RateLimit(...))`.
`harden()` puts all of them on, in the right order."""
INTRODUCTIONS: Final = {"Sections": (ABOUT_SECTIONS,), "Layers": (ABOUT_LAYERS,)}

SECTIONS: Final = {section: name for name, section in sections_of(garrison.Settings).items()}
# As wide as the code of a page.
WIDTH: Final = 80
# What is done with an object is said for its public methods, and for calls where calling is what it is for.
CALLED: Final = frozenset({"Limit", "LoginLimit"})


def document() -> str:
    """The whole page; it depends on nothing but the code."""
    chapters = {
        "Hardening an app": ["harden", "Hardened", "Settings", "SettingsError"],
        "Sections": [name for name in garrison.__all__ if getattr(garrison, name) in SECTIONS],
        "Layers": [name for name in garrison.__all__ if name.endswith("Middleware")],
    }
    taken = {name for names in chapters.values() for name in names}
    chapters["For handlers, routes and logs"] = [name for name in garrison.__all__ if name not in taken]
    blocks = [OPENING]
    for title, names in chapters.items():
        blocks += [f"## {title}", *INTRODUCTIONS.get(title, ())]
        for name in names:
            blocks += _of(name, getattr(garrison, name))
    return "\n\n".join(blocks) + "\n"


def _of(name: str, thing: Any) -> Iterator[str]:
    """One public name."""
    yield f"### {name}"
    yield f"```python\n{_signature(name, thing)}\n```"
    if thing in SECTIONS:
        summary, *_ = PARTS.split(inspect.getdoc(thing) or "")
        yield from paragraphs(summary.strip())
        yield f"Its fields: [{SECTIONS[thing].upper()}](settings.md#{SECTIONS[thing]})."
        return
    yield from _docstring(thing)
    if inspect.isclass(thing):
        for method, function in _methods(name, thing):
            yield f"#### {name}.{method}" if method != "__call__" else f"#### Calling a {name}"
            yield f"```python\n{_signature(method, function)}\n```"
            yield from _docstring(function)


def _docstring(thing: object) -> Iterator[str]:
    text, *parts = PARTS.split(inspect.getdoc(thing) or "")
    yield from paragraphs(text.strip())
    for title, body in zip(parts[::2], parts[1::2], strict=True):
        yield f"{title}:"
        yield "\n".join(entries(body)) or wrapped(" ".join(body.split()))


def _methods(name: str, cls: type[Any]) -> Iterator[tuple[str, Callable[..., object]]]:
    for method, function in vars(cls).items():
        plain = function.__func__ if isinstance(function, classmethod | staticmethod) else function
        shown = method == "__call__" if method.startswith("_") else not name.endswith("Middleware")
        if inspect.isfunction(plain) and shown and (method != "__call__" or name in CALLED):
            yield method, getattr(cls, method)


def _signature(name: str, thing: Any) -> str:
    """How it is called or made, one parameter a line where that is long."""
    signature = inspect.signature(thing)
    words, keyword_only = [], False
    for parameter in signature.parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            words.append("*")
        words.append(_parameter(parameter))
    if inspect.isclass(thing):
        made = _head("def __init__", ["self", *words], "None", WIDTH - 4)
        return f"class {name}:\n{textwrap.indent(made, '    ')}"
    kind = "async def" if inspect.iscoroutinefunction(thing) else "def"
    return _head(f"{kind} {name}", words, _text(signature.return_annotation), WIDTH)


def _head(name: str, words: list[str], returns: str, width: int) -> str:
    # Texts in annotations have the quotes that Python gives them, and formatters want the others.
    words = [word.replace("'", '"') for word in words]
    line = f"{name}({', '.join(words)}) -> {returns}: ..."
    if len(line) <= width:
        return line
    inside = "".join(f"    {word},\n" for word in words)
    return f"{name}(\n{inside}) -> {returns}: ..."


def _parameter(parameter: inspect.Parameter) -> str:
    stars = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}
    text = f"{stars.get(parameter.kind.name, '')}{parameter.name}: {_text(parameter.annotation)}"
    return text if parameter.default is parameter.empty else f"{text} = {_default(parameter.default)}"


def _text(annotation: object) -> str:
    # Annotations are kept as text (PEP 563).
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def _default(value: object) -> str:
    """A default as somebody would write it, however long what it is made of."""
    if dataclasses.is_dataclass(value):
        return f"{type(value).__name__}()"
    if callable(value):
        return str(getattr(value, "__name__", type(value).__name__))
    text = repr(value)
    return text if len(text) <= WIDTH // 2 else "..."


if __name__ == "__main__":
    sys.stdout.write(document())
