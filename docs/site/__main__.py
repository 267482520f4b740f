"""`python -m docs.site BUILD`: makes the site of all pages in BUILD/site, and refuses a broken link."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import yaml

from docs.site.cells import fit
from docs.site.navigation import navigation, targets
from docs.site.policy import settings_for
from docs.site.sources import DOCS, FILES, ROOT
from docs.site.staging import stage
from docs.site.verify import faults_of

CONFIG: Final = DOCS / "mkdocs.yml"


def main(words: list[str]) -> int:
    """Build; 1 where something is wrong with a page, 2 where the command is."""
    if len(words) != 1:
        print("usage: python -m docs.site BUILD", file=sys.stderr)
        return 2
    faults = build(Path(words[0]).resolve())
    for fault in faults:
        print(f"docs: {fault}", file=sys.stderr)
    if not faults:
        print(f"The site is in {words[0]}/site. To look at it:")
        run = Path(sys.executable).parent.joinpath("garrison")
        shown = run.relative_to(ROOT) if run.is_relative_to(ROOT) else run
        print(f"  SITE={words[0]}/site {shown} run docs.examples.site.app:app --env-file {words[0]}/site.env")
    return 1 if faults else 0


def build(folder: Path) -> list[str]:
    """Make the site anew in a folder of its own.

    Args:
        folder: for what is staged, for the site in `site` below it, and for the settings to serve it with.

    Returns:
        what is wrong, a line each; nothing where all is well.
    """
    staged, site = folder / "pages", folder / "site"
    for part in (staged, site):
        shutil.rmtree(part, ignore_errors=True)
    pages, faults = stage(staged)
    if faults:
        return faults
    entries = navigation()
    known = set(targets(entries))
    faults = [
        f"{pages[page].relative_to(ROOT)} is not linked in docs/README.md"
        for page in sorted(_own(pages) - known)
    ]
    config = folder / "mkdocs.yml"
    made = {"INHERIT": str(CONFIG), "docs_dir": staged.name, "site_dir": site.name, "nav": entries}
    config.write_text(yaml.safe_dump(made, sort_keys=False), encoding="utf-8")
    words = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", str(config)]
    done = subprocess.run(  # noqa: S603 - our own words
        words,
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    if done.returncode != 0:
        return f"{done.stdout}{done.stderr}".partition("Traceback")[0].splitlines()
    fit(site)
    (folder / "site.env").write_text(settings_for(site), encoding="utf-8")
    return [*faults, *faults_of(site)]


def _own(pages: dict[str, Path]) -> set[str]:
    """The pages that belong into the navigation: all but shown files, and pictures."""
    return {page for page in pages if page.endswith(".md") and not page.startswith(f"{FILES}/")}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
