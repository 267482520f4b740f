"""Which directive of a policy decides about a kind of content, and which one to write for another answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

# CSP Level 3 section 6.8.3, "get fetch directive fallback list".
FALLBACKS: Final[dict[str, tuple[str, ...]]] = {
    "connect-src": ("default-src",),
    "font-src": ("default-src",),
    "frame-src": ("child-src", "default-src"),
    "img-src": ("default-src",),
    "manifest-src": ("default-src",),
    "media-src": ("default-src",),
    "object-src": ("default-src",),
    "script-src": ("default-src",),
    "script-src-attr": ("script-src", "default-src"),
    "script-src-elem": ("script-src", "default-src"),
    "style-src": ("default-src",),
    "style-src-attr": ("style-src", "default-src"),
    "style-src-elem": ("style-src", "default-src"),
    "worker-src": ("child-src", "script-src", "default-src"),
}
SCRIPTS: Final = frozenset({"script-src", "script-src-attr", "script-src-elem"})
STYLES: Final = frozenset({"style-src", "style-src-attr", "style-src-elem"})

# What is about scripts and means nothing for styles.
_OF_SCRIPTS = frozenset({"'strict-dynamic'", "'unsafe-eval'", "'wasm-unsafe-eval'"})


def governing_directive(directive: str, policy: Container[str]) -> str:
    """The directive that decides, itself or one that it falls back to; empty where the policy has none.

    Args:
        directive: the effective directive of a violation, such as `script-src-elem`.
        policy: has the directives of a policy.
    """
    for name in (directive, *FALLBACKS.get(directive, ())):
        if name in policy:
            return name
    return ""


def place(directive: str, governing: str) -> str:
    """Where to add a source: not where it would let in more kinds of content than asked for it.

    Args:
        directive: the effective directive.
        governing: the one that decides.
    """
    if governing == directive or directive.startswith(f"{governing}-"):
        return governing
    # Safari came late to `-elem`, and nobody writes it who does not need it.
    return directive.removesuffix("-elem")


def inherited(directive: str, policy: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """What a directive begins with that is not there yet, so that all goes on that its fallback allows.

    Args:
        directive: a fetch directive.
        policy: has one that it falls back to.
    """
    values = policy[governing_directive(directive, policy)]
    if directive in SCRIPTS:
        return values
    if directive in STYLES:
        return tuple(value for value in values if value.lower() not in _OF_SCRIPTS)
    return tuple(value for value in values if not value.startswith("'") or value.lower() == "'self'")
