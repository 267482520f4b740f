"""Forms that a crawl notes: what they go to is a route, and none is sent."""

from __future__ import annotations

from garrison_harness.discovery.links import crawl
from tests.harness.recordings import SITE, Rehearsal, page, reply

FORMS = (
    b"<form method=post><input name=a></form><form action=/find></form><form method=POST action=/buy></form>"
)


def test_a_form_goes_where_it_says_or_to_its_own_page() -> None:
    """Without an action it is sent to the page that it stands on; only what is asked with GET is followed."""
    stage = Rehearsal(SITE, {"page 1": page(body=FORMS)}, reply(404))

    routes = crawl(stage)

    assert [(route.method, route.target) for route in routes] == [
        ("GET", "/"),
        ("POST", "/"),
        ("GET", "/find"),
        ("POST", "/buy"),
    ]
    assert [seen.request.summary for seen in stage.exchanges.values()] == ["GET /", "GET /find"]
