"""Hardens an app with what the base install has, and prints what it answers and which packages are there."""

from __future__ import annotations

from importlib.util import find_spec

from asking import ask, hello  # type: ignore[import-not-found]  # beside this file

from garrison import Settings, harden

OTHERS = ("uvicorn", "locust", "gevent", "rich", "h11", "pytest", "valkey", "jsonschema_rs", "re2", "pip")

reply = ask(harden(hello, Settings(access_log=None)))
print(reply.status, *sorted(reply.headers), [name for name in OTHERS if find_spec(name)])
