"""A preset with what the settings say otherwise."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from garrison.csp.policy import parse_policy, render_policy
from garrison.csp.policy_error import PolicyError, did_you_mean
from garrison.headers.existing import parse_modes
from garrison.headers.framing import frames_of
from garrison.headers.hsts import hsts_value
from garrison.headers.lines import Policy
from garrison.headers.override import parse_overrides
from garrison.headers.permissions import parse_permissions, render_permissions
from garrison.headers.presets import PRESETS, PolicySet
from garrison.rules import NotationError
from garrison.settings import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from garrison.headers.presets import Preset

USUAL: Final = "preset"
"""The word that leaves a setting to its preset."""

# The settings that a preset has an answer to, and which answer that is.
SETTINGS: Final = {
    "page_policy": "policy",
    "page_policy_report_only": "policy_report_only",
    "page_frames": "frames",
    "page_referrer": "referrer",
    "page_permissions": "permissions",
    "page_permissions_report_only": "permissions_report_only",
    "page_opener": "opener",
    "page_opener_report_only": "opener_report_only",
    "page_embedder": "embedder",
    "page_embedder_report_only": "embedder_report_only",
    "page_resource": "resource",
    "other_resource": "other_resource",
    "more": "more",
    "authenticated_cache": "authenticated_cache",
}
POLICIES: Final = ("policy", "policy_report_only", "permissions", "permissions_report_only")

# A path of this origin, or the address of a collector; nothing that would end the value it stands in.
REPORTS: Final = re.compile(
    r"(?:/(?!/)|https://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/|\Z))[A-Za-z0-9._~%!$&'()*+=:@/?-]*"
)


def given_by(section: Any) -> dict[str, Any]:
    """What a section says, by the names that `PolicySet` has for it.

    Args:
        section: `SecurityHeaders`.
    """
    return {answer: getattr(section, field) for field, answer in SETTINGS.items()}


def policy_of(section: Any, reports: str = "") -> Policy:
    """The policy that a section stands for.

    Args:
        section: `SecurityHeaders`.
        reports: where browsers send reports unless the section names a place.
    """
    hsts = b""
    if section.hsts:
        hsts = hsts_value(section.hsts, subdomains=section.hsts_subdomains, preload=section.hsts_preload)
    return Policy(
        preset=section.preset,
        usual=chosen(section.preset, given_by(section)),
        hsts=hsts,
        reports=section.reports or reports,
    )


def problems_of(section: Any) -> list[Problem]:
    """What is wrong with the texts of a section whose types are right.

    Args:
        section: `SecurityHeaders`.
    """
    readers: dict[str, tuple[Callable[[str], object], str]] = {
        "existing": (parse_modes, "keep, override or merge, alone or as header=mode"),
        "rules": (parse_overrides, "paths, each with what is different there"),
        "reports": (check_reports, "a path such as /csp-reports, or an https URL"),
    }
    for field, answer in SETTINGS.items():
        if answer in POLICIES:
            readers[field] = (partial(_check, section.preset, answer), "a policy as browsers read it")
    problems = []
    for field, (read, expected) in readers.items():
        hint = _complaint(read, getattr(section, field))
        if hint:
            name = f"{type(section).__name__}.{field}"
            problems.append(Problem(name=name, expected=expected, found=getattr(section, field), hint=hint))
    return problems or _contradictions(section)


def _complaint(read: Callable[[str], object], text: str) -> str:
    """A sentence on what is wrong with a text; empty where it can be read."""
    try:
        read(text)
    except NotationError as error:
        return f"Write {error.expected} in place of {error.found!r}."
    except PolicyError as error:
        return f"In it, {error}" if str(error).endswith("?") else f"In it, {error}."
    except ValueError as error:
        sentence = str(error)[:1].upper() + str(error)[1:]
        return sentence if sentence.endswith(("?", ".")) else f"{sentence}."
    return ""


def check_reports(text: str) -> None:
    """Refuse a place for reports that a header could not name.

    Raises:
        ValueError: it is neither a path nor an https URL.
    """
    if text.startswith("http://"):
        raise ValueError("browsers send reports to https only")
    if text and not REPORTS.fullmatch(text):
        raise ValueError("write it percent-encoded, without ; and ,")


def _check(preset: Preset, answer: str, text: str) -> None:
    chosen(preset, {answer: text})


def _contradictions(section: Any) -> list[Problem]:
    frames = section.page_frames
    said = frames_of(chosen(section.preset, given_by(section)).policy.encode("ascii"))
    if frames == USUAL or said is None or said.decode("ascii") == (frames or ""):
        return []
    return [
        Problem(
            name=f"{type(section).__name__}.page_frames",
            expected=f"{said.decode('ascii') or 'off'}, which is what frame-ancestors in page_policy says",
            found=frames,
            hint="Browsers obey frame-ancestors and ignore X-Frame-Options.",
        )
    ]


def chosen(preset: Preset, given: Mapping[str, Any]) -> PolicySet:
    """What a preset says, changed where a setting does not leave it to the preset.

    Args:
        preset: the usual one.
        given: fields of `PolicySet` with the values of their settings; None and False stand for no header.

    Raises:
        ValueError: a policy is none.
    """
    changed: dict[str, Any] = {}
    for field, value in given.items():
        usual = getattr(PRESETS[preset], field)
        if field == "policy":
            changed[field] = policy_text(value, usual)
        elif field == "policy_report_only":
            # What was allowed on purpose is nothing to tell of.
            begins, _, rest = given.get("policy", "").partition(";")
            follows = value == USUAL == begins.strip() and usual
            changed[field] = policy_text(f"{USUAL};{rest}" if follows else value, usual)
        elif field in {"permissions", "permissions_report_only"}:
            changed[field] = permissions_text(value, usual)
        elif field == "more":
            names = (name for item in value for name in (usual if item == USUAL else (item,)))
            changed[field] = tuple(dict.fromkeys(names))
        elif value != USUAL:
            changed[field] = value or ""
    return replace(PRESETS[preset], **changed)


def policy_text(text: str, usual: str) -> str:
    """A Content-Security-Policy that may begin with `preset`, or with the name of one, and change it.

    Args:
        text: of the setting.
        usual: what `preset` stands for.

    Raises:
        PolicyError: it is no policy.
    """
    first, _, rest = text.partition(";")
    begins = {USUAL: usual} | {str(name): policies.policy for name, policies in PRESETS.items()}
    if first.strip() not in begins:
        if re.fullmatch(r"\s*[A-Za-z]+\s*", text) and (
            near := did_you_mean(text.strip(), begins, otherwise="", cutoff=0.6)
        ):
            raise PolicyError(f"{text.strip()} is neither a preset nor a policy: {near}")
        return render_policy(parse_policy(text))
    policy = {**parse_policy(begins[first.strip()]), **parse_policy(rest)}
    return render_policy(policy)


def permissions_text(text: str, usual: str) -> str:
    """A Permissions-Policy that may begin with `preset`, or with the name of one, and change it.

    Args:
        text: of the setting.
        usual: what `preset` stands for.

    Raises:
        PolicyError: it is no policy.
    """
    if ";" in text and "=" not in text.partition(";")[0]:
        raise PolicyError(
            "features are parted by commas, and each has its origins in brackets: camera=(self)"
        )
    first, _, rest = text.partition(",")
    begins = {USUAL: usual} | {str(name): policies.permissions for name, policies in PRESETS.items()}
    if first.strip() not in begins:
        return render_permissions(parse_permissions(text))
    return render_permissions({**parse_permissions(begins[first.strip()]), **parse_permissions(rest)})
