"""Turns checks into tests: `pytest --garrison-target module:app`, and fixtures for tests of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

# Nothing of the harness is imported here: pytest loads this module in every run, wanted or not.
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike

    from garrison_harness.checks.check import Check
    from garrison_harness.in_tests import Audit

_NAME = "garrison"
# What `garrison check` calls them.
_OPTIONS = {
    "--garrison-config": "--config",
    "--garrison-server": "--server",
    "--garrison-select": "--select",
    "--garrison-ignore": "--ignore",
    "--garrison-fail-on": "--fail-on",
    "--garrison-path": "--path",
    "--garrison-error-path": "--error-path",
    "--garrison-baseline": "--baseline",
}
_FACTORY = ("--garrison-factory", "--factory")
_SEVERITIES = ("info", "low", "medium", "high", "critical")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags."""
    group = parser.getgroup(_NAME, "Garrison: audit an app")
    group.addoption(
        "--garrison-target",
        metavar="TARGET",
        help="Add a test for each check of this app: module:attribute, driven in process, or a URL.",
    )
    group.addoption(
        "--garrison", action="store_true", help="The same for the target that [tool.garrison] names."
    )
    group.addoption(
        "--garrison-config",
        metavar="FILE",
        help="A TOML file with [tool.garrison]; off for none.  [default: the nearest pyproject.toml with it]",
    )
    group.addoption("--garrison-factory", action="store_true", help="The attribute is called to get the app.")
    group.addoption(
        "--garrison-server",
        choices=("uvicorn", "granian", "hypercorn", "garrison"),
        help="Boot the app under this server, which allows for the checks that need a connection.",
    )
    group.addoption("--garrison-select", metavar="IDS", help="Checks to run: E1,M.")
    group.addoption("--garrison-ignore", metavar="IDS", help="Checks to leave out, likewise.")
    group.addoption(
        "--garrison-fail-on",
        choices=_SEVERITIES,
        help="The least severity at which a confirmed finding fails.  [default: medium]",
    )
    group.addoption("--garrison-path", metavar="PATH", help="The page to judge.  [default: /]")
    group.addoption("--garrison-error-path", metavar="PATH", help="A route that raises.")
    group.addoption(
        "--garrison-baseline",
        metavar="PATH",
        help="Accepted findings; off for none.  [default: garrison-baseline.toml where there is one]",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Put the checks behind the user's own tests, early enough for `-k` and `-m` to choose among them."""
    option = session.config.getoption
    wanted = option("--garrison") or option("--garrison-target") is not None
    # Whoever names one test wants that one, and no audit.
    if wanted and not any("::" in word for word in session.config.args):
        collector = _Audited.from_parent(session, name=_NAME)
        # Told as pytest tells of its own, so that its count of the tests is right.
        report = session.ihook.pytest_make_collect_report(collector=collector)
        session.ihook.pytest_collectreport(report=report)
        items.extend(report.result)


class _Audited(pytest.Collector):
    """One app, whose checks are the tests; it is audited once, when the first of them is run."""

    def __init__(self, name: str, parent: pytest.Session, **rest: Any) -> None:
        super().__init__(name, parent, **rest)
        try:
            from garrison_harness.in_tests import wanted  # noqa: PLC0415 - only where it is asked for
            from garrison_harness.target import UsageFault  # noqa: PLC0415 - the same
        except ModuleNotFoundError as error:
            raise pytest.UsageError(f"garrison: {_advice(error)}") from None

        try:
            self._wanted = wanted(
                self._words(), served=self.config.getoption("--garrison-server") is not None
            )
        except UsageFault as fault:
            raise pytest.UsageError(f"garrison: {_in_our_words(str(fault))}") from fault
        self._audit: Audit | None = None
        self._broken = ""

    def collect(self) -> Iterator[_AuditItem]:
        """A test for the audit as a whole, and one for each check."""
        yield _ConclusiveItem.from_parent(self, name="conclusive")
        for check in self._wanted.checks:
            yield _CheckItem.from_parent(self, name=check.id, check=check)

    def audit(self, name: str) -> Audit:
        """What was found of all the checks that were not deselected.

        Args:
            name: Of the test that asks; the first of them tells if the audit fails, the others are skipped.

        Raises:
            CheckFailed: The app cannot be audited.
        """
        from garrison_harness.in_tests import audit_wanted  # noqa: PLC0415 - needs the extra
        from garrison_harness.target import TargetFailed, UsageFault  # noqa: PLC0415 - the same

        if self._broken:
            pytest.skip(f"the app could not be audited: see {self._broken}")
        if self._audit is None:
            chosen = [item.check for item in self.session.items if isinstance(item, _CheckItem)]
            try:
                self._audit = audit_wanted(self._wanted, chosen or self._wanted.checks)
            except (TargetFailed, UsageFault) as fault:
                self._broken = name
                raise CheckFailed(_in_our_words(str(fault))) from fault
            except Exception:
                self._broken = name
                raise
        return self._audit

    def _words(self) -> list[str]:
        """The flags of this plugin as those of `garrison check`."""
        option = self.config.getoption
        words = [] if option("--garrison-target") is None else [option("--garrison-target")]
        words += [_FACTORY[1]] if option(_FACTORY[0]) else []
        for ours, theirs in _OPTIONS.items():
            if option(ours) is not None:
                words += [theirs, option(ours)]
        return words


class CheckFailed(Exception):  # noqa: N818 - the name says what happened
    """A check that does not pass; the text is what pytest shows."""


class _AuditItem(pytest.Item):
    """A test that one audit, which is made once, decides."""

    def __init__(self, name: str, parent: _Audited, **rest: Any) -> None:
        super().__init__(name, parent, **rest)
        self._audited = parent

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str | Any:
        """What was found, without the traceback of this plugin."""
        if isinstance(excinfo.value, CheckFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)


class _ConclusiveItem(_AuditItem):
    """Whether what the checks say of the app means anything."""

    def runtest(self) -> None:
        """Pass if the app answered and all was asked.

        Raises:
            CheckFailed: It was not, so that passing would prove nothing.
        """
        if reason := self._audited.audit(self.nodeid).inconclusive:
            raise CheckFailed(f"the audit is inconclusive: {_in_our_words(reason)}")

    def reportinfo(self) -> tuple[PathLike[str] | str, int | None, str]:
        """Where and what."""
        return self.path, None, f"{_NAME}: the audit is conclusive"


class _CheckItem(_AuditItem):
    """One check as a test."""

    def __init__(self, name: str, parent: _Audited, check: Check, **rest: Any) -> None:
        super().__init__(name, parent, **rest)
        self.check = check

    def runtest(self) -> None:
        """Pass, fail with what was found, or skip with the reason.

        Raises:
            CheckFailed: There are confirmed findings that are bad enough.
        """
        from garrison_harness.in_tests import described  # noqa: PLC0415 - needs the extra

        audit = self._audited.audit(self.nodeid)
        verdict = audit.result(self.check.id).verdict
        if verdict.status == "not run":
            pytest.skip(_in_our_words(verdict.reason))
        if verdict.status == "accepted":
            pytest.skip("accepted by the baseline")
        if failing := audit.failing(self.check.id):
            raise CheckFailed("\n\n".join(described(one) for one in failing))
        found = [one for one in audit.report.found() if one.check.id == self.check.id]
        if found:
            self.add_report_section("call", _NAME, "\n\n".join(described(one) for one in found))

    def reportinfo(self) -> tuple[PathLike[str] | str, int | None, str]:
        """Where and what: the title of the check."""
        return self.path, None, f"{_NAME}: {self.check.id} {self.check.title}"


@pytest.fixture
def garrison_audit() -> Callable[..., Audit]:
    """Audits an ASGI app in this process: `garrison_audit(app, path="/shop").assert_passes("H1")`."""
    return _audit_app()


@pytest.fixture
def garrison_check() -> Callable[..., None]:
    """Asserts that one check passes on an ASGI app: `garrison_check(app, "H1")`."""
    audit_app = _audit_app()

    def check(app: Callable[..., Any], name: str, **known: Any) -> None:
        __tracebackhide__ = True
        audit_app(app, select=[name], **known).assert_passes(name)

    return check


def _audit_app() -> Callable[..., Audit]:
    try:
        from garrison_harness.in_tests import audit_app  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError as error:
        pytest.fail(_advice(error), pytrace=False)
    return audit_app


def _advice(error: ModuleNotFoundError) -> str:
    from garrison_harness.extras import needs  # noqa: PLC0415 - only where something is missing

    return needs("The audit", error.name, "harness")


def _in_our_words(advice: str) -> str:
    """Advice with the flags of this plugin, or the keys of the file, in place of the command's flags."""
    from garrison_harness.wording import for_flags  # noqa: PLC0415 - only where it is asked for

    return for_flags(advice, {theirs: ours for ours, theirs in (*_OPTIONS.items(), _FACTORY)})
