"""What is imported when: whoever starts something does not wait for what it has no use for."""

from __future__ import annotations

import ast
import json
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, assert_type

import click
import pytest

import garrison
from garrison import cli
from tests.toolkit.server.conftest import running
from tests.toolkit.server.wire import ask

if TYPE_CHECKING:
    from types import ModuleType

# What takes long to import, and what only somebody else's process needs.
HEAVY = {
    "gevent", "jsonschema_rs", "limits", "locust", "opentelemetry.sdk", "pytest", "re2", "rich",
    "starlette.requests", "structlog", "uvicorn", "valkey", "wrapt",
}  # fmt: skip
# Of layers that are off until they are told what to do.
OFF = {
    "garrison.openapi",
    "garrison.console_lines",
    "garrison.ratelimit.limits_store",
    "garrison.headers.cors",
}


def imported(source: str, *words: str) -> set[str]:
    """The modules that a new process has when some code has run, beyond those it began with."""
    script = (
        "import sys; begin = set(sys.modules)\n"
        f"try:\n    {source}\n"
        "finally:\n    print('\\n' + ' '.join(set(sys.modules) - begin))"
    )
    command = [sys.executable, "-c", script, *words]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    return set(found.stdout.splitlines()[-1].split())


def packages(modules: set[str]) -> set[str]:
    """The packages among modules that are not the standard library's."""
    return {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names)


def test_the_package_alone_is_next_to_nothing() -> None:
    """`import garrison` brings no layer and no library; each comes with the name that needs it."""
    found = imported("import garrison; assert set(garrison.__all__) <= set(dir(garrison))")
    assert packages(found) == {"garrison"}
    assert {name for name in found if name.startswith("garrison.")} == set()


def test_a_stack_brings_only_what_is_on() -> None:
    """With nothing set, `harden()` loads neither what quotas and contracts need, nor what others run on."""
    found = imported("from garrison import harden; harden(print)")
    assert found & (HEAVY | OFF | {"click", "garrison.cli", "garrison.server", "garrison_harness"}) == set()
    assert "garrison.stack" in found


def test_the_help_imports_no_command() -> None:
    """`garrison --help` lists the commands without loading one, and needs nothing but click."""
    found = imported("import garrison.__main__", "--help")
    assert packages(found) == {"click", "garrison"}
    assert not found & {command.module for command in cli.COMMANDS.values()}
    assert "garrison.stack" not in found


def test_a_command_of_the_harness_imports_no_layer() -> None:
    """`garrison check --help` loads the harness, and nothing of the toolkit but the command itself."""
    found = imported("import garrison.__main__", "check", "--help")
    own = {name for name in found if name.startswith("garrison.")}
    assert own == {"garrison.cli", "garrison.ending", "garrison.extras"}
    assert "garrison_harness.cli" in found


def test_the_list_of_commands_says_what_they_say() -> None:
    """The list is written without them, and yet each line is that of the command itself."""
    context = click.Context(cli.main)
    for name, listed in cli.COMMANDS.items():
        if not listed.extra:
            command = cli.main.get_command(context, name)
            assert command is not None
            assert (command.name, command.get_short_help_str(limit=80)) == (name, listed.text)


def test_a_server_brings_only_what_serves(tmp_path: Path) -> None:
    """`garrison run` writes JSON without rich and structlog, and plain requests wait for no import."""
    with running(tmp_path, "imported:app") as up:
        since = [json.loads(ask(up.port, "/since").body) for _ in range(2)]
        found = set(json.loads(ask(up.port, "/").body))
        # An app that comes to structlog late has its lines like all others.
        ask(up.port, "/late")
        said = [record for record in up.records if record["event"] == "said"]
    assert since == [[], []]
    assert found & ((HEAVY - {"uvicorn"}) | OFF | {"garrison_harness", "garrison.server.wsgi"}) == set()
    assert [(line["logger"], line["password"]) for line in said] == [("shop.late", "[redacted]")]
    assert "request_id" in said[0]


def names_for_types(module: ModuleType) -> dict[str, str]:
    """What type checkers read in a package: each name, and the module that it comes from."""
    tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
    guarded = [
        node.body for node in tree.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name)
    ]
    imports = [each for body in guarded for each in body if isinstance(each, ast.ImportFrom)]
    return {name.name: str(each.module) for each in imports for name in each.names}


def test_every_public_name_is_there() -> None:
    """What type checkers and `__all__` promise is what a program gets, by every way of asking for it."""
    promised = names_for_types(garrison)
    everything: dict[str, object] = {}
    exec("from garrison import *", everything)  # noqa: S102 - the statement is what this is about
    assert sorted(promised) == sorted(garrison.__all__)
    assert set(promised) <= set(dir(garrison)) & set(everything)
    for name, home in promised.items():
        assert getattr(garrison, name) is everything[name] is getattr(sys.modules[home], name)


def test_no_public_name_is_that_of_a_module() -> None:
    """Whichever is imported first, a name means the same: a module of that name would take its place."""
    assert {module.name for module in pkgutil.iter_modules(garrison.__path__)} & set(
        garrison.__all__
    ) == set()


def test_a_name_that_is_not_there() -> None:
    """A misspelt name is the error that Python has for it, at run time and for type checkers."""
    with pytest.raises(AttributeError, match="module 'garrison' has no attribute 'hardne'"):
        garrison.hardne  # type: ignore[attr-defined]  # noqa: B018 - asking for it is the test
    assert_type(garrison.RateLimit().limits, str)
