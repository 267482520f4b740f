"""Which quotas go with which requests, read from the notation for rules."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from garrison.callables import is_import_string
from garrison.ratelimit.identity import Identity, parse_identity
from garrison.ratelimit.quota import Algorithm, Quota, parse_quotas
from garrison.rules import NotationError, Rule, grouped, parse_rules

if TYPE_CHECKING:
    from garrison.ratelimit.identity import Stage

# Nor an underscore, which no other part of such a name has.
OTHER: Final = re.compile("[^A-Za-z0-9.-]+")

GUARDED: Final = (
    "a quota by address for {about} beside the one by {identity}, because a client can make up any value of a"
    " header, such as '{rule}; {prefix}600/minute'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What one identity may use.

    Attributes:
        identity: who is counted.
        quotas: what counts, all at once; empty where a callable says it.
        tenants: the import string of that callable, or an empty text.
    """

    identity: Identity
    quotas: tuple[Quota, ...]
    tenants: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Requests that have the same quotas.

    Attributes:
        rule: says which requests; its value is that of the first quota.
        grants: what counts for them, all at once; those whose quotas a callable gives come last.
    """

    rule: Rule
    grants: tuple[Grant, ...]

    @property
    def quotas(self) -> tuple[Quota, ...]:
        """All quotas that are known before there is a request."""
        return tuple(quota for grant in self.grants for quota in grant.quotas)


def parse_targets(text: str, algorithm: Algorithm = "token-bucket") -> tuple[Target, ...]:
    """Read a setting such as `POST /login: 5/minute; 100/minute; 1000/hour by header:x-api-key`.

    Args:
        text: rules whose values are quotas, or callables that give them; the rules of one target stand
            together.
        algorithm: how all of them are counted.

    Raises:
        NotationError: with what is expected, and the part that does not fit.
    """
    return tuple(_target(group, algorithm) for group in grouped(parse_rules(text)))


def of_stage(targets: tuple[Target, ...], stage: Stage) -> tuple[Target, ...]:
    """The targets that have quotas of a stage, with these only.

    Args:
        targets: of a setting.
        stage: `client` for what can be judged before anybody is authenticated.
    """
    found = (
        replace(target, grants=tuple(grant for grant in target.grants if grant.identity.stage == stage))
        for target in targets
    )
    return tuple(target for target in found if target.grants)


def _target(group: tuple[Rule, ...], algorithm: Algorithm) -> Target:
    quotas: dict[Identity, list[Quota]] = {}
    tenants: list[Grant] = []
    for rule in group:
        identity = parse_identity(rule.identity)
        if is_import_string(rule.value):
            grant = Grant(identity=identity, quotas=(), tenants=rule.value)
            if grant in tenants:
                raise NotationError(f"each callable once for {group[0].about}", rule.value)
            tenants.append(grant)
            continue
        found = parse_quotas(rule.value, algorithm)
        if " as " not in rule.value:
            found = tuple(replace(quota, name=_name(quota, identity)) for quota in found)
        quotas.setdefault(identity, []).extend(found)
    names = [quota.name for some in quotas.values() for quota in some]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        expected = f"each name once for {group[0].about}, such as '100/minute as burst'"
        raise NotationError(expected, f"{twice} twice")
    grants = [*(Grant(identity=who, quotas=tuple(some)) for who, some in quotas.items()), *tenants]
    _require_guard(group, grants)
    return Target(rule=group[0], grants=tuple(grants))


def _name(quota: Quota, identity: Identity) -> str:
    """A name that tells quotas apart that differ in whom they count only."""
    if identity.is_address:
        return quota.name
    parts = "-".join(part.rpartition(":")[2] for part in identity.parts)
    # Python takes letters of every alphabet, and headers do not.
    return f"{quota.name}-by-{OTHER.sub('-', parts)}"[:64]


def _require_guard(group: tuple[Rule, ...], grants: list[Grant]) -> None:
    if any(grant.identity.is_address and grant.quotas for grant in grants):
        return
    for rule in group:
        identity = parse_identity(rule.identity)
        if identity.is_made_up:
            prefix = "" if rule.about == "everything" else f"{rule.about}: "
            written = f"{prefix}{rule.value} by {identity.text}"
            expected = GUARDED.format(about=rule.about, identity=identity.text, rule=written, prefix=prefix)
            raise NotationError(expected, written)
