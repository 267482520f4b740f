"""What a serving process takes from the environment beside the settings, as uvicorn's users know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.settings import foreign, load
from garrison.stack import Settings

if TYPE_CHECKING:
    from garrison.settings import Loaded


def worker_count() -> dict[str, tuple[str, str]]:
    """The number of workers that `WEB_CONCURRENCY` asks for, as a default for `load`."""
    count = foreign("WEB_CONCURRENCY")
    return {"GARRISON_SERVER_WORKERS": (count, "WEB_CONCURRENCY")} if count else {}


def load_serving_settings() -> Loaded[Settings]:
    """The settings of `garrison run`.

    They trust the proxies that `FORWARDED_ALLOW_IPS` names, and without it those on this machine, unless
    `GARRISON_PROXY_HOPS` says how many there are; `WEB_CONCURRENCY` says how many workers there are.
    Settings of our own names win over both.

    Raises:
        SettingsError: with every problem at once.
    """
    defaults = worker_count()
    # Addresses and a number of proxies contradict each other, and a default contradicts nobody.
    if foreign("GARRISON_PROXY_HOPS") in {None, "0"} and foreign("GARRISON_PROXY_HOPS_FILE") is None:
        defaults["GARRISON_PROXY_TRUSTED"] = allowed_proxies()
    return load(Settings, defaults=defaults)


def allowed_proxies() -> tuple[str, str]:
    """The proxies that `FORWARDED_ALLOW_IPS` names, or those on this machine, as a default for `load`."""
    allowed = foreign("FORWARDED_ALLOW_IPS")
    if not allowed:
        return "127.0.0.1,::1", "command"
    return ("0.0.0.0/0,::/0" if allowed.strip() == "*" else allowed, "FORWARDED_ALLOW_IPS")
