"""Paths that are closed to strangers, however they are spelled; words stand for the usual ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.nearest import nearest_to
from garrison.rules import NotationError, is_unambiguous, parse_paths
from garrison.spellings import followed, joined, segments_of

if TYPE_CHECKING:
    from collections.abc import Iterable

DOTFILES: Final = "dotfiles"

# Where frameworks put what they say about themselves unless they are told otherwise: FastAPI, Litestar and
# its user interfaces, Sanic and Elysia, which others have taken as their model.
WORDS: Final = {
    "docs": "/docs/*; /redoc/*; /schema/*; /swagger/*; /swagger-ui/*; /scalar/*; /rapidoc/*;"
    " /openapi.json; /openapi.yaml; /openapi.yml; /swagger.json; /swagger.yaml",
    "metrics": "/metrics/*",
}
EXAMPLE: Final = "docs; metrics; dotfiles; /admin/*"

# RFC 8615 keeps `.well-known` for what strangers are meant to find, at any depth where OpenID Connect is
# about (Discovery 1.0, section 4).
NO_FILES: Final = frozenset({".", "..", ".well-known"})


class ClosedPaths:
    """What is closed, compared without regard to case.

    Args:
        text: paths and the words `docs`, `metrics` and `dotfiles`, parted by `;`.

    Raises:
        NotationError: with the part that does not fit.
    """

    __slots__ = ("_dotfiles", "_exact", "_prefixes")

    def __init__(self, text: str) -> None:
        parts = [part.strip() for part in text.split(";") if part.strip()]
        self._dotfiles = DOTFILES in parts
        exact: set[str] = set()
        prefixes: set[str] = set()
        for part in parts:
            for path in [] if part == DOTFILES else _paths_of(part):
                if path.endswith("*"):
                    prefixes.add(path[:-1])
                # Frameworks redirect from `/docs/` to `/docs`, and from `/admin` to what is below it; a
                # redirect tells that there is something.
                if not path.endswith("*") or path.endswith("/*"):
                    bare = path.rstrip("/*")
                    exact |= {bare or "/", f"{bare}/"}
        self._exact = frozenset(exact)
        self._prefixes = tuple(prefixes)

    def __bool__(self) -> bool:
        return self._dotfiles or bool(self._exact or self._prefixes)

    def __contains__(self, path: str) -> bool:
        """Whether some router, file server or app below could take this path for a closed one.

        Args:
            path: as a router sees it.
        """
        if is_unambiguous(path):
            return self._holds(path) or (self._dotfiles and "/." in path and _is_dotfile(path.split("/")))
        segments = segments_of(path)
        if self._holds(joined(segments)) or (self._dotfiles and _is_dotfile(segments)):
            return True
        # Routers compare `..` as it stands, file servers follow it.
        return ".." in segments and self._holds(joined(followed(segments)))

    def _holds(self, path: str) -> bool:
        path = path.lower()
        return path in self._exact or path.startswith(self._prefixes)


def nearest(word: str) -> str:
    """What somebody may have meant by a part that is no path and no word; nothing if that is unclear."""
    if "," in word:
        return "; ".join(item.strip() for item in word.split(","))
    close = nearest_to(word.lower(), [*WORDS, DOTFILES])
    if close:
        return close
    return f"/{word}" if word[:1].isalnum() and " " not in word else ""


def _paths_of(part: str) -> Iterable[str]:
    rules = parse_paths(WORDS.get(part, part), EXAMPLE)
    for rule in rules:
        # A path that is only there for some methods is known to be there.
        if rule.methods or not is_unambiguous(rule.path):
            raise NotationError("paths without methods, empty segments and dot segments", part)
    return [rule.path.lower() for rule in rules]


def _is_dotfile(segments: Iterable[str]) -> bool:
    return any(segment.startswith(".") and segment not in NO_FILES for segment in segments)
