"""Generated requests against an app that is held to its document, judged by another reader of it."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from tests.integration.contract_example import FOLDER, Example, let_in, sent_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.integration.contract_judge import Sent

# For each of the six operations, each way.
EXAMPLES: Final = 1000 if os.environ.get("PROOF") == "1" else 40
SCHEMA: Final = schemathesis.openapi.from_path(FOLDER / "openapi.yaml")
OPERATIONS: Final = [each.ok() for each in SCHEMA.get_all_operations() if isinstance(each, Ok)]


pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def example() -> Example:
    """The hardened example."""
    return Example()


def generated(operation: Any, mode: GenerationMode) -> Iterable[Sent]:
    """What schemathesis makes of an operation."""
    found: list[Sent] = []

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def collect(case: Any) -> None:
        found.append(sent_of(case.as_transport_kwargs(base_url="http://shop.example")))

    collect()
    return found


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.label)
def test_what_is_generated_as_valid_is_let_in(example: Example, operation: Any) -> None:
    """No request that keeps the document is refused, with the credentials that it needs."""
    for made in generated(operation, GenerationMode.POSITIVE):
        sent = example.identified(made)
        assert example.judge.verdict(sent) == "valid", sent
        reply = example.ask(sent)
        assert let_in(reply), (sent, reply.body)
        assert reply.status < 500


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.label)
def test_what_is_generated_as_invalid_is_judged_right(example: Example, operation: Any) -> None:
    """What is refused breaks the document, what is let in keeps it, and nothing is a failure."""
    judged: Counter[str] = Counter()
    for made in generated(operation, GenerationMode.NEGATIVE):
        for sent in (made, example.identified(made)):
            reply = example.ask(sent)
            verdict = example.judge.verdict(sent)
            assert reply.status < 500, sent
            assert verdict == "disputed" or let_in(reply) == (verdict == "valid"), (sent, reply.body)
            judged[verdict] += 1
    assert judged["invalid"] >= EXAMPLES // 4
    assert judged["disputed"] <= judged["invalid"]
