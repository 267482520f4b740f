"""Security headers that the quiet app sends are on every reply under load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.load.watch.header_names import SECURITY_HEADERS
from garrison_harness.load.watch.replies import Faults, Quiet, counted, kind, names, value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.load.promise import Promise
    from garrison_harness.load.sample import Sample

_TITLE: Final = "Security headers are on every reply"
_NOSNIFF: Final = "x-content-type-options"
# What a layer in front of the app, or the server, answers: for such a status every quiet error speaks.
_OUTSIDE: Final = frozenset({429, 500, 502, 503, 504})
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_TOGETHER: Final = 10  # replies to one request, of which nearly all have a header that one lacks
_NEARLY_ALL: Final = 0.9


def common_headers(quiet: Quiet) -> frozenset[str]:
    """The security headers that are on each quiet reply, whatever it was."""
    sets = [names(reply) for reply in quiet.replies]
    return SECURITY_HEADERS & frozenset.intersection(*sets) if sets else frozenset()


def judge_headers(quiet: Quiet, samples: Sequence[Sample]) -> Promise:
    """Whether any reply under load lacks a security header that it has when quiet.

    Args:
        quiet: What the app answered without load.
        samples: Replies that were kept while load ran.
    """
    faults, compared = Faults(), 0
    usual = _usual(samples)
    for sample in samples:
        if sample.status < 200:
            continue
        expected = list(_expected(quiet, sample, usual))
        compared += bool(expected)
        faults.add(sample, (fault for _, fault in expected if fault))
    if not compared:
        some = any(names(reply) & SECURITY_HEADERS for reply in quiet.replies)
        detail = "no reply under load can be compared with a quiet one" if some else "the quiet app has none"
    elif faults.replies:
        detail = f"{faults.replies} of {counted(compared, 'reply', 'replies')} under load: {faults.worst()}"
    else:
        detail = f"{counted(compared, 'reply', 'replies')} under load compared with quiet ones"
    return faults.promise("headers", _TITLE, judged=compared > 0, detail=detail)


def doubtful(quiet: Quiet, samples: Sequence[Sample]) -> list[str]:
    """Paths whose replies lack something that nobody has seen on that very path when quiet.

    Asked again without load, such a path either has it, or never had it, which breaks no promise.
    """
    usual = _usual(samples)
    found = [
        sample.path
        for sample in samples
        if sample.status >= 200
        and sample.method == "GET"
        and not quiet.asked(sample)
        and any(fault for _, fault in _expected(quiet, sample, usual))
    ]
    return list(dict.fromkeys(found))


def _expected(
    quiet: Quiet, sample: Sample, usual: dict[tuple[object, ...], frozenset[str]]
) -> Iterator[tuple[str, str]]:
    """Each header that the reply has to have, with what is wrong with it, or nothing."""
    had = names(sample)
    if quiet.asked(sample) and (same := quiet.same(sample)):
        for name in sorted(_on_all(same)):
            yield name, "" if name in had else f"lacks {name}"
            told = {value(reply, name) for reply in same}
            if name in had and len(same) > 1 and len(told) == 1 and value(sample, name) not in told:
                yield name, f"has another {name}"
        yield from _uncached(same, sample)
        return
    if sample.status >= 400 and (sample.method in _SAFE or sample.status in _OUTSIDE):
        others = quiet.with_error_of(sample)
        for name in sorted(_on_all(others)):
            yield name, "" if name in had else f"lacks {name}"
        sniffing = {value(reply, _NOSNIFF).lower() for reply in others} == {"nosniff"}
        if sniffing and _NOSNIFF in had and value(sample, _NOSNIFF).lower() != "nosniff":
            yield _NOSNIFF, f"has another {_NOSNIFF}"
        return
    for name in sorted(usual.get(_group(sample), frozenset())):
        yield name, "" if name in had else f"lacks {name}"


def _on_all(replies: Sequence[Sample]) -> frozenset[str]:
    return common_headers(Quiet(replies))


def _uncached(same: Sequence[Sample], sample: Sample) -> Iterator[tuple[str, str]]:
    """What must not be stored when quiet must not be stored under load."""
    if all("no-store" in value(reply, "cache-control").lower() for reply in same):
        kept = "no-store" in value(sample, "cache-control").lower()
        yield "cache-control", "" if kept else "may be stored, without no-store"


def _group(sample: Sample) -> tuple[object, ...]:
    return sample.method, sample.name or sample.path, sample.status, kind(sample)


def _usual(samples: Sequence[Sample]) -> dict[tuple[object, ...], frozenset[str]]:
    """The headers that nearly all replies to a request have under load.

    What nobody asked when quiet is judged by these: a header that a few of the same status and kind of
    content lack was dropped.
    """
    groups: dict[tuple[object, ...], list[frozenset[str]]] = {}
    for sample in samples:
        if sample.status:
            groups.setdefault(_group(sample), []).append(names(sample) & SECURITY_HEADERS)
    usual = {}
    for group, found in groups.items():
        if len(found) >= _TOGETHER:
            everything = frozenset().union(*found)
            least = _NEARLY_ALL * len(found)
            most = {name for name in everything if sum(name in one for one in found) >= least}
            usual[group] = frozenset(most)
    return usual
