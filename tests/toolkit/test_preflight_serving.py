"""`garrison config --check` looks at how an app is served."""

from __future__ import annotations

import pytest

from garrison import Proxy, Settings
from garrison.preflight import examine
from garrison.server_section import Server

SERVING = {"GARRISON_SERVER_RELOAD", "GARRISON_SERVER_DRAIN_DELAY", "GARRISON_PROXY_UNIX"}


def found(settings: Settings) -> set[str]:
    """The variables of the warnings about serving."""
    advice = [advice for advice in examine(settings) if advice.variable in SERVING]
    assert all(each.level == "warning" for each in advice)
    return {each.variable for each in advice}


@pytest.mark.parametrize(
    ("server", "proxy", "variables"),
    [
        (Server(), Proxy(), set()),
        (Server(reload=True), Proxy(), {"GARRISON_SERVER_RELOAD"}),
        (Server(drain_delay=0.0), Proxy(), {"GARRISON_SERVER_DRAIN_DELAY"}),
        (Server(unix_socket="/run/shop.sock"), Proxy(), {"GARRISON_PROXY_UNIX"}),
        (Server(unix_socket="/run/shop.sock"), Proxy(unix=True), set()),
        (Server(unix_socket="/run/shop.sock"), None, set()),
    ],
)
def test_what_is_not_for_production(server: Server, proxy: Proxy | None, variables: set[str]) -> None:
    """Reload, a stop that balancers cannot see coming, and a socket whose proxy nobody believes are named."""
    assert found(Settings(server=server, proxy=proxy)) == variables
    assert found(Settings(server=server, proxy=proxy, profile="development")) == set()
