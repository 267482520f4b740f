"""Paths that an app has by design and its own document has not, of which nobody needs to be told."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from garrison.contracting.own_routes import routes_of

# Where FastAPI says that its pages about the document are.
_FASTAPI_PAGES: Final = ("openapi_url", "docs_url", "redoc_url", "swagger_ui_oauth2_redirect_url")

# Where Litestar has them unless it is told otherwise.
_LITESTAR_PAGES: Final = "/schema"

_VARIABLE: Final = re.compile(r"\{[^{}]*\}")


class Unlisted(NamedTuple):
    """Such paths of one app.

    Attributes:
        pages: about the document, exactly.
        patterns: methods, and the paths that they are for.
    """

    pages: frozenset[str]
    patterns: tuple[tuple[frozenset[str], re.Pattern[str]], ...]

    def has(self, method: str, path: str) -> bool:
        """Whether a request is for one of them.

        Args:
            method: in capital letters.
            path: decoded, without root_path.
        """
        wanted = "get" if method == "HEAD" else method.lower()
        if wanted == "get" and path in self.pages:
            return True
        return any(wanted in methods and pattern.fullmatch(path) for methods, pattern in self.patterns)


NONE: Final = Unlisted(frozenset(), ())


def unlisted_of(app: Any) -> Unlisted:
    """The pages that show the app's document, and the paths of `{path:path}`.

    Args:
        app: that has made its document.
    """
    urls = (getattr(app, name, None) for name in _FASTAPI_PAGES)
    pages = frozenset(url for url in urls if isinstance(url, str))
    patterns = [(route.methods, _pattern(route.template)) for route in routes_of(app) if route.is_greedy]
    config = getattr(app, "openapi_config", None)
    if config is not None:
        prefix = (getattr(config, "path", None) or _LITESTAR_PAGES).rstrip("/")
        patterns.append((frozenset({"get"}), re.compile(f"{re.escape(prefix)}(?:/[^/]*)?")))
    return Unlisted(pages, tuple(patterns))


def _pattern(template: str) -> re.Pattern[str]:
    """What a template with a variable that takes slashes may be for."""
    literals = map(re.escape, _VARIABLE.split(template))
    return re.compile(".*".join(literals), re.DOTALL)
