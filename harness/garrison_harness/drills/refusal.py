"""Why a drill says nothing."""

from __future__ import annotations


class NotRun(Exception):  # noqa: N818 - the name says what happened
    """The drill cannot be run with this target, or says nothing about it; the text is the reason."""


class Undecided(NotRun):
    """The drill was begun, and something else than what it breaks kept it from saying anything."""
