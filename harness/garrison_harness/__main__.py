"""Runs the harness without the toolkit: `python -m garrison_harness check TARGET`."""

from __future__ import annotations

import click

from garrison_harness.cli import check


@click.group()
def main() -> None:
    """Audit any web app from outside."""


main.add_command(check)

if __name__ == "__main__":
    main(prog_name="python -m garrison_harness")
