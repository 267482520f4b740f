"""Tells of peers that look like proxies, and whose word does not count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from garrison.forwarding.addresses import is_private
from garrison.forwarding.names import FORWARDING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.events import EventLog

# A few proxies are a misunderstanding, and more are somebody who wants to fill the log.
MOST_SUSPECTS: Final = 20


class Suspects:
    """Writes the event `untrusted_proxy`, once for each address.

    Args:
        log: where it goes.
        hops: how many proxies must have written, where it is the number of them that counts.
    """

    __slots__ = ("_hops", "_log", "_told")

    def __init__(self, log: EventLog, hops: int) -> None:
        self._log = log
        self._hops = hops
        self._told: set[str] = set()

    def tell(self, peer: tuple[str, int] | None, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Write the event if a peer that is not trusted may be a proxy, and was not named yet.

        Args:
            peer: its address and port as the server gave them; None on a Unix socket.
            headers: what it sent.
        """
        address = peer[0] if peer else ""
        # No socket has port 0: another program has put there what a header said.
        if (address and peer and peer[1] == 0) or address in self._told or len(self._told) >= MOST_SUSPECTS:
            return
        if address and not is_private(address):
            return
        names = sorted({name.decode("ascii") for name, _ in headers if name in FORWARDING})
        if not names:
            return
        self._told.add(address)
        if not address:
            setting, advice = "GARRISON_PROXY_UNIX", "Set it to on if a proxy connects through the socket."
        elif self._hops:
            setting = "GARRISON_PROXY_HOPS"
            advice = f"Lower it if fewer proxies than {self._hops} stand in front of this app."
        else:
            setting = "GARRISON_PROXY_TRUSTED"
            advice = "List it there if it is a proxy, and its clients get their own addresses and https."
        fields: dict[str, Any] = {
            "peer": address or "unix socket",
            "headers": names,
            "setting": setting,
            "advice": advice,
        }
        self._log.emit("warning", "untrusted_proxy", fields)
