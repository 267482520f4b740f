"""The style `deepObject`: `filter[size][min]=3`, with what clients have made of it for lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from garrison.openapi.percent import UnreadableError
from garrison.openapi.primitives import ANYTHING, SCALARS, member_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from garrison.openapi.model import Parameter, Shape
    from garrison.openapi.primitives import Tree

KEYS: Final = re.compile(r"\[([^\[\]]*)\]")
BRACKETS: Final = re.compile(r"(?:\[[^\[\]]*\])+")
INDEX: Final = re.compile(r"0|[1-9][0-9]{0,4}")
# The specification stops at one; nobody writes as many as this.
DEEPEST: Final = 16

Node: TypeAlias = "list[bytes] | dict[str, Node]"
"""Values of one name, or what is below it."""


class DeepObject:
    """Members in brackets behind the parameter's name.

    The specification defines objects of scalars (OpenAPI 3.2 section 4.12.3). Objects within them are read in
    the one way there is, and lists in the three ways that clients use: `a[b]=1&a[b]=2`, `a[b][]=1&a[b][]=2`
    and `a[b][0]=1&a[b][1]=2`.

    Args:
        parameter: the parameter.
        decode: of its values.
    """

    __slots__ = ("_decode", "_name", "_shape")

    def __init__(self, parameter: Parameter, decode: Callable[[bytes], str]) -> None:
        self._name = parameter.name
        self._shape = parameter.shape
        self._decode = decode

    def __call__(self, pairs: Sequence[tuple[str, bytes]]) -> list[Tree]:
        """What the pairs stand for."""
        root: dict[str, Node] = {}
        for name, raw in pairs:
            keys = name[len(self._name) :]
            if keys and not BRACKETS.fullmatch(keys):
                raise UnreadableError("style", "has brackets that are not closed")
            _put(root, ["", *KEYS.findall(keys)], raw)
        return [self._tree(root[""], self._shape)]

    def _tree(self, node: Node, shape: Shape) -> Tree:
        types = shape.types
        if isinstance(node, list):
            if "array" in types and (len(node) > 1 or not types & SCALARS):
                return [self._decode(raw) for raw in node]
            if len(node) > 1:
                raise UnreadableError("repeated", "has a member that may not be repeated")
            if not types & SCALARS:
                raise UnreadableError("style", "has to name its members in brackets")
            return self._decode(node[0])
        if "array" in types and ("object" not in types or _is_list(node)):
            return self._items(node, shape.items or ANYTHING)
        if "object" not in types or "" in node:
            raise UnreadableError("style", "has brackets where there are no members")
        return {name: self._tree(member, member_of(shape, name)) for name, member in node.items()}

    def _items(self, node: dict[str, Node], items: Shape) -> list[Tree]:
        if set(node) == {""}:
            below = node[""]
            if isinstance(below, list):
                return [self._decode(raw) for raw in below]
            # Which members of `a[][b]=1&a[][c]=2` belong together is anybody's guess.
            return [self._tree(below, items)]
        order = sorted(node, key=lambda key: int(key) if INDEX.fullmatch(key) else -1)
        if order != [str(at) for at in range(len(order))]:
            raise UnreadableError("style", "has a list whose places are not numbered from 0 on")
        return [self._tree(node[key], items) for key in order]


def _is_list(node: dict[str, Node]) -> bool:
    return all(not key or INDEX.fullmatch(key) for key in node)


def _put(root: dict[str, Node], keys: list[str], raw: bytes) -> None:
    if len(keys) > DEEPEST:
        raise UnreadableError("style", "is nested too deep")
    *inner, last = keys
    node = root
    for key in inner:
        below = node.setdefault(key, {})
        if isinstance(below, list):
            raise UnreadableError("style", "has a member that is a value and an object at once")
        node = below
    held = node.setdefault(last, [])
    if not isinstance(held, list):
        raise UnreadableError("style", "has a member that is a value and an object at once")
    held.append(raw)
