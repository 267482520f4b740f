"""The browser, the sites that it visits, and what a CDN would serve."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.serving import OTHER, SHOP, Certificate, served
from tests.browser.sites.other import other_site
from tests.browser.visitor import EXECUTABLE, ROOT, SECONDS, Visitor
from tests.missing import do_without

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Playwright, Route

    from garrison.asgi import ASGIApp

PACKAGES = ROOT / "build" / "npm" / "node_modules"
# What documentation pages load: the package on every CDN that serves it, and its file.
FILES = re.compile(r"https://[^/]+/(?:npm/)?(swagger-ui-dist|redoc)[@/][^/]+/([\w./-]+)$")
PIXEL = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing leaves loopback: names of test sites are here, and no other name exists.
    "--host-resolver-rules=MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    # Reports are otherwise gathered for a minute before they are sent.
    "--short-reporting-delay",
)


class Serve(Protocol):
    """Serves an app under a name until the test or the module ends, and gives its origin."""

    def __call__(self, app: ASGIApp, host: str = SHOP, *, https: bool = True) -> str: ...


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    """What every site shows."""
    return Certificate()


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """What drives the browser, where there is one."""
    if not EXECUTABLE.exists():
        do_without(f"{EXECUTABLE} is missing: apt-get install chromium")
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def flags(certificate: Certificate) -> list[str]:
    """How the browser is started."""
    return [*FLAGS, f"--ignore-certificate-errors-spki-list={certificate.fingerprint}"]


@pytest.fixture(scope="package")
def chromium(playwright: Playwright, flags: list[str]) -> Iterator[Browser]:
    """The browser, once for all tests of a worker."""
    browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=flags)
    yield browser
    browser.close()


@pytest.fixture
def visitor(chromium: Browser, serve: Serve) -> Iterator[Visitor]:
    """Somebody who has never been here, and who leaves before the servers stop."""
    context = chromium.new_context()
    yield Visitor(context)
    context.close()


@pytest.fixture(scope="module")
def regular(chromium: Browser, serve_all: Serve) -> Iterator[Visitor]:
    """Somebody who comes more than once, in one tab: a new one takes longer than most tests in it.

    Only for sites that outlive a test, since the browser keeps connections to them, and what HSTS says.
    """
    context = chromium.new_context()
    yield Visitor(context)
    context.close()


@pytest.fixture(scope="module")
def tolerant_regular(
    playwright: Playwright, flags: list[str], serve_all: Serve, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Visitor]:
    """The same with a browser that sends third-party cookies, as many do; that takes a profile of its own."""
    profile = tmp_path_factory.mktemp("profile")
    preferences = profile / "Default" / "Preferences"
    preferences.parent.mkdir()
    preferences.write_text('{"profile": {"cookie_controls_mode": 0}}', encoding="utf-8")
    start = playwright.chromium.launch_persistent_context
    context = start(profile, executable_path=EXECUTABLE, args=flags)
    yield Visitor(context)
    context.close()


@pytest.fixture(scope="module")
def serve_all(certificate: Certificate) -> Iterator[Serve]:
    """Serves for all tests of a module."""
    with ExitStack() as stack:
        yield server(certificate, stack)


@pytest.fixture
def serve(certificate: Certificate) -> Iterator[Serve]:
    """Serves for one test."""
    with ExitStack() as stack:
        yield server(certificate, stack)


def server(certificate: Certificate, stack: ExitStack) -> Serve:
    """Serves until the stack is closed."""

    def serve(app: ASGIApp, host: str = SHOP, *, https: bool = True) -> str:
        port = stack.enter_context(served(app, certificate if https else None))
        return f"{'https' if https else 'http'}://{host}:{port}"

    return serve


@pytest.fixture(scope="package")
def other(certificate: Certificate) -> Iterator[str]:
    """The origin of a site of somebody else's."""
    with served(other_site, certificate) as port:
        yield f"https://{OTHER}:{port}"


@pytest.fixture
def cdn(visitor: Visitor) -> None:
    """What the world serves to documentation pages: scripts from packages, no fonts, and an icon."""
    if not PACKAGES.exists():
        do_without(f"{PACKAGES.relative_to(ROOT)} is missing: `make test` fills it where npm is installed")

    def answer(route: Route) -> None:
        url = route.request.url
        found = FILES.match(url)
        # Pages load with the attribute `crossorigin`.
        headers = {"access-control-allow-origin": "*"}
        if found is not None:
            route.fulfill(path=PACKAGES / found[1] / found[2], headers=headers)
        elif url.startswith("https://fonts.googleapis.com/"):
            route.fulfill(body="", content_type="text/css", headers=headers)
        elif url.endswith((".png", ".svg")):
            route.fulfill(body=PIXEL, content_type="image/svg+xml", headers=headers)
        else:
            route.abort()

    visitor.context.route(re.compile(r"^https://(?![^/]*\.test[:/])"), answer)
