"""Which account a login is about, read from a request whose handler reads it too."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from importlib.util import find_spec
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    Account = str | Callable[[Any], str | Awaitable[str | None] | None]

# Letters of a name that count: more than any address of mail has (RFC 5321 section 4.5.3.1).
LONGEST: Final = 1024
# Marks such as accents, and what cannot be seen: many databases find a name without them too.
IGNORED: Final = frozenset({"Mn", "Cf", "Cc"})


async def account_of(request: Request, account: Account) -> str | None:
    """The account that a request is about, as it is written there.

    Args:
        request: of the login.
        account: the name of a form's field or of a JSON document's member, or a callable that takes the
            request; sync or async.

    Returns:
        None where the request names none.

    Raises:
        HTTPException: a form and a document at once, which name two; status 400.
        TypeError: the callable returned neither a text nor None.
    """
    found: object = await _submitted(request, account) if isinstance(account, str) else account(request)
    if isawaitable(found):
        found = await found
    if found is not None and not isinstance(found, str):
        raise TypeError(f"the callable for accounts returned {type(found).__name__}, not str or None")
    return found or None


def spelled_alike(account: str) -> str:
    """The one spelling that stands for all variants under which an app may find the same account.

    An app that tells some of them apart has accounts that share it; so it says nothing about who has logged
    in to which of them.

    Args:
        account: as it was submitted.
    """
    # Databases compare in capitals too, of which a dotless i has the same as any.
    text = unicodedata.normalize("NFKD", account.strip()[:LONGEST]).upper().casefold()
    seen = "".join(map(_bare, text))
    return " ".join(seen.split())


def _bare(letter: str) -> str:
    """A letter without what databases may not look at: marks, and strokes that are part of it."""
    if unicodedata.category(letter) in IGNORED:
        return ""
    name, _, mark = unicodedata.name(letter, "").partition(" WITH ")
    try:
        return unicodedata.lookup(name) if mark else letter
    except KeyError:
        return letter


async def _submitted(request: Request, name: str) -> str | None:
    """What a form or a document says, whatever the handler reads of the two, or has read already."""
    # A stream is read once. What is kept of it is there for whoever asks next, form or document.
    with suppress(RuntimeError):
        await request.body()
    submitted = await _submitted_form(request, name)
    written = await _submitted_document(request, name)
    if submitted is not None and written is not None and submitted != written:
        raise HTTPException(400, "The body is a form and a document that name two accounts.")
    return written if submitted is None else submitted


async def _submitted_form(request: Request, name: str) -> str | None:
    # Without the library no handler reads a form either.
    if "form" in request.headers.get("content-type", "").lower() and find_spec("python_multipart"):
        try:
            form = await request.form()
        except (HTTPException, MultiPartException, RuntimeError):
            # Not a form, whatever it claims, or nothing left of it.
            return None
        value: object = form.get(name)
        return value if isinstance(value, str) else None
    return None


async def _submitted_document(request: Request, name: str) -> str | None:
    try:
        # Of any media type: a handler that reads JSON may not look at that.
        document = await request.json()
    except (ValueError, RuntimeError):
        # No document, one that is nested too deeply, or nothing left behind a form.
        return None
    found = document.get(name) if isinstance(document, dict) else None
    return str(found) if isinstance(found, str | int) else None
