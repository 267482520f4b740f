"""What clients are told about quotas: header fields and problems."""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from hashlib import blake2b
from math import ceil
from random import random as random_number
from time import time
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from garrison.problems import QUOTA_EXCEEDED, REDUCED_CAPACITY, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from garrison.asgi import Headers
    from garrison.ratelimit.quota import Part, Quota, Standing

Style: TypeAlias = Literal["standard", "legacy", "both", "off"]
QuotaUnit: TypeAlias = Literal["requests", "content-bytes"]

# draft-ietf-httpapi-ratelimit-headers, "Problem Types".
REGISTRY: Final = "https://iana.org/assignments/http-problem-types"
UNAVAILABLE: Final = Problem(
    status=503,
    type=REDUCED_CAPACITY,
    title="Request cannot be satisfied due to temporary server capacity constraints",
)
ABNORMAL: Final = f"{REGISTRY}#abnormal-usage-detected"
SOON: Final = (b"retry-after", b"1")

# What clients that were refused together wait at random on top, so that they do not come back together:
# the part of the wait, and seconds at most.
JITTER: Final = 0.1
LONGEST_JITTER: Final = 5.0

# Enough to tell partitions apart, and too little to be of use to anybody else.
PARTITION_BYTES: Final = 9


class Fields:
    """Writes header fields and problems about quotas.

    Args:
        style: `standard` for RateLimit and RateLimit-Policy, `legacy` for X-RateLimit-Limit, -Remaining and
            -Reset, `both`, or `off` for none; Retry-After is there in any case.
        unit: what one unit of a quota is.
        partition_key: keys the hashes that tell whose quota is meant (`pk`), which are left out where it is
            None; at most 64 bytes.
        random: a number from 0 up to and without 1, for what clients wait longer than they must.
        now: seconds since 1970, for X-RateLimit-Reset.
    """

    def __init__(
        self,
        style: Style = "standard",
        *,
        unit: QuotaUnit = "requests",
        partition_key: bytes | None = None,
        random: Callable[[], float] = random_number,
        now: Callable[[], float] = time,
    ) -> None:
        self.is_plain = style in {"standard", "off"} and partition_key is None
        self._standard = style in {"standard", "both"}
        self._legacy = style in {"legacy", "both"}
        # `requests` is what a quota counts where nothing is said (draft, "Quota Unit Parameter").
        self._unit = "" if unit == "requests" else f';qu="{unit}"'
        self._random = random
        self._now = now
        self._partition: Callable[[str], str] = (
            _nothing if partition_key is None else lru_cache(maxsize=4096)(_Partitions(partition_key))
        )

    def policy(self, quotas: Iterable[Quota], key: str = "") -> bytes:
        """The value of RateLimit-Policy.

        Args:
            quotas: at least one.
            key: whose they are.
        """
        partition = self._partition(key)
        items = (
            f'"{quota.name}";q={quota.limit};w={ceil(quota.period)}{self._unit}{partition}'
            for quota in quotas
        )
        return ", ".join(items).encode("ascii")

    def lines(self, parts: Sequence[Part], standings: Sequence[Standing]) -> Headers:
        """The header lines for a request.

        Args:
            parts: what was asked for.
            standings: one for each of their quotas, in their order.
        """
        if not standings:
            return []
        found: Headers = []
        if self._standard:
            policy = b", ".join(self.policy(part.quotas, part.key) for part in parts)
            keys = [self._partition(part.key) for part in parts for _ in part.quotas]
            items = [
                _item(standing) + key.encode("ascii") for standing, key in zip(standings, keys, strict=True)
            ]
            found += [(b"ratelimit-policy", policy), (b"ratelimit", b", ".join(items))]
        if self._legacy:
            found += self._legacy_lines(standings)
        return found

    def retry_after(self, seconds: float) -> tuple[bytes, bytes]:
        """The Retry-After line, in whole seconds that are never too few (RFC 9110 section 10.2.3)."""
        whole = max(1, whole_seconds(seconds))
        # What is less than a second could only be told as one.
        longest = int(min(whole * JITTER, LONGEST_JITTER))
        return b"retry-after", b"%d" % (whole + int(self._random() * (longest + 1)))

    def _legacy_lines(self, standings: Sequence[Standing]) -> Headers:
        """What GitHub made usual, about the quota that has least left: the reset is a time since 1970."""
        quota, remaining, _, reset_after = min(standings, key=lambda standing: standing.remaining)
        return [
            (b"x-ratelimit-limit", b"%d" % quota.limit),
            (b"x-ratelimit-remaining", b"%d" % remaining),
            (b"x-ratelimit-reset", b"%d" % whole_seconds(self._now() + reset_after)),
        ]


class _Partitions:
    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def __call__(self, key: str) -> str:
        text = key.encode("utf-8", "surrogatepass")
        digest = blake2b(text, key=self._secret, digest_size=PARTITION_BYTES, person=b"pk").digest()
        return f";pk=:{b64encode(digest).decode('ascii')}:"


def whole_seconds(seconds: float) -> int:
    """Whole seconds that are not too few; a microsecond over is rounding and not a second more."""
    return ceil(seconds - 1e-6)


def standing_form(quotas: Iterable[Quota]) -> bytes:
    """The value of RateLimit with gaps for the numbers, to be filled in by `standing_line`."""
    return b", ".join(f'"{quota.name}";r=%d;t=%d'.encode("ascii") for quota in quotas)


def standing_line(form: bytes, standings: Sequence[Standing]) -> tuple[bytes, bytes]:
    """The RateLimit line without partition keys: what remains, and when there is more.

    Args:
        form: of the quotas, from `standing_form`.
        standings: one for each of them.
    """
    if len(standings) == 1:
        # Most replies; what works for any number takes twice as long.
        _, remaining, more_after, _ = standings[0]
        return b"ratelimit", form % (remaining, ceil(more_after - 1e-6))
    numbers = [number for each in standings for number in (each.remaining, whole_seconds(each.more_after))]
    return b"ratelimit", form % tuple(numbers)


def _item(standing: Standing) -> bytes:
    quota, remaining, more_after, _ = standing
    return f'"{quota.name}";r={remaining};t={whole_seconds(more_after)}'.encode("ascii")


def refusal(quotas: Iterable[Quota]) -> Problem:
    """The draft's problem type for a quota that is used up.

    Args:
        quotas: those that had no room.
    """
    return Problem(
        status=429,
        type=QUOTA_EXCEEDED,
        title="Request cannot be satisfied as assigned quota has been exceeded",
        extensions={"violated-policies": [quota.name for quota in quotas]},
    )


def block(quotas: Iterable[Quota]) -> Problem:
    """The draft's problem type for a client that went on after it was refused.

    Args:
        quotas: those that it went on to exceed.
    """
    return Problem(
        status=429,
        type=ABNORMAL,
        title="Request not satisfied due to detection of abnormal request pattern",
        extensions={"violated-policies": [quota.name for quota in quotas]},
    )


def _nothing(_: str) -> str:
    return ""
