"""What a policy allows, after CSP Level 3 section 6.7: written from the standard, not from our code."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

DEFAULT_PORTS: Final = {"http": 80, "ws": 80, "https": 443, "wss": 443}

# Section 6.8.3, "get fetch directive fallback list".
FALLBACK: Final = {
    "script-src-elem": ["script-src-elem", "script-src", "default-src"],
    "script-src-attr": ["script-src-attr", "script-src", "default-src"],
    "style-src-elem": ["style-src-elem", "style-src", "default-src"],
    "style-src-attr": ["style-src-attr", "style-src", "default-src"],
    "worker-src": ["worker-src", "child-src", "script-src", "default-src"],
    "frame-src": ["frame-src", "child-src", "default-src"],
    "form-action": ["form-action"],
}


def policy_of(text: str) -> dict[str, list[str]]:
    """Section 2.2.1, "parse a serialized CSP"."""
    found: dict[str, list[str]] = {}
    for directive in text.split(";"):
        name, *values = directive.split() or [""]
        if name and name.lower() not in found:
            found[name.lower()] = values
    return found


def allows(text: str, directive: str, blocked: str, document: str) -> bool:
    """Whether a policy lets a page load an address, or whatever a word such as `data` stands for."""
    policy = policy_of(text)
    for name in FALLBACK.get(directive, [directive, "default-src"]):
        if name in policy:
            return in_list(policy[name], directive, blocked, document)
    return True


def in_list(sources: list[str], directive: str, blocked: str, document: str) -> bool:
    """Section 6.7.2.7, "does url match source list in origin with redirect count"."""
    lowered = [source.lower() for source in sources]
    if blocked == "wasm-eval":
        return "'wasm-unsafe-eval'" in lowered or "'unsafe-eval'" in lowered
    # Section 6.7.1.1: with 'strict-dynamic' a script needs more than its address.
    if directive.startswith("script-src") and "'strict-dynamic'" in lowered:
        return False
    if "://" not in blocked:
        return f"{blocked}:" in lowered
    return any(matches(source, blocked, document) for source in lowered)


def matches(source: str, blocked: str, document: str) -> bool:
    """Section 6.7.2.8, "does url match expression in origin with redirect count"."""
    url, page = urlsplit(blocked), urlsplit(document)
    if source == "*":
        return url.scheme in DEFAULT_PORTS
    if source == "'self'":
        return (url.scheme, url.hostname, port(blocked)) == (page.scheme, page.hostname, port(document))
    if source.startswith("'"):
        return False
    if source.endswith(":"):
        return scheme_matches(source[:-1], url.scheme)
    if "://" not in source:
        source = f"{page.scheme}://{source}"
    wanted = urlsplit(source)
    if not scheme_matches(wanted.scheme, url.scheme) or not host_matches(wanted.netloc, url.hostname or ""):
        return False
    if wanted.netloc.endswith(":*"):
        return True
    if wanted.port is None:
        return port(blocked) == DEFAULT_PORTS[url.scheme]
    return wanted.port == port(blocked)


def scheme_matches(wanted: str, found: str) -> bool:
    """Section 6.7.2.10, "scheme-part matches"."""
    better = {"http": {"https"}, "ws": {"wss", "http", "https"}, "wss": {"https"}}
    return wanted == found or found in better.get(wanted, set())


def host_matches(wanted: str, found: str) -> bool:
    """Section 6.7.2.11, "host-part matches": addresses in numbers never do."""
    if found.startswith("[") or ":" in found or found.replace(".", "").isdigit():
        return False
    host = wanted.partition(":")[0]
    return found.endswith(host[1:]) if host.startswith("*.") else host == found


def port(url: str) -> int:
    """The port of an address, or that of its scheme."""
    parts = urlsplit(url)
    return parts.port or DEFAULT_PORTS[parts.scheme]
