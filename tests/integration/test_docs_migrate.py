"""The guide for those who come from another package: before and after do the same, but for what it says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from garrison import Settings, harden
from garrison.sections import settings_of
from garrison.settings import load
from tests.integration.documents import ROOT
from tests.integration.migration_guide import PAGE, before, found, made, settings_beside
from tests.toolkit.driver import call, http_scope
from tests.toolkit.server.conftest import environment

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.asgi import ASGIApp

ORIGIN = (b"origin", b"https://app.example")
ID = "0d2f0b2c-3d1e-4f5a-8b9c-0d1e2f3a4b5c"
INSIDE, OUTSIDE = ("10.0.0.7", 40000), ("203.0.113.9", 40000)


def statuses(app: ASGIApp, *paths: str) -> list[int]:
    """What one client is answered for these paths, one after the other."""
    return [call(app, http_scope(path, client=OUTSIDE)).status for path in paths]


def test_slowapi(tmp_path: Path) -> None:
    """The third request in a minute is refused by both; other numbers are as many quotas in slowapi only."""
    old: ASGIApp = before("slowapi")["shop"]
    app: ASGIApp = made(found("slowapi", "python")[1])["shop"]
    new = settings_beside("slowapi", tmp_path)
    assert (
        statuses(old, *["/items/1"] * 3) == statuses(harden(app, new), *["/items/1"] * 3) == [200, 200, 429]
    )
    others = ("/items/2", "/items/3", "/items/4")
    assert statuses(old, *others) == [200, 200, 200]
    assert statuses(harden(app, new), *others) == [200, 200, 429]
    # What leads nowhere costs as much, where a rule fits it.
    assert statuses(harden(app, new), *["/items/x/y"] * 3) == [404, 404, 429]
    refused = [call(one, http_scope("/items/1", client=OUTSIDE)) for one in (old, hardened_twice(app, new))]
    assert [reply.header("retry-after") is None for reply in refused] == [True, False]


def hardened_twice(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The app with its quota used up."""
    hardened = harden(app, settings)
    statuses(hardened, "/items/1", "/items/1")
    return hardened


def test_secure(tmp_path: Path) -> None:
    """Every header of its defaults is on the page as it was, but for the empty Server."""
    site: Any = before("secure")["site"]
    old = call(site, http_scope(scheme="https"))
    site.user_middleware.clear()
    site.middleware_stack = None
    new = call(harden(site, settings_beside("secure", tmp_path)), http_scope(scheme="https"))
    sent = {name.decode().lower(): value.decode() for name, value in old.headers}
    assert sent.pop("server") == ""
    assert new.header("server") is None
    for name, value in sent.items():
        assert directives(new.header(name)) == directives(value), name
    default = call(harden(site, Settings()), http_scope(scheme="https"))
    assert directives(default.header("content-security-policy")) == {
        "base-uri 'self'",
        "frame-ancestors 'self'",
    }


def directives(value: str | None) -> set[str]:
    """The parts of a header, in no order."""
    return {part.strip() for part in re.split(r"[;,]", value or "") if part.strip()}


def test_secure_misses_failures() -> None:
    """As everything that is added as a middleware does: the framework's own 500 is made outside of it."""

    async def boom() -> None:
        raise RuntimeError

    site: Any = before("secure")["site"]
    site.add_api_route("/boom", boom)
    with pytest.raises(RuntimeError):
        call(site, http_scope("/boom"))
    assert call(harden(site, Settings()), http_scope("/boom")).header("x-content-type-options") == "nosniff"


def test_asgi_correlation_id(tmp_path: Path) -> None:
    """The handler knows the id that the reply has; one that comes along is taken, here from a proxy only."""
    old: ASGIApp = before("asgi-correlation-id")["orders"]
    app: ASGIApp = made(found("asgi-correlation-id", "python")[1])["orders"]
    new = harden(app, settings_beside("asgi-correlation-id", tmp_path))
    sent = [(b"x-request-id", ID.encode())]
    for one in (old, new):
        own = call(one, http_scope(client=INSIDE))
        assert own.json["id"] == own.header("x-request-id") != ID
        taken = call(one, http_scope(headers=sent, client=INSIDE))
        assert taken.json["id"] == taken.header("x-request-id") == ID
    strange = {
        name: call(one, http_scope(headers=sent, client=OUTSIDE))
        for name, one in (("old", old), ("new", new))
    }
    assert strange["old"].json["id"] == ID
    assert strange["new"].json["id"] == strange["new"].header("x-request-id") != ID
    believing = load(Settings, environ={"GARRISON_REQUEST_ID_ACCEPT": "always"}).value
    assert call(harden(app, believing), http_scope(headers=sent, client=OUTSIDE)).json["id"] == ID


# What it sets up holds for the process.
GUARDED = """
import json, sys
from tests.toolkit.driver import call, http_scope

namespace = {}
exec(sys.argv[1], namespace)
for number in range(3):
    headers = [(b"origin", b"https://app.example")]
    reply = call(namespace["api"], http_scope(headers=headers, client=("203.0.113.9", 40000)))
    print(json.dumps([reply.status, reply.header("access-control-allow-origin")]))
"""


def test_fastapi_guard(tmp_path: Path) -> None:
    """The third request in a minute is refused by both, and the origin may read every reply."""
    (block,) = found("fastapi-guard", "python")
    done = subprocess.run(
        [sys.executable, "-c", GUARDED, block.text],
        env=environment({"PYTHONPATH": str(ROOT)}),
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(("[2", "[4"))]
    # It takes seconds to import, and it is not needed for what follows.
    guarding = r"^from guard .*\n|^config = (.|\n)*?^\)\n|^api\.add_middleware.*\n"
    alone = re.sub(guarding, "", block.text, flags=re.MULTILINE)
    assert "guard" not in alone
    app = made(replace(block, text=alone))["api"]
    hardened = harden(app, settings_beside("fastapi-guard", tmp_path))
    replies = [call(hardened, http_scope(headers=[ORIGIN], client=OUTSIDE)) for _ in range(3)]
    mine = [[reply.status, reply.header("access-control-allow-origin")] for reply in replies]
    assert told == mine == [[status, "https://app.example"] for status in (200, 200, 429)], done.stderr


def test_every_setting_of_the_tables_exists() -> None:
    """Names that a table shortens, such as `_RULES`, are settings as well."""
    text = PAGE.read_text(encoding="utf-8")
    known = {setting.variable for setting in settings_of(Settings)}
    for line in text.splitlines():
        for name in re.findall(r"`(_[A-Z_]+)`", line):
            assert any(one.endswith(name) for one in known), name
