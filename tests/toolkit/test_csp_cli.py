"""The commands `garrison csp`: from a log to a policy, hashes, and one line for what is of no use."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner, Result

from garrison import CspReports, CspReportsMiddleware, SecurityHeaders, Settings
from garrison.cli import main
from garrison.csp.hashes import csp_hash
from garrison.csp.policy import parse_policy
from garrison.env_file import read_env_file
from garrison.events import event_log
from garrison.headers.presets import PRESETS
from garrison.settings import load
from tests.toolkit.driver import call, http_scope, replies_with

if TYPE_CHECKING:
    from pathlib import Path

POLICY: Final = "default-src 'self'; script-src 'self' 'nonce-abc123'; report-uri /csp-reports"


def garrison(*words: str, text: str = "") -> Result:
    """What the command prints."""
    return CliRunner().invoke(main, ["csp", *words], prog_name="garrison", input=text, env={"COLUMNS": "80"})


def legacy(directive: str, blocked: str, **more: object) -> str:
    """A report as `report-uri` sends it."""
    members = {
        "document-uri": "https://shop.example/cart?user=jane",
        "effective-directive": directive,
        "blocked-uri": blocked,
        "original-policy": POLICY,
        "disposition": "report",
        **more,
    }
    return json.dumps({"csp-report": members})


REPORTS: Final = [
    legacy(
        "img-src",
        "https://cdn.example/a.png",
        **{"source-file": "https://shop.example/app.js", "line-number": 7},
    ),
    legacy("img-src", "https://cdn.example/b.png"),
    legacy("script-src-elem", "inline", **{"line-number": 3, "source-file": "https://shop.example/cart"}),
    legacy("connect-src", "ws://localhost:8012/"),
    legacy("script-src-elem", "chrome-extension"),
]


def test_a_page_says_what_each_source_is_for() -> None:
    """The policy is shown with what is new in it and why, what is not in it and why, in 80 columns."""
    found = garrison("suggest", text="\n".join(REPORTS))
    assert (found.exit_code, found.stderr) == (0, "")
    assert found.stdout == (
        """\
Content-Security-Policy-Report-Only, from 5 reports

  default-src 'self'
  script-src 'self' 'nonce'
  report-uri /csp-reports
  img-src 'self'
    + https://cdn.example
        2 reports from /cart; at /app.js:7.

Not added, because a source for it would not be safe:

  script-src-elem inline
        1 report from /cart; at /cart:3.
        Give its tag a nonce with csp_nonce, or add its hash: `garrison csp hash
        FILE`.

Left out, because it is hardly the site's:

  connect-src ws://localhost:8012
        1 report from /cart.
        A server on the visitor's own machine, such as an extension's or a virus
        scanner's.
        --include ws://localhost:8012 adds it.

  script-src-elem chrome-extension
        1 report from /cart.
        An extension of a visitor's browser, not the site.

Anybody can send a report: add only what you know.
"""
    )


def test_a_file_of_another_site_is_named_whole() -> None:
    """Where a script of another host asked for something, its path alone would mislead."""
    found = garrison(
        "suggest", text=legacy("img-src", "data", **{"source-file": "https://cdn.example/lib.js"})
    )
    assert "1 report from /cart; at https://cdn.example/lib.js.\n" in found.stdout


def test_the_header_can_be_pasted() -> None:
    """`--format header` is one line, for which policy it was, that the settings read."""
    found = garrison(
        "suggest", "--format", "header", "--include", "ws://localhost:8012", text="\n".join(REPORTS)
    )
    name, _, policy = found.stdout.rstrip("\n").partition(": ")
    assert name == "Content-Security-Policy-Report-Only"
    assert parse_policy(policy)["connect-src"] == ("'self'", "ws://localhost:8012")
    assert "jane" not in found.stdout


def test_json_has_all_of_it() -> None:
    """`--format json` has the same for programs, with whole addresses."""
    (found,) = json.loads(garrison("suggest", "--format", "json", text="\n".join(REPORTS)).stdout)[
        "suggestions"
    ]
    assert found["policy"]["img-src"] == ["'self'", "https://cdn.example"]
    assert found["header"] == f"Content-Security-Policy-Report-Only: {found['text']}"
    assert [(item["source"], item["reports"]) for item in found["added"]] == [("https://cdn.example", 2)]
    assert found["added"][0]["pages"] == ["https://shop.example/cart"]
    assert [item["optional"] for item in found["left_out"]] == [True, False]


def test_the_log_of_the_receiver_is_read(tmp_path: Path) -> None:
    """What the receiver writes between other lines is what the command reads."""
    log = tmp_path / "app.log"
    with log.open("w", encoding="utf-8") as stream:
        app = CspReportsMiddleware(replies_with(), CspReports(path="/r"), log=event_log("json", stream))
        lines = [(b"content-type", b"application/csp-report")]
        stream.write('INFO: started\n{"event": "http.request"}\n')
        for report in REPORTS:
            stream.flush()
            assert call(app, http_scope("/r", method="POST", headers=lines), report.encode()).status == 204
    found = garrison("suggest", "--format", "header", str(log)).stdout
    assert found.endswith(
        "script-src 'self' 'nonce'; report-uri /csp-reports; img-src 'self' https://cdn.example\n"
    )


def test_raw_reports_are_read_in_any_shape(tmp_path: Path) -> None:
    """One report over many lines, an upload of the Reporting API and several files are read alike."""
    pretty, upload = tmp_path / "pretty.json", tmp_path / "upload.json"
    pretty.write_text(json.dumps(json.loads(REPORTS[0]), indent=2), encoding="utf-8")
    body = {
        "effectiveDirective": "font-src",
        "blockedURL": "data",
        "originalPolicy": POLICY,
        "disposition": "report",
    }
    upload.write_text(json.dumps([{"type": "csp-violation", "body": body}]), encoding="utf-8")
    found = garrison("suggest", "--format", "header", str(pretty), str(upload), "-", text=REPORTS[3]).stdout
    assert "font-src 'self' data:; img-src 'self' https://cdn.example" in found
    assert found.count("\n") == 1


def test_a_policy_can_be_given() -> None:
    """`--policy` begins from another policy, and what that allows needs nothing."""
    found = garrison(
        "suggest", "--policy", "img-src https://cdn.example; font-src 'none'", text="\n".join(REPORTS)
    )
    assert "img-src https://cdn.example\n" in found.stdout
    assert (
        "The policy allows 4 reports already." in found.stdout.replace("\n", " ") or "already" in found.stdout
    )
    wrong = garrison("suggest", "--policy", "img-scr 'self'", text=REPORTS[0])
    assert (wrong.exit_code, wrong.stdout, wrong.stderr.count("\n")) == (2, "", 1)
    assert "img-src" in wrong.stderr


def read_back(line: str, folder: Path) -> SecurityHeaders:
    """The settings with a printed line in an env file."""
    path = folder / "app.env"
    path.write_text(line, encoding="utf-8")
    section = load(Settings, environ=read_env_file(path)).value.security_headers
    assert section is not None
    return section


def test_a_preset_can_be_given_and_comes_back_as_a_line_to_set(tmp_path: Path) -> None:
    """`--policy web` begins from the preset, and `--format env` writes it as that with what was added."""
    found = garrison("suggest", "--policy", "web", "--format", "env", text="\n".join(REPORTS))
    line = found.stdout.rstrip("\n")
    assert line == (
        "GARRISON_SECURITY_HEADERS_PAGE_POLICY_REPORT_ONLY=\"web; img-src 'self' data: https://cdn.example\""
    )
    assert read_back(line, tmp_path).page_policy_report_only in line
    changed = garrison("suggest", "--policy", "strict; object-src 'self'", text=REPORTS[2]).stdout
    assert "  object-src 'self'\n" in changed
    assert "  require-trusted-types-for 'script'\n" in changed


def test_what_pages_get_already_is_set_as_that(tmp_path: Path) -> None:
    """Reports of an enforced preset lead to the setting that enforces, with what was added if anything."""
    sent = PRESETS["web"].policy.replace("'nonce'", "'nonce-abc123'")
    policy = f"{sent}; report-uri /csp-reports"
    enforced = {"original-policy": policy, "disposition": "enforce"}
    inline = legacy("script-src-elem", "inline", **enforced)
    line = garrison("suggest", "--format", "env", text=inline).stdout.rstrip("\n")
    assert line == "GARRISON_SECURITY_HEADERS_PAGE_POLICY=web"
    assert read_back(line, tmp_path).page_policy == "web"
    font = legacy("font-src", "https://cdn.example/a.woff2", **enforced)
    line = garrison("suggest", "--format", "env", text=font).stdout.rstrip("\n")
    assert line == "GARRISON_SECURITY_HEADERS_PAGE_POLICY=\"web; font-src 'self' https://cdn.example\""


def test_another_policy_is_set_whole(tmp_path: Path) -> None:
    """What is no preset's is written out, without where reports go, which the receiver says."""
    found = garrison("suggest", "--format", "env", text="\n".join(REPORTS))
    line = found.stdout.rstrip("\n")
    assert line == (
        "GARRISON_SECURITY_HEADERS_PAGE_POLICY_REPORT_ONLY=\"default-src 'self'; script-src 'self' 'nonce';"
        " img-src 'self' https://cdn.example\""
    )
    assert read_back(line, tmp_path).page_policy_report_only in line


def test_a_strangers_policy_runs_nothing_in_a_shell() -> None:
    """Anybody can report any policy; what a shell would run is percent-encoded, and no policy is refused."""
    policy = "img-src 'self' https://cdn.example/$(id)/!!"
    found = garrison(
        "suggest", "--format", "env", text=legacy("font-src", "data", **{"original-policy": policy})
    )
    assert found.stdout.endswith("=\"img-src 'self' https://cdn.example/%24(id)/%21%21\"\n")
    for refused in ("img-scr 'self'", "img-src `id`"):
        text = legacy("font-src", "data", **{"original-policy": refused})
        found = garrison("suggest", "--format", "env", text=text)
        assert (found.exit_code, found.stdout, found.stderr.count("\n")) == (2, "", 1)
        assert "no setting takes the reported policy: " in found.stderr


def test_one_line_is_set_for_several_policies() -> None:
    """A variable is set once: to the policy with most reports, and the others are mentioned."""
    reports = [
        legacy("font-src", "data", **{"original-policy": f"img-src {host}"})
        for host in ("a.example", "b.example", "b.example")
    ]
    found = garrison("suggest", "--format", "env", text="\n".join(reports))
    assert "b.example" in found.stdout
    assert found.stdout.count("\n") == 1
    assert found.stderr == "garrison: policies that have fewer reports, and were left out: 1\n"


def test_more_policies_than_anybody_has_are_cut_short() -> None:
    """Strangers can name as many policies as they like; the page shows those with most reports."""
    reports = [
        legacy("img-src", "https://cdn.example/", **{"original-policy": f"img-src h{n}.example"})
        for n in range(8)
    ]
    found = garrison("suggest", text="\n".join([*reports, reports[7]])).stdout
    assert found.startswith("Content-Security-Policy-Report-Only, from 2 reports\n\n  img-src h7.example\n")
    assert found.endswith("\n3 more policies with 3 reports are in --format json.\n")


def test_reports_without_a_policy_are_mentioned() -> None:
    """A report that does not say which policy it is about is counted, not guessed about."""
    found = garrison(
        "suggest", text="\n".join([REPORTS[0], legacy("img-src", "data", **{"original-policy": ""})])
    )
    assert found.stderr == "garrison: reports that name no policy, and were left out: 1\n"
    assert "from 1 report\n" in found.stdout


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "standard input is empty."),
        ("hello\nthere\n", "standard input has no JSON in it: "),
        (
            '{"event": "http.request"}\n',
            "standard input has no report about a Content-Security-Policy in it.",
        ),
        (
            legacy("img-src", "data", **{"original-policy": ""}),
            "no report names the policy that it is about. ",
        ),
    ],
)
def test_input_of_no_use_is_one_line(text: str, line: str) -> None:
    """What there is nothing to propose from is said in a line, with exit status 2."""
    found = garrison("suggest", text=text)
    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr.startswith(f"garrison: {line}")
    assert found.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["suggest", "hash"])
def test_files_that_cannot_be_read_are_one_line(command: str, tmp_path: Path) -> None:
    """A file that is not there, and a folder, are named in a line."""
    for path in (tmp_path / "missing.log", tmp_path):
        found = garrison(command, str(path))
        assert (found.exit_code, found.stdout, found.stderr.count("\n")) == (2, "", 1)
        assert found.stderr.startswith("garrison: ")
        assert str(path) in found.stderr


def test_hashes_of_a_page(tmp_path: Path) -> None:
    """Each inline script and style is a line that can be clicked; a template's part is none, and says so."""
    page = tmp_path / "page.html"
    page.write_text(
        "<!doctype html>\n<script>a()</script>\n<style>p{}</style>\n<script>b({{ c }})</script>\n",
        encoding="utf-8",
    )
    found = garrison("hash", str(page))
    assert found.exit_code == 0
    assert found.stdout == f"{csp_hash('a()')}  {page}:2 script\n{csp_hash('p{}')}  {page}:3 style\n"
    assert found.stderr.startswith(f"garrison: {page}:4: a template fills in this script")
    assert found.stderr.count("\n") == 1


def test_hashes_of_other_files(tmp_path: Path) -> None:
    """A script file is hashed as a whole; a page with nothing inline is said to have none."""
    script, page, binary = tmp_path / "a.js", tmp_path / "page.html", tmp_path / "a.png"
    script.write_bytes(b"alert(1)\n")
    page.write_text("<p>", encoding="utf-8")
    binary.write_bytes(b"\x89PNG")
    assert garrison("hash", str(script)).stdout == f"{csp_hash(b'alert(1)' + bytes([10]))}  {script}\n"
    for path, line in ((page, "no inline script or style"), (binary, f"{binary} is not UTF-8")):
        found = garrison("hash", str(path))
        assert (found.exit_code, found.stdout, found.stderr.count("\n")) == (2, "", 1)
        assert found.stderr.startswith(f"garrison: {line}")


@pytest.mark.parametrize("words", [(), ("-h",), ("suggest", "--help"), ("hash", "-h")])
def test_help_fits_a_terminal(words: tuple[str, ...]) -> None:
    """Each level has its help, within 80 columns."""
    found = garrison(*words)
    assert (found.exit_code, found.stderr) == (0, "")
    assert found.stdout.startswith("Usage: garrison csp ")
    assert max(len(line) for line in found.stdout.splitlines()) <= 80


@pytest.mark.parametrize(
    "words", [("propose",), ("suggest", "--format", "yaml"), ("hash",), ("suggest", "--loud")]
)
def test_usage_errors_are_one_line(words: tuple[str, ...]) -> None:
    """A wrong command line is a line that names the help of its level."""
    found = garrison(*words)
    assert (found.exit_code, found.stdout, found.stderr.count("\n")) == (2, "", 1)
    assert "`garrison csp" in found.stderr


def test_serving_pays_nothing_for_it() -> None:
    """What these commands need is imported by nobody else."""
    names = ("html.parser", "garrison.csp_pages", "garrison.csp.suggestion")
    script = f"import sys, garrison.cli; print([name for name in {names} if name in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    assert found.stdout == "[]\n"
