"""Shapes of schemas that hold together, or of which one holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from garrison.openapi.keywords import TYPES
from garrison.openapi.model import Shape

ANY: Final = Shape(types=TYPES)
NOTHING: Final = Shape(types=frozenset())
NULL: Final = Shape(types=frozenset({"null"}))

# Combinations are kept while they are this few: clients choose which members are asked for.
MAX_KEPT: Final = 10_000


class Members(Mapping[str, Shape]):
    """Shapes that are found out when they are asked for.

    Schemas lead to each other: in a large document every shape has all the others within it, and few of them
    are ever read from text.

    Args:
        names: of the members.
        shape_of: finds out the shape of one.
    """

    __slots__ = ("_names", "_shape_of")

    def __init__(self, names: Iterable[str], shape_of: Callable[[str], Shape]) -> None:
        self._names = dict.fromkeys(names)
        self._shape_of = shape_of

    def __getitem__(self, name: str) -> Shape:
        if name not in self._names:
            raise KeyError(name)
        return self._shape_of(name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Either(Shape):
    """A shape that knows of which others it is made, so that nothing is in it twice."""

    parts: tuple[Shape, ...]


class Combinations:
    """Combines shapes, the same ones once."""

    def __init__(self) -> None:
        # With the parts, so that their ids are not those of others later.
        self._kept: dict[tuple[str, tuple[int, ...]], tuple[tuple[Shape, ...], Shape]] = {}

    def both(self, one: Shape, other: Shape) -> Shape:
        """The shape of what fits both of two.

        Args:
            one: of them.
            other: of them.
        """
        if one is ANY or one is other:
            return other
        return one if other is ANY else self._once("both", (one, other), self._both)

    def either(self, shapes: Iterable[Shape]) -> Shape:
        """The shape of what fits one of several.

        Args:
            shapes: of them, of which those that nothing fits do not count.
        """
        parts: dict[int, Shape] = {}
        for shape in shapes:
            for part in shape.parts if isinstance(shape, _Either) else (shape,):
                if part.types:
                    parts[id(part)] = part
        if not parts:
            return NOTHING
        several = tuple(parts.values())
        return several[0] if len(several) == 1 else self._once("either", several, self._either)

    def _once(
        self, how: str, parts: tuple[Shape, ...], combine: Callable[[tuple[Shape, ...]], Shape]
    ) -> Shape:
        key = (how, tuple(map(id, parts)))
        known = self._kept.get(key)
        if known is None:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            known = (parts, combine(parts))
            self._kept[key] = known
        return known[1]

    def _both(self, parts: tuple[Shape, ...]) -> Shape:
        one, other = parts
        some, others = one.properties, other.properties

        def member(name: str) -> Shape:
            if name in some and name in others:
                return self.both(some[name], others[name])
            return some[name] if name in some else others[name]

        lengths = [shape.longest for shape in parts if shape.longest is not None]
        return Shape(
            types=common(one.types, other.types),
            items=self._each(one.items, other.items),
            properties=Members([*some, *others], member) if some and others else some or others,
            additional=self._each(one.additional, other.additional),
            closed=one.closed or other.closed,
            required=one.required | other.required,
            binary=one.binary or other.binary,
            longest=min(lengths, default=None),
        )

    def _each(self, one: Shape | None, other: Shape | None) -> Shape | None:
        if one is None or other is None:
            return one or other
        return self.both(one, other)

    def _either(self, parts: tuple[Shape, ...]) -> Shape:
        objects = [shape for shape in parts if "object" in shape.types]
        strings = [shape for shape in parts if "string" in shape.types]
        lengths = [shape.longest for shape in strings]
        names = [name for shape in parts for name in shape.properties]

        def member(name: str) -> Shape:
            return self.either(shape.properties[name] for shape in parts if name in shape.properties)

        return _Either(
            types=frozenset().union(*(shape.types for shape in parts)),
            items=self._any_of([shape.items for shape in parts if "array" in shape.types]),
            properties=Members(names, member) if names else {},
            additional=self._any_of([shape.additional for shape in objects if not shape.closed]),
            closed=bool(objects) and all(shape.closed for shape in objects),
            required=frozenset.intersection(*(shape.required for shape in objects))
            if objects
            else frozenset(),
            binary=bool(strings) and all(shape.binary for shape in strings),
            longest=None if None in lengths else max((length or 0 for length in lengths), default=None),
            parts=parts,
        )

    def _any_of(self, shapes: list[Shape | None]) -> Shape | None:
        """The shape of members; None, where nothing is said, as soon as one part says nothing."""
        known = [shape for shape in shapes if shape is not None]
        return self.either(known) if known and len(known) == len(shapes) else None


def common(some: frozenset[str], others: frozenset[str]) -> frozenset[str]:
    """Types that both sides allow, where an integer is a number too."""
    if (some & {"integer", "number"}) and (others & {"integer", "number"}) and "integer" in some | others:
        return (some & others) | {"integer"}
    return some & others
