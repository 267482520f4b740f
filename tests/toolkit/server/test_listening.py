"""The end of listening, on the sockets themselves."""

from __future__ import annotations

import socket
import sys
import time
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from garrison.server.listening import Listener
from tests.toolkit.server.conftest import running

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the filter is one of Linux")
def test_what_is_refused_has_not_begun() -> None:
    """Who has connected is accepted and heard; who has not gets no connection that would be reset."""
    bound = socket.create_server(("127.0.0.1", 0), backlog=8)
    address = bound.getsockname()
    listener = Listener(bound)
    with socket.create_connection(address) as early, socket.socket() as late:
        listener.refuse()
        late.settimeout(0.2)
        with pytest.raises(TimeoutError):
            late.connect(address)
        early.sendall(b"hello")
        accepted, _ = bound.accept()
        with accepted:
            assert accepted.recv(5) == b"hello"
            accepted.sendall(b"world")
        assert early.recv(5) == b"world"
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have other bounds")
def test_a_client_that_does_not_read_holds_little_memory(tmp_path: Path) -> None:
    """The system takes no megabytes of a reply for it: a thousand such clients would take all that it has."""
    with running(tmp_path, "pours:app") as up, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", up.port))
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        taken, before = taken_from(up.port), -1
        while taken != before:
            time.sleep(0.3)
            taken, before = taken_from(up.port), taken
    assert 0 < taken < 1024 * 1024


def taken_from(port: int) -> int:
    """Bytes that the server has taken of the reply so far."""
    with urlopen(f"http://127.0.0.1:{port}/taken", timeout=10) as reply:
        return int(reply.read())
