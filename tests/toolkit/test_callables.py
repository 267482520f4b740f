"""Callables that settings name: how they are found, and what is said where they are not."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from garrison.callables import LONGEST_TEXT, imported, is_import_string
from garrison.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTING = "GARRISON_RATE_LIMIT_LIMITS"

MODULES = {
    "shop/__init__.py": "",
    "shop/limits.py": """
class Plans:
    number = 7

    @staticmethod
    def of(tenant):
        return "5/minute"

    def __getattr__(self, name):
        raise OSError("no answer from\\npostgres://shop:hunter2@db")

def quotas(tenant):
    return "100/minute"

plans = Plans()
""",
    "failing.py": "import os\nos.environ['NO_SUCH_VARIABLE']\n",
    "leaving.py": "raise SystemExit\n",
    "long.py": f"raise ValueError('x' * {2 * LONGEST_TEXT})\n",
    "needing.py": "import no_such_package\n",
    "circular.py": (
        "from garrison.callables import imported\nimported('circular:later', 'X')\ndef later(): ...\n"
    ),
    "elsewhere.py": "def quotas(): ...\n",
    "elsewhere/deeper.py": "def quotas(): ...\n",
}


@pytest.fixture(autouse=True)
def _modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Modules of an app, on the import path, and forgotten afterwards."""
    for name, text in MODULES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def refused(text: str) -> str:
    """What a person is told about a text that names no callable."""
    with pytest.raises(SettingsError) as caught:
        imported(text, SETTING)
    (problem,) = caught.value.problems
    assert (problem.name, problem.found) == (SETTING, text)
    assert problem.expected == "a callable as module:attribute such as package.module:function"
    assert "\n" not in problem.hint
    return problem.hint


@pytest.mark.parametrize("text", ["shop:quotas", "shop.limits:Plans.of", "_a._b1:_c", "größe:Zahl"])
def test_import_strings_are_known_by_their_form(text: str) -> None:
    """Names with dots on both sides of a colon are an import string, whether or not there is such a thing."""
    assert is_import_string(text)


@pytest.mark.parametrize(
    "text",
    ["", "shop", "shop:", ":quotas", "shop.:quotas", "shop:.quotas", "shop:a:b", "shop:a b", " shop:a",
     "shop:a\n", "1shop:a", "shop:1a", "5/minute", "POST /login: 5/minute", "header:x-api-key", "https://shop.example"],
)  # fmt: skip
def test_other_texts_are_none(text: str) -> None:
    """Quotas, rules, URLs and misspelt import strings are not taken for import strings, nor imported."""
    assert not is_import_string(text)
    assert refused(text) == ""


def test_a_callable_is_found() -> None:
    """A function of a module, or behind any number of dots, is what the setting stands for."""
    assert imported("shop.limits:quotas", SETTING)("acme") == "100/minute"
    assert imported("shop.limits:Plans.of", SETTING)("acme") == "5/minute"
    assert imported("json:loads", SETTING) is json.loads


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("nowhere:a", "There is no module nowhere where this process looks for modules."),
        ("nowhere.deeper:a", "There is no module nowhere where this process looks for modules."),
        ("shop.nowhere:a", "There is no module shop.nowhere where this process looks for modules."),
        ("shop.limits:quota", "shop.limits has no attribute quota. Did you mean quotas?"),
        ("shop.limits:xyz", "shop.limits has no attribute xyz."),
        ("shop.limits:Plans.off", "shop.limits.Plans has no attribute off. Did you mean of?"),
        ("shop.limits:Plans.number", "It is of type int, which cannot be called."),
        ("failing:a", "Importing failing failed with KeyError: 'NO_SUCH_VARIABLE'."),
        (
            "needing:a",
            "Importing needing failed with ModuleNotFoundError: No module named 'no_such_package'.",
        ),
        ("leaving:a", "Importing leaving failed with SystemExit."),
    ],
)
def test_what_is_missing_is_said(text: str, hint: str) -> None:
    """The module, the attribute, or what went wrong on the way there is named, with the nearest name."""
    assert refused(text) == hint


def test_a_failure_is_one_short_line_without_secrets() -> None:
    """What a module says when it fails stays readable, and does not give a password away."""
    assert refused("shop.limits:plans.of_all") == (
        "Reading shop.limits.plans.of_all failed with OSError: no answer from postgres://[redacted]@db."
    )
    assert len(refused("long:a")) < LONGEST_TEXT + 50


def test_a_module_that_imports_itself_is_told_to_part() -> None:
    """An app that is hardened while it is being imported cannot have the callable further down."""
    hint = "It is still being imported: have the callable in a module of its own."
    assert refused("circular:later").endswith(f"{hint}.")


def test_the_current_directory_is_pointed_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that is right here, where this process does not look, comes with the way to have it found."""
    monkeypatch.chdir(tmp_path)
    nearby = "It is in the current directory: set PYTHONPATH=. to have that searched too."
    assert nearby not in refused("shop.nowhere:a")
    assert nearby not in refused("elsewhere.deeper:quotas")
    sys.modules.pop("shop")
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in {"", str(tmp_path)}])
    assert refused("elsewhere.deeper:quotas").endswith(nearby)
    assert refused("shop:quotas").endswith(nearby)
    assert nearby not in refused("nowhere:quotas")
    assert str(tmp_path) not in sys.path
