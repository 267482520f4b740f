"""Whole audits over real sockets: the bad app, its good twin, and a server that is no ASGI."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from garrison_harness.checks.catalogue import CATALOGUE
from garrison_harness.process import Child
from tests.harness.commands import APPS, UVICORN, check, listens, wait_until
from tests.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

ALL = {found.id for found in CATALOGUE}
# Neither app has a document, nor anything that is guarded, nor cookies, nor WebSockets, nor https.
UNTOLD = {"E6", "X2", "P1", "P2", "P3", "P4", "P5"} | {"C1", "C2", "C3", "C4", "C5", "H6", "H11", "O6", "S1"}
# These have bad apps of their own.
ELSEWHERE = (
    UNTOLD | {"H14"} | {"I4", "I5", "I6", "I7", "I8", "X1", "C6", "H7", "H13", "O1", "O2", "O3", "O4", "O5"}
)
# These have a server of their own, since uvicorn decides about most of them.
GATED = {"R5", "R7", "R8", "R9", "R10", "R11", "L3", "L4", "L5", "L6", "A2"}
GATED |= {"T3", "T4", "T5", "T6", "G1", "G2", "G3"}
KNOWN = (
    *("--error-path", "/raise", "--quota", "5/minute", "--max-body", "200KB", "--format", "json"),
    *("--ignore", ",".join(sorted(GATED))),
)


def statuses(report: dict[str, Any], status: str) -> set[str]:
    """The ids of the checks that ended that way."""
    return {found["id"] for found in report["checks"] if found["status"] == status}


def test_the_bad_app_fails_nearly_every_check() -> None:
    """Under h11, all that an app can do wrong is found; what h11 or the missing quota rules out is not."""
    ran = check(*KNOWN, "--", *UVICORN, "--http", "h11", "--server-header", "bad_app:app")

    report = json.loads(ran.stdout)
    assert ran.status == 1
    assert statuses(report, "failed") == ALL - {"H4", "I1", "L2", "W1", "A1"} - ELSEWHERE - GATED
    assert statuses(report, "not run") == {"H4", "H13", "H14", "L2"} | UNTOLD


def test_a_debug_page_that_only_browsers_see_is_found() -> None:
    """Starlette shows its debugger to those who ask for HTML, and its traceback to the others."""
    ran = check("--select", "E1,E2", "--error-path", "/raise", "--format", "json", "debug_app:app")

    assert statuses(json.loads(ran.stdout), "failed") == {"E1", "E2"}


def test_what_another_server_leaves_open_is_found_too() -> None:
    """Under httptools, with a quota that counts what the client says it is."""
    ran = check(
        *KNOWN, "--select", "W,L", "--", *UVICORN, "--http", "httptools", "bad_app:app", BAD_QUOTA="1"
    )

    assert statuses(json.loads(ran.stdout), "failed") == {"L1", "L2", "W1"}


def test_the_good_twin_passes_every_check() -> None:
    """Nothing is held against an app that does it right; https it cannot speak."""
    ran = check(*KNOWN, "--body-path", "/json", "--", *UVICORN, "--http", "httptools", "good_app:app")

    report = json.loads(ran.stdout)
    assert statuses(report, "failed") == set()
    assert statuses(report, "not run") == {"H4"} | UNTOLD
    assert ran.status == 0


def test_a_server_that_is_no_asgi_is_audited_alike() -> None:
    """A few lines of sockets that reflect a decoded target are caught planting a header."""
    ran = check("--select", "I1", "--format", "json", "--", sys.executable, "careless_server.py", "{port}")

    assert statuses(json.loads(ran.stdout), "failed") == {"I1"}


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
def test_an_https_url_is_audited_with_any_certificate(tmp_path: Path) -> None:
    """A self-signed server at a URL is asked over TLS by the name that is given, and is missed its HSTS."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-subj", "/CN=localhost", "-days", "1", "-out", str(certificate), "-keyout", str(key)),
        ],
        check=True,
        capture_output=True,
    )
    port = free_port()
    words = [sys.executable, str(APPS / "careless_server.py"), str(port), str(certificate), str(key)]
    server = Child(words, logs=tmp_path, environment={})
    try:
        # It answers no plain HTTP, by which readiness is known elsewhere.
        assert wait_until(lambda: listens("127.0.0.1", port))
        named = ("--host", "shop.example:8443")
        ran = check("--select", "H2,H4", "--format", "json", *named, f"https://127.0.0.1:{port}/")
    finally:
        server.end()

    assert statuses(json.loads(ran.stdout), "failed") == {"H2", "H4"}
    assert set(server.stdout_path.read_text().splitlines()) == {"asked for shop.example"}


def test_an_import_target_is_booted_in_the_current_directory() -> None:
    """`module:attribute` needs neither a server nor a port."""
    ran = check("--select", "H2,H9", "good_app:app")

    assert "PASS  H2" in ran.stdout
    assert "FAIL  H9" in ran.stdout
    assert ran.status == 0


def test_the_fail_level_decides() -> None:
    """A low finding fails an audit that is told to fail at low."""
    ran = check("--select", "H9", "--fail-on", "low", "good_app:app")

    assert ran.status == 1
    assert "FAIL: 1 confirmed finding of severity low or worse" in ran.stdout


def test_an_audit_that_judges_nothing_is_inconclusive() -> None:
    """Not run is never passed."""
    ran = check("--select", "H4", "good_app:app")

    assert ran.status == 4
    assert "INCONCLUSIVE: no check could be judged" in ran.stdout


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["picky_app:app"],
            "GET / answered 421 Misdirected Request; name a host that the app serves with --host",
        ),
        (
            ["--select", "H,M,E,X,C", "--host", "shop.example", "--path", "/private", "picky_app:app"],
            "GET /private answered 401 Unauthorized; log in with --header or with the login of",
        ),
        (
            ["--select", "H,M,E,X,C", "--path", "/nope", "good_app:app"],
            "GET /nope answered 404 Not Found; name a page",
        ),
    ],
)
def test_an_audit_without_a_page_is_inconclusive(
    words: list[str], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where every probe meets the same refusal, that nothing was found proves nothing."""
    monkeypatch.setenv("COLUMNS", "200")
    # R7 would wait for slow requests to be ended, and have no verdict all the same.
    ran = check("--ignore", "T,R7", *words)

    assert ran.status == 4
    assert f"INCONCLUSIVE: {line}" in ran.stdout
    assert "PASS:" not in ran.stdout


def test_an_app_that_insists_on_https_is_audited_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under `garrison run` with https the line says how to audit it all the same, and that works."""
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("GARRISON_HOSTS_ALLOWED", "shop.example")
    words = ("--harden", "--select", "H2", "--host", "shop.example", "picky_app:app")
    insisting = check(*words, GARRISON_HOSTS_HTTPS="redirect")
    relenting = check(*words, GARRISON_HOSTS_HTTPS="off")

    assert insisting.status == 4
    assert "INCONCLUSIVE: GET / answered 403 Forbidden; the app insists on https" in insisting.stdout
    assert "GARRISON_HOSTS_HTTPS=off" in insisting.stdout
    assert (relenting.status, "PASS  H2" in relenting.stdout) == (0, True)


def test_an_app_for_one_host_is_audited_by_that_name() -> None:
    """`--host` is what requests name; those that name a foreign one are refused as ever."""
    ran = check("--select", "H1,H2,I2", "--host", "shop.example", "--format", "json", "picky_app:app")

    report = json.loads(ran.stdout)
    assert ran.status == 0
    assert report["obstacle"] == ""
    assert statuses(report, "passed") == {"H1", "H2", "I2"}


def test_a_finding_counts_although_there_is_no_page() -> None:
    """A traceback is one wherever it is seen; that the rest was not judged is said too."""
    ran = check("--select", "E1,M2", "--error-path", "/raise", "debug_app:app")

    assert ran.status == 1
    assert "Little could be judged: GET / answered 404 Not Found;" in ran.stdout


def test_an_app_that_dies_is_a_finding_with_its_last_words() -> None:
    """The tool survives the app, names the request, and leaves the rest unjudged."""
    ran = check("--select", "M1,R,A1", "--format", "json", "fragile_app:app")

    report = json.loads(ran.stdout)
    (finding,) = next(found for found in report["checks"] if found["id"] == "A1")["findings"]
    assert ran.status == 1
    assert any(line.startswith("TRACE / -> no reply") for line in finding["evidence"])
    assert finding["evidence"][-1] == "out of handles"
    assert report["stopped"] == "the app ended during the audit"
    assert "R1" in statuses(report, "not run")
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("declared", "confidence"),
    [((), "likely"), (("--max-body", "200KB"), "confirmed")],
    ids=["not", "as 200KB"],
)
def test_a_bound_is_sure_where_it_is_declared(declared: tuple[str, ...], confidence: str) -> None:
    """What most apps can do with is a guess: this one may take more on purpose."""
    ran = check("--select", "R1", *declared, "--format", "json", "bad_app:app")

    (found,) = json.loads(ran.stdout)["checks"][0]["findings"]
    assert found["confidence"] == confidence
