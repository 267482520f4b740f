"""Audits real apps that know nothing of Garrison, and holds what is found against the verdicts given by hand.

    python -m docs.examples.corpus.audit DIRECTORY [APP ...]

makes an environment for each app below DIRECTORY, starts it there by `garrison check`, and leaves what was
found as JSON. It ends with 0 only if every finding has a verdict in docs/explanation/corpus.md, and every
verdict its finding.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[2]
PAGE: Final = ROOT / "docs" / "explanation" / "corpus.md"
APPS: Final[dict[str, dict[str, Any]]] = tomllib.loads((HERE / "apps.toml").read_text(encoding="utf-8"))
SECONDS: Final = 120  # that an audit may take, on a machine that is busy with other things too

# A row of the page: the check, how sure it is, the verdict and why.
_ROW: Final = re.compile(r"\| (?P<id>[A-Z]\d+) \| (?P<sure>confirmed|likely) \| (?P<verdict>\w+) \| .+ \|")
_NPM: Final = (
    *("npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"),
    "--loglevel=error",
)


@dataclass(frozen=True, slots=True)
class App:
    """An app of the corpus, and where it lives.

    Attributes:
        name: By which apps.toml knows it.
        home: The directory that its environment is in.
    """

    name: str
    home: Path

    @property
    def told(self) -> dict[str, Any]:
        """What apps.toml says of it."""
        return APPS[self.name]

    @property
    def pins(self) -> Path:
        """The versions of all that is installed for it."""
        return HERE / "pins" / f"{self.name}.txt"

    def install(self) -> None:
        """Make its environment, unless there is one of these versions.

        An app without pins gets the newest of its packages, and pins from then on.
        """
        if "packages" not in self.told:
            wanted = HERE / self.home.name / "package.json"
            if not _is_same(wanted, self.home / "package.json") or not (self.home / "node_modules").exists():
                self.home.mkdir(parents=True, exist_ok=True)
                shutil.copy(wanted, self.home)
                _run([*_NPM, "--prefix", str(self.home)], self.home)
            return
        installed = self.home / "installed.txt"
        if _is_same(self.pins, installed):
            return
        venv.create(self.home / "env", clear=True, with_pip=True)
        pip = [str(self.home / "env" / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        wanted_words = ["-r", str(self.pins)] if self.pins.exists() else self.told["packages"]
        _run([*pip, "install", "-q", *wanted_words], self.home)
        if not self.pins.exists():
            self.pins.parent.mkdir(exist_ok=True)
            self.pins.write_text(_run([*pip, "freeze"], self.home), encoding="utf-8")
        shutil.copy(self.pins, installed)

    def audit(self, bin_directory: Path | None = None) -> dict[str, Any]:
        """Audit it in an empty directory, and leave the report in its home.

        Args:
            bin_directory: of the environment to start it from, where that is not its own.

        Returns:
            The report of `garrison check`.
        """
        site, report = self.home / "sites" / self.name, self.home / f"{self.name}.json"
        shutil.rmtree(site, ignore_errors=True)
        site.mkdir(parents=True)
        places = {
            "{bin}": str(bin_directory or self.home / "env" / "bin"),
            "{here}": str(HERE),
            "{root}": str(ROOT),
            "{python}": sys.executable,
        }
        for words in self.told.get("prepare", []):
            _run([_filled(word, places) for word in words], site)
        check = [sys.executable, "-m", "garrison", "check", *self.told.get("options", [])]
        check += ["--timeout", str(SECONDS), "--format", "json", "--output", str(report)]
        check += ["--log-directory", str(self.home / f"{self.name}-logs")]
        _run([*check, "--", *(_filled(word, places) for word in self.told["command"])], site, allowed=(0, 1))
        return dict(json.loads(report.read_text(encoding="utf-8")))


def faults(report: dict[str, Any]) -> dict[str, str]:
    """How sure each check is that failed, by its id: `confirmed` if any of its findings is."""
    found: dict[str, str] = {}
    for check in report["checks"]:
        confidences = {finding["confidence"] for finding in check["findings"]}
        for word in ("confirmed", "likely"):
            if word in confidences:
                found.setdefault(check["id"], word)
    return found


def published(name: str) -> dict[str, str]:
    """The same as the page has it, for the app of that name."""
    _, _, section = PAGE.read_text(encoding="utf-8").partition(f"\n### {name} ")
    rows = (_ROW.fullmatch(line) for line in section.partition("\n### ")[0].splitlines())
    return {row["id"]: row["sure"] for row in rows if row}


def _filled(word: str, places: dict[str, str]) -> str:
    for place, text in places.items():
        word = word.replace(place, text)
    return word


def _is_same(wanted: Path, there: Path) -> bool:
    return wanted.exists() and there.exists() and wanted.read_bytes() == there.read_bytes()


def _run(words: list[str], directory: Path, allowed: tuple[int, ...] = (0,)) -> str:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("GARRISON_")}
    done = subprocess.run(  # noqa: S603 - the commands of apps.toml and our own
        words, cwd=directory, env=kept, capture_output=True, text=True, check=False
    )
    if done.returncode not in allowed:
        sys.exit(f"{' '.join(words)} ended with status {done.returncode}:\n{done.stderr.strip()}")
    return done.stdout


def main() -> int:
    """Audit the apps that are named, or all.

    Returns:
        The exit status.
    """
    out, names = Path(sys.argv[1]).absolute(), sys.argv[2:] or list(APPS)
    differing = 0
    print("app              confirmed likely passed not run seconds", flush=True)
    for name in names:
        app = App(name, out / APPS[name].get("environment", name))
        app.install()
        report = app.audit()
        found, told = faults(report), published(name)
        sure, summary = list(found.values()), report["summary"]
        print(
            f"{name:16} {sure.count('confirmed'):9} {sure.count('likely'):6} {summary['passed']:6}"
            f" {summary['not_run']:7} {report['duration']:7.1f}",
            flush=True,
        )
        for id_ in sorted(found.keys() | told.keys()):
            if found.get(id_) != told.get(id_):
                differing += 1
                print(f"  {id_}: found {found.get(id_, 'nothing')}, published {told.get(id_, 'nothing')}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
