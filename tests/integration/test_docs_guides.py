"""What the guides promise of single replies and events, asked of a hardened app."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import Request

from garrison import Settings, harden
from garrison.middleware.hosts import UNTRUSTED
from garrison.settings import load
from tests.integration.documents import (
    DOCS,
    NOTES,
    blocks,
    commands,
    copied_notes,
    curl,
    squeezed,
    variables,
)
from tests.toolkit.driver import accepts, call, handshake, http_scope, replies_with, websocket_scope

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

POLICY, CORS, PROXIES = (
    DOCS / "how-to" / f"{name}.md"
    for name in ("content-security-policy", "cors-with-credentials", "reverse-proxies")
)

# How the settings of each begin, an address that it has, and the chain that it writes.
BALANCERS = {
    "Traefik": ("TRUSTED=172.18.0.0/16", "172.18.0.2", "203.0.113.9"),
    "ALB": ("TRUSTED=10.0.1.0/24,10.0.2.0/24\nGARRISON_HOSTS", "10.0.2.30", "198.51.100.66, 203.0.113.9"),
    "Google": ("HOPS=2", "35.191.0.4", "198.51.100.66, 203.0.113.9, 192.0.2.80"),
    "Azure": ("TRUSTED=10.0.4.0/24", "10.0.4.7", "198.51.100.66:1234, 203.0.113.9:51234"),
    "Cloudflare": ("HOPS=1\nGARRISON_PROXY_STRIP", "192.0.2.40", "198.51.100.66,203.0.113.9"),
}


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example in a folder of its own, which can be imported from."""
    folder = copied_notes(tmp_path)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.fixture
def after(notes: Path) -> ModuleType:
    """The example when its reader is done."""
    sys.modules.pop("after", None)
    return __import__("after")


def settings_of_page(page: Path, folder: Path, *lines: str) -> Settings:
    """The settings of the only block of a page in which all of these lines begin one."""
    (found,) = [
        block
        for block in blocks(page, "env")
        if all(f"\n{line}" in f"\n{block.text}" for line in lines)
    ]  # fmt: skip
    return load(Settings, environ=variables(found, folder)).value


def test_the_policy_of_the_example(after: ModuleType) -> None:
    """Under `web` the page that is done arrives with the headers shown, its nonce in every tag."""
    environ = {"GARRISON_SECURITY_HEADERS_PRESET": "web"}
    reply = call(harden(after.app, load(Settings, environ=environ).value))
    (nonce,) = set(re.findall(r'nonce="([\w-]+)"', reply.body.decode()))
    assert reply.body.count(b"<script") + reply.body.count(b"<style") == reply.body.count(nonce.encode())
    (shown,) = [block.text for block in blocks(POLICY, "") if block.text.startswith("content-security")]
    for line in shown.splitlines():
        name, _, value = line.partition(": ")
        assert reply.header(name) == re.sub(r"nonce-[\w-]+", f"nonce-{nonce}", value)


def test_the_static_page_of_the_example(after: ModuleType, tmp_path: Path) -> None:
    """Its rule names the hashes of what is inline in it, and leaves it to shared caches."""
    settings = settings_of_page(
        POLICY, tmp_path, "GARRISON_SECURITY_HEADERS_PRESET=web", 'GARRISON_SECURITY_HEADERS_RULES="/static/'
    )
    reply = call(harden(after.app, settings), http_scope("/static/help.html"))
    policy = reply.header("content-security-policy") or ""
    for source in re.findall(r"'sha256-[^']+'", POLICY.read_text(encoding="utf-8")):
        assert source in policy
    assert "nonce" not in policy
    assert reply.header("cache-control") is None


def test_a_partner_may_frame_the_shared_page(after: ModuleType) -> None:
    """The handler of the guide opens its own page to one site, and no other page."""
    hardened = harden(after.app, load(Settings, environ={"GARRISON_SECURITY_HEADERS_PRESET": "web"}).value)
    shared = call(hardened, http_scope("/shared"))
    assert "frame-ancestors https://partner.example" in (shared.header("content-security-policy") or "")
    assert shared.header("x-frame-options") is None
    assert call(hardened).header("x-frame-options") == "SAMEORIGIN"


def test_the_guide_hands_its_template_a_nonce(notes: Path) -> None:
    """The lines that make `csp_nonce` known to templates are enough to render the page."""
    namespace: dict[str, Any] = {}
    exec(blocks(POLICY, "python")[0].text, namespace)  # noqa: S102 - our own documentation
    request = Request(http_scope())
    page = namespace["templates"].TemplateResponse(request, "after.html", {"notes": []}).body.decode()
    assert len(set(re.findall(r'nonce="([\w-]{22})"', page))) == 1


def test_the_html_of_the_guide_is_that_of_the_example() -> None:
    """What the guide shows of template and script is what the example has."""
    (html,), (script,) = (blocks(POLICY, language) for language in ("html", "js"))
    template = (NOTES / "templates" / "after.html").read_text(encoding="utf-8")
    for line in html.text.splitlines():
        assert line in template
    assert script.text == (NOTES / "static" / "notes.js").read_text(encoding="utf-8")


def test_the_report_shown_is_in_the_log() -> None:
    """The event of a violation is one that the visit has left in the log."""
    log = (NOTES / "app.log").read_text(encoding="utf-8")
    assert json.loads(blocks(POLICY, "json")[0].text) in [json.loads(line) for line in log.splitlines()]


def shown_and_emitted(page: Path, text: str) -> list[dict[str, Any]]:
    """The event of a page and the one of that name in what was written, without what differs each time."""
    shown = json.loads(blocks(page, "json")[0].text)
    events = [json.loads(line) for line in text.splitlines()]
    (found,) = [event for event in events if event["event"] == shown["event"]]
    changing = {"timestamp", "request_id"}
    return [{key: event[key] for key in event.keys() - changing} for event in (shown, found)]


def test_the_event_of_a_proxy_that_nobody_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The event in the guide is what a private peer with forwarding headers leads to."""
    sent = [(b"x-forwarded-for", b"203.0.113.9"), (b"x-forwarded-proto", b"https")]
    call(harden(replies_with(), Settings()), http_scope(headers=sent, client=("10.0.1.7", 40000)))
    shown, emitted = shown_and_emitted(PROXIES, capsys.readouterr().out)
    assert shown == emitted


def test_what_an_untrusted_proxy_is_answered(tmp_path: Path) -> None:
    """Where the app redirects to https and does not know its proxy, the 400 is the text of the guide."""
    settings = settings_of_page(PROXIES, tmp_path, "GARRISON_PROXY_TRUSTED=172.18.0.0/16")
    reply = call(harden(replies_with(), settings), http_scope(headers=[(b"x-forwarded-proto", b"https")]))
    assert (reply.status, reply.json["detail"]) == (400, UNTRUSTED.detail)
    assert squeezed(UNTRUSTED.detail) in squeezed(PROXIES.read_text(encoding="utf-8"))


def test_the_event_of_a_refusal(capsys: pytest.CaptureFixture[str]) -> None:
    """The event in the guide is what a post of another site leads to while nothing is set."""
    sent = [(b"origin", b"https://app.example"), (b"sec-fetch-site", b"cross-site"), (b"cookie", b"a=b")]
    scope = http_scope("/orders", method="POST", headers=sent, scheme="https")
    assert call(harden(replies_with(), Settings()), scope).status == 200
    shown, emitted = shown_and_emitted(CORS, capsys.readouterr().out)
    assert shown == emitted


def test_both_lists_as_the_guide_says(tmp_path: Path) -> None:
    """The two commands of the guide get the answers that it promises."""
    settings = settings_of_page(
        CORS, tmp_path, "GARRISON_CROSS_ORIGIN_POSTING", "GARRISON_CROSS_ORIGIN_HEADERS"
    )
    (block,) = blocks(CORS, "console")
    replies = []
    for command in commands(block):
        asked = curl(command.words)
        headers = [(name.lower().encode(), value.encode()) for name, value in asked.headers]
        scope = http_scope(
            asked.path,
            method=asked.method,
            headers=[(b"host", asked.host.encode()), *headers],
            scheme="https",
        )
        replies.append(call(harden(replies_with(), settings), scope, asked.body))
    preflight, forged = replies
    assert (preflight.status, forged.status) == (200, 403)
    assert preflight.header("access-control-allow-origin") == "https://app.example"
    assert preflight.header("access-control-allow-credentials") == "true"


def test_what_may_act_under_both_lists(tmp_path: Path) -> None:
    """The origin in both lists posts a form and reads the reply, and every 429 tells it how long to wait."""
    settings = settings_of_page(
        CORS, tmp_path, "GARRISON_CROSS_ORIGIN_POSTING", "GARRISON_CROSS_ORIGIN_HEADERS"
    )
    sent = [(b"origin", b"https://app.example"), (b"sec-fetch-site", b"cross-site"), (b"cookie", b"a=b")]
    reply = call(
        harden(replies_with(), settings), http_scope("/orders", method="POST", headers=sent, scheme="https")
    )
    assert (reply.status, reply.header("access-control-allow-origin")) == (200, "https://app.example")
    assert "Retry-After" in (reply.header("access-control-expose-headers") or "")


def test_what_a_page_of_the_same_site_may_do(tmp_path: Path) -> None:
    """A form of the same site needs no list; a WebSocket, of which Chromium says no site, needs `POSTING`."""
    (block,) = [block for block in blocks(CORS, "env") if "ALLOWED=https://app.shop.example\n" in block.text]
    listed = variables(block, tmp_path)
    unlisted = {name: value for name, value in listed.items() if name != "GARRISON_CROSS_ORIGIN_POSTING"}
    sent = [(b"host", b"api.shop.example"), (b"origin", b"https://app.shop.example"), (b"cookie", b"a=b")]
    form = http_scope(method="POST", headers=[*sent, (b"sec-fetch-site", b"same-site")], scheme="https")
    assert call(harden(replies_with(), load(Settings, environ=unlisted).value), form).status == 200
    for environ, answer in ((unlisted, "websocket.http.response.start"), (listed, "websocket.accept")):
        hardened = harden(accepts, load(Settings, environ=environ).value)
        wire = handshake(hardened, websocket_scope(headers=sent, scheme="wss"))
        assert wire.reply.messages[0]["type"] == answer


def test_callbacks_are_exempt_and_nothing_else(tmp_path: Path) -> None:
    """A login comes back by POST from another site; the same form to another path is refused."""
    settings = settings_of_page(CORS, tmp_path, "GARRISON_CROSS_ORIGIN_EXEMPT")
    sent = [(b"origin", b"https://login.example"), (b"sec-fetch-site", b"cross-site"), (b"cookie", b"a=b")]
    hardened = harden(replies_with(), settings)
    for path, status in {"/oidc/callback": 200, "/payments/return/7": 200, "/orders": 403}.items():
        reply = call(hardened, http_scope(path, method="POST", headers=sent, scheme="https"))
        assert reply.status == status, path


def test_the_cookie_of_the_guide_travels() -> None:
    """The session that the login of the guide sets leaves with SameSite=None, as the app wrote it."""
    namespace: dict[str, Any] = {}
    exec(blocks(CORS, "python")[0].text, namespace)  # noqa: S102 - our own documentation

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await (await namespace["login"](Request(scope)))(scope, receive, send)

    environ = {"GARRISON_SECURITY_HEADERS_PRESET": "web"}
    reply = call(harden(app, load(Settings, environ=environ).value), http_scope(scheme="https"))
    (cookie,) = reply.all("set-cookie")
    assert "samesite=none" in cookie.lower()
    assert "secure" in cookie.lower()


@pytest.mark.parametrize(("chosen", "peer", "chain"), BALANCERS.values(), ids=BALANCERS)
def test_the_client_behind_a_balancer(tmp_path: Path, chosen: str, peer: str, chain: str) -> None:
    """With the settings of the guide the chain that a balancer writes leads to its client, spoofed or not."""
    (block,) = [
        block for block in blocks(PROXIES, "env") if block.text.startswith(f"GARRISON_PROXY_{chosen}")
    ]
    sent = [(b"x-forwarded-for", chain.encode()), (b"x-forwarded-proto", b"https")]
    told: list[tuple[str, str]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        told.append((scope["client"][0], scope["scheme"]))
        await replies_with()(scope, receive, send)

    hardened = harden(app, load(Settings, environ=variables(block, tmp_path)).value)
    assert call(hardened, http_scope(headers=sent, client=(peer, 40000))).status == 200
    assert told == [("203.0.113.9", "https")]
