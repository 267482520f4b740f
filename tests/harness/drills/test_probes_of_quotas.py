"""How a drill finds out whether a quota holds, without asking more of the app than it takes on."""

from __future__ import annotations

import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from garrison_harness.drills.addresses import Addresses
from garrison_harness.drills.bounds import Bounds
from garrison_harness.drills.constant_load import ConstantLoad
from garrison_harness.drills.scene import Asked, Scene
from garrison_harness.drills.store_outage import _declare, probe
from garrison_harness.drills.wire import Place
from garrison_harness.target import parse_target

if TYPE_CHECKING:
    from pathlib import Path


class Server(ThreadingHTTPServer):
    """One that lets more clients wait than there are."""

    request_queue_size = 128


@pytest.mark.parametrize(
    ("limits", "quota"),
    [("7/minute", 7), ("POST /login: 5/minute", 0), ("POST /login: 5/minute; 7/minute", 0)],
)
def test_a_quota_of_one_route_is_not_that_of_a_client(limits: str, quota: int, tmp_path: Path) -> None:
    """One quota for all requests is held as the settings say it; which of several counts, a person says."""
    target = parse_target(["app:app"], environment=[("GARRISON_RATE_LIMIT_LIMITS", limits)])
    scene = Scene(target=target, asked=Asked(), directory=tmp_path, bounds=Bounds())

    assert _declare(scene) == {}
    assert scene.bounds.quota == quota


def test_an_app_with_few_places_is_not_overrun(tmp_path: Path) -> None:
    """More requests than the quota has come from one client, and never more than eight at the same time."""
    here: Counter[str] = Counter()
    most: Counter[str] = Counter()
    total: Counter[str] = Counter()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            client = self.client_address[0]
            with lock:
                here[client] += 1
                total[client] += 1
                most[client] = max(most[client], here[client])
            time.sleep(0.01)
            with lock:
                here[client] -= 1
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
            """Say nothing."""

    bounds = Bounds(quota=40)
    scene = Scene(target=parse_target(["app:app"]), asked=Asked(), directory=tmp_path, bounds=bounds)
    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        place = Place(host="127.0.0.1", port=server.server_port)
        try:
            with ConstantLoad(place, ("/",), 1.0, Addresses(place.host)) as load:
                asks = probe(scene, load)
        finally:
            server.shutdown()

    (client, number), *_ = total.most_common()
    assert number == len(asks) == 45
    assert {one.status for one in asks} == {200}
    assert most[client] <= 8
