"""What is said about probes and about the end of a process."""

from __future__ import annotations

from dataclasses import replace

from garrison.middleware.health import Health
from garrison.preflight import examine, examine_imports
from garrison.server_section import Server
from garrison.stack import Settings
from tests.toolkit.test_preflight import COMPLETE, advice


def test_checks_that_nobody_asks_are_noticed() -> None:
    """Without the path of readiness they are never run."""
    health = Health(readiness="", checks=("db=shop.health:db",), startup_checks=("queue=shop.health:queue",))
    assert advice(replace(COMPLETE, health=health)) == [
        ("warning", "GARRISON_HEALTH_CHECKS"),
        ("warning", "GARRISON_HEALTH_STARTUP_CHECKS"),
    ]


def test_checks_that_outlast_a_probe_are_noticed() -> None:
    """By their names, whether they say so or the usual timeout does."""
    health = Health(checks=("db=shop.health:db", "search=shop.health:search within 2s"))
    (found,) = examine(replace(COMPLETE, health=health))
    assert (found.level, found.variable) == ("warning", "GARRISON_HEALTH_CHECKS")
    assert found.text.startswith("search may take 1s or longer")
    slow = replace(COMPLETE, health=replace(health, timeout=1.5))
    assert examine(slow)[0].text.startswith("db, search may")


def test_an_end_that_does_not_fit_is_noticed() -> None:
    """A grace that leaves nothing of what Kubernetes gives."""
    server = Server(grace=30.0)
    assert advice(replace(COMPLETE, server=server)) == [("warning", "GARRISON_SERVER_GRACE")]
    assert advice(Settings(profile="development", server=server)) == []


def test_checks_that_cannot_be_imported_are_noticed() -> None:
    """`garrison config --check` tries, as `garrison run` will."""
    health = Health(checks=("db=no_such_module:db", "fine=tests.toolkit.probes.checked:cache"))
    (found,) = examine_imports(replace(COMPLETE, health=health))
    assert (found.level, found.variable) == ("error", "GARRISON_HEALTH_CHECKS")
    assert found.text.startswith("no_such_module:db cannot be used, and `garrison run` does not start")


def test_checks_that_need_an_argument_are_noticed() -> None:
    """They would be called without any, and never pass."""
    health = Health(startup_checks=("db=tests.toolkit.probes.checked:needs_a_pool",))
    (found,) = examine_imports(replace(COMPLETE, health=health))
    assert (found.level, found.variable) == ("error", "GARRISON_HEALTH_STARTUP_CHECKS")
    assert found.text.endswith("This one needs pool.")
