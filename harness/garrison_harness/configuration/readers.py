"""Which commands take which keys of `[tool.garrison]`, by the names of the parameters.

`garrison check` takes all of them. The others take what is true of the app whatever is done with it, and
leave alone how it is audited. The commands and the reference of the table both read these lists.
"""

from __future__ import annotations

from typing import Final

LOGIN: Final = "login"
"""The key that no flag has: a table of its own."""

LOAD: Final = (
    "words",
    "factory",
    "harden",
    "server",
    "environment",
    "env_file",
    "start_timeout",
    "headers",
    "quota",
    LOGIN,
)
"""Those of `garrison load`, beside the table that is its own."""

DRILL: Final = (
    "words",
    "factory",
    "harden",
    "environment",
    "env_file",
    "start_timeout",
    "headers",
    "one_address",
    "error_path",
    "body_path",
    "slow_path",
    "slow_limit",
    "quota",
)
"""Those of `garrison drill`."""

PROVE: Final = ("words", "factory", "environment", "env_file")
"""Those of `garrison prove`."""

NOT_PYTEST: Final = ("harden", "server", "in_process", "formats", "outputs", "reference")
"""What the pytest plugin leaves alone: pytest reports, and how apps are served its own flags say."""


def readers_of(name: str) -> tuple[str, ...]:
    """Who takes a key, as the reference calls them.

    Args:
        name: Of the parameter, or that of the login.
    """
    others = {
        "load": name in LOAD,
        "drill": name in DRILL,
        "prove": name in PROVE,
        "pytest": name not in NOT_PYTEST,
    }
    return ("check", *(reader for reader, takes in others.items() if takes))
