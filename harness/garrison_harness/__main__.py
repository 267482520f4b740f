"""Runs the harness without the toolkit: `python -m garrison_harness check TARGET`."""

from __future__ import annotations

import click

from garrison_harness.accept import accept
from garrison_harness.cli import check
from garrison_harness.explain import explain
from garrison_harness.prove import prove


@click.group()
def main() -> None:
    """Audit any web app from outside."""


main.add_command(check)
main.add_command(explain)
main.add_command(accept)
main.add_command(prove)

if __name__ == "__main__":
    main(prog_name="python -m garrison_harness")
