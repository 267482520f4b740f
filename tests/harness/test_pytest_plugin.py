"""The pytest plugin, in test runs of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from garrison_harness import pytest_plugin
from garrison_harness.fixture_arguments import ARGUMENTS
from garrison_harness.wording import for_arguments, for_flags
from tests.harness.commands import APPS

OWN = """
def test_own():
    pass
"""


def run(directory: Path, *words: str, test: str = OWN) -> tuple[int, str]:
    """Run pytest on one file with the plugin, and nothing else, loaded."""
    (directory / "test_shop.py").write_text(test)
    words = ("-p", "no:cacheprovider", "-W", "error", "-rs", "--rootdir", str(directory), *words)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "garrison_harness.pytest_plugin", *words],
        cwd=directory,
        # The plugin may be registered by its entry point too, and pytest takes it once only.
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(APPS), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_every_check_becomes_a_test_beside_the_users_own(tmp_path: Path) -> None:
    """What cannot be run in process is skipped with its reason."""
    status, said = run(tmp_path, "--garrison-target", "good_app:app", "--garrison-select", "H,W")

    assert status == 0, said
    passed, skipped = map(int, re.findall(r"\b(\d+) (?:passed|skipped)\b", said))
    assert passed > 5
    assert skipped > 1
    assert "add --garrison-server uvicorn" in said


def test_a_finding_fails_its_test_with_evidence_and_fix(tmp_path: Path) -> None:
    """There is no traceback of the plugin in between, and other checks pass."""
    status, said = run(tmp_path, "--garrison-target", "bad_app:app", "--garrison-select", "H1,M3")

    assert status == 1
    assert "garrison: H1" in said
    assert "fix: send X-Content-Type-Options: nosniff" in said
    assert "in_tests.py" not in said


def test_checks_are_chosen_like_other_tests(tmp_path: Path) -> None:
    """Nothing else is asked."""
    status, said = run(tmp_path, "--garrison-target", "good_app:app", "-k", "test_own or M1")

    assert status == 0, said
    assert re.search(r"\b2 passed, [1-9]\d+ deselected", said)


@pytest.mark.parametrize(
    ("words", "test", "status"),
    [
        (("--garrison-target", "good_app:app"), OWN, 4),
        ((), "def test_ours(garrison_check):\n    pass\n", 1),
        ((), "def test_ours(garrison_audit):\n    pass\n", 1),
    ],
    ids=["flag", "garrison_check", "garrison_audit"],
)
def test_what_is_not_installed_is_named(
    words: tuple[str, ...], test: str, status: int, tmp_path: Path
) -> None:
    """With the base install alone, it is one line with the command that mends it, and no traceback."""
    (tmp_path / "conftest.py").write_text("import sys\n\nsys.modules['h11'] = None\n")
    found, said = run(tmp_path, *words, test=test)

    assert found == status, said
    assert "The audit needs h11. Install it with: pip install 'garrison[harness]'" in said
    assert "Traceback" not in said
    assert "in_tests.py" not in said


def test_an_app_that_does_not_load_fails_with_one_line(tmp_path: Path) -> None:
    """Once, with this plugin's flags; other checks are skipped, and the user's own tests still pass."""
    status, said = run(tmp_path, "--garrison-target", "nowhere:app", "--garrison-select", "H")

    assert status == 1
    assert said.count("nowhere:app could not be loaded") == 1
    assert "check module, attribute and --garrison-factory" in said
    assert "the app could not be audited: see ::garrison::conclusive" in said
    assert re.search(r"\b1 failed, 1 passed, [1-9]\d+ skipped", said)
    assert "Traceback" not in said


def test_an_audit_that_cannot_be_made_fails_the_first_test_of_those_chosen(tmp_path: Path) -> None:
    """Its reason has the keys of the file."""
    (tmp_path / "pyproject.toml").write_text(
        "[tool.garrison]\ntarget = 'good_app:app'\nopenapi = 'nowhere.json'\n"
    )
    status, said = run(tmp_path, "--garrison", "-k", "M1 or M2")

    assert status == 1
    assert said.count("openapi in [tool.garrison] nowhere.json: there is no such file") == 1
    assert "the app could not be audited: see ::garrison::M1" in said
    assert re.search(r"\b1 failed, 1 skipped", said)


def test_an_audit_that_breaks_is_made_once(tmp_path: Path) -> None:
    """Whatever it is that broke: here a test took the working directory away."""
    test = """
import os

def test_own(tmp_path):
    os.chdir(tmp_path)
    os.rmdir(tmp_path)
"""
    status, said = run(tmp_path, "--garrison-target", "good_app:app", "--garrison-select", "M", test=test)

    assert status == 1
    assert "FileNotFoundError" in said
    assert re.search(r"\b1 failed, 1 passed, [1-9]\d* skipped", said)


def test_an_inconclusive_audit_fails(tmp_path: Path) -> None:
    """A page that wants a login proves nothing by what it does not show, and the reason says what to do."""
    status, said = run(tmp_path, "--garrison-target", "locked_app:app", "--garrison-select", "H,M")

    assert status == 1
    assert "garrison: the audit is conclusive" in said
    assert "the audit is inconclusive: GET / answered 401" in said
    assert "log in with headers in [tool.garrison]" in said


def test_an_audit_of_nothing_but_what_cannot_be_asked_fails(tmp_path: Path) -> None:
    """Checks that are all skipped find nothing."""
    status, said = run(tmp_path, "--garrison-target", "good_app:app", "--garrison-select", "W1")

    assert status == 1
    assert "the audit is inconclusive: no check could be judged" in said


def test_whether_it_is_conclusive_can_be_asked_alone(tmp_path: Path) -> None:
    """All the checks are made for it."""
    status, said = run(tmp_path, "--garrison-target", "good_app:app", "-k", "conclusive")

    assert status == 0, said
    assert "1 passed" in said


def test_who_names_a_test_gets_no_audit(tmp_path: Path) -> None:
    """With the flag among the options of every run; who names the file gets both, counted right."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --garrison-target good_app:app\n")
    named, of_named = run(tmp_path, "test_shop.py::test_own")
    whole, of_whole = run(tmp_path, "test_shop.py", "--garrison-select", "H1,H2")

    assert (named, whole) == (0, 0), of_named + of_whole
    assert "1 passed" in of_named
    assert "collected 4 items" in of_whole
    assert "4 passed" in of_whole


def test_the_file_says_what_flags_do_not(tmp_path: Path) -> None:
    """Its target is driven in process whatever serves it elsewhere, and flags win."""
    (tmp_path / "pyproject.toml").write_text(
        """
        [tool.garrison]
        target = "bad_app:app"
        server = "granian"
        select = ["H1", "H9", "R10"]
        severity = { H1 = "info" }
        """
    )
    status, said = run(tmp_path, "--garrison", "-rPs")
    strict, complaint = run(tmp_path, "--garrison", "--garrison-fail-on", "info")
    other, of_other = run(tmp_path, "--garrison-target", "good_app:app", "--garrison-ignore", "H9")

    assert status == 0, said
    assert re.search(r"\b4 passed, 1 skipped", said)
    assert "name one with slow-path in [tool.garrison]" in said
    assert "fix: send X-Content-Type-Options: nosniff" in said
    assert strict == 1
    assert "garrison: H1" in complaint
    assert other == 0, of_other
    assert re.search(r"\b3 passed, 1 skipped", of_other)


def test_an_app_has_the_variables_that_the_file_names(tmp_path: Path) -> None:
    """Also where it is in this process."""
    (tmp_path / "needy.py").write_text(
        "import os\nfrom good_app import app\nassert os.environ['SHOP'] == '1'\n"
    )
    (tmp_path / "pyproject.toml").write_text(
        "[tool.garrison]\ntarget = 'needy:app'\nselect = ['H1']\nenv = { SHOP = '1' }\n"
    )
    status, said = run(tmp_path, "--garrison")

    assert status == 0, said
    assert "3 passed" in said


def test_a_mistake_in_the_file_is_a_usage_error(tmp_path: Path) -> None:
    """And so is a flag that asks for its target where it names none; another file may be named."""
    (tmp_path / "pyproject.toml").write_text("[tool.garrison]\nfail_on = 1\n")
    (tmp_path / "other.toml").write_text("[tool.garrison]\nselect = ['H1']\n")
    wrong, said = run(tmp_path, "--garrison-target", "good_app:app")
    without, complaint = run(tmp_path, "--garrison", "--garrison-config", "off")
    named, of_named = run(tmp_path, "--garrison-target", "good_app:app", "--garrison-config", "other.toml")

    assert (wrong, without) == (4, 4)
    assert "garrison: pyproject.toml: [tool.garrison]: fail_on is no key: did you mean fail-on?" in said
    assert "garrison: no target: " in complaint
    assert named == 0, of_named
    assert "3 passed" in of_named


def test_a_target_that_is_none_is_a_usage_error(tmp_path: Path) -> None:
    """Before anything is run."""
    status, said = run(tmp_path, "--garrison-target", "shop")

    assert status == 4
    assert "'shop' is no target" in said


def test_advice_names_what_there_is(tmp_path: Path) -> None:
    """Consent is given to the command only, and so is the list of checks."""
    _, remote = run(tmp_path, "--garrison-target", "http://192.0.2.1/")
    _, unknown = run(tmp_path, "--garrison-target", "good_app:app", "--garrison-select", "ZZ")

    assert "or audit it with garrison check --i-own-this-host: consent is given on" in remote
    assert "garrison explain --list names them all" in unknown
    assert "in [tool.garrison]" not in remote + unknown


@pytest.mark.parametrize(
    ("advice", "flags", "arguments"),
    [
        ("name one with --error-path", "--garrison-error-path", "error_path="),
        ("log in with --header", "headers in [tool.garrison]", "headers="),
        ("allow more with --timeout", "timeout in [tool.garrison]", "timeout="),
        ("see --output", "--output of garrison check", "--output of garrison check"),
        ("name it with --openapi", "openapi in [tool.garrison]", "--openapi of garrison check"),
        ("run garrison check URL --host NAME", "garrison check URL --host N", "garrison check URL --host N"),
        ("run without --in-process", "add --garrison-server uvicorn", "pytest --garrison-server uvicorn"),
        ("--list names them all", "garrison explain --list names", "garrison explain --list names"),
    ],
)
def test_advice_is_in_the_words_of_its_reader(advice: str, flags: str, arguments: str) -> None:
    """Flags of the plugin or keys of the file, and arguments of the fixtures; no flag that is neither."""
    ours = {"--error-path": "--garrison-error-path"}

    assert flags in for_flags(advice, ours)
    assert arguments in for_arguments(advice, ARGUMENTS)


def test_fixtures_say_in_one_line_what_is_wrong_with_their_arguments(tmp_path: Path) -> None:
    """At the line of the test, not inside the plugin."""
    test = """
import good_app

def test_string(garrison_audit): garrison_audit("good_app:app")
def test_nothing(garrison_check): garrison_check(None, "H1")
def test_unknown(garrison_audit): garrison_audit(good_app.app, bogus=1)
def test_near(garrison_audit): garrison_audit(good_app.app, eror_path="/x")
def test_headers(garrison_audit): garrison_audit(good_app.app, headers="a: b")
def test_header(garrison_audit): garrison_audit(good_app.app, headers={"a b": "c"})
def test_path(garrison_audit): garrison_audit(good_app.app, path="orders")
def test_quota(garrison_audit): garrison_audit(good_app.app, quota="many")
def test_size(garrison_audit): garrison_audit(good_app.app, max_body=0)
def test_check(garrison_check): garrison_check(good_app.app, "ZZ")
def test_severity(garrison_audit): garrison_audit(good_app.app, fail_on="some")
def test_failing(garrison_check): garrison_check(good_app.app, "W1")
"""
    status, said = run(tmp_path, test=test)

    assert status == 1
    lines = [line[1:].strip() for line in said.splitlines() if line.startswith("E  ")]
    known = (
        "select, ignore, fail_on, timeout, baseline, headers, host, path, body_path, error_path, slow_path,"
        " time_limit, slow_limit, concurrency, quota, max_body"
    )
    beginnings = [
        "TypeError: 'good_app:app' is a string and no app: import the app and give it, or run pytest --garr",
        "TypeError: None is no ASGI app: give the app itself",
        f"TypeError: bogus is no argument of an audit: there are {known}",
        "TypeError: eror_path is no argument of an audit: did you mean error_path?",
        "ValueError: headers: expected names and values, such as",
        "ValueError: headers: 'a b' begins no header",
        "ValueError: path: 'orders' is no path: start it with /",
        "ValueError: quota: 'many' is no quota",
        "ValueError: max_body: 0 is out of range",
        "ValueError: 'ZZ' is no check: did you mean",
        "ValueError: 'some' is no severity",
        "AssertionError: W1",
    ]
    assert len(lines) == len(beginnings), said
    assert [line for line, begun in zip(lines, beginnings, strict=True) if not line.startswith(begun)] == []
    assert "use garrison check, or pytest --garrison-server uvicorn" in lines[-1]
    # Each failure ends at the line of the test, and shows none of the plugin.
    assert re.findall(r"^(\S+\.py):\d+: \w+$", said, re.MULTILINE) == ["test_shop.py"] * len(lines)
    assert "garrison_harness" not in said


def test_fixtures_name_the_host_that_an_app_serves(tmp_path: Path) -> None:
    """As their advice says."""
    test = """
import pytest
from picky_app import app

def test_name(garrison_check):
    garrison_check(app, "H1", host="shop.example")
    with pytest.raises(AssertionError, match="name a host that the app serves with host="):
        garrison_check(app, "H1")
"""
    status, said = run(tmp_path, test=test)

    assert status == 0, said


def test_fixtures_take_headers_by_name_or_as_pairs(tmp_path: Path) -> None:
    """An app that wants one is reached with either; without it nothing passes."""
    test = """
import pytest
from locked_app import app

PAIRS = [("X-Key", "opensesame")]

@pytest.mark.parametrize("headers", [dict(PAIRS), PAIRS, tuple(PAIRS)])
def test_in(garrison_check, headers): garrison_check(app, "H8", headers=headers, path=None)

@pytest.mark.parametrize("names", [["M1"], []])
def test_out(garrison_audit, names):
    with pytest.raises(AssertionError, match="inconclusive: GET / answered 401.*with headers=,? or name"):
        garrison_audit(app, select=["M1"]).assert_passes(*names)
"""
    status, said = run(tmp_path, test=test)

    assert status == 0, said


def test_the_fixtures_assert_on_one_check_and_on_all(tmp_path: Path) -> None:
    """An app object is audited in the process of the test."""
    test = """
import pytest
import bad_app, good_app

def test_one(garrison_check):
    garrison_check(good_app.app, "H1")
    with pytest.raises(AssertionError, match="nosniff"):
        garrison_check(bad_app.app, "H1")

def test_several(garrison_audit):
    audit = garrison_audit(bad_app.app, select=["H1", "H2", "H4"])
    assert audit.status("H1") == "failed"
    assert [one.check.id for one in audit.failing("h1")] == ["H1"]
    with pytest.raises(AssertionError, match="not run: the target does not speak https"):
        audit.assert_passes("H4")
    with pytest.raises(AssertionError, match="H2"):
        audit.assert_passes()
    with pytest.raises(ValueError, match="M3"):
        audit.status("M3")
"""
    status, said = run(tmp_path, test=test)

    assert status == 0, said


def test_nothing_is_imported_until_it_is_wanted(tmp_path: Path) -> None:
    """A run without the flag and the fixtures knows nothing of the harness but its plugin."""
    test = """
import sys

def test_imports():
    found = {name for name in sys.modules if name.startswith("garrison")}
    assert found <= {"garrison_harness", "garrison_harness.pytest_plugin"}
    assert "gevent" not in sys.modules
    assert "h11" not in sys.modules
"""
    status, said = run(tmp_path, test=test)

    assert status == 0, said


PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "pytest.md"


def test_the_guide_names_every_flag() -> None:
    """And no other."""
    group = pytest.Parser(_ispytest=True)
    pytest_plugin.pytest_addoption(group)
    flags = {name for option in group.getgroup("garrison").options for name in option.names()}

    assert set(re.findall(r"--garrison(?:-[a-z-]+[a-z])?", PAGE.read_text())) == flags


def test_the_tests_of_the_guide_run(tmp_path: Path) -> None:
    """On an app whose page cannot be framed, with a login."""
    (tmp_path / "orders.py").write_text("from good_app import app\n")
    snippet = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[0]
    test = snippet.replace("shop.main", "orders").replace('"/orders"', '"/"').replace('"/account"', '"/"')
    status, said = run(tmp_path, test=test.replace('"H11"', '"H2"'))

    assert status == 0, said
