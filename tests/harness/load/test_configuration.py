"""What `[tool.garrison]` and its table `load` say in the place of flags."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from click.testing import CliRunner

from garrison_harness.cli import check
from garrison_harness.drills.command import drill
from garrison_harness.load.command import load
from garrison_harness.load.options.asked import asked_of, thresholds_of, without_idle_quotas
from garrison_harness.site import Quota
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    import click

    from garrison_harness.load.options.given import Given

DOCS = Path(__file__).parents[3] / "docs"
EVERYTHING = """
[tool.garrison]
target = "shop.main:app"
harden = true
env = { DEBUG = "1" }
path = "/of/the/audit"
ignore = ["H7"]

[tool.garrison.load]
users = 7
duration = "1500ms"
path = ["/a", "/b?c=d"]
expect = [404, 410]
one-address = true
threshold = ["p95<200ms", "errors<1% abort after 2s"]
log-directory = "logs"
reports = { text = "-", json = "load.json" }
"""


@pytest.fixture
def params(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """What the options hold with this file and these words."""

    def read(source: str, *words: str) -> dict[str, Any]:
        file = tmp_path / "garrison.toml"
        file.write_text(source, encoding="utf-8")
        return load.make_context("load", ["--config", str(file), *words]).params

    return read


def test_file_stands_in_for_flags(params: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    """The target is that of the audit, all else is in the table `load`; files lie beside the file."""
    found = params(EVERYTHING)
    assert (found["words"], found["harden"]) == (("shop.main:app",), True)
    assert found["environment"] == [("DEBUG", "1")]
    assert (found["users"], found["duration"], found["paths"]) == (7, 1.5, ("/a", "/b?c=d"))
    assert (found["expected"], found["one_address"]) == ((404, 410), True)
    assert [one.expression for one in found["thresholds"]] == ["p95<200ms", "errors<1% abort after 2s"]
    assert found["log_directory"] == tmp_path / "logs"
    assert (found["formats"], found["outputs"]) == (
        ("text", "json"),
        ("-", str(tmp_path / "load.json")),
    )


@pytest.mark.parametrize("page", ["how-to/load-thresholds.md", "reference/configuration.md"])
def test_examples_of_the_documentation_can_be_used(page: str, params: Callable[..., dict[str, Any]]) -> None:
    """What a page shows of the table can be copied."""
    text = (DOCS / page).read_text(encoding="utf-8")
    shown = [block for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if "garrison.load" in block]
    assert [params(block)["users"] for block in shown] == [20]


def test_flag_wins_over_the_file(params: Callable[..., dict[str, Any]]) -> None:
    """What the command line says replaces what the file says of the same."""
    found = params(EVERYTHING, "--users", "3", "--path", "/c", "--format", "json", "other:app")
    assert (found["users"], found["paths"], found["duration"]) == (3, ("/c",), 1.5)
    assert (found["formats"], found["outputs"]) == (("json",), ())
    assert (found["words"], found["harden"]) == (("other:app",), False)


def test_secret_of_a_header_comes_from_the_environment(
    params: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The headers of the audit go with every request of a load, and a flag replaces one."""
    monkeypatch.setenv("TOKEN_OF_TODAY", "abc")
    source = '[tool.garrison]\nheaders = { Authorization = "Bearer ${TOKEN_OF_TODAY}", X-Tenant = "7" }\n'
    assert dict(params(source)["headers"]) == {"Authorization": "Bearer abc", "X-Tenant": "7"}
    replaced = params(source, "--header", "x-tenant: 8")["headers"]
    assert dict(replaced) == {"Authorization": "Bearer abc", "x-tenant": "8"}


def test_one_value_stands_for_a_list_of_one(params: Callable[..., dict[str, Any]]) -> None:
    """What can be repeated need not be."""
    found = params('[tool.garrison.load]\nthreshold = "rate>5"\nexpect = 404\n')
    assert [one.expression for one in found["thresholds"]] == ["rate>5"]
    assert found["expected"] == (404,)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("load = 3", "[tool.garrison] load: expected a table, found 3"),
        ("load = { user = 3 }", "load: user is no key: did you mean users?"),
        ("load = { format = 'json' }", "load: format is no key: did you mean reports?"),
        ("load = { colour = 'red' }", "load: colour is no key: there are users, spawn-rate,"),
        (
            "load = { env-file = 'a' }",
            "load: env-file is no key: did you mean env-file, outside of this table?",
        ),
        ("load = { target = 'a:b' }", "load: target is no key: did you mean target, outside of this table?"),
        (
            "load = { header = 'A: b' }",
            "load: header is no key: did you mean headers, outside of this table?",
        ),
        ("load = { config = 'x' }", "load: config is no key"),
        ("load = { users = 0 }", "load.users: 0 is not in the range x>=1"),
        ("load = { users = true }", "load.users: expected a string or a number, found true"),
        ("load = { one-address = 'yes' }", 'load.one-address: expected true or false, found "yes"'),
        ("load = { threshold = ['p95<200'] }", "load.threshold: threshold 'p95<200': expected a number"),
        ("load = { threshold = [['x']] }", 'load.threshold: expected a string or a number, found ["x"]'),
        ("load = { duration = 10 }", "load.duration: expected a number with a unit"),
        ("load = { reports = 'json' }", "load.reports: expected a table of forms and the files they go to"),
        ("load = { reports = { xml = 'x' } }", "load.reports: 'xml' is not one of"),
        ("lod = {}", "lod is no key: did you mean load?"),
    ],
)
def test_wrong_key_or_value_is_one_line(source: str, words: str, tmp_path: Path) -> None:
    """Exit status 2, with the file, the key, what was expected and what was found."""
    file = tmp_path / "garrison.toml"
    file.write_text(f"[tool.garrison]\n{source}\n", encoding="utf-8")
    ended = CliRunner().invoke(load, ["shop:app", "--config", str(file)])
    assert (ended.exit_code, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert words in ended.stderr
    assert str(file) in ended.stderr


QUOTA = '[tool.garrison]\nquota = "5/minute"\n'


@pytest.mark.parametrize(
    ("source", "words", "expected"),
    [
        (QUOTA, [], ["5/minute"]),
        (QUOTA, ["--quota", "7/minute", "--quota", "9/hour"], ["7/minute", "9/hour"]),
        (QUOTA + '[tool.garrison.load]\nquota = ["6/minute", "8/hour"]\n', [], ["6/minute", "8/hour"]),
        (QUOTA + "[tool.garrison.load]\nquota = []\n", [], []),
        (QUOTA.replace("5/", "POST /login: 5/"), [], []),
        (QUOTA, ["--no-watch"], None),
        (QUOTA, ["--harden", "--compare", "bare"], None),
        (QUOTA + '[tool.garrison.load]\nquota = "6/minute"\n', ["--no-watch"], None),
        (QUOTA, ["--master"], []),
    ],
)
def test_what_the_app_declares_is_held_under_load(
    source: str, words: list[str], expected: list[str] | None, tmp_path: Path
) -> None:
    """As `garrison check` holds it, unless this run watches nobody, or the quota is that of one route."""
    file = tmp_path / "garrison.toml"
    file.write_text(source, encoding="utf-8")
    context = load.make_context("load", ["shop:app", "--config", str(file), *words])
    given = without_idle_quotas(cast("Given", context.params), context)
    assert asked_of(given).quotas == (None if expected is None else tuple(map(Quota.parse, expected)))


def test_load_that_watches_nobody_begins_in_spite_of_the_quota_of_the_file(tmp_path: Path) -> None:
    """It gets as far as the target, which is not there."""
    file = tmp_path / "garrison.toml"
    file.write_text(QUOTA, encoding="utf-8")
    url = f"http://127.0.0.1:{free_port()}/"
    ended = CliRunner().invoke(load, [url, "--config", str(file), "--no-watch", "--no-calibrate"])
    assert (ended.exit_code, ended.stderr.count("\n")) == (3, 1), ended.stderr


@pytest.mark.parametrize("command", [load, drill], ids=["load", "drill"])
def test_quota_of_one_route_is_for_the_audit(command: click.Command, tmp_path: Path) -> None:
    """Said to a load or a drill, or in the table of the load, it is a mistake; in the file it is not."""
    told = CliRunner().invoke(command, ["shop:app", "--quota", "POST /login: 5/minute"])
    assert (told.exit_code, told.stderr.count("\n")) == (2, 1)
    assert "not what it may ask of POST /login: that is for garrison check" in told.stderr
    file = tmp_path / "garrison.toml"
    file.write_text(QUOTA.replace("5/", "POST /login: 5/"), encoding="utf-8")
    found = command.make_context("any", ["shop:app", "--config", str(file)]).params
    assert not found.get("quota", found.get("quotas"))
    file.write_text('[tool.garrison.load]\nquota = "POST /login: 5/minute"\n', encoding="utf-8")
    if command is load:
        ended = CliRunner().invoke(load, ["shop:app", "--config", str(file)])
        assert "load.quota: what a client may ask in all is held here" in ended.stderr


def test_audit_leaves_the_table_of_the_load_alone(tmp_path: Path) -> None:
    """One file serves both commands."""
    file = tmp_path / "garrison.toml"
    file.write_text(EVERYTHING, encoding="utf-8")
    found = check.make_context("check", ["--config", str(file)]).params
    assert (found["words"], found["path"]) == (("shop.main:app",), "/of/the/audit")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ["errors==0%"]),
        (["--threshold", "p95<1s"], ["p95<1s"]),
        (["--rate", "5"], ["errors==0%", "dropped<=0.1%"]),
        (["--rate", "5", "--threshold", "p95<1s"], ["p95<1s", "dropped<=0.1%"]),
        (["--rate", "5", "--threshold", "dropped<50"], ["dropped<50"]),
    ],
)
def test_arrivals_may_not_be_dropped_in_silence(words: list[str], expected: list[str]) -> None:
    """A run with a rate has to keep it, unless a threshold says otherwise."""
    found: Any = load.make_context("load", ["shop:app", *words]).params
    assert [one.expression for one in thresholds_of(found)] == expected


@pytest.mark.parametrize(
    "words",
    [
        ["--rate", "201", "--threshold", "rate>=200"],
        ["--rate", "200", "--threshold", "rate<200"],
        ["--rate", "200", "--threshold", "requests>=200"],
        ["--rate", "200", "--threshold", "rate>=200", "--locustfile", "journeys.py"],
        ["--rate", "200", "--threshold", "rate>=200", "--mix", "browser"],
        ["--threshold", "rate>=200"],
    ],
)
def test_rate_that_a_run_may_reach_can_be_demanded(words: list[str]) -> None:
    """Only one that is not even asked for is refused."""
    found: Any = load.make_context("load", ["shop:app", *words]).params
    assert thresholds_of(found)[0].expression == words[words.index("--threshold") + 1]
