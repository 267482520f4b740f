"""Small documents around one schema, and what the engine makes of values for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from garrison.openapi.compiled import Compiled, compile_document
from garrison.openapi.document import load_document

if TYPE_CHECKING:
    from garrison.openapi.model import Operation, Violation
    from garrison.openapi.validators import Regexes

Direction = Literal["request", "reply"]


def document(
    schema: object = True,
    components: dict[str, object] | None = None,
    version: str = "3.1.0",
    **members: object,
) -> dict[str, Any]:
    """A document with one operation, which takes the schema and returns it."""
    content = {"application/json": {"schema": schema}}
    return {
        "openapi": version,
        "info": {"title": "Pets", "version": "1"},
        "paths": {
            "/pets": {
                "post": {
                    "requestBody": {"content": content},
                    "responses": {"200": {"description": "", "content": content}},
                }
            }
        },
        "components": {"schemas": components or {}},
        **members,
    }


def compiled(source: dict[str, Any], regexes: Regexes = "linear") -> Compiled:
    """A document, compiled."""
    return compile_document(load_document(source), regexes=regexes)


def only_operation(found: Compiled) -> Operation:
    """The operation of a document with one."""
    (operation,) = found.operations
    return operation


class Checker:
    """Checks values against the schema of a document with one operation."""

    def __init__(self, source: dict[str, Any], direction: Direction = "request") -> None:
        found = compiled(source)
        operation = only_operation(found)
        assert operation.body is not None
        if direction == "request":
            self._validators, (media,) = found.requests, operation.body.content
        else:
            self._validators, (media,) = found.replies(), operation.replies["200"].content
        self._key = media.schema

    def violations(self, value: object) -> tuple[Violation, ...]:
        """What is wrong with a value."""
        return self._validators.check(self._key, value, "body")

    def wrong(self, value: object) -> list[tuple[str, str]]:
        """The pointers and rules of what is wrong with a value."""
        return [(violation.pointer, violation.rule) for violation in self.violations(value)]

    def details(self, value: object) -> list[str]:
        """What is wrong with a value, in words."""
        return [violation.detail for violation in self.violations(value)]

    def fits(self, value: object) -> bool:
        """Whether a value is valid."""
        return not self.violations(value)


def checker(
    schema: object,
    components: dict[str, object] | None = None,
    version: str = "3.1.0",
    direction: Direction = "request",
) -> Checker:
    """Checks values against a schema."""
    return Checker(document(schema, components, version), direction)
