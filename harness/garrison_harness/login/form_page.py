"""What a browser would send along with a form: its hidden fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from garrison_harness.page_reader import PageReader

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(slots=True)
class Form:
    """A form of a page.

    Attributes:
        action: Where it is sent, as the page says it.
        names: Of all its fields.
        hidden: Its hidden fields, in their order.
        password: Whether it asks for one.
    """

    action: str = ""
    names: set[str] = field(default_factory=set)
    hidden: list[tuple[str, str]] = field(default_factory=list)
    password: bool = False


class _Reader(PageReader):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes forms and their fields."""
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(action=found.get("action", "").strip()))
            self._open = True
        elif tag == "input" and self._open:
            form, kind, name = (
                self.forms[-1],
                found.get("type", "text").strip().lower(),
                found.get("name", ""),
            )
            form.password = form.password or kind == "password"
            if name:
                form.names.add(name)
                if kind == "hidden":
                    form.hidden.append((name, found.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        """Notes the end of a form."""
        if tag == "form":
            self._open = False


def forms_of(page: str) -> list[Form]:
    """The forms of a page.

    Args:
        page: HTML.
    """
    reader = _Reader()
    reader.read(page)
    return reader.forms


def login_form(page: str, *, at: str, path: str, names: Collection[str]) -> Form | None:
    """The form that a login fills in, None where the page has none.

    A page may hold others, such as a search: so it is the one that is sent to the path of the login and has
    the most of its fields.

    Args:
        page: HTML.
        at: The path of the page.
        path: Where the login goes.
        names: Of the fields that it fills in.
    """
    forms = forms_of(page)
    if not forms:
        return None

    def fitness(form: Form) -> tuple[int, bool, bool]:
        try:
            there = urlsplit(urljoin(at, form.action)).path == urlsplit(path).path
        except ValueError:
            there = False
        return len(form.names & set(names)), there, form.password

    return max(forms, key=fitness)
