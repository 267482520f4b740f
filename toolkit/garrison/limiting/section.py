"""What the section about quotas is checked for, beyond the types of its fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.ratelimit.storage import check_storage
from garrison.rules import NotationError
from garrison.settings import Problem, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from garrison.ratelimit.quota import Algorithm, Quota
    from garrison.ratelimit.targets import Target

HASHES: Final = "Values of headers and principals are stored as hashes, which all processes must make alike."
PARTITIONS: Final = "Clients are told whose quota is meant by a hash, which all processes must make alike."


def check_notations(section: object, **parsers: Callable[[str], object]) -> None:
    """Read fields that hold rules, only to see whether they can be read.

    Args:
        section: the section.
        parsers: by the name of the field.

    Raises:
        SettingsError: with one problem for each field that cannot be read.
    """
    problems = []
    for name, parse in parsers.items():
        try:
            parse(getattr(section, name))
        except NotationError as error:
            field = f"{type(section).__name__}.{name}"
            problems.append(Problem(name=field, expected=error.expected, found=error.found))
    if problems:
        raise SettingsError(problems)


def check_store(
    section: str,
    url: str,
    algorithm: Algorithm,
    *,
    refunds: bool,
    penalty: float | None,
    quotas: Mapping[str, Sequence[Quota]],
) -> None:
    """Refuse a storage that cannot be used, without connecting to it.

    Args:
        section: the name of the section.
        url: of the storage.
        algorithm: of all quotas.
        refunds: whether units are to be given back.
        penalty: seconds for which clients are to be blocked; None if they are not.
        quotas: those that are known, by the name of their field.

    Raises:
        SettingsError: naming the fields that do not fit.
    """
    try:
        longest = check_storage(url, algorithm, refunds=refunds, penalty=penalty is not None)
    except NotationError as error:
        fields = {algorithm: "algorithm", "refunds": "refunds", "penalty": "penalty"}
        about = fields.get(error.found, "storage")
        found = None if about in {"refunds", "penalty"} else error.found
        hint = _nearest(url) if about == "storage" else ""
        raise SettingsError(
            [Problem(name=f"{section}.{about}", expected=error.expected, found=found, hint=hint)]
        ) from None
    except ModuleNotFoundError as error:
        text = str(error)
        problem = Problem(
            name=f"{section}.storage",
            expected="a storage whose client is installed",
            hint=f"{text[:1].upper()}{text[1:]}",
        )
        raise SettingsError([problem]) from None
    too_long = [
        (field, quota.name) for field, some in quotas.items() for quota in some if quota.period > longest
    ]
    if penalty is not None and penalty > longest:
        too_long.append(("penalty", f"{penalty:g}s"))
    if too_long:
        expected = f"at most {longest // 86_400:g} days, because the storage keeps nothing for longer"
        raise SettingsError(
            Problem(name=f"{section}.{field}", expected=expected, found=found) for field, found in too_long
        )


def _nearest(url: str) -> str:
    from garrison.ratelimit.stores import nearest_scheme  # noqa: PLC0415 - its clients take a while to import

    nearest = nearest_scheme(url)
    return f"Did you mean {nearest}://?" if nearest else ""


def setting_name(field: str) -> str:
    """How a field of the section is called where it may come from the environment or from code.

    Args:
        field: such as `limits`.
    """
    return f"GARRISON_RATE_LIMIT_{field.upper()} (RateLimit.{field})"


def reason_for_secret(targets: Iterable[Target], *, partition_key: bool) -> str:
    """Why processes that share counts must share a secret too; empty where they need none.

    Args:
        targets: of all rules.
        partition_key: whether clients are told hashes.
    """
    if any(grant.identity.has_secrets for target in targets for grant in target.grants):
        return HASHES
    return PARTITIONS if partition_key else ""
