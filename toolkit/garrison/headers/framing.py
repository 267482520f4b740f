"""Who may frame a reply: X-Frame-Options and `frame-ancestors`, which are one matter to browsers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from garrison.asgi import Headers

CSP: Final = b"content-security-policy"
FRAMES: Final = b"x-frame-options"
ANCESTORS: Final = b"frame-ancestors"

# What X-Frame-Options can say of what `frame-ancestors` says (HTML standard, "X-Frame-Options"), the
# stricter one first.
SAME: Final = {b"'none'": b"DENY", b"'self'": b"SAMEORIGIN"}


def frames_of(policy: bytes) -> bytes | None:
    """The X-Frame-Options that says the same as a policy; None where the policy says nothing of frames.

    Returns:
        An empty value where only `frame-ancestors` can say it, such as the name of another site.
    """
    said = {
        b" ".join(words[1:])
        for words in map(bytes.split, policy.lower().replace(b",", b";").split(b";"))
        if words[:1] == [ANCESTORS]
    }
    # Several policies are all in force, so that the strictest decides.
    return next((frames for sources, frames in SAME.items() if sources in said), b"" if said else None)


def following(policy: bytes, frames: bytes) -> bytes:
    """A policy that says of frames what X-Frame-Options says; nothing of them where that is no known value.

    Browsers that find `frame-ancestors` ignore X-Frame-Options (CSP Level 3 section 6.4.2), and with it an
    app's `DENY`.

    Args:
        policy: of ours, with or without `frame-ancestors`.
        frames: the value of the app's X-Frame-Options.
    """
    sources = next((sources for sources, value in SAME.items() if value == frames.strip().upper()), None)
    directives = [directive.strip() for directive in policy.split(b";")]
    kept = [directive for directive in directives if directive and not directive.startswith(ANCESTORS)]
    if sources is not None and len(kept) < len(directives):
        kept.append(ANCESTORS + b" " + sources)
    return b"; ".join(kept)


def with_given(lines: dict[bytes, bytes], given: Mapping[bytes, bytes | None]) -> dict[bytes, bytes]:
    """The lines of a policy with what a handler gave in their place; what it says of frames holds in both.

    Args:
        lines: values by name, names in lower case.
        given: values that replace theirs; None sends none.
    """
    found = {name: value for name, value in lines.items() if name not in given}
    found |= {name: value for name, value in given.items() if value is not None}
    frames, policy = given.get(FRAMES), given.get(CSP)
    if frames is not None and CSP in lines and CSP not in given:
        found[CSP] = following(lines[CSP], frames)
    elif policy is not None and (frames is not None or FRAMES not in given):
        found = dict(in_step(list(found.items())))
    return {name: value for name, value in found.items() if value}


def in_step(lines: Headers) -> Headers:
    """The lines with an X-Frame-Options that does not contradict their policies, or without one.

    X-Frame-Options would outlive the leave that `frame-ancestors` gives, in browsers that do not know it.

    Args:
        lines: of a reply, their names in lower case.
    """
    said = frames_of(b";".join(value for name, value in lines if name == CSP))
    if said is None:
        return lines
    found = [line for line in lines if line[0] != FRAMES]
    return [*found, (FRAMES, said)] if said else found
