"""What an object holds, as a value that can be compared before and after a request."""

from __future__ import annotations

from types import FunctionType, MethodType
from typing import Any

from garrison.buffer_budget import BufferBudget
from garrison.contracting.telling import Teller
from garrison.draining import Drain
from garrison.lifecycle import Lifecycle
from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.outcomes import Outcomes
from garrison.shedding.gate import Gate
from garrison.shedding.lag import LoopLag
from garrison.shedding.pulse import Pulse
from garrison.timing.sweep import Sweeps

# What a store counts belongs to its clients; and what metrics and budgets count, what was told lately, what
# is under way and what is looked at together, to the process.
LEDGERS = (BufferBudget, Drain, Gate, Lifecycle, LoopLag, MemoryStore, Outcomes, Pulse, Sweeps, Teller)

# When a layer last looked for an SDK, and whether it found one: of the process, and not of a request.
ASKED = {"_ask_again", "_spans", "measures"}


def state_of(value: Any, depth: int = 12) -> object:
    """Everything below a layer that could change: attributes, slots, items, and what closures hold.

    Objects of other packages, functions that cache and stores of quotas are told by their identity.

    Args:
        value: a layer, or what was found on one.
        depth: how far to go.
    """
    if isinstance(value, str | bytes | int | float | bool | type(None)):
        return value
    if depth == 0 or isinstance(value, LEDGERS):
        return id(value)
    if isinstance(value, dict):
        return {repr(key): state_of(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [state_of(item, depth - 1) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(repr(item) for item in value)
    if isinstance(value, MethodType):
        return value.__name__, state_of(value.__self__, depth - 1)
    if isinstance(value, FunctionType) or not type(value).__module__.startswith(("garrison", "tests.")):
        return id(value)
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    found = {name: state_of(getattr(value, name), depth - 1) for name in slots if hasattr(value, name)}
    found.update({name: state_of(item, depth - 1) for name, item in getattr(value, "__dict__", {}).items()})
    return type(value).__name__, {name: item for name, item in found.items() if name not in ASKED}
