"""Reads what a document is made of: files of its own directory, and pages where that was asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from garrison.openapi.model import DocumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

# The largest public document has 13 MB.
MAX_BYTES: Final = 64 * 1024 * 1024

# The byte order marks of UTF-16 and UTF-32, which say what the text is in.
_NOT_UTF_8: Final = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def is_page(source: str) -> bool:
    """Whether a source is a URL and no path."""
    return source.lower().startswith(("http://", "https://"))


class Retriever:
    """Reads files and pages by URI.

    Args:
        directory: the only one out of which files are read, with what is below it; None for no files at all.
        remote: whether pages may be fetched.
    """

    def __init__(self, directory: Path | None, *, remote: bool) -> None:
        self._directory = None if directory is None else directory.resolve()
        self._remote = remote

    def read(self, uri: str) -> object:
        """The value that a file or page holds.

        Args:
            uri: with scheme `file`, `http` or `https`.

        Raises:
            DocumentError: it may not be read, cannot be read, or is neither JSON nor YAML.
        """
        if is_page(uri):
            if not self._remote:
                expected = "a reference to a file, unless GARRISON_CONTRACT_REMOTE=on lets pages be fetched"
                raise DocumentError("", expected)
            # Nearly every document is a file, and HTTP takes long to import.
            from garrison.openapi.pages import fetch  # noqa: PLC0415

            return parse(fetch(uri, MAX_BYTES), json_only=False)
        parts = urlsplit(uri)
        if parts.scheme != "file" or parts.netloc or self._directory is None:
            raise DocumentError("", "a reference into the document itself or to a file beside it")
        try:
            path = Path(unquote(parts.path)).resolve()
        except (OSError, ValueError, RuntimeError):
            raise DocumentError("", "a reference to a file that is there") from None
        if not path.is_relative_to(self._directory):
            raise DocumentError("", "a reference to a file in the directory of the document or below it")
        return read_file(path)


def read_file(path: Path) -> object:
    """The value that a JSON or YAML file holds.

    Raises:
        DocumentError: it cannot be read, or is neither JSON nor YAML.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise DocumentError("", "a file that can be read", reason or type(error).__name__) from None
    if len(text) > MAX_BYTES:
        raise DocumentError("", f"a file of at most {MAX_BYTES // 2**20} MiB", "more")
    return parse(text, json_only=path.suffix.lower() == ".json")


def parse(text: bytes, *, json_only: bool) -> object:
    """The value of a text in JSON or YAML.

    Args:
        text: of the file or page.
        json_only: whether YAML is refused.

    Raises:
        DocumentError: it is neither, empty, in another encoding, or nested too deeply, or has a name twice in
            one object.
    """
    text = text.removeprefix(b"\xef\xbb\xbf")
    if not text.strip():
        raise DocumentError("", "a document in JSON or YAML", "an empty one")
    if not text.startswith(_NOT_UTF_8):
        _refuse_other_encodings(text)
    # JSON is YAML, but its own parser is fifty times as fast.
    if json_only or text.lstrip()[:1] in {b"{", b"["}:
        try:
            return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
        except DocumentError:
            raise
        except RecursionError:
            raise DocumentError("", "a document that is nested less deeply") from None
        except ValueError as error:
            if json_only:
                raise DocumentError("", "JSON", str(error)[:200]) from None
    # YAML is the slower half of this module, and most documents are JSON.
    from garrison.openapi.yaml_text import parse_yaml  # noqa: PLC0415

    return parse_yaml(text)


def _refuse_other_encodings(text: bytes) -> None:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{text[error.start]:02x} in line {line}"
        raise DocumentError("", "text in UTF-8", found) from None


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """An object; of a name that is there twice (RFC 8259 section 4) nobody knows which value holds."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DocumentError("", "JSON without a name twice in one object", repr(twice[:120]))
    return found


def _constant(name: str) -> object:
    raise DocumentError("", "JSON", name)
