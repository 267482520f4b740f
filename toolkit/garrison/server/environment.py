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

    They trust the proxies that `FORWARDED_ALLOW_IPS` names, and without it those on this machine;
    `WEB_CONCURRENCY` says how many workers there are. Settings of our own names win over both.

    Raises:
        SettingsError: with every problem at once.
    """
    allowed = foreign("FORWARDED_ALLOW_IPS")
    trusted = ("127.0.0.1,::1", "command")
    if allowed:
        everybody = allowed.strip() == "*"
        trusted = ("0.0.0.0/0,::/0" if everybody else allowed, "FORWARDED_ALLOW_IPS")
    return load(Settings, defaults={"GARRISON_PROXY_TRUSTED": trusted, **worker_count()})
