"""Where the keys of an issuer come from: a file that may change, or a URL."""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol

from garrison.openapi.jwks_url import KeyUrl
from garrison.openapi.jwt_keys import KeysError, KeySet
from garrison.openapi.key_documents import LARGEST, read_keys
from garrison.openapi.key_fetch import URL_OR_PATH, is_key_url
from garrison.settings import Problem, SettingsError
from garrison.wording import mask_credentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.events import EventLog

# Seconds between two looks at a file.
CHECK: Final = 2.0


class KeySource(Protocol):
    """Has the keys of an issuer, whichever they are at the moment."""

    async def keys(self) -> KeySet:
        """The keys.

        Returns:
            The same object as long as they are the same.

        Raises:
            VerifierUnavailableError: they were never got, or too long ago.
        """
        ...

    async def newer(self, lacking: KeySet) -> KeySet:
        """The keys once more, after a token named one that is not among them.

        Args:
            lacking: what `keys` returned.

        Returns:
            Others, or the same where there are no others, or it is too early to ask again.
        """
        ...


class FixedKeys:
    """Keys that never change.

    Args:
        keys: of the issuer.
    """

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    async def keys(self) -> KeySet:
        """The keys."""
        return self._keys

    async def newer(self, lacking: KeySet) -> KeySet:
        """The same keys."""
        return lacking


class KeyFile:
    """Keys in a file, read again when it changes.

    A file that is gone or broken later on is reported, and the keys that were there before stay.

    Args:
        path: of a JWK set or of public keys in PEM.
        log: where the event `contract_keys` goes.
        clock: seconds that never go back.

    Raises:
        KeysError: it cannot be read, or has no key that can be used.
    """

    def __init__(self, path: Path, *, log: EventLog, clock: Callable[[], float] = monotonic) -> None:
        self._path = path
        self._log = log
        self._clock = clock
        self._checked = clock()
        self._stamp = _stamp(path)
        self._keys = _read(path)
        self._reason = ""

    async def keys(self) -> KeySet:
        """The keys, as the file has had them within the last seconds."""
        now = self._clock()
        if now - self._checked >= CHECK:
            self._checked = now
            self._look()
        return self._keys

    async def newer(self, lacking: KeySet) -> KeySet:  # noqa: ARG002 - the protocol's
        """The same keys: the file was looked at a moment ago."""
        return self._keys

    def _look(self) -> None:
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        fields = {"source": str(self._path)}
        try:
            self._keys = _read(self._path)
        except KeysError as error:
            # Without descriptors or rights it is the same file that can be read later.
            self._stamp = None
            if str(error) != self._reason:
                self._reason = str(error)
                self._log.emit("error", "contract_keys", {**fields, "state": "kept", "reason": self._reason})
        else:
            self._reason = ""
            self._log.emit("info", "contract_keys", {**fields, "state": "replaced"})


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What differs when somebody has written or replaced a file; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - half as long as Path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: Path) -> KeySet:
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST + 1)
    except OSError as error:
        raise KeysError(f"expected a file that can be read, found {error.strerror}") from None
    return read_keys(text)


def open_keys(
    where: str, *, setting: str, log: EventLog, clock: Callable[[], float] = monotonic
) -> KeyFile | KeyUrl:
    """The source that a setting names.

    Args:
        where: the path of a file, or a URL with https; http will do on this machine.
        setting: how the setting is called, for errors.
        log: where the event `contract_keys` goes.
        clock: seconds that never go back.

    Raises:
        SettingsError: it is no such URL, or the file has no key that can be used. A URL is asked when the
            first token comes.
    """
    if "://" not in where:
        try:
            # It is read again later, when the process may be in another directory. Links are followed then.
            return KeyFile(Path(where).absolute(), log=log, clock=clock)
        except KeysError as error:
            expected = "a file with a JWK set or with public keys in PEM"
            problem = Problem(name=setting, expected=expected, found=where, hint=_sentence(str(error)))
            raise SettingsError([problem]) from None
    if not is_key_url(where):
        problem = Problem(
            name=setting,
            expected=URL_OR_PATH,
            found=mask_credentials(where),
        )
        raise SettingsError([problem])
    return KeyUrl(where, log=log, clock=clock)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
