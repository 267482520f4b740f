"""Loads an OpenAPI document: from a file, from a page when that was asked for, or as the object itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from garrison.openapi.identifiers import NAMED, VALUES
from garrison.openapi.model import DocumentError, Version
from garrison.openapi.places import Place, kind_of
from garrison.openapi.references import References
from garrison.openapi.retrieval import Retriever, is_page, read_file

# The URI of a document that was not read from anywhere, and so has nothing beside it.
NOWHERE: Final = "file:///"

_VERSION: Final = re.compile(r"(3\.[012])(?:\.[0-9]+)?(?:-.*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An OpenAPI document with everything that it refers to.

    Attributes:
        version: of OpenAPI, without the number of the patch.
        root: the place of the document itself.
    """

    version: Version
    root: Place

    @property
    def references(self) -> References:
        """Where the document's references lead."""
        return self.root.references


def load_document(source: str | Path | Mapping[str, object], *, remote: bool = False) -> Document:
    """Load a document, and what it refers to.

    Args:
        source: the path of a file in JSON or YAML, the URL of such a page, or the document itself.
        remote: whether pages may be fetched, for the document and for what it refers to.

    Raises:
        DocumentError: it cannot be read, or is no OpenAPI document of version 3.0, 3.1 or 3.2.
    """
    if isinstance(source, Mapping):
        return _load(NOWHERE, _copied(source), Retriever(None, remote=remote))
    if isinstance(source, str) and is_page(source):
        retriever = Retriever(None, remote=remote)
        return _load(source, retriever.read(source), retriever)
    # Symlinks are resolved first: `../` in a reference is meant from where the file really is.
    try:
        path = Path(source).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise DocumentError("", "the path of a file", str(error)) from None
    return _load(path.as_uri(), read_file(path), Retriever(path.parent, remote=remote))


def _copied(source: Mapping[str, object]) -> object:
    """The document as JSON has it: names are text, and nobody changes it behind our back."""
    try:
        return json.loads(json.dumps(source, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise DocumentError("", "an object that can be written as JSON", str(error)[:200]) from None


def _load(uri: str, value: object, retriever: Retriever) -> Document:
    if not isinstance(value, dict):
        raise DocumentError("", "an object", kind_of(value))
    if "swagger" in value:
        raise DocumentError("/swagger", "an OpenAPI document of version 3", kind_of(value["swagger"]))
    # A person may forget the quotes in YAML, where 3.1 is a number.
    match = _VERSION.fullmatch(str(value.get("openapi")))
    if match is None:
        found = kind_of(value["openapi"]) if "openapi" in value else ""
        raise DocumentError("/openapi", "the version 3.0, 3.1 or 3.2", found)
    version = cast("Version", match[1])
    references = References(uri, retriever.read, identified=version != "3.0")
    document = Document(version=version, root=references.add(uri, value))
    _read_all(document)
    return document


def _read_all(document: Document) -> None:
    """Read every other file or page now: later the app runs, and files change.

    What cannot be read is refused where something needs it.
    """
    references = document.references
    waiting: list[tuple[object, str, bool]] = [(document.root.value, document.root.scope, False)]
    while waiting:
        value, scope, named = waiting.pop()
        if isinstance(value, dict):
            reference = None if named else value.get("$ref")
            if isinstance(reference, str) and not reference.startswith("#"):
                place = references.read(reference, scope)
                if place is not None:
                    waiting.append((place.value, place.scope, False))
            waiting += [
                (member, scope, not named and name in NAMED)
                for name, member in value.items()
                if isinstance(member, dict | list) and (named or name not in VALUES)
            ]
        elif isinstance(value, list):
            waiting += [(member, scope, False) for member in value if isinstance(member, dict | list)]
