"""The guard against other sites, and what CORS lets them read, with requests that a browser really makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from garrison import CrossOrigin, RateLimit, Settings, harden
from tests.browser.serving import BLOG, SHOP
from tests.browser.sites.other import other_site
from tests.browser.sites.shop import shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browser.conftest import Serve
    from tests.browser.visitor import Visitor

POST_A_FORM = """url => {
    document.body.innerHTML += '<form method=post><input name=amount value=5></form>';
    document.forms[0].action = url;
    document.forms[0].submit();
}"""
OPEN_A_SOCKET = """url => new Promise(done => {
    const socket = new WebSocket(url.replace('http', 'ws'));
    socket.onmessage = event => done(event.data);
    socket.onerror = () => done('refused');
})"""
READ = """async ([url, credentials]) => {
    try {
        const reply = await fetch(url, { credentials });
        const names = ['retry-after', 'ratelimit', 'ratelimit-policy', 'x-request-id'];
        const told = names.filter(name => reply.headers.get(name));
        return { status: reply.status, told, body: await reply.json() };
    } catch (error) {
        return { status: 0, told: [], body: null };
    }
}"""


@pytest.fixture(scope="module")
def bare(serve_all: Serve) -> str:
    """The shop as it is."""
    return serve_all(shop)


@pytest.fixture(scope="module")
def guarded(serve_all: Serve) -> str:
    """The shop with the guard on."""
    return serve_all(harden(shop, Settings(cross_origin=CrossOrigin(mode="enforce"))))


@pytest.fixture(scope="module")
def blog(serve_all: Serve) -> str:
    """Another host of the shop's own site."""
    return serve_all(other_site, BLOG)


@pytest.fixture
def user(visitor: Visitor) -> Visitor:
    """Somebody who is signed in with a cookie that goes everywhere, as apps in frames need it."""
    return signed_in(visitor)


@pytest.fixture
def tolerant_user(tolerant_regular: Visitor) -> Iterator[Visitor]:
    """The same in a browser that sends this cookie with what other sites' scripts ask for, too."""
    yield signed_in(tolerant_regular)
    tolerant_regular.leave()


def signed_in(visitor: Visitor) -> Visitor:
    """The visitor with the cookie of a session."""
    visitor.context.add_cookies(
        [
            {
                "name": "session",
                "value": "s3cr3t",
                "domain": SHOP,
                "path": "/",
                "secure": True,
                "sameSite": "None",
            }
        ]
    )
    return visitor


def test_another_site_acts_in_a_users_name_on_the_bare_app(
    tolerant_user: Visitor, bare: str, other: str
) -> None:
    """Without Garrison a page of another site sends Ada's money with Ada's cookie, and reads her chat."""
    tolerant_user.page.goto(other)
    assert tolerant_user.page.evaluate(OPEN_A_SOCKET, f"{bare}/chat") == "hello Ada"
    tolerant_user.page.evaluate(POST_A_FORM, f"{bare}/transfer")
    expect(tolerant_user.page.locator("#done")).to_have_text("Ada sent 5")


def test_a_form_of_another_site_is_refused(user: Visitor, guarded: str, other: str) -> None:
    """The browser says that another site sends the form, and the user sees why nothing was done."""
    user.page.goto(other)
    with user.page.expect_navigation() as navigation:
        user.page.evaluate(POST_A_FORM, f"{guarded}/transfer")
    assert navigation.value is not None
    assert navigation.value.status == 403
    expect(user.page.locator("body")).to_contain_text("Another site sent this request")
    user.photograph("guard-form-of-another-site")


def test_a_form_from_a_sandbox_is_refused(user: Visitor, guarded: str, other: str) -> None:
    """A frame without an origin (`Origin: null`) is another site, whatever page it is in."""
    user.page.goto(other)
    form = (
        f"<form method=post target=_top action={guarded}/transfer></form>"
        "<script>document.forms[0].submit()</script>"
    )
    with user.page.expect_navigation() as navigation:
        user.page.evaluate(
            """form => {
                const frame = document.createElement('iframe');
                frame.sandbox = 'allow-forms allow-scripts allow-top-navigation';
                frame.srcdoc = form;
                document.body.append(frame);
            }""",
            form,
        )
    assert navigation.value is not None
    assert navigation.value.status == 403
    assert navigation.value.request.headers["origin"] == "null"


@pytest.mark.parametrize("sender", ["own page", "same site"])
def test_a_form_of_the_same_site_passes(user: Visitor, guarded: str, blog: str, sender: str) -> None:
    """A form of the app's own page, and of another host of its site, is no attack."""
    user.page.goto(guarded if sender == "own page" else blog)
    user.page.evaluate(POST_A_FORM, f"{guarded}/transfer")
    expect(user.page.locator("#done")).to_have_text("Ada sent 5")
    assert user.complaints == []


def test_a_socket_of_another_site_is_refused(tolerant_user: Visitor, guarded: str, other: str) -> None:
    """A handshake with another site's Origin does not reach the app."""
    tolerant_user.page.goto(other)
    assert tolerant_user.page.evaluate(OPEN_A_SOCKET, f"{guarded}/chat") == "refused"
    tolerant_user.hears("Unexpected response code: 403")


def test_a_socket_of_the_own_page_passes(user: Visitor, guarded: str) -> None:
    """The app's own page opens a WebSocket, with the user's cookie."""
    user.page.goto(guarded)
    assert user.page.evaluate(OPEN_A_SOCKET, f"{guarded}/chat") == "hello Ada"
    assert user.complaints == []


def test_a_request_without_a_cookie_is_nobodys(visitor: Visitor, guarded: str, other: str) -> None:
    """Who is not signed in is not harmed: a public form takes what other sites post."""
    visitor.page.goto(other)
    visitor.page.evaluate(POST_A_FORM, f"{guarded}/transfer")
    expect(visitor.page.locator("#done")).to_have_text("nobody sent 5")


def test_an_exempt_callback_takes_what_a_provider_posts(user: Visitor, serve: Serve, other: str) -> None:
    """Single sign-on with `form_post` is another site's form, and works where its path is exempt."""
    exempt = Settings(cross_origin=CrossOrigin(exempt="POST /callback"))
    url = serve(harden(shop, exempt))
    user.page.goto(f"{url}/sign-in?{urlencode({'provider': other, 'same_site': 'None'})}")
    expect(user.page.locator("#user")).to_have_text("Ada")
    user.page.goto(other)
    user.page.evaluate(POST_A_FORM, f"{url}/transfer")
    expect(user.page.locator("body")).to_contain_text("Another site sent this request")


def reading(origin: str, **more: Any) -> Settings:
    """An app that lets one origin read with credentials, and gives everybody two requests."""
    cross_origin = CrossOrigin(allowed=(origin,), credentials=True, **more)
    return Settings(cross_origin=cross_origin, rate_limit=RateLimit(limits="2/hour"))


def test_an_allowed_page_reads_a_refusal(tolerant_user: Visitor, serve_all: Serve, other: str) -> None:
    """It reads with the user's cookie, and once the quota is used up it reads when to come again."""
    url = serve_all(harden(shop, reading(other))) + "/prices"
    tolerant_user.page.goto(other)
    first = tolerant_user.page.evaluate(READ, [url, "include"])
    assert (first["status"], first["body"]["user"]) == (200, "Ada")
    tolerant_user.page.evaluate(READ, [url, "include"])
    refused = tolerant_user.page.evaluate(READ, [url, "include"])
    assert refused["status"] == 429
    assert refused["told"] == ["retry-after", "ratelimit", "ratelimit-policy", "x-request-id"]


def test_preflights_cost_nothing(user: Visitor, serve: Serve, other: str) -> None:
    """What browsers ask before they send is not counted, so that two requests are two requests."""
    url = serve(harden(shop, reading(other, headers=("x-csrftoken",), max_age=0))) + "/prices"
    user.page.goto(other)
    statuses = user.page.evaluate(
        """async url => {
            const ask = () => fetch(url, { headers: { 'x-csrftoken': '1' } }).then(reply => reply.status);
            return [await ask(), await ask(), await ask()];
        }""",
        url,
    )
    assert statuses == [200, 200, 429]


def test_a_page_that_is_not_allowed_reads_nothing(user: Visitor, serve: Serve, other: str) -> None:
    """Neither the reply nor a refusal is for other origins than the allowed one."""
    url = serve(harden(shop, reading("https://app.test"))) + "/prices"
    user.page.goto(other)
    assert user.page.evaluate(READ, [url, "include"])["status"] == 0
    assert user.page.evaluate(READ, [url, "omit"])["status"] == 0
    user.hears("CORS policy")
