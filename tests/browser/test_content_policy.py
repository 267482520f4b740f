"""The presets `web` and `strict` in a browser: a page's own scripts run, a stranger's do not."""

from __future__ import annotations

import json
from queue import Queue
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from garrison import CspReports, SecurityHeaders, Settings, harden
from tests.browser.sites.pages import pages
from tests.browser.sites.shop import shop
from tests.browser.visitor import SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send
    from garrison.headers.presets import Preset
    from tests.browser.conftest import Serve
    from tests.browser.visitor import Visitor

WEB = Settings(security_headers=SecurityHeaders(preset="web"))
STRICT = Settings(security_headers=SecurityHeaders(preset="strict"))

STEAL = "document.getElementById('found').textContent = 'stolen'"
# What a stranger writes into a page that repeats it, and the directive that stops it.
INJECTIONS = {
    "script": (f"<script>{STEAL}</script>", "script-src"),
    "handler": (f'<img src="data:," onerror="{STEAL}">', "script-src"),
    "script of another site": ("<script src='{other}/evil.js'></script>", "script-src"),
    "base": ("<base href='{other}'>", "base-uri"),
    "frame": (f'<iframe srcdoc="<script>parent.{STEAL}</script>"></iframe>', "script-src"),
}


class Watched:
    """An app one of whose paths a test watches.

    Attributes:
        replies: media type of the request and status of the reply, of each in turn.
    """

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app = app
        self._path = path
        self.replies: Queue[tuple[str, int]] = Queue()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle every type of scope."""

        async def watched(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start" and scope["path"] == self._path:
                media_type = dict(scope["headers"]).get(b"content-type", b"").decode()
                self.replies.put((media_type, message["status"]))

        await self._app(scope, receive, watched)


@pytest.fixture(scope="module")
def bare(serve_all: Serve) -> str:
    """The pages as they are."""
    return serve_all(pages)


@pytest.fixture(scope="module")
def web(serve_all: Serve) -> str:
    """The pages behind the preset `web`."""
    return serve_all(harden(pages, WEB))


@pytest.fixture(scope="module")
def strict(serve_all: Serve) -> str:
    """The pages behind the preset `strict`."""
    return serve_all(harden(pages, STRICT))


@pytest.fixture
def guest(regular: Visitor) -> Iterator[Visitor]:
    """Somebody whom no site of this module knows; the other tests start sites of their own."""
    yield regular
    regular.leave()


@pytest.mark.parametrize("injection", INJECTIONS)
def test_what_a_stranger_wrote_does_not_run(
    guest: Visitor, bare: str, web: str, strict: str, other: str, injection: str
) -> None:
    """It runs on the bare app; a preset blocks it and says by what, and the page's own script still runs."""
    text, directive = INJECTIONS[injection]
    question = urlencode({"q": text.replace("{other}", other)})
    found = guest.page.locator("#found")
    guest.page.goto(f"{bare}/search?{question}")
    expect(found).to_have_text("stolen")
    for preset in (web, strict):
        guest.complaints.clear()
        guest.page.goto(f"{preset}/search?{question}")
        expect(found).to_have_text("something")
        guest.hears(directive)


def test_a_page_with_nonces_works(guest: Visitor, web: str) -> None:
    """Its scripts and what they load, its styles, images, workers and forms, with nothing on the console."""
    page = guest.page
    page.goto(web)
    expect(page.locator("#nonce")).to_have_text("ran")
    expect(page.locator("#widget")).to_have_text("loaded")
    expect(page.locator("#worker")).to_have_text("pong 1")
    expect(page.locator("h1")).to_have_css("color", "rgb(0, 0, 128)")
    expect(page.locator("#nonce")).to_have_css("color", "rgb(0, 100, 0)")
    expect(page.get_by_alt_text("Logo")).to_have_js_property("naturalWidth", 40)
    guest.photograph("web-page-with-nonces")
    page.get_by_role("button").click()
    expect(page.locator("#answer")).to_have_text("42")
    assert guest.complaints == []


def test_a_page_without_nonces_is_stopped(visitor: Visitor, serve: Serve) -> None:
    """Scripts and handlers in a page that knows nothing of nonces are blocked: what the preset is for."""
    visitor.page.goto(serve(harden(shop, WEB)))
    assert visitor.page.title() == "Shop"
    visitor.page.locator("#price").click()
    expect(visitor.page.locator("#price")).to_have_text("9 euros")
    visitor.photograph("web-page-without-nonces")
    visitor.hears("script-src")


def test_a_pop_up_talks_to_a_page_with_nonces(guest: Visitor, web: str, other: str) -> None:
    """Signing in and paying in a pop-up still work under the preset."""
    guest.page.goto(web)
    guest.page.evaluate("addEventListener('message', event => event.source.postMessage('hello', '*'))")
    with guest.page.expect_popup() as popup:
        guest.page.evaluate("url => { open(url, 'greeter') }", f"{other}/greeter")
    expect(popup.value.locator("#heard")).to_have_text("hello")
    assert guest.complaints == []


def test_a_page_that_the_browser_has_kept_still_runs(visitor: Visitor, serve: Serve) -> None:
    """The 304 about a kept page brings no other nonce, so that its script runs again."""
    app = Watched(harden(pages, WEB), "/kept")
    url = serve(app)
    for status in (200, 304):
        visitor.page.goto(f"{url}/kept")
        expect(visitor.page.locator("#nonce")).to_have_text("ran")
        assert app.replies.get(timeout=SECONDS) == ("", status)
    assert visitor.complaints == []


def test_writing_text_as_markup_takes_a_policy(guest: Visitor, strict: str, bare: str) -> None:
    """Trusted Types: under `strict` a plain string is no markup, and what a policy of the page made is."""
    guest.page.goto(f"{bare}/sinks")
    expect(guest.page.locator("#raw b")).to_have_text("raw")
    guest.page.goto(f"{strict}/sinks")
    expect(guest.page.locator("#safe")).to_have_text("<b>safe</b>")
    expect(guest.page.locator("#raw")).to_be_empty()
    guest.hears("TrustedHTML")


def framed(visitor: Visitor, host: str, url: str) -> str | None:
    """What somebody sees of a page in a frame on another; None where the frame stays empty."""
    visitor.page.goto(host)
    visitor.page.evaluate(
        """url => new Promise(done => {
            const frame = document.createElement('iframe');
            frame.src = url;
            frame.onload = done;
            document.body.append(frame);
        })""",
        url,
    )
    found = visitor.page.frame_locator("iframe").locator("#answer")
    return found.inner_text() if found.count() else None


def test_who_may_frame_a_page(visitor: Visitor, serve: Serve, other: str) -> None:
    """Other sites may not, unless a rule for a path says so; the app's own pages may."""
    rules = f"/answer: frame-ancestors 'self' {other}"
    closed = serve(harden(pages, WEB))
    opened = serve(harden(pages, Settings(security_headers=SecurityHeaders(preset="web", rules=rules))))
    assert framed(visitor, f"{closed}/answer", f"{closed}/answer") == "42"
    assert framed(visitor, other, f"{closed}/answer") is None
    visitor.photograph("web-framed-by-another-site")
    assert framed(visitor, other, f"{opened}/answer") == "42"


@pytest.mark.parametrize(
    ("https", "media_type"), [(True, "application/reports+json"), (False, "application/csp-report")]
)
@pytest.mark.parametrize(("preset", "disposition"), [("web", "enforce"), ("auto", "report")])
def test_reports_arrive(
    visitor: Visitor,
    serve: Serve,
    capsys: pytest.CaptureFixture[str],
    https: bool,
    media_type: str,
    preset: Preset,
    disposition: str,
) -> None:
    """What a policy blocks or would block is reported in the browser's format, and becomes an event."""
    section = SecurityHeaders(preset=preset)
    settings = Settings(security_headers=section, csp_reports=CspReports(path="/csp-reports"))
    app = Watched(harden(shop, settings), "/csp-reports")
    visitor.page.goto(serve(app, https=https))
    assert app.replies.get(timeout=SECONDS) == (media_type, 204)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [event for event in events if event["event"] == "csp_violation"]
    assert {event["csp.disposition"] for event in told} == {disposition}
    assert {event["csp.blocked"] for event in told} == {"inline"}
