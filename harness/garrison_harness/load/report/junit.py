"""The run as JUnit XML: a test for each threshold, each promise of hardening, the run and its generator.

A failure is what fails the run. What leaves it without a verdict is an error: the run was cut short, the
generator was the limit, or a difference is too uncertain. A promise that was not judged is skipped. So a
build is red for JUnit where it is red for the exit status.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from garrison_harness.load.report.text import render as render_text
from garrison_harness.load.report.text import why, word_of

if TYPE_CHECKING:
    from garrison_harness.load.promise import Promise
    from garrison_harness.load.result import Result
    from garrison_harness.load.thresholds import Judgement

# What XML 1.0 cannot hold, section 2.2.
_ILLEGAL: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(result: Result) -> str:
    """The document, indented, with a line break at the end."""
    root = Element("testsuites")
    suite = _suite(root, "run", result)
    _run(suite, result)
    _generator(suite, result)
    if result.judgements:
        suite = _suite(root, "thresholds", result)
        for judgement in result.judgements:
            _threshold(suite, judgement, result)
    if result.promises:
        suite = _suite(root, "hardening under load", result)
        for promise in result.promises:
            _promise(suite, promise)
    for suite in root:
        _count(suite)
    root.set("name", _legal(f"garrison load {result.target}"))
    root.set("time", f"{result.outcome.account.duration:.3f}")
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _suite(root: Element, name: str, result: Result) -> Element:
    started = result.started.replace(tzinfo=None).isoformat(timespec="seconds")
    return SubElement(root, "testsuite", name=name, timestamp=started, time="0.000")


def _count(suite: Element) -> None:
    """Say how many tests a suite has, and what became of them."""
    suite.set("tests", str(len(suite.findall("testcase"))))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in suite)))


def _run(suite: Element, result: Result) -> None:
    """The run as a whole, with the report for people to read."""
    suite.set("time", f"{result.outcome.account.duration:.3f}")
    case = _case(suite, "load.run", "the run can be judged")
    if result.verdict == "inconclusive":
        _add(case, "error", why(result), message=why(result), type="inconclusive")
    elif result.verdict == "failed" and not _others_failed(result):
        _add(case, "failure", why(result), message=why(result), type="failed")
    _add(case, "system-out", render_text(result))


def _generator(suite: Element, result: Result) -> None:
    """Whether the generator was the limit, which is no harm where the verdict stands all the same."""
    case = _case(suite, "load.run", "the generator was not the limit")
    told = "\n".join((*result.health.reasons, *result.health.notes))
    if result.health.limited and result.verdict == "inconclusive":
        _add(case, "error", told, message=result.health.reasons[0], type="inconclusive")
    elif told:
        _add(case, "system-out", told)


def _others_failed(result: Result) -> bool:
    missed = any(word_of(judgement) == "FAIL" for judgement in result.judgements)
    return missed or any(promise.verdict == "broken" for promise in result.promises)


def _threshold(suite: Element, judgement: Judgement, result: Result) -> None:
    expression = judgement.threshold.expression
    case = _case(suite, "load.thresholds", expression)
    told = f"{expression} was expected, {judgement.describe()} was measured"
    word = word_of(judgement)
    if word == "PASS":
        _add(case, "system-out", judgement.describe())
    elif word == "UNSURE" or result.verdict == "inconclusive":
        # The run proves nothing, and so does what was missed in it.
        _add(case, "error", told, message=told, type="inconclusive")
    else:
        _add(case, "failure", told, message=told, type="threshold")


def _promise(suite: Element, promise: Promise) -> None:
    case = _case(suite, "load.hardening", f"{promise.id} {promise.title}")
    if promise.verdict == "broken":
        told = "\n".join((promise.detail, *promise.examples))
        _add(case, "failure", told, message=promise.detail, type="broken")
    elif promise.verdict == "not judged":
        _add(case, "skipped", promise.detail)
    else:
        _add(case, "system-out", promise.detail)


def _case(suite: Element, kind: str, name: str) -> Element:
    return SubElement(suite, "testcase", classname=f"garrison.{kind}", name=_legal(name), time="0.000")


def _add(parent: Element, tag: str, text: str, **attributes: str) -> None:
    legal = {name: _legal(value) for name, value in attributes.items()}
    SubElement(parent, tag, legal).text = _legal(text)


def _legal(text: str) -> str:
    """The text without what XML cannot hold."""
    return _ILLEGAL.sub("�", text)
