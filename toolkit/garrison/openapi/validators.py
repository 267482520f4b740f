"""Checks values against all schemas of one direction, with one validator."""

from __future__ import annotations

from time import thread_time
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import jsonschema_rs

from garrison.openapi.enumerations import LOOKED_UP, Enumeration
from garrison.openapi.explaining import Search
from garrison.openapi.formats import FUNCTIONS
from garrison.openapi.model import DocumentError, Violation
from garrison.openapi.patterns import mistake_in
from garrison.openapi.places import quoted
from garrison.openapi.uniqueness import UniqueItems

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.openapi.definitions import Compound
    from garrison.openapi.model import Location

Regexes: TypeAlias = Literal["linear", "backtracking"]
"""Which engine runs the patterns of a document: one that is linear in the text, or one that knows lookaround
and back-references, and takes a text that costs it too much for one that does not match."""

MAX_VIOLATIONS: Final = 20

# Validators for single keywords are kept while they are few.
MAX_KEPT: Final = 1_000

_BACKTRACKS: Final = 100_000

# Bytes that one pattern may use to remember states. With the engine's own 2 MiB a pattern such as
# `\p{L}{50,100}` has none of them ready, and takes a second for a megabyte.
_STATES: Final = 8 * 1024 * 1024

_ENCODING: Final = "Must be text that can be written in UTF-8."
_SYNTAX: Final = "Must be a value of JSON."


class Validators:
    """The schemas of one direction, compiled.

    One validator knows them all: compiled one by one, those of a large document that refer to each other take
    seconds and gigabytes.

    Args:
        compound: the schemas.
        regexes: which engine runs patterns.
        clock: seconds that pass; for the time that may be taken to explain what is wrong.

    Raises:
        DocumentError: one of them is no schema, or has a pattern that the engine does not know.
    """

    __slots__ = ("_clock", "_definitions", "_is_valid", "_kept", "_regexes")

    def __init__(
        self, compound: Compound, *, regexes: Regexes = "linear", clock: Callable[[], float] = thread_time
    ) -> None:
        self._definitions = compound.definitions
        self._regexes = regexes
        self._clock = clock
        self._kept: dict[tuple[str, int], tuple[object, jsonschema_rs.Validator]] = {}
        self._is_valid = self._compiled(compound).is_valid

    def check(
        self, key: str, value: object, location: Location, limit: int = MAX_VIOLATIONS
    ) -> tuple[Violation, ...]:
        """What is wrong with a value; empty where it fits.

        Args:
            key: of the schema.
            value: of JSON, at most a few hundred levels deep.
            location: the part of the request that it is from.
            limit: of violations.
        """
        try:
            if self._is_valid({key: value}):
                return ()
            faults = Search(self._definitions, self._fits, self._holds, limit, self._clock).faults(key, value)
        except UnicodeEncodeError:
            # JSON can write half of a surrogate pair, which is no character (RFC 8259 section 8.2).
            return (Violation(location, "", "encoding", _ENCODING),)
        except (ValueError, RecursionError):
            return (Violation(location, "", "syntax", _SYNTAX),)
        return tuple(Violation(location, fault.at.pointer, fault.rule, fault.detail) for fault in faults)

    def fits(self, values: dict[str, object]) -> bool:
        """Whether several values are valid, each by its own schema.

        Args:
            values: by the key of the schema, as for `check`.
        """
        try:
            return self._is_valid(values)
        except (ValueError, RecursionError):
            return False

    def _fits(self, key: str, value: object) -> bool:
        return self._is_valid({key: value})

    def _holds(self, keyword: str, argument: object, value: object) -> bool:
        """Whether one keyword holds, by the validator's own lights."""
        known = self._kept.get((keyword, id(argument)))
        if known is None:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            # With the argument, so that its id is not that of another one later.
            known = (argument, self._validator({keyword: argument}))
            self._kept[keyword, id(argument)] = known
        return known[1].is_valid(value)

    def _validator(self, schema: dict[str, object]) -> jsonschema_rs.Validator:
        options: jsonschema_rs.RegexOptions | jsonschema_rs.FancyRegexOptions
        if self._regexes == "linear":
            options = jsonschema_rs.RegexOptions(dfa_size_limit=_STATES)
        else:
            options = jsonschema_rs.FancyRegexOptions(backtrack_limit=_BACKTRACKS)
        return jsonschema_rs.Draft202012Validator(
            schema,
            formats=dict(FUNCTIONS),
            validate_formats=True,
            keywords={"uniqueItems": UniqueItems, LOOKED_UP: Enumeration},
            offline=True,
            pattern_options=options,
        )

    def _compiled(self, compound: Compound) -> jsonschema_rs.Validator:
        try:
            return self._validator(compound.schema)
        except ValueError as error:
            self._refuse_patterns(compound.patterns)
            if not isinstance(error, jsonschema_rs.ValidationError):
                # It counts levels, and does not say of what.
                raise DocumentError("", "schemas that are nested less deeply", str(error)[:200]) from None
            # The path is that of the rewritten schema, of which the definition is where it was.
            _, key, *path = [*map(str, error.instance_path), "", ""]
            where = compound.places.get(key, "")
            found = f"{error.message[:200]} at {'/'.join(path).strip('/')}"
            raise DocumentError(where, "a schema that can be compiled", found) from None

    def _refuse_patterns(self, patterns: dict[str, str]) -> None:
        """Say which patterns are the reason, and all of them at once."""
        expected = "a regular expression"
        limits = ""
        if self._regexes == "linear":
            limits = " without lookaround and back-references, and of a size that fits into memory"
        errors = []
        for pattern, where in patterns.items():
            try:
                self._validator({"pattern": pattern})
            except ValueError:
                mistake = mistake_in(pattern)
                found = f"{quoted(pattern[:120])}{mistake and f': {mistake}'}"
                errors.append(DocumentError(where, expected if mistake else expected + limits, found))
        if errors:
            first, *others = errors
            raise DocumentError(first.pointer, first.expected, first.found, others=tuple(others))
