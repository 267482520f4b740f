"""What a store raises when it cannot decide."""

from __future__ import annotations


class StoreUnavailableError(Exception):
    """A store could not answer, or not in time; nothing is known about the client.

    It says nothing about the client's quota, so that a middleware answers it with a 503 and never with a 429.
    """
