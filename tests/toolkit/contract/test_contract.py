"""Every middleware class, and the whole stack, keep every clause of the contract."""

from __future__ import annotations

import pytest

from tests.toolkit.contract import cancellation, hostility, isolation, transparency
from tests.toolkit.contract.clauses import CLAUSES, Clause
from tests.toolkit.contract.subjects import SUBJECTS, Subject

# Imported for the clauses that they put on the list.
assert {cancellation, hostility, isolation, transparency}


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
def test_a_layer_keeps_the_contract(clause: Clause, subject: Subject) -> None:
    """What the clause's own docstring says holds for the layer."""
    clause(subject)
