"""The whole corpus, group by group."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tests.hostile.codings import coded
from tests.hostile.contracts import contracts
from tests.hostile.credentials import credentials, sound
from tests.hostile.framings import heads, lengths, sizes
from tests.hostile.innocent import innocent
from tests.hostile.json_texts import deep, malformed, odd
from tests.hostile.multipart import multiparts
from tests.hostile.naughty import naughty
from tests.hostile.paths import paths, queries

if TYPE_CHECKING:
    from tests.hostile.case import Case


@cache
def corpus() -> tuple[Case, ...]:
    """Every case; always the same, in the same order."""
    groups = (
        malformed, deep, odd, coded, lengths, sizes, heads, paths, queries, multiparts, naughty, sound,
        credentials, contracts, innocent,
    )  # fmt: skip
    return tuple(case for group in groups for case in group())
