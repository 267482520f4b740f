"""What works in a browser today works behind the defaults, but for one thing: other sites' frames."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from garrison import Settings, harden
from tests.browser.sites.shop import shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Frame

    from tests.browser.conftest import Serve
    from tests.browser.visitor import Visitor

FRAME = """await new Promise(done => {
    const frame = document.createElement('iframe');
    frame.src = '%s';
    frame.onload = () => done(frame.contentDocument?.body.innerText.trim() ?? 'refused');
    document.body.append(frame);
})"""
IMAGE = """await new Promise(done => {
    const image = new Image();
    image.onload = () => done(image.naturalWidth);
    image.onerror = () => done('refused');
    image.src = shop + '%s';
})"""

# What a page of the shop does with other things of the shop, and what it learns.
OWN: dict[str, tuple[str, object]] = {
    "fetch": ("(await (await fetch('/prices')).json()).tea", 9),
    "JSON module": ("(await import('/prices', { with: { type: 'json' } })).default.tea", 9),
    "worker": (
        """await new Promise(done => {
            const worker = new Worker('/worker.js');
            worker.onmessage = event => done(event.data);
            worker.postMessage('1');
        })""",
        "pong 1",
    ),
    "worker from a blob": (
        """await new Promise(done => {
            const worker = new Worker(URL.createObjectURL(new Blob(["postMessage('pong')"])));
            worker.onmessage = event => done(event.data);
        })""",
        "pong",
    ),
    "shared worker": (
        """await new Promise(done => {
            const { port } = new SharedWorker('/shared-worker.js');
            port.onmessage = event => done(event.data);
            port.postMessage('1');
        })""",
        "pong 1",
    ),
    "service worker": (
        """await (async () => {
            const { serviceWorker } = navigator;
            const controlled = new Promise(done => { serviceWorker.oncontrollerchange = done });
            const registration = await serviceWorker.register('/service-worker.js');
            if (!serviceWorker.controller) await controlled;
            const reply = await fetch('/pong');
            await registration.unregister();
            return reply.text();
        })()""",
        "pong",
    ),
    "server-sent events": (
        """await new Promise(done => {
            const source = new EventSource('/news');
            source.onmessage = event => { source.close(); done(event.data) };
        })""",
        "fresh tea",
    ),
    "WebSocket": (
        """await new Promise(done => {
            new WebSocket(`wss://${location.host}/chat`).onmessage = event => done(event.data);
        })""",
        "hello nobody",
    ),
    "page in a frame": (FRAME % "/account", "nobody"),
    "inline handler": ("(price.click(), price.textContent)", "sold"),
    "inline style": ("getComputedStyle(document.querySelector('h1')).color", "rgb(0, 0, 128)"),
    "inline script": ("document.title", "Shop, with a script in the page"),
    "eval": ("new Function('return 6 * 7')()", 42),
}

# What a page of another site loads from the shop.
LENT: dict[str, tuple[str, object]] = {
    "image": (IMAGE % "/logo.svg", 40),
    "image that is somewhere else": (IMAGE % "/avatar", 40),
    "script": (
        """await new Promise(done => {
            const script = document.createElement('script');
            script.onload = () => done(window.widget);
            script.onerror = () => done('refused');
            script.src = shop + '/widget.js';
            document.body.append(script);
        })""",
        "ready",
    ),
}


@pytest.fixture(scope="module")
def hardened(serve_all: Serve) -> str:
    """The shop behind the defaults."""
    return serve_all(harden(shop, Settings()))


@pytest.fixture(scope="module")
def bare(serve_all: Serve) -> str:
    """The shop as it is."""
    return serve_all(shop)


@pytest.fixture
def visitor(regular: Visitor) -> Iterator[Visitor]:
    """Somebody whom no site here knows."""
    yield regular
    regular.leave()


@pytest.mark.parametrize("feature", OWN)
def test_a_page_uses_what_is_its_own(visitor: Visitor, hardened: str, feature: str) -> None:
    """Workers, streams, sockets, frames and scripts in the page work, and the console stays silent."""
    script, learned = OWN[feature]
    visitor.page.goto(hardened)
    assert visitor.page.evaluate(f"async () => {script}") == learned
    assert visitor.complaints == []


@pytest.mark.parametrize(("path", "text"), [("/log.txt", "tea arrived"), ("/prices", '"tea":9')])
def test_a_page_frames_its_own_documents(visitor: Visitor, hardened: str, path: str, text: str) -> None:
    """A plain text or a JSON document shows in a frame of the same site."""
    visitor.page.goto(hardened)
    assert text in visitor.page.evaluate(f"async () => {FRAME % path}")
    assert visitor.complaints == []


@pytest.mark.parametrize(("path", "text"), [("/log.txt", "tea arrived"), ("/prices", '"tea":9')])
def test_a_document_opens_in_a_tab(visitor: Visitor, hardened: str, path: str, text: str) -> None:
    """Whoever follows a link to a plain text or a JSON document can read it."""
    visitor.page.goto(hardened + path)
    expect(visitor.page.locator("body")).to_contain_text(text)
    assert visitor.complaints == []


def test_a_document_is_downloaded(visitor: Visitor, hardened: str) -> None:
    """A link with `download` saves an API reply as a file."""
    visitor.page.goto(hardened)
    visitor.page.evaluate("document.body.innerHTML += '<a download=tea.json href=/prices>Save</a>'")
    with visitor.page.expect_download() as download:
        visitor.page.get_by_text("Save").click()
    assert '"tea":9' in download.value.path().read_text(encoding="utf-8")


@pytest.mark.parametrize("element", ["embed", "iframe"])
def test_a_page_shows_a_pdf(visitor: Visitor, hardened: str, element: str) -> None:
    """Chromium's viewer, which is an extension, takes its place in the page and reads the document."""
    visitor.page.goto(hardened)
    with visitor.page.expect_event("framenavigated", is_pdf_viewer) as viewer:
        visitor.page.evaluate(
            f"document.body.innerHTML += '<{element} src=/invoice.pdf width=400 height=300></{element}>'"
        )
    expect(viewer.value.locator("pdf-viewer")).to_have_js_property("loadState_", "success")
    visitor.photograph(f"default-pdf-in-{element}")
    assert visitor.complaints == []


def is_pdf_viewer(frame: Frame) -> bool:
    """Whether a frame is Chromium's viewer."""
    return frame.url.startswith("chrome-extension://")


@pytest.mark.parametrize("same_site", ["None", ""])
def test_signing_in_with_form_post(visitor: Visitor, hardened: str, other: str, same_site: str) -> None:
    """The provider's page posts the answer from its own site, and the state's cookie comes with it.

    Without SameSite the cookie comes only since browsers send a cookie of the last two minutes with a POST.
    """
    visitor.page.goto(f"{hardened}/sign-in?{urlencode({'provider': other, 'same_site': same_site})}")
    expect(visitor.page.locator("#user")).to_have_text("Ada")
    assert visitor.page.url == f"{hardened}/account"
    assert visitor.cookie("session")["httpOnly"] is True
    assert visitor.complaints == []


def test_a_payment_leads_to_another_site_and_back(visitor: Visitor, hardened: str, other: str) -> None:
    """A form may be answered with a redirect to another site, which sends its user back, still signed in."""
    visitor.context.add_cookies([{"name": "session", "value": "s3cr3t", "url": hardened, "sameSite": "Lax"}])
    visitor.page.goto(f"{hardened}/pay?{urlencode({'provider': other})}")
    visitor.page.get_by_role("button").click()
    expect(visitor.page.locator("#user")).to_have_text("Ada has paid")
    assert visitor.complaints == []


@pytest.mark.parametrize("way", ["at once", "by a redirect"])
def test_a_pop_up_of_another_site_talks_to_its_opener(
    visitor: Visitor, hardened: str, other: str, way: str
) -> None:
    """Signing in or paying in a pop-up: it greets the page that opened it, and hears the answer."""
    led = f"{hardened}/connect?{urlencode({'provider': other})}"
    visitor.page.goto(hardened)
    with visitor.page.expect_popup() as popup:
        visitor.page.evaluate(
            """url => {
                addEventListener('message', event => {
                    window.heard = event.data;
                    event.source.postMessage('hello from the page', event.origin);
                });
                open(url, 'greeter', 'width=300,height=200');
            }""",
            f"{other}/greeter" if way == "at once" else led,
        )
    expect(popup.value.locator("#heard")).to_have_text("hello from the page")
    assert visitor.page.evaluate("window.heard") == "hello from the pop-up"
    assert visitor.complaints == []


def test_a_page_in_a_pop_up_talks_to_another_site(visitor: Visitor, hardened: str, other: str) -> None:
    """A page of the app may be the pop-up, too."""
    visitor.page.goto(other)
    visitor.page.evaluate("addEventListener('message', event => { window.heard = event.data })")
    with visitor.page.expect_popup() as popup:
        visitor.page.evaluate("url => { window.popup = open(url, 'shop', 'width=300,height=200') }", hardened)
    popup.value.evaluate("opener.postMessage('hello from the shop', '*')")
    visitor.page.wait_for_function("window.heard === 'hello from the shop' && !window.popup.closed")
    assert visitor.complaints == []


@pytest.mark.parametrize("thing", LENT)
def test_another_site_loads_what_is_public(visitor: Visitor, hardened: str, other: str, thing: str) -> None:
    """Images and scripts of the app work on the pages of other sites."""
    script, learned = LENT[thing]
    visitor.page.goto(other)
    assert visitor.page.evaluate(f"async shop => {script}", hardened) == learned
    assert visitor.complaints == []


def test_a_script_reads_the_csrf_token(visitor: Visitor, hardened: str) -> None:
    """The cookie `csrftoken` is no secret to the page, and what it sends with the token is done."""
    visitor.page.goto(f"{hardened}/account")
    done = visitor.page.evaluate(
        """async () => {
            const token = document.cookie.match(/csrftoken=(\\w+)/)[1];
            const headers = { 'x-csrftoken': token, 'content-type': 'application/x-www-form-urlencoded' };
            return (await fetch('/transfer?token', { method: 'POST', headers, body: 'amount=5' })).text();
        }"""
    )
    assert done == "<p id=done>nobody sent 5</p>"
    assert visitor.cookie("csrftoken")["secure"] is True


def test_another_site_frames_the_bare_app(visitor: Visitor, bare: str, other: str) -> None:
    """Without Garrison a page of the app can be put under a stranger's buttons."""
    frame(visitor, other, bare)
    expect(visitor.page.frame_locator("iframe").locator("#price")).to_have_text("9 euros")
    visitor.photograph("bare-framed-by-another-site")


def test_no_other_site_frames_the_app(visitor: Visitor, hardened: str, other: str) -> None:
    """The one thing that the defaults break on purpose."""
    frame(visitor, other, hardened)
    visitor.photograph("default-framed-by-another-site")
    visitor.hears("frame-ancestors 'self'")
    assert len(visitor.complaints) == 1
    assert visitor.page.frame_locator("iframe").locator("#price").count() == 0


def frame(visitor: Visitor, other: str, url: str) -> None:
    """Open another site's page with this in a frame."""
    visitor.page.goto(other)
    visitor.page.evaluate(
        """url => new Promise(done => {
            const frame = document.createElement('iframe');
            frame.src = url;
            frame.onload = done;
            document.body.append(frame);
        })""",
        url,
    )
