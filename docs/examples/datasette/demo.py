"""Hardens a real app that knows nothing of Garrison, and shows before and after.

Datasette serves a database of cities from an environment of its own. The script audits it bare, audits it
under `garrison run` with the settings below, loads the hardened one with Locust, and ends with 0 only if
the bare app has findings that make a build fail, the hardened one has none, and every threshold holds.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any, Final

from docs.examples.datasette.build_database import build

HERE: Final = Path(__file__).resolve().parent
WIDTH: Final = 80

# What Datasette's operator would set; everything else is a default.
SETTINGS: Final = {
    "GARRISON_HOSTS_ALLOWED": "127.0.0.1,localhost",
    "GARRISON_RATE_LIMIT_LIMITS": "60/minute",
    "GARRISON_REQUEST_LIMITS_JSON": "strict",
    "GARRISON_REQUEST_LIMITS_METHODS": "GET,HEAD,POST,OPTIONS",
    "GARRISON_CSP_REPORTS_PATH": "/csp-reports",
    "GARRISON_TIMEOUTS_BODY_GRACE": "10s",
}
# The audit is told what the app promises: the quota, a route that takes JSON, and how long
# a slow client is waited for.
PROMISES: Final = ("--quota", "60/minute", "--body-path", "/cities/suggest", "--slow-limit", "12")
LOAD: Final = ("--rate", "40", "--duration", "10s")
PAGES: Final = ("/", "/cities", "/cities/countries", "/cities/countries.json?_shape=array")
THRESHOLDS: Final = ("p95<1s", "errors==0%", "requests>100")


def main() -> int:
    """Run the demo.

    Returns:
        The exit status.
    """
    environment, out = Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute()
    started = time.monotonic()
    shutil.rmtree(out, ignore_errors=True)
    site = out / "site"
    site.mkdir(parents=True)
    countries, cities = build(site / "cities.db")
    for name in ("app.py", "metadata.json"):
        shutil.copy(HERE / name, site)
    say(f"A database of {countries} countries and {cities:,} cities is built from GeoNames' data.")

    binaries = environment / "bin"
    serve = [str(binaries / "datasette"), "serve", "cities.db", "--metadata", "metadata.json"]
    bare = [*serve, "--host", "127.0.0.1", "--port", "{port}"]
    hardened = [str(binaries / "garrison"), "run", "app:create", "--factory", "--port", "{port}"]

    say("Auditing Datasette as it comes ...")
    before = audit(bare, {}, site, out / "before")
    say("Auditing it under `garrison run`, with these settings from the environment:")
    for name, value in SETTINGS.items():
        say(f"  {name}={value}")
    after = audit(hardened, SETTINGS, site, out / "after")
    say("Loading the hardened one with Locust for ten seconds ...")
    load = drive(hardened, SETTINGS, site, out / "load")

    shutil.copy(out / "after" / "report.sarif", out / "report.sarif")
    verdict = compare(before, after, load)
    report = {"passed": verdict["passed"], "before": before, "after": after, "load": load}
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print_table(before, after)
    print_unproven(before, after)
    print_left(after)
    print_load(load)
    print_summary(verdict, time.monotonic() - started, out)
    return 0 if verdict["passed"] else 1


def audit(command: list[str], settings: dict[str, str], site: Path, out: Path) -> dict[str, Any]:
    """Audit what a command serves, and keep the reports and the logs."""
    reports = ["--format", "json", "--output", str(out / "report.json")]
    reports += ["--format", "sarif", "--output", str(out / "report.sarif")]
    words = ["check", *PROMISES, *reports, "--log-directory", str(out / "logs"), "--", *command]
    return garrison(words, settings, site, out)


def drive(command: list[str], settings: dict[str, str], site: Path, out: Path) -> dict[str, Any]:
    """Load what a command serves, and keep the result and the logs."""
    words = ["load", *LOAD]
    for page in PAGES:
        words += ["--path", page]
    for threshold in THRESHOLDS:
        words += ["--threshold", threshold]
    words += ["--format", "json", "--output", str(out / "report.json")]
    words += ["--log-directory", str(out / "logs"), "--", *command]
    return garrison(words, settings, site, out)


def garrison(words: list[str], settings: dict[str, str], site: Path, out: Path) -> dict[str, Any]:
    """Run the command line, and read the report that it leaves in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GARRISON_")}
    done = subprocess.run(  # noqa: S603 - our own command line
        [sys.executable, "-m", "garrison", *words],
        cwd=site,
        env=inherited | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    (out / "garrison.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode not in {0, 1}:
        sys.exit(f"`garrison {words[0]}` ended with status {done.returncode}:\n{done.stderr.strip()}")
    report: dict[str, Any] = json.loads((out / "report.json").read_text(encoding="utf-8"))
    return report


def compare(before: dict[str, Any], after: dict[str, Any], load: dict[str, Any]) -> dict[str, Any]:
    """What the demo comes to."""
    now = {check["id"]: check for check in after["checks"]}
    failed = [check["id"] for check in before["checks"] if fails_build(check)]
    cured = [name for name in failed if now[name]["status"] == "passed"]
    missed = [item["expression"] for item in load["thresholds"] if not item["passed"]]
    broken = [name for name, check in now.items() if fails_build(check) and name not in failed]
    passed = bool(failed) and cured == failed and not missed and not broken and bool(load["thresholds"])
    return {"failed": failed, "cured": cured, "missed": missed, "broken": broken, "passed": passed}


def fails_build(check: dict[str, Any]) -> bool:
    """Whether a check has a finding that is confirmed, and as severe as what makes a build fail."""
    return any(finding["failing"] for finding in check["findings"])


def word(check: dict[str, Any]) -> str:
    """How a check ended; one that failed no build is named by what it found."""
    if check["status"] != "failed" or fails_build(check):
        return WORDS[check["status"]]
    finding = check["findings"][0]
    return str(finding["severity"] if finding["confidence"] == "confirmed" else finding["confidence"])


def print_table(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Print one line a check."""
    now = {check["id"]: check for check in after["checks"]}
    say()
    say(f"{'':4} {'check':55} {'before':>9} {'after':>9}")
    for check in before["checks"]:
        title = check["title"] if len(check["title"]) <= 55 else f"{check['title'][:54]}…"
        say(f"{check['id']:4} {title:55} {word(check):>9} {word(now[check['id']]):>9}")


def print_left(after: dict[str, Any]) -> None:
    """Print what the hardened app still has, and what would cure it."""
    for check in after["checks"]:
        if check["status"] == "failed":
            finding = check["findings"][0]
            say()
            said = f"{check['id']} ({word(check)}) is left: {finding['message']}"
            for text in (said, f"   Cure: {check['garrison'] or check['fix']}"):
                say(textwrap.fill(text, WIDTH, subsequent_indent="   "))


def print_unproven(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Print why a check that passed before is not run after: nothing is left to judge, or too little."""
    now = {check["id"]: check for check in after["checks"]}
    lost = [
        now[check["id"]]
        for check in before["checks"]
        if check["status"] == "passed" and now[check["id"]]["status"] == "not run"
    ]
    if lost:
        say()
    for check in lost:
        text = f"{check['id']} is not run after: {check['reason']}"
        say(textwrap.fill(text, WIDTH, subsequent_indent="   "))


def print_load(load: dict[str, Any]) -> None:
    """Print what Locust saw, and a line a threshold."""
    latency = load["latency"]
    say()
    say(
        f"Locust: {load['requests']} requests, {load['rate']:.0f}/s,"
        f" median {latency['p50'] * 1000:.0f} ms, p95 {latency['p95'] * 1000:.0f} ms"
    )
    for item in load["thresholds"]:
        say(f"  {'PASS' if item['passed'] else 'FAIL'}  {item['expression']}")


def print_summary(verdict: dict[str, Any], seconds: float, out: Path) -> None:
    """Print how it ended, and where everything is."""
    say()
    shown = out.relative_to(Path.cwd()) if out.is_relative_to(Path.cwd()) else out
    for name in verdict["broken"]:
        say(f"{name} fails only when hardened")
    say(
        f"{'PASS' if verdict['passed'] else 'FAIL'}:"
        f" {len(verdict['cured'])} of {len(verdict['failed'])} checks that fail a build are cured,"
        f" {len(verdict['missed'])} thresholds missed, in {seconds:.0f} s"
    )
    say(f"Reports and logs are in {shown}/")


WORDS: Final = {"passed": "pass", "failed": "FAIL", "not run": "not run"}


def say(text: str = "") -> None:
    """Print a line at once, because what follows may take a while."""
    print(text, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        # What was started has ended by itself: the signal went to the whole group.
        sys.exit(4)
