"""Somebody with a browser of their own: pages, cookies, and what the console complains about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Page, WebError

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "build" / "browser"
EXECUTABLE = Path("/usr/bin/chromium")
# Long for a machine that does other things as well; nothing waits longer than it has to.
SECONDS = 40


class Visitor:
    """A browser context.

    Attributes:
        context: with cookies and storage of its own.
        page: the first tab.
        complaints: errors on the console and exceptions that nothing caught, of every page and worker.
    """

    def __init__(self, context: BrowserContext) -> None:
        context.set_default_timeout(SECONDS * 1000)
        context.on("console", self._hear)
        context.on("weberror", self._note)
        self.context = context
        self.complaints: list[str] = []
        self.page: Page = context.new_page()

    def photograph(self, name: str, page: Page | None = None) -> None:
        """Write what a page looks like to `build/browser/`."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        (page or self.page).screenshot(path=PICTURES / f"{name}.png")

    def hears(self, words: str) -> None:
        """Wait until the console complains with these words, which may be later than what it is about."""
        if not any(words in complaint for complaint in self.complaints):
            self.context.wait_for_event("console", lambda message: words in message.text)

    def leave(self) -> None:
        """Close every other tab, and forget all that other tests could notice: cookies and complaints."""
        for page in self.context.pages:
            if page is not self.page:
                page.close()
        self.page.goto("about:blank")
        self.context.clear_cookies()
        self.complaints.clear()

    def cookie(self, name: str) -> dict[str, object]:
        """One cookie as the browser holds it."""
        (found,) = [cookie for cookie in self.context.cookies() if cookie.get("name") == name]
        return dict(found)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _note(self, error: WebError) -> None:
        self.complaints.append(str(error.error))
