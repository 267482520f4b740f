"""Finds out why a value does not fit a schema: the validator says so quickly and safely, but not why.

The errors that jsonschema-rs lists come with every error of every alternative, which takes time that is
exponential in the nesting of alternatives: seconds for a hundred bytes. This search asks it about one
definition after the other, goes on only where the answer is no, and stops when it knows enough or when it
has taken long enough.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from garrison.openapi.enumerations import LOOKED_UP
from garrison.openapi.faults import At, distance, fault, types_wanted
from garrison.openapi.keywords import ASSERTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from garrison.openapi.faults import Fault
    from garrison.openapi.schemas import Schema

# Schemas that are looked into for one value, and seconds that it may take; whichever is reached first.
MAX_STEPS: Final = 20_000
MAX_SECONDS: Final = 0.05

# What a single one of them is charged with at most, so that ten are looked into at any rate: a garbage
# collection that falls into it takes longer in a large process, and is no reason to tell a client less.
MAX_STEP_SECONDS: Final = MAX_SECONDS / 10

# Alternatives within alternatives are explained so far; more deeply only that they do not fit.
MAX_ALTERNATIVES: Final = 3

# What means something without the keywords around it.
_ALONE: Final = ASSERTIONS.keys() - {"maxContains", "minContains"} | {LOOKED_UP}


class ExhaustedError(Exception):
    """A search has taken long enough."""


class Search:
    """Why one value does not fit.

    Args:
        definitions: of the schemas.
        fits: whether a value fits a definition, by its key.
        holds: whether a value fits one keyword without subschemas.
        limit: of faults to find.
        clock: seconds that pass.
    """

    def __init__(
        self,
        definitions: dict[str, Schema | bool],
        fits: Callable[[str, object], bool],
        holds: Callable[[str, object, object], bool],
        limit: int,
        clock: Callable[[], float],
    ) -> None:
        self._definitions = definitions
        self._fits = fits
        self._holds = holds
        self._limit = limit
        self._clock = clock
        self._steps = 0
        self._spent = 0.0
        self._looked = clock()
        self._alternatives = 0
        self._deepest = At()
        self._explained: dict[tuple[str, int, At], Fault] = {}
        self._appliers: dict[str, Callable[[Schema, Any, object, At], Iterator[Fault]]] = {
            "$ref": self._reference,
            "additionalProperties": self._additional,
            "allOf": self._all,
            "anyOf": self._any_of,
            "contains": self._contains,
            "dependentSchemas": self._dependent,
            "if": self._if,
            "items": self._items,
            "not": self._not,
            "oneOf": self._one_of,
            "patternProperties": self._patterns,
            "prefixItems": self._prefix,
            "properties": self._properties,
            "propertyNames": self._names,
            "required": self._required,
        }

    def faults(self, key: str, value: object) -> list[Fault]:
        """Why a value does not fit a definition; at least one reason.

        Args:
            key: of a definition that it does not fit.
            value: that is not changed.
        """
        found: list[Fault] = []
        try:
            for one in self._definition(key, value, At()):
                if one not in found:
                    found.append(one)
                if len(found) >= self._limit:
                    break
        except (ExhaustedError, RecursionError):
            if not found:
                found.append(fault(self._deepest, "schema", None))
        return found

    def _definition(self, key: str, value: object, at: At) -> Iterator[Fault]:
        """Why a value does not fit a definition of which it is known that it does not."""
        schema = self._definitions[key]
        explained = None
        if not self._alternatives:
            self._deepest = at
            # Schemas that hold together may lead to the same one, and each time to twice as many.
            explained = self._explained.get((key, id(value), at))
            if explained is not None:
                yield explained
                return
        if self._alternatives <= MAX_ALTERNATIVES:
            for one in self._schema(schema, value, at):
                if explained is None:
                    explained = one
                    if not self._alternatives:
                        self._explained[key, id(value), at] = one
                yield one
        if explained is None:
            # Only the definition as a whole knows what was evaluated, and where a dynamic reference led.
            present = () if isinstance(schema, bool) else schema
            rule = next(
                (rule for rule in ("unevaluatedProperties", "unevaluatedItems") if rule in present), "schema"
            )
            yield fault(at, rule, None)

    def _schema(self, schema: object, value: object, at: At) -> Iterator[Fault]:
        self._step()
        if not isinstance(schema, dict):
            if schema is False:
                yield fault(at, "false", None)
            return
        for keyword, argument in schema.items():
            applier = self._appliers.get(keyword)
            if applier is not None:
                yield from applier(schema, argument, value, at)
            elif keyword in _ALONE and not self._holds(keyword, argument, value):
                yield fault(at, "enum" if keyword == LOOKED_UP else keyword, argument)

    def _step(self) -> None:
        self._steps += 1
        now = self._clock()
        self._spent += min(now - self._looked, MAX_STEP_SECONDS)
        self._looked = now
        if self._steps > MAX_STEPS or self._spent > MAX_SECONDS:
            raise ExhaustedError

    def _is_match(self, pattern: str, name: str) -> bool:
        self._step()
        return self._holds("pattern", pattern, name)

    def _is_fit(self, schema: object, value: object) -> bool:
        """Whether a value fits a subschema."""
        if isinstance(schema, dict) and len(schema) == 1 and "$ref" in schema:
            return self._fits(_key(schema["$ref"]), value)
        # Why it does not is of no interest, nor where that was.
        self._alternatives += 1
        try:
            return next(self._schema(schema, value, At()), None) is None
        finally:
            self._alternatives -= 1

    def _reference(self, _: Schema, argument: Any, value: object, at: At) -> Iterator[Fault]:
        key = _key(argument)
        if not self._fits(key, value):
            yield from self._definition(key, value, at)

    def _required(self, _: Schema, argument: Any, value: object, at: At) -> Iterator[Fault]:
        if isinstance(value, dict):
            for name in argument:
                if name not in value:
                    yield fault(at.below(name), "required", name)

    def _all(self, _: Schema, argument: Any, value: object, at: At) -> Iterator[Fault]:
        for member in argument:
            yield from self._schema(member, value, at)

    def _any_of(self, _: Schema, argument: Any, value: object, at: At) -> Iterator[Fault]:
        return self._alternatives_of("anyOf", argument, value, at)

    def _one_of(self, _: Schema, argument: Any, value: object, at: At) -> Iterator[Fault]:
        return self._alternatives_of("oneOf", argument, value, at)

    def _alternatives_of(self, keyword: str, members: list[object], value: object, at: At) -> Iterator[Fault]:
        """What is wrong with the alternative that the value is nearest to, if there is one."""
        fitting = 0
        failed: list[list[Fault]] = []
        self._alternatives += 1
        try:
            for member in members:
                faults = list(islice(self._schema(member, value, at), self._limit))
                if faults:
                    failed.append(faults)
                else:
                    fitting += 1
        finally:
            self._alternatives -= 1
        if fitting == 1 or (fitting and keyword == "anyOf"):
            return
        if fitting:
            yield fault(at, keyword, None, said="oneOf several")
            return
        distances = [distance(faults, at) for faults in failed]
        if distances.count(min(distances)) > 1:
            types = types_wanted(failed, at)
            yield fault(at, "type", types) if types else fault(at, keyword, None)
        else:
            yield from failed[distances.index(min(distances))]

    def _not(self, _: Schema, argument: Any, value: object, at: At) -> Iterator[Fault]:
        if self._is_fit(argument, value):
            # A property that this direction may not have.
            rule = argument.get("$comment", "not") if isinstance(argument, dict) else "not"
            yield fault(at, rule, None)

    def _if(self, schema: Schema, argument: Any, value: object, at: At) -> Iterator[Fault]:
        branch = "then" if self._is_fit(argument, value) else "else"
        if branch in schema:
            yield from self._schema(schema[branch], value, at)

    def _dependent(self, _: Schema, argument: Any, value: object, at: At) -> Iterator[Fault]:
        if isinstance(value, dict):
            for name, member in argument.items():
                if name in value:
                    yield from self._schema(member, value, at)

    def _properties(self, _: Schema, argument: Any, value: object, at: At) -> Iterator[Fault]:
        if isinstance(value, dict):
            for name, member in argument.items():
                if name in value:
                    yield from self._schema(member, value[name], at.below(name))

    def _patterns(self, _: Schema, argument: Any, value: object, at: At) -> Iterator[Fault]:
        if isinstance(value, dict):
            for pattern, member in argument.items():
                for name in value:
                    if self._is_match(pattern, name):
                        yield from self._schema(member, value[name], At(at.pointer, member=True))

    def _additional(self, schema: Schema, argument: Any, value: object, at: At) -> Iterator[Fault]:
        if not isinstance(value, dict) or argument is True:
            return
        declared: Any = schema.get("properties", {})
        patterns: Any = schema.get("patternProperties", {})
        for name in value:
            if name in declared or any(self._is_match(pattern, name) for pattern in patterns):
                continue
            if argument is False:
                yield fault(at, "additionalProperties", declared)
                return
            yield from self._schema(argument, value[name], At(at.pointer, member=True))

    def _names(self, _: Schema, argument: Any, value: object, at: At) -> Iterator[Fault]:
        if isinstance(value, dict) and not all(self._is_fit(argument, name) for name in value):
            yield fault(at, "propertyNames", None)

    def _items(self, schema: Schema, argument: Any, value: object, at: At) -> Iterator[Fault]:
        if isinstance(value, list):
            before: Any = schema.get("prefixItems", ())
            for index in range(len(before), len(value)):
                yield from self._schema(argument, value[index], at.below(index))

    def _prefix(self, _: Schema, argument: Any, value: object, at: At) -> Iterator[Fault]:
        if isinstance(value, list):
            for index, (member, one) in enumerate(zip(argument, value, strict=False)):
                yield from self._schema(member, one, at.below(index))

    def _contains(self, schema: Schema, argument: Any, value: object, at: At) -> Iterator[Fault]:
        if isinstance(value, list):
            fitting = sum(self._is_fit(argument, one) for one in value)
            least: Any = schema.get("minContains", 1)
            most: Any = schema.get("maxContains", fitting)
            if not least <= fitting <= most:
                yield fault(at, "contains", None)


def _key(reference: object) -> str:
    """The definition that a reference of the rewriter's leads to."""
    return str(reference).rpartition("/")[2]
