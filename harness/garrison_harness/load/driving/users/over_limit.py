"""Users that ask more than a quota allows: one does as Retry-After says, the other does not care."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from locust import task

from garrison_harness.load.driving.users.http_user import TOO_MANY, HttpUser
from garrison_harness.load.driving.users.waiting import pause
from garrison_harness.load.protocols.retry_after import seconds_to_wait

if TYPE_CHECKING:
    from collections.abc import Mapping

_IN_VAIN: Final = 2
"""How often a wait may be in vain: a reply may cross the end of a window once."""


class ImpatientUser(HttpUser):
    """Asks for one path as fast as the replies come, whatever they say.

    A refusal of 429 is no error. A reply from 500 on is one, and none at all.
    """

    abstract = True
    tags = ("over-limit", "impatient")

    @task
    def insist(self) -> None:
        """Ask again."""
        self.ask(self.path, name=self.path, headers={}, tags=())


class PatientUser(HttpUser):
    """Asks for one path as fast as the replies come, and after a 429 waits as long as Retry-After says.

    Errors are a 429 that does not say for how long, or in a form that is none, and, where the user has an
    address and with that a quota of its own, a refusal although it has waited. It waits at most `longest`.

    Attributes:
        longest: In seconds; whoever is asked to wait for an hour does not hold up a load test.
    """

    abstract = True
    tags = ("over-limit", "patient")
    longest: ClassVar[float] = 60.0

    _in_vain = 0
    _wait = 0.0

    @task
    def ask_and_wait(self) -> None:
        """Ask, and wait if that is what the reply says."""
        self._wait = 0.0
        self.ask(self.path, name=self.path, headers={}, tags=())
        if self._wait:
            pause(self, min(self._wait, self.longest))

    def fault_in(self, reply: Any, path: str, headers: Mapping[str, str]) -> str | None:
        """See the class."""
        del path, headers
        if reply.status_code != TOO_MANY:
            self._in_vain = 0
            return None
        asked = (reply.headers or {}).get("retry-after")
        if asked is None:
            return "429 without Retry-After"
        wait = seconds_to_wait(asked, datetime.now(UTC))
        if wait is None:
            return f"429 with a Retry-After that is neither seconds nor a date: {asked[:40]}"
        # Nought would be no wait, and the next refusal could not be told from the first.
        self._wait = max(wait, 0.001)
        self._in_vain += 1
        if self._in_vain > _IN_VAIN and self._alone and self._wait <= self.longest:
            return "429 again, although it waited as long as Retry-After said"
        return None

    @property
    def _alone(self) -> bool:
        """Whether nobody else uses up its quota: with a login in common, or an address, others do."""
        return self.address is not None and not self.headers
