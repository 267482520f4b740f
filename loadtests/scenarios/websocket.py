"""Clients of a WebSocket. Point `path` at it; with `message` they send text in place of pings.

locust -f loadtests/scenarios/websocket.py --headless --host http://127.0.0.1:8000 -u 50 -t 30s
"""

from __future__ import annotations

from garrison_harness.load.driving.users import WebSocketUser


class Listener(WebSocketUser):
    """Stays for twenty pings, and comes back."""

    path = "/ws"
