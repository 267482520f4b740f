"""Path templates as a tree of segments, in which looking one up takes no longer the more there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison.openapi.model import Operation
    from garrison.openapi.templates import Segment, Template


class Leaf(NamedTuple):
    """An operation at the end of its template.

    Attributes:
        operation: the operation.
        template: its own, behind a prefix.
        before: how many variables the prefix has.
    """

    operation: Operation
    template: Template
    before: int = 0


class Node:
    """What can follow the segments so far."""

    __slots__ = ("leaves", "literals", "mixed", "variable")

    def __init__(self) -> None:
        self.literals: dict[bytes, Node] = {}
        self.mixed: list[tuple[Segment, Node]] = []
        self.variable: Node | None = None
        self.leaves: dict[str, Leaf] = {}

    def child(self, segment: Segment) -> Node:
        """The node behind a segment, made where there is none."""
        if segment.is_literal:
            node = self.literals.setdefault(segment.literals[0], Node())
            self.literals.setdefault(segment.written, node)
            return node
        if segment.is_variable:
            self.variable = self.variable or Node()
            return self.variable
        for known, node in self.mixed:
            if known.literals == segment.literals:
                return node
        node = Node()
        self.mixed.append((segment, node))
        self.mixed.sort(key=lambda entry: entry[0].concreteness, reverse=True)
        return node

    def find(self, segments: Sequence[bytes], method: str, at: int = 0) -> Leaf | None:
        """The first leaf that fits, what is more concrete being tried first.

        A node is at one depth only, so none is tried twice.
        """
        node = self
        for place in range(at, len(segments)):
            segment = segments[place]
            literal = node.literals.get(segment)
            variable = node.variable if segment else None
            if not node.mixed and (literal is None or variable is None):
                follower = literal or variable
                if follower is None:
                    return None
                node = follower
                continue
            for follower in node.followers(segment):
                found = follower.find(segments, method, place + 1)
                if found is not None:
                    return found
            return None
        return node.leaves.get(method)

    def methods(self, segments: Sequence[bytes], at: int = 0) -> set[str]:
        """The methods of all leaves that fit."""
        if at == len(segments):
            return set(self.leaves)
        return {
            method
            for follower in self.followers(segments[at])
            for method in follower.methods(segments, at + 1)
        }

    def followers(self, segment: bytes) -> Iterator[Node]:
        """The nodes behind a segment, the more concrete ones first."""
        literal = self.literals.get(segment)
        if literal is not None:
            yield literal
        for template, follower in self.mixed:
            if template.split(segment) is not None:
                yield follower
        if segment and self.variable is not None:
            yield self.variable


class PathTree:
    """Operations by their segments.

    A path that differs from a template by a slash at its end is taken for it where nothing else is: some
    frameworks (Litestar, Django) serve both alike, and for those that redirect the request is judged twice.
    """

    def __init__(self) -> None:
        self._root = Node()
        self._deepest = 0

    def add(self, leaf: Leaf, *, folded: bool) -> None:
        """Take an operation up; the first one of a method and path counts, and HEAD may be that of GET."""
        node = self._root
        for segment in leaf.template.segments:
            node = node.child(segment.folded if folded else segment)
        self._deepest = max(self._deepest, len(leaf.template.segments) + 1)
        method = leaf.operation.method
        known = node.leaves.get(method)
        if known is None or known.operation.method != method:
            node.leaves[method] = leaf
        if method == "GET":
            # RFC 9110 section 9.3.2; frameworks answer it with the same handler.
            node.leaves.setdefault("HEAD", leaf)

    def find(self, segments: list[bytes], method: str) -> Leaf | None:
        """The leaf for decoded segments."""
        if len(segments) > self._deepest:
            return None
        found = self._root.find(segments, method)
        return self._root.find(_twin(segments), method) if found is None else found

    def methods(self, segments: list[bytes]) -> frozenset[str]:
        """The methods of all leaves for decoded segments."""
        if len(segments) > self._deepest:
            return frozenset()
        return frozenset(self._root.methods(segments) | self._root.methods(_twin(segments)))


def _twin(segments: list[bytes]) -> list[bytes]:
    """The segments with a slash at their end, or without the one that is there."""
    return [*segments, b""] if segments[-1] else segments[:-1]
