"""What to say where a package is missing that an extra brings."""

from __future__ import annotations

from importlib.util import find_spec

from garrison_harness.target import UsageFault


def needs(what: str, package: str | None, extra: str) -> str:
    """One sentence and the command that installs it; the toolkit has the same words.

    Args:
        what: Cannot be done without it, such as "`garrison check`".
        package: As it is imported.
        extra: Brings it.
    """
    return f"{what} needs {package}. Install it with: pip install 'garrison[{extra}]'"


def require(command: str, *packages: str, extra: str = "harness") -> None:
    """See that what a command imports later is installed, without importing it.

    Args:
        command: Its name.
        packages: As they are imported, all from one extra.
        extra: Brings them.

    Raises:
        UsageFault: One is missing.
    """
    for package in packages:
        if find_spec(package) is None:
            raise UsageFault(needs(f"`garrison {command}`", package, extra))
