"""What `[tool.garrison]` says in the place of flags, and what a person gets for a mistake in it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.core import ParameterSource
from click.testing import CliRunner

from garrison_harness.cli import check
from garrison_harness.configuration.command import login_of
from garrison_harness.configuration.fields import ONLY_FLAGS, fields
from garrison_harness.configuration.readers import LOGIN, readers_of
from garrison_harness.configuration.reference import document
from garrison_harness.configuration.variables import MissingVariable, filled
from garrison_harness.drills.command import drill
from garrison_harness.finding import Severity
from garrison_harness.in_tests import wanted
from garrison_harness.load.command import load
from garrison_harness.login.settings import Login
from garrison_harness.prove import prove
from garrison_harness.site import Quota
from tests.harness import commands
from tests.harness.commands import APPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory to work in, which is the root of a repository."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(directory: Path, text: str, name: str = "pyproject.toml") -> None:
    """Write a file whose table says that."""
    (directory / name).write_text(f"[tool.garrison]\n{text}\n", encoding="utf-8")


def given(*words: str) -> dict[str, Any]:
    """The options of `garrison check` with these words, those of the file included."""
    return check.make_context("check", list(words)).params


def complaint(*words: str) -> str:
    """The only line of `garrison check` that ends because of how it was asked."""
    result = CliRunner().invoke(check, list(words))
    assert result.exit_code == 2, result.output
    (line,) = result.output.splitlines()
    return line


def test_what_a_flag_says_the_file_says(project: Path) -> None:
    """Every kind of value is read as that of its flag."""
    said(
        project,
        """
        target = "shop.main:app"
        factory = true
        server = "granian"
        env = { A = "1" }
        headers = { X-A = "b" }
        path = "/orders"
        quota = "5/minute"
        max-body = 4096
        time-limit = 2
        slow-limit = 2.5
        concurrency = 3
        select = ["H", "e1"]
        ignore = ["H7"]
        severity = { H = "low", H1 = "high" }
        fail-on = "high"
        timeout = 30
        as-https = true
        reports = { text = "-", sarif = "found.sarif" }
        """,
    )

    params = given()

    assert params["words"] == ("shop.main:app",)
    assert (params["factory"], params["server"], params["as_https"]) == (True, "granian", True)
    assert (params["environment"], params["headers"]) == ([("A", "1")], [("X-A", "b")])
    assert (params["path"], params["quota"]) == ("/orders", Quota(limit=5, period=60))
    assert (params["max_body"], params["time_limit"], params["slow_limit"]) == (4096, 2.0, 2.5)
    assert (params["concurrency"], params["timeout"], params["fail_on"]) == (3, 30.0, "high")
    assert (params["select"], params["ignore"]) == (["H", "e1"], ["H7"])
    assert (params["severities"]["H1"], params["severities"]["H2"]) == (Severity.HIGH, Severity.LOW)
    assert (params["formats"], params["outputs"]) == (("text", "sarif"), ("-", "found.sarif"))


def test_a_command_is_a_list_of_words(project: Path) -> None:
    """As it would stand behind two dashes."""
    said(project, 'target = ["npm", "start", "--port={port}"]')

    assert given()["words"] == ("npm", "start", "--port={port}")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('fail_on = "low"', ": fail_on is no key: did you mean fail-on?"),
        ('format = "json"', ": format is no key: did you mean reports?"),
        ("zzz = 1", ": zzz is no key: there are target, factory, "),
        ("i-own-this-host = true", ": i-own-this-host is said on the command line only: consent"),
        ("fail-on = 3", " fail-on: expected one of info, low, medium, high, critical, found 3"),
        ('fail-on = "awful"', ' high, critical, found "awful"'),
        ('timeout = "60"', ' timeout: expected a number of seconds from 1 to 600, found "60"'),
        ("timeout = true", " expected a number of seconds from 1 to 600, found true"),
        ("timeout = nan", " expected a number of seconds from 1 to 600, found NaN"),
        ("slow-limit = nan", " expected a number of seconds from 0.1 to 60, found NaN"),
        ('reference = "checks.md"', ' reference: expected the address of a page, found "checks.md"'),
        ("timeout = 9999", " expected a number of seconds from 1 to 600, found 9999"),
        ("concurrency = 2.5", " expected a whole number from 1 to 50, found 2.5"),
        ('factory = "yes"', ' factory: expected true or false, found "yes"'),
        ('select = "H"', ' select: expected a list of ids or families of checks, found "H"'),
        ('select = ["H99"]', " select: 'H99' is no check: did you mean H9?"),
        ('severity = { H9 = "awful" }', " severity: H9=awful names no severity: there are info, "),
        ('severity = { H99 = "low" }', " severity: 'H99' is no check: did you mean H9?"),
        (
            'quota = "many"',
            ' quota: expected a quota such as "5/minute" or "POST /login: 5/minute", found "many"',
        ),
        ("max-body = 1.5", ' max-body: expected a size such as "10MB", or a number of bytes, found 1.5'),
        ('path = "items"', ' path: expected a path that begins with /, found "items"'),
        ("target = 3", " target: expected module:attribute, a URL, or a command as a list"),
        ("target = []", " target: expected module:attribute, a URL, or a command as a list"),
        ('headers = ["secret"]', " headers: expected a table of names and strings, found a list"),
        ("headers = { A = 37 }", " headers.A: expected a string, found a whole number"),
        ('headers = { "A B" = "c" }', " headers: 'A B' begins no header"),
        ('headers = { A = "${GARRISON_NO}" }', " headers.A: the variable GARRISON_NO is not set: export it"),
        ('env = "secret"', " env: expected a table of names and strings, found a string"),
        ('reports = { xml = "a" }', " found xml: did you mean html?"),
        ('reports = "text"', ' reports: expected a table of forms and the files they go to, found "text"'),
        ('login = "/login"', ' login: expected a table with a path, found "/login"'),
        ('login = { form = { a = "b" } }', " login: expected a table with a path, found form"),
        ('login = { path = "login" }', ' login.path: expected a path that begins with /, found "login"'),
        ('login = { path = "/l", tokens = "/a" }', " login: tokens is no key: did you mean token?"),
        ('login = { path = "/l", token = "a" }', " login.token: expected a JSON pointer"),
        ('login = { path = "/l", form = { a = 37 } }', " login.form.a: expected a string, found a whole"),
        ('login = { path = "/l", form = {}, json = {} }', " login: form and json are two bodies of one"),
        ('login = { path = "/l", method = "GET", form = {} }', " login: a GET has no body"),
        (
            'login = { path = "/l", json = { a = "${GARRISON_NO}" } }',
            " login.json.a: the variable GARRISON_NO",
        ),
        (
            "login = { path = '/l', json = { a = 2026-01-01 } }",
            " login.json.a: expected a value that JSON has",
        ),
    ],
)
def test_a_mistake_in_the_file_is_one_line_with_its_place(project: Path, text: str, line: str) -> None:
    """File, key, what was expected and what was found, and never a secret."""
    said(project, text)

    found = complaint("--fail-on", "low")

    assert found.startswith("garrison: pyproject.toml: [tool.garrison]")
    assert line in found
    assert "secret" not in found


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[tool.garrison", "garrison: pyproject.toml is no TOML: "),
        ("tool.garrison = 3", "garrison: pyproject.toml: [tool.garrison]: expected a table, found a whole"),
    ],
)
def test_a_file_that_is_no_table_says_so(project: Path, text: str, line: str) -> None:
    """In one line."""
    (project / "pyproject.toml").write_text(text)

    assert complaint().startswith(line)


def test_the_nearest_file_with_the_table_counts(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files on the way that say nothing of it are passed by, and what is above the repository is not read."""
    inner = project / "services" / "shop"
    inner.mkdir(parents=True)
    said(project, 'path = "/outer"')
    (inner / "pyproject.toml").write_text("[project]\n")
    monkeypatch.chdir(inner)
    outer = given("x:app")["path"]
    said(inner, 'path = "/inner"')
    nearest = given("x:app")["path"]
    (inner / "pyproject.toml").unlink()
    (inner / ".git").mkdir()

    assert (outer, nearest, given("x:app")["path"]) == ("/outer", "/inner", None)


def test_a_file_is_named_or_left_alone(project: Path) -> None:
    """`--config` takes another file, which has to have the table, or none at all."""
    said(project, 'path = "/usual"')
    said(project, 'path = "/other"', "other.toml")
    (project / "empty.toml").write_text("")

    assert given("--config", "other.toml", "x:app")["path"] == "/other"
    assert given("--config", "off", "x:app")["path"] is None
    assert "empty.toml has no table [tool.garrison]" in complaint("--config", "empty.toml")
    assert (
        complaint("--config", "none.toml") == "garrison: none.toml cannot be read: No such file or directory"
    )


def test_files_are_relative_to_the_one_that_names_them(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever stands elsewhere gets the same; a path of the app and a dash stay as they are."""
    said(
        project,
        """
        baseline = "accepted.toml"
        env-file = "shop.env"
        openapi = "api.json"
        log-directory = "logs"
        reports = { text = "-", json = "out.json" }
        """,
    )
    (project / "deep").mkdir()
    monkeypatch.chdir(project / "deep")
    params = given("x:app")
    said(project, 'openapi = "/openapi.json"\nbaseline = "off"')
    fixed = given("x:app")

    assert (params["baseline"], params["openapi"]) == ("../accepted.toml", "../api.json")
    assert params["env_file"] == Path("../shop.env")
    assert (params["log_directory"], params["outputs"]) == (Path("../logs"), ("-", "../out.json"))
    assert (fixed["openapi"], fixed["baseline"]) == ("/openapi.json", "off")


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("timeout = 30", ["--timeout", "5"], {"timeout": 5.0}),
        ('path = "/a"', ["--path", "/b"], {"path": "/b"}),
        ('target = "a:b"', ["c:d"], {"words": ("c:d",)}),
        (
            'headers = { X-A = "1", X-B = "1" }',
            ["--header", "x-a: 2", "--header", "x-a: 3"],
            {"headers": [("X-B", "1"), ("x-a", "2"), ("x-a", "3")]},
        ),
        ('env = { A = "1", B = "1" }', ["--env", "A=2"], {"environment": [("B", "1"), ("A", "2")]}),
        (
            'severity = { H1 = "low", H2 = "low" }',
            ["--severity", "H1=high"],
            {"severities": {"H1": Severity.HIGH, "H2": Severity.LOW}},
        ),
        ('reports = { html = "a.html" }', ["--format", "json"], {"formats": ("json",), "outputs": ()}),
        ('reports = { html = "a.html" }', ["--output", "b"], {"formats": (), "outputs": ("b",)}),
        ('select = ["H"]\nignore = ["H1"]', ["--select", "H1"], {"select": ["H1"], "ignore": []}),
        ('select = ["H1", "H2"]', ["--ignore", "H"], None),
        (
            'select = ["W1", "H1", "H2"]\nignore = ["H2"]',
            ["--ignore", "W"],
            {"select": ["H1"], "ignore": []},
        ),
        ("harden = true", ["--server", "granian"], {"harden": False, "server": "granian"}),
        ('server = "granian"', ["--in-process"], {"server": None, "in_process": True}),
        (
            'target = "a:b"\nfactory = true\nserver = "granian"',
            ["c:d"],
            {"factory": False, "server": None},
        ),
        ('target = "a:b"\nfactory = true', ["a:b"], {"factory": True}),
        ("factory = true", ["a:b"], {"factory": True}),
        ('env = { A = "1" }', ["http://127.0.0.1:1/"], {"environment": []}),
        ('env-file = "shop.env"', ["http://127.0.0.1:1/"], {"env_file": None}),
        ('env-file = "shop.env"', ["c:d"], {"env_file": Path("shop.env")}),
        ('env-file = "shop.env"', ["--env-file", "x.env"], {"env_file": Path("x.env")}),
        ('path = "/a"', ["http://127.0.0.1:1/b"], {"path": None}),
        ('path = "/a"', ["http://127.0.0.1:1/"], {"path": "/a"}),
    ],
)
def test_flags_win_over_the_file(
    project: Path, text: str, words: Sequence[str], expected: dict[str, Any] | None
) -> None:
    """Also where flag and file speak of the same thing in different words."""
    said(project, text)

    if expected is None:
        assert "leave no check" in complaint(*words)
    else:
        params = given(*words)
        assert {name: params[name] for name in expected} == expected


def test_variables_of_the_environment_fill_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two dollars are one, and what looks like no reference stays."""
    monkeypatch.setenv("GARRISON_TOKEN", "a$b")

    assert filled("Bearer ${GARRISON_TOKEN} $$5 $x", {"GARRISON_TOKEN": "abc"}) == "Bearer abc $5 $x"
    assert filled("${GARRISON_TOKEN}") == "a$b"
    with pytest.raises(MissingVariable, match="GARRISON_NO"):
        filled("${GARRISON_NO}", {})


def test_headers_and_login_take_secrets_from_the_environment(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file names the variable only; reports know which strings to hide."""
    monkeypatch.setenv("GARRISON_PASSWORD", "hunter22")
    said(
        project,
        """
        headers = { X-Api-Key = "${GARRISON_PASSWORD}" }
        env = { DATABASE_PASSWORD = "${GARRISON_PASSWORD}" }
        [tool.garrison.login]
        path = "/token"
        method = "PUT"
        json = { user = "me", deep = [{ password = "${GARRISON_PASSWORD}" }], age = 3 }
        token = "/access_token"
        verify = "/me"
        """,
    )
    context = check.make_context("check", [])

    assert context.params["headers"] == [("X-Api-Key", "hunter22")]
    assert context.params["environment"] == [("DATABASE_PASSWORD", "hunter22")]
    assert login_of(context) == Login(
        path="/token",
        method="PUT",
        json={"user": "me", "deep": [{"password": "hunter22"}], "age": 3},
        token="/access_token",
        verify="/me",
        secrets=("hunter22",),
    )


def test_a_proof_takes_its_target_from_the_file_and_no_more(project: Path) -> None:
    """What checks are held to is another matter, and their secrets need not be at hand."""
    said(
        project,
        """
        target = "shop.main:app"
        factory = true
        env = { A = "1", B = "1" }
        select = ["H"]
        timeout = 20
        headers = { A = "${GARRISON_NO}" }
        login = { path = "/l", form = { a = "${GARRISON_NO}" } }
        """,
    )

    params = prove.make_context("prove", ["--env", "B=2"]).params
    other = prove.make_context("prove", ["other:app"]).params

    assert (params["target"], params["factory"], params["environment"]) == (
        "shop.main:app",
        True,
        [("A", "1"), ("B", "2")],
    )
    assert (params["select"], params["timeout"]) == ([], 150.0)
    assert (other["target"], other["factory"]) == ("other:app", False)


READERS: dict[str, click.Command] = {"check": check, "load": load, "drill": drill, "prove": prove}


@pytest.mark.parametrize("field", list(fields()), ids=lambda field: str(field.key))
def test_the_reference_says_who_reads_a_key(
    field: Any, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command has something of a key exactly where the table says so."""
    monkeypatch.setenv("API_KEY", "abc")
    (project / "shop.env").touch()  # which `garrison prove` looks for
    said(project, f"{field.key} = {field.form.example}")
    contexts = {name: command.make_context(name, []) for name, command in READERS.items()}

    def sources(context: click.Context) -> set[ParameterSource | None]:
        return {context.get_parameter_source(parameter) for parameter in context.params}

    reading = [name for name in READERS if ParameterSource.DEFAULT_MAP in sources(contexts[name])]
    assert reading == [name for name in readers_of(field.name) if name in READERS]


@pytest.mark.parametrize("key", ["harden = true", 'server = "granian"', "in-process = false"])
def test_pytest_serves_as_its_own_flags_say(key: str, project: Path) -> None:
    """An import string is driven in its process, whatever the file says of servers."""
    said(project, key)

    assert wanted(["shop.main:app"], served=False).target.in_process
    assert wanted(["shop.main:app", "--server", "uvicorn"], served=True).target.server == "uvicorn"


def test_who_reads_the_login_is_said_too(project: Path) -> None:
    """A drill asks as a stranger, and a proof plants its own routes."""
    said(project, 'login = { path = "/login", form = {} }')
    contexts = {name: command.make_context(name, []) for name, command in READERS.items()}

    reading = [name for name, context in contexts.items() if login_of(context) is not None]
    assert [*reading, "pytest"] == list(readers_of(LOGIN))
    assert "`check`, `load` and `pytest` read it" in PAGE.read_text(encoding="utf-8")


def test_a_proof_without_a_target_says_where_to_name_one(project: Path) -> None:
    """In one line."""
    result = CliRunner().invoke(prove, [])

    assert result.exit_code == 2
    assert result.output == "garrison: no target: give module:attribute, or name it in [tool.garrison]\n"


def test_every_option_is_a_key_or_is_left_out_for_a_reason() -> None:
    """A new flag cannot be forgotten."""
    taken = {field.name for field in fields()}
    options = {parameter.name for parameter in check.params} - {"configuration"}

    assert taken | ONLY_FLAGS.keys() == options
    assert not taken & ONLY_FLAGS.keys()


@pytest.mark.parametrize("field", list(fields()), ids=lambda field: str(field.key))
def test_the_example_of_every_key_is_taken(
    field: Any, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the reference prints it."""
    monkeypatch.setenv("API_KEY", "abc")
    said(project, f"{field.key} = {field.form.example}")

    assert given() is not None


def test_the_reference_is_what_the_code_says() -> None:
    """`make reference` writes it."""
    assert PAGE.read_text(encoding="utf-8") == document()


def test_an_audit_is_asked_for_by_the_file_alone(tmp_path: Path) -> None:
    """No word is needed on the command line, and its reports are where the file wants them."""
    shutil.copy(APPS / "good_app.py", tmp_path)
    said(
        tmp_path,
        """
        target = "good_app:app"
        in-process = true
        select = ["H1", "H2", "H5"]
        ignore = ["H5"]
        severity = { H1 = "critical" }
        fail-on = "critical"
        reports = { json = "found.json" }
        """,
    )

    ran = commands.check(cwd=tmp_path)

    found = json.loads((tmp_path / "found.json").read_text())
    assert (ran.status, ran.stdout) == (0, "")
    assert [(one["id"], one["severity"]) for one in found["checks"]] == [("H1", "critical"), ("H2", "medium")]
    assert found["fail_on"] == "critical"
