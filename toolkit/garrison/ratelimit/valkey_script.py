"""The script that decides at the server, its arguments and its replies."""

from __future__ import annotations

from hashlib import sha1
from pathlib import Path
from typing import TYPE_CHECKING, Final

from garrison.ratelimit.quota import Decision, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from garrison.ratelimit.coalescing import Ask
    from garrison.ratelimit.quota import Quota

SCRIPT: Final = Path(__file__).with_name("valkey_script.lua").read_bytes()
MICROSECONDS: Final = 1_000_000
# What the script returns for one quota: see there.
INTEGERS: Final = 4

# Units, in the notation of the script: see there.
LOOK: Final = b"0"
RESET: Final = b"reset"
AND: Final = b"&"
WHETHER: Final = b"?"
NO_QUOTAS: Final = (b"0",)


def digest(script: bytes) -> bytes:
    """The name under which a server caches a script."""
    return sha1(script, usedforsecurity=False).hexdigest().encode()


def words_of(quotas: tuple[Quota, ...]) -> tuple[bytes, ...]:
    """The words of a set of quotas."""
    words: list[object] = [len(quotas)]
    for quota in quotas:
        period = round(quota.period * MICROSECONDS)
        words += (f"{quota.algorithm} {quota.limit}/{period}", quota.algorithm, quota.limit, period)
    return tuple(str(word).encode() for word in words)


def script_arguments(asks: Sequence[Ask]) -> list[bytes]:
    """What follows the script's name in a command: the count of the keys, the keys, and the words.

    Each set of quotas is sent once, whatever number of decisions it is for.
    """
    sets: dict[tuple[bytes, ...], bytes] = {}
    keys: list[bytes] = []
    decisions: list[bytes] = []
    for first in asks:
        ask: Ask | None = first
        while ask is not None:
            number = sets.get(ask.words)
            if number is None:
                sets[ask.words] = number = b"%d" % (len(sets) + 1)
            keys.append(ask.key)
            decisions += (number, ask.units)
            ask = ask.rest
    quotas = [word for words in sets for word in words]
    return [b"%d" % len(keys), *keys, b"%d" % len(sets), *quotas, *decisions]


def packed(words: Iterable[bytes]) -> bytes:
    """A command in the RESP protocol; many times faster than the client's own, which takes any type."""
    chunks = [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
    return b"*%d\r\n%b" % (len(chunks), b"".join(chunks))


def decision(quotas: tuple[Quota, ...], reply: list[int]) -> Decision:
    """What the script says about one decision."""
    if len(quotas) == 1 and not reply[0]:
        # Most decisions, at half the price.
        _, remaining, more, reset = reply
        standing = Standing(quotas[0], remaining, more / MICROSECONDS, reset / MICROSECONDS)
        return Decision(True, (), 0.0, (standing,))  # noqa: FBT003 - names cost half a microsecond
    waits = reply[::INTEGERS]
    rows = zip(quotas, reply[1::INTEGERS], reply[2::INTEGERS], reply[3::INTEGERS], strict=True)
    return Decision(
        allowed=not any(waits),
        refused_by=tuple(quota for quota, wait in zip(quotas, waits, strict=True) if wait),
        retry_after=max(waits) / MICROSECONDS,
        standings=tuple(
            Standing(quota, remaining, more / MICROSECONDS, reset / MICROSECONDS)
            for quota, remaining, more, reset in rows
        ),
    )
