"""What is open in the shop as it comes, and which lines of its settings close it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.integration.shop import received

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.shop import Customer

EVIL = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
SCRIPT = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
REPORT = {"csp-report": {"document-uri": "http://shop.example/", "violated-directive": "script-src"}}


def links_lead_elsewhere(visitor: Customer) -> bool:
    """The mail about an order links to whatever host its request named."""
    reply = visitor.order(Host="evil.example")
    return reply.status_code == 201 and "http://evil.example/" in visitor.mail(reply.json()["number"])


def strangers_read_the_inside(visitor: Customer) -> bool:
    """Docs, document and metrics are served to everybody."""
    paths = ("/docs", "/openapi.json", "/metrics")
    return any(visitor.http.get(path).status_code == 200 for path in paths)


def other_sites_act(visitor: Customer) -> bool:
    """A form of another site uploads in its visitor's name, or its script reads along over a WebSocket."""
    posted = visitor.upload(b"planted", **EVIL).status_code == 201
    try:
        with visitor.socket(**EVIL):
            return True
    except InvalidStatus:
        return posted


def anything_runs_in_pages(visitor: Customer) -> bool:
    """Scripts that somebody got into a page run, and send to any host what they find."""
    policy = visitor.http.get("/").headers.get("content-security-policy", "")
    return "default-src 'none'" not in policy and "script-src" not in policy


def pictures_run_scripts(visitor: Customer) -> bool:
    """A picture with a script in it is a page of the shop's own."""
    path = visitor.upload(SCRIPT, "image/svg+xml").json()["picture"]
    return "sandbox" not in visitor.http.get(f"/pictures/{path}").headers.get("content-security-policy", "")


def nobody_hears_of_what_is_blocked(visitor: Customer) -> bool:
    """There is no place to which browsers could report."""
    reply = visitor.http.post("/csp-reports", json=REPORT, headers={"Content-Type": "application/csp-report"})
    return reply.status_code == 404


def passwords_are_guessed(visitor: Customer) -> bool:
    """Somebody may try one password after the other."""
    return all(visitor.login(f"password {number}").status_code == 401 for number in range(8))


def messages_have_no_end(visitor: Customer) -> bool:
    """One WebSocket asks the database as often as it likes."""
    with visitor.socket() as connection:
        try:
            # Far more than a minute's worth: one more is allowed each second, however long this takes.
            for _ in range(150):
                connection.send("0")
            return all(received(connection)["status"] == "unknown" for _ in range(150))
        except ConnectionClosed:
            return False


def messages_are_large(visitor: Customer) -> bool:
    """One message may be of any size."""
    with visitor.socket() as connection:
        try:
            connection.send("7" * 5_000)
            return bool(received(connection)["status"] == "unknown")
        except ConnectionClosed:
            return False


def typos_pass(visitor: Customer) -> bool:
    """A parameter that no handler knows is left out in silence, and the reply is that to another question."""
    return visitor.http.get("/api/products?limt=1").status_code == 200


def texts_are_large(visitor: Customer) -> bool:
    """A review may have any length, and everybody has to load it."""
    return visitor.http.post("/api/products/4/reviews", json={"text": "x" * 100_000}).status_code == 201


def one_name_has_two_values(visitor: Customer) -> bool:
    """Whoever looked at the first `text` has not seen what is kept."""
    body = b'{"text": "fine", "text": "not so"}'
    reply = visitor.http.post(
        "/api/products/4/reviews", content=body, headers={"Content-Type": "application/json"}
    )
    return reply.status_code == 201


def uploads_are_large(visitor: Customer) -> bool:
    """A picture may fill the disk."""
    return visitor.upload(bytes(2_100_000)).status_code == 201


# Of each hole the lines that close it: without them it is open in the hardened shop, too.
HOLES: dict[Callable[[Customer], bool], tuple[str, ...]] = {
    links_lead_elsewhere: ("HOSTS_ALLOWED",),
    strangers_read_the_inside: ("EXPOSURE_CLOSED",),
    other_sites_act: ("CROSS_ORIGIN_MODE",),
    anything_runs_in_pages: ("SECURITY_HEADERS_PRESET", "SECURITY_HEADERS_PAGE_POLICY"),
    pictures_run_scripts: ("SECURITY_HEADERS_RULES",),
    nobody_hears_of_what_is_blocked: ("CSP_REPORTS_PATH",),
    passwords_are_guessed: ("RATE_LIMIT_LIMITS", "RATE_LIMIT_REFUNDS"),
    messages_have_no_end: ("RATE_LIMIT_MESSAGES",),
    messages_are_large: ("TIMEOUTS_WEBSOCKET_MESSAGE",),
    typos_pass: ("CONTRACT_DOCUMENT",),
    texts_are_large: ("REQUEST_LIMITS_MAX_BODY",),
    one_name_has_two_values: ("REQUEST_LIMITS_JSON",),
    uploads_are_large: ("REQUEST_LIMITS_MAX_UPLOAD",),
}
