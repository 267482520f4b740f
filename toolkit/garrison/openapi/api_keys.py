"""API keys: kept as keyed hashes, and compared in a time that tells nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import blake2b
from hmac import compare_digest
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final

from garrison.openapi.credentials import Rejected
from garrison.openapi.verifiers import LONGEST_PRINCIPAL, UNWRITABLE, Verified, is_principal
from garrison.rules import NotationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from garrison.openapi.credentials import Credential
    from garrison.openapi.model import Head
    from garrison.units import Secret

# 256 bits for both: what hashes cannot be guessed from, and what a new key is made of.
DIGEST_BYTES: Final = 32
KEY_BYTES: Final = 32
DIGEST: Final = re.compile(rf"[0-9a-f]{{{2 * DIGEST_BYTES}}}")
# Shorter ones can be guessed; keys are made by machines, and nobody has to remember them.
SHORTEST: Final = 16
# Servers take 8 to 16 KiB of headers.
LONGEST: Final = 4096
# What scanners of repositories and logs can look for.
PREFIX: Final = "garrison_key_"
# RFC 6749 section 3.3, without the comma that parts entries.
SCOPE: Final = re.compile(r"[!#-+\--\[\]-~]+")

UNKNOWN: Final = Rejected("unknown key")
EXPECTED: Final = (
    "principals with the hashes of their keys, and scopes where they have some, such as 'alice=5f70…' or"
    " 'alice=5f70… orders:read orders:write'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """One API key.

    Attributes:
        principal: whom it belongs to; a principal may have several, so that keys can be changed one by one.
        digest: its keyed hash, in hex.
        scopes: what it may be used for.
    """

    principal: str
    digest: str = field(repr=False)
    scopes: frozenset[str] = frozenset()


def parse_api_keys(text: str) -> tuple[ApiKey, ...]:
    """Read keys such as `alice=5f70…, alice=93c1… orders:read, bob=07aa…`.

    Args:
        text: parted by commas, each with a principal, the hash that `key_digest` makes, and scopes parted by
            blanks.

    Raises:
        NotationError: an entry does not fit, or a key is there twice. It shows the principal and nothing
            behind it: people put the key itself there.
    """
    found: dict[str, ApiKey] = {}
    for entry in filter(None, map(str.strip, text.split(","))):
        principal, equals, rest = map(str.strip, entry.partition("="))
        digest, *scopes = rest.split() or [""]
        digest = digest.lower()
        if not is_principal(principal) or DIGEST.fullmatch(digest) is None:
            shown = f"{principal}=***" if equals else "***"
            raise NotationError(EXPECTED, shown)
        if digest in found:
            raise NotationError("each key once", f"{principal}=*** and {found[digest].principal}=***")
        found[digest] = ApiKey(principal=principal, digest=digest, scopes=frozenset(scopes))
    return tuple(found.values())


def key_digest(key: str, secret: Secret) -> str:
    """The keyed hash of an API key, as settings have it.

    Args:
        key: as clients send it.
        secret: `GARRISON_SECRET`, without which nobody can try keys on a hash that got out.

    Raises:
        ValueError: the key is too short to be safe, or no request could bring it.
    """
    if not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"an API key has {SHORTEST} to {LONGEST} characters, this one has {len(key)}")
    if UNWRITABLE.search(key) or key != key.strip():
        raise ValueError("an API key has no control characters, and no blanks around it")
    return _hasher(secret)(key).hex()


def key_entry(principal: str, digest: str, scopes: Iterable[str] = ()) -> str:
    """What `parse_api_keys` reads about one key.

    Args:
        principal: whom it belongs to.
        digest: what `key_digest` made of it.
        scopes: what it may be used for.

    Raises:
        ValueError: the principal or a scope cannot be written there.
    """
    if not is_principal(principal) or set(principal) & {",", "="} or principal != principal.strip():
        raise ValueError(
            f"a principal has 1 to {LONGEST_PRINCIPAL} characters, neither commas nor equals signs among"
            " them, and no blanks around it"
        )
    kept = list(dict.fromkeys(scopes))
    if not all(SCOPE.fullmatch(scope) for scope in kept):
        raise ValueError("a scope has neither blanks nor commas, quotes or backslashes, and is ASCII")
    return " ".join([f"{principal}={digest}", *kept])


def new_key() -> str:
    """An API key that nobody can guess: `PREFIX`, and then letters, digits, `-` and `_`."""
    return f"{PREFIX}{token_urlsafe(KEY_BYTES)}"


def _hasher(secret: Secret) -> Callable[[str], bytes]:
    # Whatever else is hashed with the same secret has other hashes.
    pepper = blake2b(secret.reveal().encode("utf-8", "surrogatepass"), person=b"garrison keys").digest()

    def digest(key: str) -> bytes:
        text = key.encode("utf-8", "surrogatepass")
        return blake2b(text, key=pepper, digest_size=DIGEST_BYTES).digest()

    return digest


class ApiKeys:
    """Judges API keys.

    Args:
        keys: those that are accepted.
        secret: `GARRISON_SECRET`, with which their hashes were made.
    """

    def __init__(self, keys: Iterable[ApiKey], secret: Secret) -> None:
        self._entries = tuple(
            (bytes.fromhex(key.digest), Verified(key.principal, key.scopes)) for key in keys
        )
        self._digest = _hasher(secret)

    async def verify(self, credential: Credential, head: Head) -> Verified | Rejected:  # noqa: ARG002 - the protocol's
        """Say whose key it is. Every key is compared, whichever it is and wherever it differs."""
        digest = self._digest(credential.value)
        found: Verified | Rejected = UNKNOWN
        for known, verified in self._entries:
            if compare_digest(known, digest):
                found = verified
        return found
