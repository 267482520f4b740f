"""What became of drills as JUnit XML: a test suite for each drill, and a test for each expectation.

A failure is an expectation that is broken. A test is skipped where nothing could be said of it, and a drill
that was not run is one test: skipped where it does not apply, an error where it was to say something.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

if TYPE_CHECKING:
    from garrison_harness.drills.drill import Point, Result
    from garrison_harness.drills.performing import Outcome

# What XML 1.0 cannot hold, section 2.2.
_ILLEGAL: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(outcome: Outcome) -> str:
    """The document, indented, with a line break at the end."""
    root = Element("testsuites", name=_legal(f"garrison drill {outcome.target}"))
    for result in outcome.results:
        _suite(root, result, outcome)
    root.set("time", f"{outcome.duration:.3f}")
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _suite(root: Element, result: Result, outcome: Outcome) -> None:
    started = outcome.started.replace(tzinfo=None).isoformat(timespec="seconds")
    suite = SubElement(root, "testsuite", name=result.drill.name, timestamp=started)
    suite.set("time", f"{result.duration:.3f}")
    if result.reason:
        case = SubElement(suite, "testcase", classname="garrison.drill", name=_legal(result.drill.title))
        wanted = result.undecided or outcome.named or not outcome.complete
        if wanted:
            _add(case, "error", result.reason, message=result.reason, type="not run")
        else:
            _add(case, "skipped", result.reason)
    for point in result.points:
        _case(suite, result, point)
    suite.set("tests", str(len(suite.findall("testcase"))))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in suite)))


def _case(suite: Element, result: Result, point: Point) -> None:
    name = f"garrison.drill.{result.drill.name}"
    case = SubElement(suite, "testcase", classname=name, name=_legal(point.expectation))
    if point.verdict == "broken":
        _add(case, "failure", point.detail, message=point.detail, type="broken")
    elif point.verdict == "not run":
        _add(case, "skipped", point.detail)
    else:
        _add(case, "system-out", point.detail)


def _add(parent: Element, tag: str, text: str, **attributes: str) -> None:
    legal = {name: _legal(value) for name, value in attributes.items()}
    SubElement(parent, tag, legal).text = _legal(text)


def _legal(text: str) -> str:
    """The text without what XML cannot hold."""
    return _ILLEGAL.sub("\ufffd", text)
