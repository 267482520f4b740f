"""Every middleware module reads alike: docstring, section, class, and the same way in."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

import garrison
from tests.toolkit.contract.subjects import middleware_of, modules

if TYPE_CHECKING:
    from types import ModuleType

MODULES = pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__.rpartition(".")[2])
FUNCTION: Final = ast.FunctionDef | ast.AsyncFunctionDef


def section_of(module: ModuleType) -> type[Any]:
    """The section that the middleware of a module takes."""
    section = getattr(module, middleware_of(module).__name__.removesuffix("Middleware"))
    assert isinstance(section, type)
    return section


@MODULES
def test_a_middleware_is_made_from_an_app_and_a_section(module: ModuleType) -> None:
    """`XMiddleware(app)` and `XMiddleware(app, settings=X(...))` work; all else is by keyword."""
    middleware, section = middleware_of(module), section_of(module)
    _, app, settings, *others = inspect.signature(middleware.__init__).parameters.values()
    assert (app.name, app.default) == ("app", inspect.Parameter.empty)
    assert (settings.name, settings.default) == ("settings", section())
    for other in others:
        assert other.kind is inspect.Parameter.KEYWORD_ONLY, other
        assert other.default is not inspect.Parameter.empty, other


@MODULES
def test_a_section_cannot_be_changed(module: ModuleType) -> None:
    """A section is a value: frozen, slotted, by keyword, equal to its like."""
    section = section_of(module)
    one = section()
    assert one == section()
    assert hash(one) == hash(section())
    assert not hasattr(one, "__dict__")
    field = dataclasses.fields(section)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(one, field, None)
    with pytest.raises(TypeError):
        section(getattr(one, field))


@MODULES
def test_every_field_of_a_section_is_explained(module: ModuleType) -> None:
    """The docstring of a section is the reference of its settings."""
    section = section_of(module)
    _, _, attributes = (inspect.getdoc(section) or "").partition("Attributes:")
    for field in dataclasses.fields(section):
        assert f"\n    {field.name}: " in attributes, field.name


@MODULES
def test_a_module_reads_in_the_order_of_the_house(module: ModuleType) -> None:
    """One sentence, then the section, then the class with `__init__` and `__call__` first."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    sentence = ast.get_docstring(tree) or ""
    assert sentence.endswith(".")
    assert "\n" not in sentence
    section, middleware, *_ = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    assert [section.name, middleware.name] == [section_of(module).__name__, middleware_of(module).__name__]
    functions = [node.lineno for node in tree.body if isinstance(node, FUNCTION)]
    assert section.lineno < middleware.lineno
    assert all(middleware.lineno < line for line in functions)
    methods = [node.name for node in middleware.body if isinstance(node, FUNCTION)]
    assert methods[:2] == ["__init__", "__call__"]


@MODULES
def test_a_middleware_and_its_section_are_public(module: ModuleType) -> None:
    """Both names can be imported from `garrison`."""
    for public in (middleware_of(module), section_of(module)):
        assert public.__name__ in garrison.__all__
        assert getattr(garrison, public.__name__) is public
