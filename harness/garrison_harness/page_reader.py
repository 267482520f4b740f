"""Reads HTML that anybody may have written."""

from __future__ import annotations

from contextlib import suppress
from html.parser import HTMLParser


class PageReader(HTMLParser):
    """A parser that comes to the end of every page."""

    def read(self, page: str) -> None:
        """Read a page; should the parser give up, what stands before that counts.

        Args:
            page: HTML.
        """
        with suppress(AssertionError):
            self.feed(page)
            self.close()

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """Skip `<![` up to the next `>`, as browsers do (HTML section 13.2.5.42); the parser fails at it.

        Args:
            i: Where it begins.
            report: Nobody asks for what it holds.

        Returns:
            Where it ends; -1 where it does not.
        """
        del report
        return self.rawdata.find(">", i) + 1 or -1
