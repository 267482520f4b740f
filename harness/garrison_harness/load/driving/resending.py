"""Counts what the HTTP client sends again by itself: a target that drops requests would look free of errors.

RFC 9110 section 9.2.2 lets a client repeat a request that changes nothing if the connection closes before
the reply. The client of FastHttpUser does, up to twice, and tells nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geventhttpclient.client import HTTPClient
from geventhttpclient.connectionpool import ConnectionPool

if TYPE_CHECKING:
    from gevent import socket

    from garrison_harness.load.driving.recorder import Recorder


def count_resends(recorder: Recorder) -> None:
    """Let the recorder know of every request of this process that is sent again.

    Each sending takes a connection from a pool, so what is taken beyond one for each request was for another
    try. The library has no hook for that, so the methods are replaced.
    """
    take, request = ConnectionPool.get_socket, HTTPClient.request

    def taken(pool: ConnectionPool) -> socket.socket:
        recorder.resent += 1
        return take(pool)

    def requested(client: HTTPClient, *arguments: Any, **options: Any) -> Any:
        recorder.resent -= 1
        return request(client, *arguments, **options)

    ConnectionPool.get_socket = taken  # type: ignore[assignment, method-assign]
    HTTPClient.request = requested  # type: ignore[assignment, method-assign]
