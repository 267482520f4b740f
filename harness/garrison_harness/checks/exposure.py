"""What is not for strangers: version control, settings, keys, dumps, and pages about the inside."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check
from garrison_harness.checks.inputs import anonymous
from garrison_harness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Reply, Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inside:
    """Something that strangers should not get, and how to know it.

    Attributes:
        path: Where it usually is.
        what: What it is.
        severity: How bad it is that it is open.
        sign: What its content begins with, or holds; an app that answers everything does not say that.
        page: Whether it is a page for browsers; for all else a page is no such thing.
    """

    path: str
    what: str
    severity: Severity
    sign: re.Pattern[str]
    page: bool = False


def _inside(path: str, what: str, severity: Severity, sign: str, *, page: bool = False) -> _Inside:
    return _Inside(path=path, what=what, severity=severity, sign=re.compile(sign, re.MULTILINE), page=page)


_KEY = r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"
_SETTINGS = r"\A(?:[^\S\n]*(?:#.*)?\n)*(?:export )?[A-Z][A-Z0-9_]{2,}\s*=.*$"
_METRICS = r"^# (?:HELP|TYPE) [a-zA-Z_:][\w:]* "
_INTERFACE = (
    r"SwaggerUIBundle|swagger-ui|<redoc[ >]|Redoc\.init|@scalar/api-reference|<rapi-doc|stoplight/elements"
)
_OPENAPI = r'\A\s*\{[\s\S]{0,2000}"(?:openapi|swagger)"\s*:\s*"[23]\.'
_DUMP = r"\A-- (?:MySQL|MariaDB|PostgreSQL) (?:database )?dump|^(?:CREATE TABLE|INSERT INTO) "
_COMPOSE = r"^services:\s*$"

_INSIDES: Final = (
    _inside("/.env", "a file of settings", Severity.CRITICAL, _SETTINGS),
    _inside("/.env.local", "a file of settings", Severity.CRITICAL, _SETTINGS),
    _inside("/.env.production", "a file of settings", Severity.CRITICAL, _SETTINGS),
    _inside("/.git/HEAD", "the repository", Severity.HIGH, r"\A(?:ref: refs/|[0-9a-f]{40}\s*\Z)"),
    _inside("/.git/config", "the repository", Severity.HIGH, r"^\[core\]"),
    _inside("/.hg/requires", "the repository", Severity.HIGH, r"^(?:revlogv1|generaldelta|store|dotencode)$"),
    _inside("/.svn/wc.db", "the repository", Severity.HIGH, r"\ASQLite format 3"),
    _inside("/.htpasswd", "a file of passwords", Severity.CRITICAL, r"^[\w.-]+:(?:\$|\{SHA\})"),
    _inside("/.aws/credentials", "a file of keys", Severity.CRITICAL, r"^aws_secret_access_key\s*="),
    _inside("/.npmrc", "a file of keys", Severity.HIGH, r"^(?:.*:)?_auth(?:Token)?\s*="),
    _inside("/.pypirc", "a file of keys", Severity.HIGH, r"^\[(?:distutils|pypi)\]"),
    _inside("/id_rsa", "a private key", Severity.CRITICAL, _KEY),
    _inside("/.ssh/id_rsa", "a private key", Severity.CRITICAL, _KEY),
    _inside("/server.key", "a private key", Severity.CRITICAL, _KEY),
    _inside("/backup.sql", "a dump of a database", Severity.CRITICAL, _DUMP),
    _inside("/dump.sql", "a dump of a database", Severity.CRITICAL, _DUMP),
    _inside("/db.sqlite3", "a database", Severity.CRITICAL, r"\ASQLite format 3"),
    _inside("/docker-compose.yml", "a file of settings", Severity.HIGH, _COMPOSE),
    _inside("/.DS_Store", "a list of files", Severity.LOW, r"\A\x00\x00\x00\x01Bud1"),
    _inside("/__pycache__/", "a list of files", Severity.MEDIUM, r"\.pyc\b", page=True),
    _inside("/actuator/env", "the process's settings", Severity.HIGH, r'"propertySources"\s*:'),
    _inside("/actuator", "pages about the process", Severity.LOW, r'"_links"\s*:.*actuator'),
    _inside("/debug/pprof/", "a profiler", Severity.MEDIUM, r"Types of profiles available", page=True),
    _inside("/debug/vars", "the process's variables", Severity.MEDIUM, r'"memstats"\s*:'),
    _inside("/server-status", "pages about the server", Severity.MEDIUM, r"Apache Server Status", page=True),
    _inside("/phpinfo.php", "pages about the server", Severity.MEDIUM, r"<title>phpinfo\(\)", page=True),
    _inside("/console", "a console", Severity.CRITICAL, r"Interactive Console|EVALEX\s*=\s*true", page=True),
    _inside("/metrics", "metrics", Severity.LOW, _METRICS),
    _inside("/docs", "interactive docs", Severity.LOW, _INTERFACE, page=True),
    _inside("/redoc", "interactive docs", Severity.LOW, _INTERFACE, page=True),
    _inside("/schema", "interactive docs", Severity.LOW, _INTERFACE, page=True),
    _inside("/swagger-ui/index.html", "interactive docs", Severity.LOW, _INTERFACE, page=True),
    _inside("/openapi.json", "the OpenAPI document", Severity.LOW, _OPENAPI),
    _inside("/swagger.json", "the OpenAPI document", Severity.LOW, _OPENAPI),
)


def _ask(site: Site) -> Mapping[str, Request]:
    stranger = anonymous(site)
    usual = {
        "page": site.path,
        "missing": site.missing_path,
        "missing dotfile": f"/.{site.canary}",
    }
    return {
        **{label: site.get(path, stranger) for label, path in usual.items()},
        **{inside.path: site.get(inside.path, stranger) for inside in _INSIDES},
    }


def _judge(seen: Seen) -> Iterator[Finding]:
    usual = [_text(seen.reply(label)) for label in ("page", "missing", "missing dotfile")]
    reported: set[str] = set()
    for inside in _INSIDES:
        if inside.path not in seen.exchanges:  # time was up
            continue
        reply = seen.reply(inside.path)
        everywhere = any(inside.sign.search(text) for text in usual)
        if inside.what not in reported and not everywhere and _is_open(reply, inside):
            reported.add(inside.what)
            match = inside.sign.search(_beside(inside.path, reply))
            # What stands behind the sign may be a secret, and reports are passed on.
            excerpt = match[0][:40].partition("=")[0].strip() if match else ""
            message = f"{inside.what} can be read by anybody: {inside.path}"
            yield seen.finding(
                inside.path, message, show=("content-type",), excerpt=excerpt, severity=inside.severity
            )
    for label in ("page", "missing", "missing dotfile"):
        seen.answer(label)


def _is_open(reply: Reply, inside: _Inside) -> bool:
    return (
        reply.status in {200, 206}
        and inside.page == reply.is_html
        and inside.sign.search(_beside(inside.path, reply)) is not None
    )


def _beside(path: str, reply: Reply) -> str:
    """The content without the path, which an app may repeat."""
    return _text(reply).replace(path, "")


def _text(reply: Reply) -> str:
    # No byte is lost, whatever the file holds.
    return reply.body.decode("latin-1")


CHECKS = (
    Check(
        id="X1",
        title="Nothing of the inside is open to strangers",
        severity=Severity.HIGH,
        layers=("EXPOSURE",),
        cwe=538,
        reference="ASVS 5.0 V13.4.1 and V13.4.5; ZAP 40034, 40035; OWASP API9:2023",
        fix="serve files from a directory that holds nothing else, refuse dotfiles, and ask for a login "
        "before docs and metrics",
        garrison="GARRISON_EXPOSURE_CLOSED='docs; metrics; dotfiles' closes them to all but "
        "GARRISON_EXPOSURE_ALLOWED",
        why="Robots ask every address on the net for /.env and /.git all day. The one holds the passwords "
        "of the database and of the mail account, the other gives out the source with all that ever was in "
        "it. Docs and metrics are a map for whoever looks for a way in.",
        how="The places where such things usually lie are asked for. A finding is a reply that holds what "
        "only such a file holds, and that differs from what the page and a made-up path answer: an app that "
        "shows its page for everything is not mistaken for one that gives out its settings. Docs and "
        "metrics count as low, because some are meant to be public.",
        ask=_ask,
        judge=_judge,
        sampled=True,
    ),
)
