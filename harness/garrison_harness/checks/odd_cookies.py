"""What an app does with cookies that nobody of sound mind would send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check
from garrison_harness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.checks.check import Seen
    from garrison_harness.finding import Finding
    from garrison_harness.stage import Stage

_LONG: Final = 7000  # characters


def _drive(stage: Stage) -> None:
    site = stage.site
    page = stage.ask("page", site.get(site.path))
    odd = {
        "a cookie of 7 KB": f"garrison={'a' * _LONG}",
        "bytes that are no text": "garrison=\xff\xfe\x80; \xe9=1",
        "cookies that break the grammar": '=; ;;garrison; a="b; =c=d; $Version=1; a=\\"; [x]=,',
    }
    names = [line.partition("=")[0].strip() for line in page.all("set-cookie")]
    known = [name for name in names if name.isascii() and name.isprintable()] or ["session", "sessionid"]
    odd["the app's own cookies with other values"] = "; ".join(
        f"{name}=gAAAA.{site.canary}%00.e30=" for name in dict.fromkeys(known)
    )
    for label, value in odd.items():
        stage.ask(label, site.request("GET", site.path, [("Cookie", value)], plain=False))


def _judge(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    for label, exchange in seen.exchanges.items():
        status = exchange.reply.status or 0
        if label != "page" and status >= 500 and status != 503:
            yield seen.finding(label, f"{label}: answered with {status} in place of a page or a refusal")


CHECKS: Final = (
    Check(
        id="C6",
        title="Odd cookies do not make the app fail",
        severity=Severity.LOW,
        cwe=755,
        reference="RFC 6265bis section 5.8",
        fix="answer a cookie that cannot be read as if it were not there, and a too long header with 431",
        garrison=(
            "GARRISON_REQUEST_LIMITS_MAX_COOKIE_BYTES refuses more of them with 431; reading them is for the"
            " app"
        ),
        why=(
            "Everybody can send any cookie, and browsers keep old ones of other apps on the same host. An app"
            " that fails over them locks visitors out until they clear their cookies, and shows an attacker"
            " where its code breaks."
        ),
        how=(
            "The page is read as it is, and then with 7 KB of cookie, bytes that are no text, cookies against"
            " the grammar, and the app's own cookies with other values. An answer of 500 or above, other than"
            " 503, is a fault; a refusal is not."
        ),
        drive=_drive,
        judge=_judge,
    ),
)
