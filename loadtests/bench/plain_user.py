"""The user that Locust by itself, and `garrison load --locustfile`, are compared with."""

from __future__ import annotations

from locust import FastHttpUser, task


class PlainUser(FastHttpUser):
    """Asks for the same path again and again, over one connection."""

    concurrency = 1

    @task
    def ask(self) -> None:
        """Ask once."""
        self.client.get("/", allow_redirects=False)
