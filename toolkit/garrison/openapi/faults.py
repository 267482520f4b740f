"""Reasons why a value does not fit, and which of several sets of them is the smaller one."""

from __future__ import annotations

from typing import NamedTuple

from garrison.openapi.places import escape
from garrison.openapi.sentences import sentence


class At(NamedTuple):
    """Where a value is.

    Attributes:
        pointer: to it, or to the last value around it of which the document has the name.
        member: whether the document does not have its name, or that of something around it.
    """

    pointer: str = ""
    member: bool = False

    def below(self, token: str | int) -> At:
        """Where a member is that the document knows."""
        return self if self.member else At(f"{self.pointer}/{escape(str(token))}")


class Fault(NamedTuple):
    """One reason why a value does not fit.

    Attributes:
        at: the value.
        rule: the keyword that does not hold.
        detail: what it demands.
        argument: what the schema has there.
    """

    at: At
    rule: str
    detail: str
    argument: object = None


def fault(at: At, rule: str, argument: object, said: str = "") -> Fault:
    """Put into words that a keyword does not hold.

    Args:
        at: the value.
        rule: the keyword.
        argument: what the schema has there.
        said: the sentence for it, where that of the keyword is not the right one.
    """
    return Fault(at, rule, sentence(said or rule, argument, member=at.member), argument)


def types_wanted(alternatives: list[list[Fault]], at: At) -> list[object]:
    """The types of which a value would have to be, where nothing else is wrong with any alternative.

    Args:
        alternatives: why it does not fit each of them.
        at: the value.

    Returns:
        Their names, each once; none where more than the type is wrong.
    """
    wanted: dict[object, None] = {}
    for faults in alternatives:
        if len(faults) > 1 or faults[0].rule != "type" or faults[0].at != at:
            return []
        argument = faults[0].argument
        wanted.update(dict.fromkeys(argument if isinstance(argument, list) else [argument]))
    return list(wanted)


def distance(faults: list[Fault], at: At) -> tuple[bool, int, int]:
    """How far a value is from an alternative: one of another type is meant for another one.

    Args:
        faults: why it does not fit.
        at: the value.
    """
    mistaken = any(fault.rule == "type" and fault.at == at for fault in faults)
    tags = sum(fault.rule in {"const", "enum"} for fault in faults)
    return (mistaken, tags, len(faults))
