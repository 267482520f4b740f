"""All rules of a layer, read once, and found again for each request."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from garrison.limiting.fields import standing_form
from garrison.limiting.plan import Costs, of_preflights, plan_of
from garrison.limiting.section import setting_name
from garrison.ratelimit.client import network_of
from garrison.ratelimit.costs import parse_costs, parse_refunds
from garrison.ratelimit.targets import of_stage, parse_targets
from garrison.rules import is_unambiguous, parse_paths
from garrison.spellings import first_fits, widened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from garrison.limiting.plan import Plan
    from garrison.ratelimit.quota import Algorithm, Decision, Quota
    from garrison.ratelimit.targets import Target
    from garrison.units import Network

Stage: TypeAlias = Literal["all", "client", "principal"]

NO_STATUSES: frozenset[int] = frozenset()

# What the keys begin with of whatever is not a request itself: no words that a quota can be called.
OF_MESSAGES: Final = "messages:"
OF_PREFLIGHTS: Final = "preflights:"


class Kept(NamedTuple):
    """What is known of a target before there is a request.

    Attributes:
        plan: what its requests take.
        key: what is counted for a client, where nothing but addresses is counted.
        decide: decides about a key at once; None where that cannot be, or more is counted.
        policy: the value of RateLimit-Policy for these quotas.
        standing: the value of RateLimit for them, with gaps for the numbers.
        preflights: for what browsers ask before its requests.
    """

    plan: Plan
    key: Callable[[str | None], str]
    decide: Callable[[str], Decision] | None
    policy: bytes
    standing: bytes
    preflights: Kept | None


class Rulebook:
    """The rules of one layer.

    Args:
        limits: as in the section.
        messages: as in the section.
        costs: as in the section.
        refunds: as in the section.
        exempt: as in the section.
        exempt_clients: as in the section.
        algorithm: as in the section.
        stage: which rules to take: `client` for those that can be judged before anybody is authenticated,
            `principal` for the others.
        key: of hashes.
        policy: writes RateLimit-Policy.
        desk: makes what decides about a key at once; None where nothing can.

    Attributes:
        everything: what counts for every request, if that is the same for all.
        exempt_paths: paths that are not counted, whatever the method.
        stage: which rules there are; `all` only where both kinds are.
        is_empty: whether no request and no message is limited.

    Raises:
        SettingsError: a callable cannot be imported.
    """

    def __init__(
        self,
        *,
        limits: str,
        messages: str,
        costs: str,
        refunds: str,
        exempt: str,
        exempt_clients: tuple[Network, ...],
        algorithm: Algorithm,
        stage: Stage,
        key: bytes,
        policy: Callable[[Iterable[Quota]], bytes],
        desk: Callable[[tuple[Quota, ...]], Callable[[str], Decision]] | None = None,
    ) -> None:
        self._algorithm = algorithm
        self._key = key
        self._policy = policy
        self._desk = desk
        rules_of_all = (*parse_targets(limits), *parse_targets(messages))
        self.stage: Stage = "client" if stage == "all" and not of_stage(rules_of_all, "principal") else stage
        self._stages = [
            widened((target.rule, self._kept(target)) for target in targets)
            for targets in self._read(limits, stage)
        ]
        self._messages = [
            widened(
                (target.rule, plan_of(target, key, algorithm, setting_name("messages"), OF_MESSAGES))
                for target in targets
            )
            for targets in self._read(messages, stage)
        ]
        # Most people limit everything alike, and then nothing has to be looked for.
        rule, kept = self._stages[0][0] if len(self._stages) == 1 else (None, None)
        self.everything = kept if rule and rule.target == (frozenset(), "") else None
        rules = parse_paths(exempt, "/livez")
        self.exempt_paths = frozenset(
            rule.path for rule in rules if not rule.methods and not rule.path.endswith("*")
        )
        self._exempt_rules = tuple(rule for rule in rules if rule.path not in self.exempt_paths)
        self._exempt_clients = exempt_clients
        self.costs = Costs(parse_costs(costs), setting_name("costs")) if costs else None
        self._refunds = widened(parse_refunds(refunds))
        # One that is about OPTIONS only by being about every method leaves preflights to what they ask for.
        self._names_options = any("OPTIONS" in rule.methods for stage in self._stages for rule, _ in stage)
        self.is_empty = not self._stages and not self._messages
        self.has_exemptions = bool(self._exempt_rules or exempt_clients)

    def find(self, method: str, path: str) -> Kept | None:
        """What counts for a request: the first target that fits, of each stage.

        A path that routers read in several ways belongs to the target of each of them.
        """
        return _all(self._fitting(method, path))

    def find_preflights(self, asked: str, path: str) -> Kept | None:
        """What counts for a preflight: that of the request it asks for, and rules that name OPTIONS.

        Args:
            asked: the method that is asked for, which anybody can make up.
            path: as the router sees it.
        """
        if self.everything is not None:
            return self.everything.preflights
        found = self._fitting(asked, path)
        if self._names_options or not found:
            found += [kept for kept in self._fitting("OPTIONS", path) if kept not in found]
        return _all([kept.preflights for kept in found if kept.preflights is not None])

    def messages(self, method: str, path: str) -> Plan | None:
        """What messages take over a WebSocket whose handshake this is."""
        found = None
        for targets in self._messages:
            for plan in first_fits(targets, method, path):
                if plan is not None:
                    found = plan if found is None else found.and_also(plan)
        return found

    def refunded(self, method: str, path: str) -> frozenset[int]:
        """The status codes for which a request gets back what it took, however its path is read."""
        if not self._refunds:
            return NO_STATUSES
        first, *others = (found or NO_STATUSES for found in first_fits(self._refunds, method, path))
        return first.intersection(*others)

    def exempts(self, client: str | None, method: str, path: str) -> bool:
        """Whether a request is not counted, for what `exempt_paths` does not say."""
        if any(rule.applies(method, path) for rule in self._exempt_rules) and is_unambiguous(path):
            return True
        if not self._exempt_clients or client is None:
            return False
        try:
            address = ip_address(client)
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._exempt_clients)

    def _fitting(self, method: str, path: str) -> list[Kept]:
        return [
            kept for targets in self._stages for kept in first_fits(targets, method, path) if kept is not None
        ]

    def _read(self, text: str, stage: Stage) -> list[tuple[Target, ...]]:
        """The targets of each stage: a rule by principal does not stand in front of one that is not."""
        targets = parse_targets(text, self._algorithm)
        stages = (of_stage(targets, "client"), of_stage(targets, "principal"))
        wanted = {"all": stages, "client": stages[:1], "principal": stages[1:]}[stage]
        return [found for found in wanted if found]

    def _kept(self, target: Target, prefix: str = "") -> Kept:
        plan = plan_of(target, self._key, self._algorithm, setting_name("limits"), prefix)
        label, quotas = plan.quick or ("", None)
        asked_before = None if prefix else of_preflights(target)
        return Kept(
            plan=plan,
            key=_keys(label),
            decide=self._desk(quotas) if self._desk and quotas else None,
            policy=self._policy(quotas) if quotas else b"",
            standing=standing_form(quotas or ()),
            preflights=None if asked_before is None else self._kept(asked_before, OF_PREFLIGHTS),
        )


def _all(found: list[Kept]) -> Kept | None:
    """What counts where several targets fit, each of which is there once."""
    if len(found) < 2:
        return found[0] if found else None
    plan = found[0].plan
    for kept in found[1:]:
        plan = plan.and_also(kept.plan)
    return found[0]._replace(plan=plan, decide=None)


def _keys(label: str) -> Callable[[str | None], str]:
    """What is counted for a client; that of some thousands is remembered, and with it its hash."""

    @lru_cache(maxsize=4096)
    def key(client: str | None) -> str:
        return f"{label} {network_of(client)}"

    return key
