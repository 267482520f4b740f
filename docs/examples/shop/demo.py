"""The demo's second half: the shop as it comes and hardened by shop.env alone, audited, loaded, and a drill.

It ends with 0 only if the shop as it comes has findings that make a build fail, the hardened one has none,
every threshold holds, and the drill does.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from docs.examples.datasette.demo import (
    compare,
    garrison,
    print_left,
    print_load,
    print_summary,
    print_table,
    say,
    word,
)
from garrison.env_file import read_env_file

HERE: Final = Path(__file__).resolve().parent
TARGET: Final = "shop.main:app"
# All families but those whose checks wait: slow clients and restarts are what drills are for.
CHECKS: Final = "H,C,O,E,M,I,X,P,R1,R2,R3,R4,R5,R6,L,T,W"
LOAD: Final = ("--rate", "20", "--duration", "2s", "--threshold", "errors==0%", "--threshold", "p95<1s")
DRILL: Final = ("--rate", "10", "--window", "1", "--select", "handler-exceptions")
PATHS: Final = ("--path", "/", "--path", "/api/products")
# The audit gets an account, and the document that the hardened shop shows to nobody.
PREPARE: Final = """
import json, os
from shop import accounts, database
from shop.main import app
database.prepare()
accounts.register(accounts.Credentials(name="audit", password=os.environ["AUDIT_PASSWORD"]))
print(json.dumps(app.openapi()))
"""


def main() -> int:
    """Run the demo.

    Returns:
        The exit status.
    """
    out = Path(sys.argv[1]).absolute()
    started = time.monotonic()
    shutil.rmtree(out, ignore_errors=True)
    settings = read_env_file(HERE / "shop.env")
    say()
    say(f"The shop, and the same hardened by the {len(settings)} lines of shop.env, are audited ...")
    # No balancer has to learn here that it stops.
    account = {"AUDIT_PASSWORD": secrets.token_hex(8), "GARRISON_SERVER_DRAIN_DELAY": "0s"}
    with ThreadPoolExecutor() as both:
        bare = both.submit(audit, out / "before", account)
        hardened = both.submit(audit, out / "after", {**account, **settings}, "--harden")
    before, after = bare.result(), hardened.result()
    say("Two seconds of load, and a drill, on the hardened one ...")
    told = {**account, **settings, "SHOP_DATA": str(out / "after" / "data")}
    load = run("load", out / "load", told, "--harden", *LOAD, *PATHS)
    drill = run("drill", out / "drill", told, "--harden", *DRILL, *PATHS)

    verdict = compare(before, after, load)
    verdict["passed"] = verdict["passed"] and drill["verdict"] == "held"
    report = {"passed": verdict["passed"], "before": before, "after": after, "load": load, "drill": drill}
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print_table(changed(before, after), after)
    print_left(after)
    print_load(load)
    print_drill(drill)
    print_summary(verdict, time.monotonic() - started, out)
    return 0 if verdict["passed"] else 1


def audit(out: Path, told: dict[str, str], *words: str) -> dict[str, Any]:
    """Audit the shop with data of its own, in which there is the audit's account."""
    told = {**told, "SHOP_DATA": str(out / "data")}
    command, environ = [sys.executable, "-c", PREPARE], {**os.environ, **told}
    document = subprocess.check_output(command, cwd=HERE, env=environ)  # noqa: S603 - our own example
    out.mkdir(parents=True, exist_ok=True)
    (out / "openapi.json").write_bytes(document)
    return run("check", out, told, *words, "--select", CHECKS, "--openapi", str(out / "openapi.json"))


def run(verb: str, out: Path, told: dict[str, str], *words: str) -> dict[str, Any]:
    """Run a command on the shop, and read the report that it leaves."""
    report = ("--format", "json", "--output", str(out / "report.json"))
    logs = ("--log-directory", str(out / "logs"))
    return garrison([verb, *words, *report, *logs, TARGET], told, HERE, out)


def changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What the audit found out before, of the checks that say something else now."""
    now = {check["id"]: check for check in after["checks"]}
    return {"checks": [check for check in before["checks"] if word(check) != word(now[check["id"]])]}


def print_drill(drill: dict[str, Any]) -> None:
    """Print a line for each thing that was expected."""
    for one in drill["drills"]:
        say()
        say(f"Drill: {one['title']}")
        for point in one["points"]:
            say(f"  {point['verdict']:8} {point['expectation']}")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        # What was started has ended by itself: the signal went to the whole group.
        sys.exit(4)
