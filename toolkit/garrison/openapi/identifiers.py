"""The names that schemas give themselves: `$id`, `$anchor` and `$dynamicAnchor`."""

from __future__ import annotations

from typing import Final
from urllib.parse import urldefrag, urljoin

from garrison.openapi.model import DocumentError

_NAMES: Final = frozenset({"$anchor", "$dynamicAnchor", "$id", "$self"})

# Members that hold values of the API, in which a name like $id means nothing.
VALUES: Final = frozenset({"const", "default", "enum", "example", "examples"})

# Members that are objects of which the names are not keywords: a reply may be called default.
NAMED: Final = frozenset({
    "$defs", "callbacks", "content", "definitions", "dependentSchemas", "encoding", "headers", "links",
    "mediaTypes", "parameters", "pathItems", "paths", "patternProperties", "properties", "requestBodies",
    "responses", "schemas", "securitySchemes", "variables", "webhooks",
})  # fmt: skip


class Identifiers:
    """Which schema is meant by which URI (JSON Schema 2020-12 sections 8.2.1 and 8.2.2).

    Attributes:
        bases: the URI that a resource gives itself (`$self` of OpenAPI 3.2, or an `$id` at its root).
        schemas: the resource and pointer of a schema, by the URI of its `$id`.
        anchors: the pointer of a schema, by the URI of the schema resource around it, and its anchor.
        dynamic: the keys of `anchors` that are dynamic.
    """

    def __init__(self) -> None:
        self.bases: dict[str, str] = {}
        self.schemas: dict[str, tuple[str, str]] = {}
        self.anchors: dict[tuple[str, str], str] = {}
        self.dynamic: set[tuple[str, str]] = set()

    @property
    def any(self) -> bool:
        """Whether there is an `$id` at all."""
        return bool(self.schemas)

    def index(self, resource: str, value: object) -> None:
        """Take in the names of a resource.

        Args:
            resource: its URI.
            value: what it holds.

        Raises:
            DocumentError: two schemas have the same name.
        """
        if not _has_names(value):
            return
        base = resource
        own = value.get("$self") if isinstance(value, dict) else None
        if isinstance(own, str):
            base = urldefrag(urljoin(resource, own)).url
            self.schemas[base] = (resource, "")
            self.bases[resource] = base
        # Without recursion, for it looks where no other code does.
        waiting: list[tuple[object, str, str, bool]] = [(value, "", base, False)]
        while waiting:
            found, pointer, scope, named = waiting.pop()
            if isinstance(found, list):
                waiting += [
                    (member, f"{pointer}/{index}", scope, False)
                    for index, member in enumerate(found)
                    if isinstance(member, dict | list)
                ]
            elif isinstance(found, dict):
                inner = scope if named else self._take(found, resource, pointer, scope)
                for name, member in found.items():
                    if isinstance(member, dict | list) and (named or name not in VALUES):
                        token = name.replace("~", "~0").replace("/", "~1")
                        waiting.append((member, f"{pointer}/{token}", inner, not named and name in NAMED))

    def _take(self, schema: dict[str, object], resource: str, pointer: str, scope: str) -> str:
        name = schema.get("$id")
        if isinstance(name, str) and not name.startswith("#"):
            scope = urldefrag(urljoin(scope, name)).url
            if self.schemas.setdefault(scope, (resource, pointer)) != (resource, pointer):
                raise DocumentError(pointer, "an $id that no other schema has", repr(name[:120]))
            if not pointer:
                self.bases[resource] = scope
        for keyword in ("$anchor", "$dynamicAnchor"):
            anchor = schema.get(keyword)
            if isinstance(anchor, str):
                if self.anchors.setdefault((scope, anchor), pointer) != pointer:
                    raise DocumentError(pointer, f"an {keyword} that no other schema has", repr(anchor[:120]))
                if keyword == "$dynamicAnchor":
                    self.dynamic.add((scope, anchor))
        return scope


def _has_names(value: object) -> bool:
    """Whether an object anywhere in a value may name a schema; most documents have none."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            if not _NAMES.isdisjoint(found):
                return True
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)
    return False
