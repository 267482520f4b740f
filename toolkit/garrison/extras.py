"""What to say where a package is missing that an extra brings."""

from __future__ import annotations


def needs(what: str, package: str | None, extra: str) -> str:
    """One sentence and the command that installs it; the harness has the same words.

    Args:
        what: cannot be done without it, such as "a Valkey store".
        package: as it is imported.
        extra: brings it.
    """
    return f"{what} needs {package}. Install it with: pip install 'garrison[{extra}]'"
