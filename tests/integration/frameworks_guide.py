"""The example apps of the frameworks, and what their pages say of them."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.integration.documents import DOCS, EXAMPLES, Command, blocks, commands

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

PAGES: Final = DOCS / "how-to" / "frameworks"
# What is different each time.
CHANGING: Final = frozenset({"request_id"})


@dataclass(frozen=True, slots=True)
class Shop:
    """The app of one framework.

    Attributes:
        name: of the framework, its folder and its page.
        invalid: the status of the framework's own answer to a body that does not fit.
        socket: the status of the answer to a WebSocket; 101 where the framework has them.
        closes: whether the app is told of the end.
    """

    name: str
    invalid: int = 422
    socket: int = 101
    closes: bool = True

    @property
    def page(self) -> Path:
        """The page about it."""
        return PAGES / f"{self.name}.md"

    @property
    def folder(self) -> Path:
        """Where it is started."""
        return EXAMPLES / "frameworks" / self.name

    @property
    def source(self) -> str:
        """All of its Python."""
        return "\n".join(path.read_text(encoding="utf-8") for path in sorted(self.folder.rglob("*.py")))

    @property
    def template(self) -> str:
        """The template of its route to an item, which the page shows."""
        return str(self.shown("http.request")["http.route"])

    def commands(self, *words: str) -> list[Command]:
        """The commands of the page that begin with these words."""
        found = [command for block in blocks(self.page, "console") for command in commands(block)]
        return [command for command in found if command.words[: len(words)] == words]

    def shown(self, event: str) -> dict[str, Any]:
        """The event of that name, or the problem document of that title, that the page shows."""
        documents = [json.loads(block.text) for block in blocks(self.page, "json")]
        (found,) = [one for one in documents if event in {one.get("event"), one.get("title")}]
        return {key: value for key, value in found.items() if key not in CHANGING}

    def module(self) -> ModuleType:
        """Its module, made anew: an app that has been shut down need not start again."""
        spec = importlib.util.spec_from_file_location(f"shop_of_{self.name}", self.folder / "app.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        # Litestar and Pydantic look there for what annotations mean.
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module


SHOPS: Final = {
    shop.name: shop
    for shop in (
        Shop("starlette"),
        Shop("fastapi"),
        Shop("litestar", invalid=400),
        Shop("quart"),
        Shop("blacksheep", invalid=400),
        Shop("django", socket=500, closes=False),
        Shop("flask", socket=403, closes=False),
    )
}
# Those whose app is one module, which a test can have in its own process.
ALONE: Final = tuple(name for name in SHOPS if name not in {"django", "flask"})
