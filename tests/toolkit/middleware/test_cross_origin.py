"""Other origins: who may read (CORS), who may act in a user's name (the guard), and what both cost."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from garrison import (
    CrossOrigin,
    CrossOriginMiddleware,
    Hosts,
    RateLimit,
    RequestLimits,
    SecurityHeaders,
    Settings,
    SettingsError,
    harden,
)
from garrison.context import enter
from garrison.events import event_log
from tests.toolkit.driver import (
    accepts,
    call,
    converse,
    handshake,
    http_scope,
    raises,
    replies_with,
    request_messages,
    websocket_scope,
)

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send
    from garrison.headers.presets import Preset
    from tests.toolkit.driver import Reply

APP = b"https://app.example"
EVIL = b"https://evil.example"
COOKIE = (b"cookie", b"session=1")
FORM = (b"content-type", b"application/x-www-form-urlencoded")
JSON = (b"content-type", b"application/json")
CROSS_SITE = (b"sec-fetch-site", b"cross-site")
ENFORCE = CrossOrigin(mode="enforce")
READERS = CrossOrigin(allowed=("https://app.example",))


def origin(value: bytes) -> tuple[bytes, bytes]:
    """The Origin header."""
    return b"origin", value


def post(*headers: tuple[bytes, bytes], path: str = "/", method: str = "POST", **more: Any) -> Scope:
    """A POST with a session cookie and these headers."""
    return http_scope(path, method=method, headers=[COOKIE, *headers], **more)


def status(scope: Scope, settings: CrossOrigin = ENFORCE) -> int:
    """The status with which an app that answers everything is seen through the layer."""
    if scope["type"] == "http":
        return call(CrossOriginMiddleware(replies_with(), settings, log=silent()), scope).status
    first = handshake(CrossOriginMiddleware(accepts, settings, log=silent()), scope).sent[0]
    return 101 if first["type"] == "websocket.accept" else int(first["status"])


def silent() -> Any:
    """A log that nobody reads."""
    return event_log("json", io.StringIO())


def preflight(method: str = "PUT", by: bytes = APP, headers: bytes = b"", **more: Any) -> Scope:
    """What a browser asks before it sends a request that is not simple."""
    lines = [origin(by), (b"access-control-request-method", method.encode())]
    if headers:
        lines.append((b"access-control-request-headers", headers))
    return http_scope(method="OPTIONS", headers=lines, **more)


def granted(reply: Reply) -> dict[str, str]:
    """The CORS headers of a reply."""
    found = [name.decode().lower() for name, _ in reply.headers]
    return {name: str(reply.header(name)) for name in found if name.startswith("access-control-")}


# --- The guard: who may act in a user's name ---


def test_a_form_of_another_site_is_refused() -> None:
    """A bare app takes the forged form; behind the guard it is a 403 problem that says who refused."""
    scope = post(FORM, CROSS_SITE, origin(EVIL))
    assert call(replies_with(), scope).status == 200
    contexts = []

    async def outermost(scope: Scope, receive: Receive, send: Send) -> None:
        scope, context = enter(scope)
        contexts.append(context)
        await CrossOriginMiddleware(replies_with(), ENFORCE, log=silent())(scope, receive, send)

    reply = call(outermost, scope)
    assert (reply.status, reply.header("content-type")) == (403, "application/problem+json")
    assert reply.header("cache-control") == "no-store"
    assert contexts[0].rejected_by == "cross_origin"


@pytest.mark.parametrize("site", [b"same-origin", b"same-site", b"none"])
def test_a_form_of_the_own_site_passes(site: bytes) -> None:
    """What the browser vouches for passes, also where a referrer policy makes its Origin `null`."""
    assert status(post(FORM, (b"sec-fetch-site", site), origin(b"null"))) == 200


def test_strict_takes_other_hosts_of_the_site_for_others() -> None:
    """With `strict` a sibling host is another site, unless it is listed."""
    sibling = post(FORM, (b"sec-fetch-site", b"same-site"), origin(b"https://blog.shop.example"))
    assert status(sibling) == 200
    assert status(sibling, CrossOrigin(strict=True)) == 403
    assert status(sibling, CrossOrigin(strict=True, posting=("https://blog.shop.example",))) == 200
    assert status(post(FORM, (b"sec-fetch-site", b"same-origin")), CrossOrigin(strict=True)) == 200


@pytest.mark.parametrize("preset", ["auto", "web", "strict", "api"])
def test_a_preset_of_the_headers_leaves_the_guard_alone(preset: Preset) -> None:
    """How strict the policy of pages is says nothing about which sites act in a user's name."""
    settings = Settings(security_headers=SecurityHeaders(preset=preset), cross_origin=ENFORCE)
    app = harden(replies_with(), settings)
    sibling = post(FORM, (b"sec-fetch-site", b"same-site"), origin(b"https://blog.shop.example"))
    assert call(app, sibling).status == 200
    assert call(app, post(FORM, CROSS_SITE, origin(EVIL))).status == 403


def test_a_listed_origin_may_post() -> None:
    """`posting` lets an origin act; `allowed` does not, because reading is another thing."""
    scope = post(FORM, CROSS_SITE, origin(APP))
    assert status(scope, CrossOrigin(posting=("https://app.example",))) == 200
    assert status(scope, READERS) == 403
    assert status(post(FORM, CROSS_SITE, origin(EVIL)), CrossOrigin(posting=("https://app.example",))) == 403


@pytest.mark.parametrize(
    ("by", "reads"),
    [
        (b"https://one.shop.example", True),
        (b"https://shop.example", False),
        (b"https://a.one.shop.example", False),
        (b"http://one.shop.example", False),
        (b"https://one.shop.example.evil.example", False),
    ],
)
def test_hosts_one_label_below_a_name(by: bytes, *, reads: bool) -> None:
    """`https://*.shop.example` lists them for reading and for posting, each where it stands."""
    pattern = ("https://*.shop.example",)
    scope, reader = post(FORM, CROSS_SITE, origin(by)), http_scope(headers=[origin(by)])
    assert status(scope, CrossOrigin(posting=pattern)) == (200 if reads else 403)
    assert status(scope, CrossOrigin(allowed=pattern)) == 403
    app = CrossOriginMiddleware(replies_with(), CrossOrigin(allowed=pattern, credentials=True))
    for reply in (call(app, reader), call(app, preflight(by=by))):
        assert reply.header("access-control-allow-origin") == (by.decode() if reads else None)
    assert granted(call(CrossOriginMiddleware(replies_with(), CrossOrigin(posting=pattern)), reader)) == {}


def test_a_refusal_can_be_read_by_who_may_read() -> None:
    """A page that may read but not post learns why, and other pages learn nothing."""
    app = CrossOriginMiddleware(replies_with(), READERS, log=silent())
    reply = call(app, post(FORM, CROSS_SITE, origin(APP)))
    assert (reply.status, reply.header("access-control-allow-origin")) == (403, "https://app.example")
    assert granted(call(app, post(FORM, CROSS_SITE, origin(EVIL)))) == {}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ((b"cookie", b"a=1"), 403),
        ((b"authorization", b"Basic dTpw"), 403),
        ((b"authorization", b"DIGEST username=u"), 403),
        ((b"authorization", b"Negotiate YII="), 403),
        ((b"authorization", b"Bearer token"), 200),
        ((b"x-api-key", b"k"), 200),
    ],
)
def test_only_ambient_credentials_are_guarded(line: tuple[bytes, bytes], expected: int) -> None:
    """What the browser adds by itself can be abused; what a script has to know cannot."""
    assert status(http_scope(method="POST", headers=[line, FORM, CROSS_SITE, origin(EVIL)])) == expected


def test_a_client_certificate_is_ambient() -> None:
    """A browser shows its certificate to whoever it is sent to."""
    headers = [FORM, CROSS_SITE, origin(EVIL)]
    shown: list[dict[str, Any]] = [{"client_cert_name": "CN=u"}, {"client_cert_chain": ["-----BEGIN"]}]
    for tls in shown:
        assert status(http_scope(method="POST", headers=headers, extensions={"tls": tls})) == 403
    without: dict[str, Any] = {"tls": {"client_cert_name": None, "client_cert_chain": []}}
    assert status(http_scope(method="POST", headers=headers, extensions=without)) == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_safe_methods_are_not_guarded(method: str) -> None:
    """Links of other sites work, cookies and all."""
    assert status(post(CROSS_SITE, origin(EVIL), method=method)) == 200


def test_a_client_that_is_no_browser_passes() -> None:
    """A webhook or a script sends neither Origin nor Sec-Fetch-Site."""
    assert status(post(FORM)) == 200
    assert status(post(FORM), CrossOrigin(posting=("https://*.shop.example",))) == 200


@pytest.mark.parametrize(
    ("value", "host", "scheme", "expected"),
    [
        (b"http://shop.example", b"shop.example", "http", 200),
        (b"http://shop.example", b"SHOP.example:80", "http", 200),
        (b"https://shop.example", b"shop.example:443", "https", 200),
        (b"https://shop.example:8443", b"shop.example:8443", "https", 200),
        # TLS ends at a proxy that nobody told us of.
        (b"https://shop.example", b"shop.example", "http", 200),
        (b"http://[2001:db8::1]:8000", b"[2001:db8::1]:8000", "http", 200),
        # A page that came over http may be anybody's.
        (b"http://shop.example", b"shop.example", "https", 403),
        (b"http://shop.example:8080", b"shop.example", "http", 403),
        (b"https://shop.example.evil.example", b"shop.example", "http", 403),
        (b"https://evil.example", b"shop.example", "http", 403),
        (b"capacitor://shop.example", b"shop.example", "http", 403),
        (b"null", b"shop.example", "http", 403),
        (b"null", b"null", "http", 403),
        (b"", b"", "http", 403),
        (b"http://", b"", "http", 403),
        (b"\xff", b"\xff", "http", 403),
    ],
)
def test_without_sec_fetch_site_the_origin_is_compared_with_the_host(
    value: bytes, host: bytes, scheme: str, expected: int
) -> None:
    """Over plain http browsers say no more than Origin, and that has to be the host that is asked."""
    assert status(post(FORM, origin(value), (b"host", host), scheme=scheme)) == expected
    # A value that no browser sends is as good as none.
    odd = post(FORM, (b"sec-fetch-site", b"elsewhere"), origin(value), (b"host", host), scheme=scheme)
    assert status(odd) == expected


def test_sec_fetch_site_wins_over_the_host() -> None:
    """A redirect through another site keeps the Origin, and only the browser knows of it."""
    assert status(post(FORM, CROSS_SITE, origin(b"http://shop.example"))) == 403


@pytest.mark.parametrize(
    "forwarded",
    [
        (b"x-forwarded-host", b"shop.example"),
        (b"x-forwarded-host", b"shop.example, inner.example"),
        (b"x-forwarded-host", b" shop.example:443"),
        (b"forwarded", b"for=192.0.2.7;host=shop.example, for=10.0.0.1"),
        (b"forwarded", b'host="shop.example:443"'),
    ],
)
def test_a_trusted_proxy_says_what_the_host_was(forwarded: tuple[bytes, bytes]) -> None:
    """What the Host was before counts where the hop is trusted, and from nobody else."""
    scope = post(
        FORM,
        origin(b"https://shop.example"),
        (b"host", b"backend:8000"),
        forwarded,
    )
    assert status(scope) == 403

    async def behind_proxy(scope: Scope, receive: Receive, send: Send) -> None:
        scope, context = enter(scope)
        context.trusted = True
        await CrossOriginMiddleware(replies_with(), ENFORCE, log=silent())(scope, receive, send)

    assert call(behind_proxy, scope).status == 200
    other = post(FORM, origin(EVIL), (b"host", b"backend:8000"), forwarded)
    assert call(behind_proxy, other).status == 403


@pytest.mark.parametrize(
    ("method", "lines"),
    [
        ("PUT", []),
        ("DELETE", []),
        ("POST", [JSON]),
        ("POST", [(b"content-type", b"text/plain,application/json")]),
        ("POST", [FORM, (b"x-requested-with", b"XMLHttpRequest")]),
        ("POST", [FORM, (b"x-csrftoken", b"t")]),
        ("POST", [JSON, (b"sec-fetch-mode", b"cors")]),
    ],
)
def test_what_needs_a_preflight_is_left_to_cors(method: str, lines: list[tuple[bytes, bytes]]) -> None:
    """An app with a CORS of its own keeps working, unless the guard is told to judge always."""
    scope = post(*lines, CROSS_SITE, origin(EVIL), method=method)
    assert status(scope) == 200
    assert status(scope, CrossOrigin(always=True)) == 403
    listed = CrossOrigin(always=True, posting=("https://evil.example",))
    assert status(scope, listed) == 200


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [(b"content-type", b"Text/Plain; charset=utf-8; x=application/json")],
        [(b"content-type", b"multipart/form-data; boundary=x")],
        [(b"content-type", b"text/ping")],
        # A proxy adds headers to whatever passes, and a WebView its own name.
        [FORM, (b"x-amzn-trace-id", b"Root=1"), (b"x-real-ip", b"192.0.2.1")],
        [FORM, (b"x-requested-with", b"com.example.browser")],
        # Only a fetch in the mode cors has asked in a preflight.
        [JSON, (b"sec-fetch-mode", b"no-cors")],
        [(b"content-type", b"application/x-odd"), (b"sec-fetch-mode", b"navigate")],
    ],
)
def test_what_needs_no_preflight_is_judged(lines: list[tuple[bytes, bytes]]) -> None:
    """Whatever any page can send without asking is refused from another site."""
    assert status(post(*lines, CROSS_SITE, origin(EVIL))) == 403


def test_exempt_requests_pass() -> None:
    """Single sign-on that comes back as a cross-site form works where it is exempt, and only there."""
    settings = CrossOrigin(exempt="POST /saml/acs; /payments/*")
    for path, expected in [
        ("/saml/acs", 200),
        ("/saml/acs/x", 403),
        ("/payments/1", 200),
        ("/pay", 403),
        # Sent as `/payments/..%2Ftransfer`, which a browser leaves as it is.
        ("/payments/../transfer", 403),
    ]:
        assert status(post(FORM, CROSS_SITE, origin(EVIL), path=path), settings) == expected
    mounted = post(FORM, CROSS_SITE, origin(EVIL), path="/api/saml/acs", root_path="/api")
    assert status(mounted, settings) == 200
    socket = websocket_scope("/saml/acs", headers=[COOKIE, CROSS_SITE, origin(EVIL)])
    assert status(socket, settings) == 403


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([COOKIE, origin(EVIL)], 403),
        ([COOKIE, origin(EVIL), CROSS_SITE, (b"sec-fetch-mode", b"websocket")], 403),
        ([COOKIE, origin(b"null")], 403),
        # There is no preflight for a handshake, whatever it looks like.
        ([COOKIE, JSON, origin(EVIL)], 403),
        ([COOKIE, origin(b"http://shop.example")], 101),
        ([COOKIE, origin(b"https://shop.example")], 101),
        ([COOKIE, origin(EVIL), (b"sec-fetch-site", b"same-site")], 101),
        ([COOKIE, origin(APP)], 101),
        ([COOKIE], 101),
        ([origin(EVIL)], 101),
    ],
)
def test_handshakes_of_other_sites_are_denied(lines: list[tuple[bytes, bytes]], expected: int) -> None:
    """CORS does not guard WebSockets; the guard judges their Origin, which is all that Chromium sends."""
    settings = CrossOrigin(posting=("https://app.example",))
    assert status(websocket_scope(headers=lines), settings) == expected


def test_a_secure_handshake_is_not_opened_by_a_plain_page() -> None:
    """A page that came over http is not the site that is asked over wss."""
    lines = [COOKIE, origin(b"http://shop.example")]
    assert status(websocket_scope(headers=lines, scheme="wss"), ENFORCE) == 403


def test_a_handshake_is_closed_where_it_cannot_be_denied() -> None:
    """A server without denial replies still closes the WebSocket before the app has seen it."""
    app = CrossOriginMiddleware(accepts, ENFORCE, log=silent())
    scope = websocket_scope(headers=[COOKIE, origin(EVIL)], denial=False)
    assert handshake(app, scope).sent == [{"type": "websocket.close", "code": 1008, "reason": ""}]


# --- Reports: before anything is set ---


class Reports:
    """A layer whose events can be read, with a clock that can be turned."""

    def __init__(self, settings: CrossOrigin = CrossOrigin()) -> None:
        self.stream = io.StringIO()
        self.now = 0.0
        log = event_log("json", self.stream)
        self.app = CrossOriginMiddleware(replies_with(), settings, log=log, clock=lambda: self.now)

    def post(self, by: bytes = EVIL, path: str = "/") -> int:
        """Send a form of another site."""
        return call(self.app, post(FORM, CROSS_SITE, origin(by), path=path)).status

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was written so far."""
        return [orjson.loads(line) for line in self.stream.getvalue().splitlines()]


def test_until_something_is_set_it_reports() -> None:
    """Without settings the forged form passes, and one warning names origin and variable."""
    reports = Reports()
    assert reports.post(path="/transfer/7") == 200
    (event,) = reports.events
    assert (event["event"], event["level"]) == ("cross_origin_refusal", "warning")
    assert event["origin"] == "https://evil.example"
    assert event["url.path"] == "/transfer/7"
    assert event["setting"] == "GARRISON_CROSS_ORIGIN_POSTING"
    assert event["refused"] is False
    assert "GARRISON_CROSS_ORIGIN_EXEMPT" in event["advice"]
    assert "GARRISON_CROSS_ORIGIN_MODE=enforce" in event["advice"]


@pytest.mark.parametrize(
    "settings",
    [
        CrossOrigin(mode="enforce"),
        CrossOrigin(posting=("https://app.example",)),
        CrossOrigin(allowed=("https://app.example",)),
        CrossOrigin(exempt="/elsewhere"),
        CrossOrigin(strict=True),
    ],
)
def test_any_setting_makes_it_enforce(settings: CrossOrigin) -> None:
    """Whoever sets something has decided; the refusal is told too, so that one knows what to list."""
    reports = Reports(settings)
    assert reports.post() == 403
    (event,) = reports.events
    assert event["refused"] is True
    assert "enforce" not in event["advice"]


def test_report_mode_holds_whatever_is_set() -> None:
    """A list can be tried out before it is enforced."""
    reports = Reports(CrossOrigin(mode="report", posting=("https://app.example",), strict=True))
    assert reports.post() == 200
    assert reports.post(APP) == 200
    assert [event["origin"] for event in reports.events] == ["https://evil.example"]


def test_an_origin_that_cannot_be_listed_is_told_the_exemption() -> None:
    """`null` is nobody's origin, so that all one can do is to exempt the path."""
    reports = Reports()
    reports.post(b"null")
    assert reports.events[0]["setting"] == "GARRISON_CROSS_ORIGIN_EXEMPT"


def test_reports_repeat_after_an_hour_only() -> None:
    """The same origin and the same part of the app are told once an hour."""
    reports = Reports()
    for path in ("/a/1", "/a/2", "/b", "/b"):
        reports.post(path=path)
    reports.post(APP, path="/b")
    assert [event["url.path"] for event in reports.events] == ["/a/1", "/b", "/b"]
    reports.now = 3599.0
    reports.post(path="/a/1")
    assert len(reports.events) == 3
    reports.now = 3600.0
    reports.post(path="/a/1")
    reports.post(path="/a/1")
    assert len(reports.events) == 4


def test_a_stranger_cannot_flood_the_log() -> None:
    """However many origins and paths somebody makes up, there is an end to the lines, and to their length."""
    reports = Reports()
    for number in range(150):
        reports.post(b"https://%d.example" % number + b"x" * 5000, path=f"/{number}" + "y" * 5000)
    assert len(reports.events) == 100
    assert max(len(line) for line in reports.stream.getvalue().splitlines()) < 1500


def test_the_outer_one_of_two_decides() -> None:
    """An app that hardens itself below another guard is judged and reported once."""
    outer = Reports()
    inner = CrossOriginMiddleware(replies_with(), ENFORCE, log=silent())
    outer.app.app = inner
    assert outer.post() == 200
    assert len(outer.events) == 1


# --- Isolation: what other sites load ---


@pytest.mark.parametrize(
    ("site", "mode", "dest", "expected"),
    [
        (b"cross-site", b"no-cors", b"image", 403),
        (b"cross-site", b"no-cors", b"script", 403),
        (b"cross-site", b"navigate", b"object", 403),
        (b"cross-site", b"navigate", b"embed", 403),
        (b"cross-site", b"navigate", b"document", 200),
        (b"cross-site", b"navigate", b"iframe", 200),
        (b"cross-site", b"cors", b"empty", 200),
        (b"same-site", b"no-cors", b"image", 200),
        (b"same-origin", b"no-cors", b"image", 200),
        (b"none", b"navigate", b"document", 200),
    ],
)
def test_isolation_refuses_what_other_pages_embed(
    site: bytes, mode: bytes, dest: bytes, expected: int
) -> None:
    """Off, every image can be used by others; on, only links and frames still lead here."""
    scope = http_scope(
        headers=[(b"sec-fetch-site", site), (b"sec-fetch-mode", mode), (b"sec-fetch-dest", dest)]
    )
    assert status(scope, ENFORCE) == 200
    assert status(scope, READERS) == 200
    assert status(scope, CrossOrigin(isolation=True)) == expected
    assert status(scope, CrossOrigin(isolation=True, mode="report")) == 200
    assert status(scope, CrossOrigin(isolation=True, exempt="GET /")) == 200
    strict = 403 if site == b"same-site" else expected
    assert status(scope, CrossOrigin(isolation=True, strict=True)) == strict


def test_isolated_replies_vary() -> None:
    """A cache must not hand a reply for the own site to another one."""
    reply = call(CrossOriginMiddleware(replies_with(), CrossOrigin(isolation=True)))
    assert reply.all("vary") == ["Sec-Fetch-Dest, Sec-Fetch-Mode, Sec-Fetch-Site"]
    reporting = CrossOrigin(isolation=True, mode="report")
    assert call(CrossOriginMiddleware(replies_with(), reporting)).all("vary") == []


# --- CORS: who may read ---


def test_an_allowed_origin_may_read() -> None:
    """The origin that is named gets its headers, and another one nothing."""
    app = CrossOriginMiddleware(replies_with(), READERS)
    reply = call(app, http_scope(headers=[origin(APP)]))
    assert granted(reply) == {
        "access-control-allow-origin": "https://app.example",
        "access-control-expose-headers": "Retry-After, RateLimit, RateLimit-Policy, X-Request-ID",
    }
    for stranger in (EVIL, b"null", b"https://app.example.evil.example", b"http://app.example", b""):
        assert granted(call(app, http_scope(headers=[origin(stranger)]))) == {}


def test_credentials_are_granted_to_the_listed_only() -> None:
    """What an app's own CORS grants others is not completed with the permission for credentials."""
    reflects = replies_with(200, [(b"access-control-allow-origin", EVIL)])
    settings = CrossOrigin(allowed=("https://app.example",), credentials=True)
    app = CrossOriginMiddleware(reflects, settings)
    assert granted(call(app, http_scope(headers=[origin(EVIL)]))) == {
        "access-control-allow-origin": "https://evil.example"
    }
    listed = granted(call(app, http_scope(headers=[origin(APP)])))
    assert listed["access-control-allow-origin"] == "https://app.example"
    assert listed["access-control-allow-credentials"] == "true"


def test_everybody_may_read_without_credentials() -> None:
    """`*` is for public data; with credentials it would hand every user's data to every site."""
    reply = call(
        CrossOriginMiddleware(replies_with(), CrossOrigin(allowed=("*",))), http_scope(headers=[origin(EVIL)])
    )
    assert reply.header("access-control-allow-origin") == "*"
    assert reply.header("access-control-allow-credentials") is None
    with pytest.raises(SettingsError, match=r"CrossOrigin\.credentials: expected off, or origins instead of"):
        CrossOrigin(allowed=("*",), credentials=True)


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        ([], "Origin"),
        ([b"Accept-Encoding"], "Accept-Encoding, Origin"),
        ([b"*"], "*"),
        ([b"origin"], "origin"),
    ],
)
def test_replies_vary_by_origin_whoever_asks(present: list[bytes], expected: str) -> None:
    """A reply that was cached without Origin must not be taken for the one with it."""
    app = CrossOriginMiddleware(replies_with(200, [(b"Vary", value) for value in present]), READERS)
    for headers in ([], [origin(EVIL)]):
        assert ", ".join(call(app, http_scope(headers=headers)).all("vary")) == expected
    varies = ", ".join(call(app, http_scope(headers=[origin(APP)])).all("vary")).lower()
    assert "origin" in varies or varies == "*"


def test_without_a_list_nothing_is_added() -> None:
    """An app with a CORS of its own answers its preflights itself, and its headers are its own."""
    own = replies_with(200, [(b"access-control-allow-origin", b"*"), (b"vary", b"Origin")])
    for scope in (preflight(), http_scope(headers=[origin(EVIL)])):
        reply = call(CrossOriginMiddleware(own, ENFORCE), scope)
        assert reply.messages == call(own, scope).messages


def test_preflights_are_answered_here() -> None:
    """The app never sees a preflight, which is allowed with the methods and headers of the list."""
    settings = CrossOrigin(
        allowed=("https://app.example",), credentials=True, headers=("X-Cart",), max_age=60.0
    )
    app = CrossOriginMiddleware(raises(AssertionError()), settings)
    reply = call(app, preflight("PUT", headers=b"content-type, x-cart"))
    assert (reply.status, reply.header("content-type")) == (200, "text/plain; charset=utf-8")
    found = granted(reply)
    assert found["access-control-allow-origin"] == "https://app.example"
    assert found["access-control-allow-credentials"] == "true"
    assert found["access-control-allow-methods"] == "GET, HEAD, POST, PUT, PATCH, DELETE"
    assert "X-Cart" in found["access-control-allow-headers"].split(", ")
    assert found["access-control-max-age"] == "60"
    assert "Origin" in str(reply.header("vary"))


@pytest.mark.parametrize(
    ("scope", "what"),
    [
        (preflight(by=EVIL), "origin"),
        (preflight("PURGE"), "method"),
        (preflight(headers=b"x-other"), "headers"),
    ],
)
def test_a_preflight_that_asks_too_much_fails(scope: Scope, what: str) -> None:
    """The browser is told no, and the developer what was too much."""
    reply = call(CrossOriginMiddleware(raises(AssertionError()), READERS), scope)
    assert reply.status == 400
    assert reply.json["detail"] == f"Disallowed CORS {what}."
    assert reply.header("content-type") == "application/problem+json"
    assert reply.header("access-control-allow-origin") == (
        None if what == "origin" else "https://app.example"
    )


def test_a_preflight_that_fails_is_told_with_what_it_lacks() -> None:
    """Browsers hide the answer to a preflight, so that the log has what was asked and where to list it."""
    stream = io.StringIO()
    app = CrossOriginMiddleware(replies_with(), READERS, log=event_log("json", stream))
    for _ in range(2):
        call(app, preflight(headers=b"x-other"))
    (event,) = map(orjson.loads, stream.getvalue().splitlines())
    assert event["event"] == "cross_origin_refusal"
    assert (event["origin"], event["method"], event["headers"]) == ("https://app.example", "PUT", "x-other")
    assert event["setting"] == "GARRISON_CROSS_ORIGIN_HEADERS"
    assert event["setting"] in event["advice"]


def test_options_that_is_no_preflight_goes_to_the_app() -> None:
    """OPTIONS is a method of the app like any other, unless a browser asks on behalf of a page."""
    app = CrossOriginMiddleware(replies_with(204), READERS)
    asks = (b"access-control-request-method", b"PUT")
    assert call(app, http_scope(method="OPTIONS", headers=[origin(APP)])).status == 204
    assert call(app, http_scope(method="OPTIONS", headers=[asks])).status == 204
    assert call(app, http_scope(method="GET", headers=[origin(APP), asks])).status == 204


def test_an_app_with_its_own_cors_is_overruled_for_the_listed() -> None:
    """Two answers to one question would be none; other headers of the app's own CORS stay."""
    own = [
        (b"Access-Control-Allow-Origin", b"*"),
        (b"access-control-expose-headers", b"X-Own"),
        (b"access-control-allow-private-network", b"true"),
    ]
    reply = call(CrossOriginMiddleware(replies_with(200, own), READERS), http_scope(headers=[origin(APP)]))
    assert granted(reply) == {
        "access-control-allow-private-network": "true",
        "access-control-allow-origin": "https://app.example",
        "access-control-expose-headers": "Retry-After, RateLimit, RateLimit-Policy, X-Request-ID",
    }


def stack(app: ASGIApp, **sections: object) -> ASGIApp:
    """Every default layer, with readers at `https://app.example`, around an app."""
    return harden(app, Settings(cross_origin=READERS, **sections))  # type: ignore[arg-type]


def refusals() -> dict[str, tuple[ASGIApp, Scope]]:
    """For each status that a layer below gives in place of the app: a stack, and what it refuses."""
    by = origin(APP)
    json = (b"content-type", b"application/json")
    spent = stack(replies_with(), rate_limit=RateLimit(limits="1/hour"))
    call(spent, http_scope())
    return {
        "400 query": (stack(replies_with()), http_scope(headers=[by], query=b"&" * 2000)),
        "403 forged form": (stack(replies_with()), post(FORM, CROSS_SITE, by)),
        "404 of the app": (stack(replies_with(404)), http_scope(headers=[by])),
        "405 method": (stack(replies_with()), http_scope(method="TRACE", headers=[by])),
        "413 body": (
            stack(replies_with(), request_limits=RequestLimits(max_body=4)),
            http_scope(method="POST", headers=[by, json, (b"content-length", b"9")]),
        ),
        "414 url": (stack(replies_with()), http_scope(headers=[by], query=b"q" * 20_000)),
        "421 host": (
            stack(replies_with(), hosts=Hosts(allowed=("shop.example",))),
            http_scope(headers=[by, (b"host", b"evil.example")]),
        ),
        "429 quota": (spent, http_scope(headers=[by])),
        "431 headers": (stack(replies_with()), http_scope(headers=[by, *[(b"x-a", b"1")] * 200])),
        "500 failure": (stack(raises(LookupError())), http_scope(headers=[by])),
    }


@pytest.mark.parametrize("name", refusals())
def test_a_page_can_read_refusals_and_errors_of_every_layer_below(name: str) -> None:
    """Whoever refuses: the page sees status, Retry-After and request id; a stranger sees nothing."""
    app, scope = refusals()[name]
    reply = call(app, scope, b"x" * 9)
    assert str(reply.status) == name.partition(" ")[0]
    assert reply.header("access-control-allow-origin") == "https://app.example"
    exposed = str(reply.header("access-control-expose-headers")).split(", ")
    assert {"Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-ID"} <= set(exposed)
    assert reply.header("x-request-id") is not None
    assert "Origin" in ", ".join(reply.all("vary"))
    if reply.status == 429:
        assert reply.header("retry-after") is not None
    strange = [pair for pair in scope["headers"] if pair[0] != b"origin"]
    assert granted(call(app, {**scope, "headers": [*strange, origin(EVIL)]}, b"x" * 9)) == {}


def test_preflights_are_neither_counted_nor_bounded() -> None:
    """A browser that asks first uses up nothing, and is answered for methods that are served."""
    limited = stack(
        replies_with(),
        rate_limit=RateLimit(limits="1/hour"),
        request_limits=RequestLimits(methods=("GET", "PUT")),
    )
    for _ in range(25):
        assert call(limited, preflight("PUT")).status == 200
    assert call(limited, http_scope(headers=[origin(APP)])).status == 200


def test_preflights_of_the_apps_own_cors_reach_it() -> None:
    """Without a list the app answers them, below quotas and bounds that do not hold for them."""
    assert call(CrossOriginMiddleware(replies_with(), CrossOrigin(isolation=True)), preflight()).status == 200
    settings = Settings(
        rate_limit=RateLimit(limits="1/hour"), request_limits=RequestLimits(methods=("GET", "PUT"))
    )
    app = harden(replies_with(204, [(b"access-control-allow-origin", b"*")]), settings)
    assert [call(app, preflight("PUT")).status for _ in range(5)] == [204] * 5
    assert call(app, http_scope(headers=[origin(APP)])).status == 204
    assert call(app, http_scope(headers=[origin(APP)])).status == 429


def test_many_cookies_survive() -> None:
    """Starlette's sender adds its lines, and those of the app keep number and order."""
    lines = [(b"set-cookie", b"a=1"), (b"Set-Cookie", b"b=2"), (b"set-cookie", b"a=3")]
    reply = call(CrossOriginMiddleware(replies_with(200, lines), READERS), http_scope(headers=[origin(APP)]))
    assert reply.all("set-cookie") == ["a=1", "b=2", "a=3"]


def test_a_refused_body_is_not_left_on_the_connection() -> None:
    """The rest of a large forged upload does not pass for the next request."""
    app = CrossOriginMiddleware(replies_with(), ENFORCE, log=silent())
    messages: list[Message] = request_messages(b"x" * 10, b"y" * 10)
    small = converse(app, post(FORM, CROSS_SITE, origin(EVIL), (b"content-length", b"20")), messages)
    assert small.reply.header("connection") is None
    assert not small.incoming
    large = converse(app, post(FORM, CROSS_SITE, origin(EVIL), (b"content-length", b"9999999")), messages)
    assert large.reply.header("connection") == "close"


# --- Settings ---


@pytest.mark.parametrize("field", ["allowed", "posting"])
@pytest.mark.parametrize(
    "value",
    [
        "app.example",
        "https://app.example/",
        "https://app.example/path",
        "https://App.example",
        "https://app.example:443",
        "http://app.example:80",
        "https://*.example",
        "*://app.example",
        "https://user@app.example",
        "https://bücher.example",
        "null",
        "",
    ],
)
def test_what_no_browser_sends_as_origin_fails_at_start(field: str, value: str) -> None:
    """An entry that could never match is refused with the form that would."""
    with pytest.raises(SettingsError, match=rf"CrossOrigin\.{field}: expected .*no path"):
        CrossOrigin(**{field: (value,)})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value", ["https://app.example", "http://localhost:3000", "https://[::1]:1", "capacitor://localhost"]
)
def test_origins_as_browsers_send_them_are_taken(value: str) -> None:
    """Ports, addresses and the schemes of native shells are fine."""
    settings = CrossOrigin(allowed=(value,), posting=(value,))
    assert status(post(FORM, CROSS_SITE, origin(value.encode())), settings) == 200


@pytest.mark.parametrize(
    "values",
    [
        {"posting": ("*",)},
        {"methods": ("get",)},
        {"headers": ("*",)},
        {"expose": ("X Header",)},
        {"max_age": -1.0},
        {"exempt": "POST"},
        {"exempt": "/a: 1"},
        {"exempt": "saml/acs"},
        {"mode": "off"},
    ],
)
def test_settings_that_cannot_work_fail_at_start(values: dict[str, object]) -> None:
    """Each problem names its field; an exemption without a path would exempt everything."""
    (field,) = values
    with pytest.raises(SettingsError, match=rf"CrossOrigin\.{field}: expected "):
        CrossOrigin(**values)  # type: ignore[arg-type]


def test_the_environment_says_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables are lists as one would write them, and the guard enforces from then on."""
    monkeypatch.setenv("GARRISON_CROSS_ORIGIN_ALLOWED", "https://a.example, https://b.example")
    monkeypatch.setenv("GARRISON_CROSS_ORIGIN_EXEMPT", "POST /saml/acs; /payments/*")
    section = Settings.from_environment().cross_origin
    assert section == CrossOrigin(
        allowed=("https://a.example", "https://b.example"), exempt="POST /saml/acs; /payments/*"
    )
    assert section.enforces
    assert not CrossOrigin().enforces
