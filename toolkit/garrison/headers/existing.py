"""What becomes of a security header that the app has set itself: it stays, goes, or is joined with ours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, cast, get_args

from garrison.csp.merge import merge_policies
from garrison.csp.policy import parse_policy
from garrison.headers.framing import CSP, FRAMES, following, in_step
from garrison.headers.hsts import HSTS, join_hsts
from garrison.headers.permissions import merge_permissions, parse_permissions
from garrison.headers.presets import MORE
from garrison.nearest import nearest_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from garrison.asgi import Headers

Mode = Literal["keep", "override", "merge"]
MODES: Final = get_args(Mode)

REPORT_ONLY: Final = b"content-security-policy-report-only"
POLICIES: Final = frozenset({CSP, REPORT_ONLY})
PERMISSIONS: Final = frozenset({b"permissions-policy", b"permissions-policy-report-only"})
ENDPOINTS: Final = b"reporting-endpoints"
REFERRER: Final = b"referrer-policy"

# From the loosest value to the strictest, for headers of which a browser obeys one (Referrer Policy section
# 3; HTML standard, "cross-origin opener policies" and "COEP"; Fetch, "Cross-Origin-Resource-Policy").
ORDER: Final[Mapping[bytes, tuple[bytes, ...]]] = {
    FRAMES: (b"sameorigin", b"deny"),
    b"x-content-type-options": (b"nosniff",),
    REFERRER: (
        b"unsafe-url",
        b"no-referrer-when-downgrade",
        b"origin",
        b"origin-when-cross-origin",
        b"strict-origin-when-cross-origin",
        b"strict-origin",
        b"same-origin",
        b"no-referrer",
    ),
    b"cross-origin-opener-policy": (
        b"unsafe-none",
        b"same-origin-allow-popups",
        b"noopener-allow-popups",
        b"same-origin",
    ),
    b"cross-origin-embedder-policy": (b"unsafe-none", b"credentialless", b"require-corp"),
    b"cross-origin-resource-policy": (b"cross-origin", b"same-site", b"same-origin"),
    **{name.encode("ascii"): (value.encode("ascii"),) for name, value in MORE.items()},
}

# Every header that this is about; of those in no list above browsers take several lines.
SECURITY: Final = (
    frozenset(ORDER)
    | POLICIES
    | PERMISSIONS
    | {
        HSTS,
        ENDPOINTS,
        b"cross-origin-opener-policy-report-only",
        b"cross-origin-embedder-policy-report-only",
        b"clear-site-data",
    }
)


# Of these several lines are one list: of policies that all hold, or of features.
LISTS: Final = POLICIES | PERMISSIONS

# An app's policy with a nonce is another one on every reply, and ours is not; nobody changes these.
_parsed_policy = lru_cache(maxsize=64)(parse_policy)
_parsed_permissions = lru_cache(maxsize=64)(parse_permissions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Modes:
    """How the app's headers and ours go together.

    Attributes:
        usual: for every header that is not named.
        named: for single headers, by their name in lower case.
    """

    usual: Mode = "keep"
    named: tuple[tuple[bytes, Mode], ...] = ()

    def of(self, name: bytes) -> Mode:
        """The mode for a header."""
        return dict(self.named).get(name, self.usual)


def parse_modes(text: str) -> Modes:
    """Read a setting such as `keep, content-security-policy=merge`.

    Args:
        text: a mode for all, and headers with a mode of their own, parted by commas.

    Raises:
        ValueError: with what is expected and the near miss.
    """
    usual: Mode = "keep"
    named: dict[bytes, Mode] = {}
    for item in filter(None, map(str.strip, text.lower().split(","))):
        name, equals, mode = item.rpartition("=")
        name, mode = name.strip(), mode.strip()
        if mode not in MODES:
            raise ValueError(f"{mode!r} is no mode{_near(mode, MODES)}")
        if not equals:
            usual = cast("Mode", mode)
            continue
        known = sorted(key.decode("ascii") for key in SECURITY)
        if name not in known:
            raise ValueError(f"{name!r} is no security header{_near(name, known)}")
        named[name.encode("ascii")] = cast("Mode", mode)
    return Modes(usual=usual, named=tuple(named.items()))


def _near(found: str, known: Iterable[str]) -> str:
    nearest = nearest_to(found, known)
    return f": did you mean {nearest}?" if nearest else ""


# Apps set the same few headers on all of their replies.
@lru_cache(maxsize=1024)
def reconcile(
    own: tuple[tuple[bytes, bytes], ...], ours: tuple[tuple[bytes, bytes], ...], modes: Modes
) -> Headers:
    """The security headers of a reply that the app has given some itself; none contradicts another.

    Args:
        own: the app's, their names in lower case, in their order.
        ours: those of the policy.
        modes: which of the two counts.
    """
    kept = single(line for line in own if line[0] not in dict(ours) or modes.of(line[0]) != "override")
    names = {name for name, _ in kept}
    frames = (
        dict(kept).get(FRAMES)
        if not any(name == CSP and b"frame-ancestors" in value.lower() for name, value in kept)
        else None
    )
    found = list(kept)
    for name, value in ours:
        policy = following(value, frames) if name == CSP and frames is not None else value
        if name not in names:
            found += [(name, policy)] if policy else []
        elif modes.of(name) == "merge":
            found = joined(found, name, policy)
    return in_step(found)


def single(lines: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The lines without contradictions: of a header of which a browser obeys one value, the strictest.

    Of two Strict-Transport-Security lines browsers obey the first (RFC 6797 section 8.1), and of
    Referrer-Policy the last value that they know (section 8.1 of its specification).
    """
    found: Headers = []
    for name, value in lines:
        place = next((at for at, line in enumerate(found) if line[0] == name), None)
        if place is None or (name not in ORDER and name != HSTS):
            found.append((name, value))
        elif name in ORDER and rank(name, value) > (-1 if name == REFERRER else rank(name, found[place][1])):
            found[place] = (name, value)
    return found


def rank(name: bytes, value: bytes) -> int:
    """How strict a value is among those of its header; -1 for one that browsers do not know."""
    # Parameters such as `; report-to="reports"` change nothing.
    tokens = [token.strip().lower() for token in value.partition(b";")[0].split(b",")]
    if name == REFERRER:
        # It may list fallbacks, of which a browser takes the last that it knows.
        tokens = [token for token in tokens if token in ORDER[name]]
    return ORDER[name].index(tokens[-1]) if tokens and tokens[-1] in ORDER[name] else -1


def joined(lines: Headers, name: bytes, ours: bytes) -> Headers:
    """The lines with our value joined into the first of its name: the strictest of both."""
    place = next(at for at, line in enumerate(lines) if line[0] == name)
    own = lines[place][1]
    rest = lines[place + 1 :]
    if name in LISTS:
        own = b", ".join(value for key, value in lines if key == name)
        rest = [line for line in rest if line[0] != name]
    if name in POLICIES:
        directives = _parsed_policy(ours.decode("ascii"))
        value = merge_policies(own.decode("latin-1"), directives).encode("latin-1")
    elif name in PERMISSIONS:
        features = _parsed_permissions(ours.decode("ascii"))
        value = merge_permissions(own.decode("latin-1"), features).encode("latin-1")
    elif name == HSTS:
        value = join_hsts(own, ours)
    elif name == ENDPOINTS:
        value = own + b", " + ours
    elif name in ORDER:
        value = max(own, ours, key=lambda one: rank(name, one))
    else:
        value = own
    return [*lines[:place], (name, value), *rest]
