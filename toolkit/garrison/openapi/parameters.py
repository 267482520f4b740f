"""The parameters of an operation: found in a request, read as they are declared, and validated."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from garrison.openapi.claims import Claims, cookie_pairs, query_pairs
from garrison.openapi.media_types import kind_of
from garrison.openapi.model import DocumentError, Violation
from garrison.openapi.one_parameter import ParameterReader
from garrison.openapi.percent import UnreadableError, decoded_form
from garrison.openapi.quick_parameters import QuickReader
from garrison.openapi.styles import WHOLE_QUERY
from garrison.openapi.templates import VARIABLE

if TYPE_CHECKING:
    from garrison.openapi.model import Head, Location, Operation, Parameter
    from garrison.openapi.styles import Pair
    from garrison.openapi.validators import Validators

# A client's developer fixes so many at once, and a hostile client gets no more.
MOST: Final = 20

UNREADABLE_NAME: Final = Violation(
    "query", "", "encoding", "A name in the query is not percent-encoded UTF-8."
)


class Values(NamedTuple):
    """What the parameters of a request stand for.

    Attributes:
        values: by location and name; a parameter that was not sent is not in it.
        violations: 20 at most; a parameter that is wrong has no value.
    """

    values: dict[Location, dict[str, object]]
    violations: tuple[Violation, ...]


class Reader:
    """Reads the parameters of one operation.

    Cookies and headers that are not declared pass: browsers and proxies send their own. Of a query they are
    refused, because a misspelt name would silently do nothing, unless the operation has an API key there.

    Args:
        operation: whose parameters these are.
        validators: of requests.
        unknown_query: what becomes of names in a query that the document does not have.

    Raises:
        DocumentError: a path parameter is declared that the template has no variable for.
    """

    __slots__ = (
        "_cookie_claims",
        "_cookies",
        "_headers",
        "_is_idle",
        "_is_whole",
        "_path",
        "_query",
        "_query_claims",
        "_quick",
        "_unknown",
    )

    def __init__(
        self,
        operation: Operation,
        validators: Validators,
        *,
        unknown_query: Literal["refuse", "pass"] = "refuse",
    ) -> None:
        by_location: dict[Location, list[Parameter]] = {"path": [], "query": [], "header": [], "cookie": []}
        for parameter in operation.parameters:
            by_location[parameter.location].append(parameter)
        self._path = _placed(operation, by_location["path"], validators)
        query = [_as_form(parameter) for parameter in by_location["query"]]
        whole = [parameter.name for parameter in query if parameter.name == WHOLE_QUERY]
        # Unless it is a form, there are no names in it.
        self._is_whole = any(parameter.content for parameter in query if parameter.name == WHOLE_QUERY)
        self._query = _readers(query, validators)
        keys = [need.scheme.parameter for needs in operation.security for need in needs]
        self._query_claims = Claims(query, known=keys, rest=WHOLE_QUERY if whole else None)
        names = ", ".join(reader.parameter.name for reader in self._query[:MOST])
        detail = f"it has {names}" if names else "it has none"
        self._unknown = (
            Violation("query", "", "unknown", f"The operation has no query parameter of that name: {detail}.")
            if unknown_query == "refuse"
            else None
        )
        headers = _readers(by_location["header"], validators)
        self._headers = {reader.parameter.name.encode(): reader for reader in headers}
        self._cookies = _readers(by_location["cookie"], validators)
        self._cookie_claims = Claims(by_location["cookie"])
        self._is_idle = not operation.parameters
        # Of headers and cookies there are many that nobody has declared; these take a search.
        self._quick = (
            None if headers or self._cookies else QuickReader.of(self._path, self._query, validators)
        )

    def check(self, head: Head, values: tuple[bytes, ...]) -> tuple[Violation, ...]:
        """What is wrong with the parameters of a request, 20 violations at most.

        Args:
            head: of the request.
            values: of the template's variables, from `Match`.
        """
        if self._is_idle and not head.query:
            return ()
        if self._quick is not None and self._quick.accepts(head.query, values):
            return ()
        return self.read(head, values).violations

    def read(self, head: Head, values: tuple[bytes, ...]) -> Values:
        """What the parameters of a request stand for, and what is wrong with them.

        Args:
            head: of the request.
            values: of the template's variables, from `Match`.
        """
        found: dict[Location, dict[str, object]] = {}
        wrong: list[Violation] = []
        if self._path:
            into = found["path"] = {}
            for reader, at in self._path:
                reader.read((("", values[at]),), into, wrong)
        if self._query or (head.query and self._unknown is not None):
            self._read_query(head.query, found, wrong)
        if self._headers:
            self._read_headers(head, found, wrong)
        if self._cookies:
            self._read_cookies(head, found, wrong)
        return Values(found, tuple(wrong[:MOST]) if wrong else ())

    def _read_query(
        self, query: bytes, found: dict[Location, dict[str, object]], wrong: list[Violation]
    ) -> None:
        sent: dict[str, list[Pair]] = {}
        if query and self._is_whole:
            sent = {WHOLE_QUERY: [("", query)]}
        elif query:
            try:
                sent, unknown = self._query_claims.gather(query_pairs(query), decoded_form)
            except UnreadableError:
                wrong.append(UNREADABLE_NAME)
                return
            if unknown and self._unknown is not None:
                wrong.append(self._unknown)
        into = found["query"] = {}
        for reader in self._query:
            pairs = sent.get(reader.parameter.name)
            if pairs:
                reader.read(pairs, into, wrong)
            elif reader.missing is not None:
                wrong.append(reader.missing)

    def _read_headers(
        self, head: Head, found: dict[Location, dict[str, object]], wrong: list[Violation]
    ) -> None:
        readers = self._headers
        sent: dict[bytes, list[Pair]] = {}
        for name, value in head.headers:
            if name in readers:
                sent.setdefault(name, []).append(("", value.strip(b" \t")))
        into = found["header"] = {}
        for name, reader in readers.items():
            pairs = sent.get(name)
            if pairs:
                reader.read(pairs, into, wrong)
            elif reader.missing is not None:
                wrong.append(reader.missing)

    def _read_cookies(
        self, head: Head, found: dict[Location, dict[str, object]], wrong: list[Violation]
    ) -> None:
        lines = [value for name, value in head.headers if name == b"cookie"]
        sent, _ = self._cookie_claims.gather(cookie_pairs(lines), _latin_1)
        into = found["cookie"] = {}
        for reader in self._cookies:
            pairs = sent.get(reader.parameter.name)
            if pairs:
                reader.read(pairs, into, wrong)
            elif reader.missing is not None:
                wrong.append(reader.missing)


def _as_form(parameter: Parameter) -> Parameter:
    """A parameter that is the whole query, where it is a form, as the object that it is."""
    if parameter.name != WHOLE_QUERY or kind_of(parameter.content) != "form":
        return parameter
    return replace(parameter, content="", style="form", explode=True)


def _readers(parameters: list[Parameter], validators: Validators) -> tuple[ParameterReader, ...]:
    return tuple(ParameterReader(parameter, validators) for parameter in parameters)


def _placed(
    operation: Operation, parameters: list[Parameter], validators: Validators
) -> tuple[tuple[ParameterReader, int], ...]:
    """The path parameters, each with the place of its variable in the template."""
    names = VARIABLE.findall(operation.template)
    for parameter in parameters:
        if parameter.name not in names:
            raise DocumentError(
                parameter.pointer, f"a path parameter of {operation.template}", repr(parameter.name)
            )
    return tuple(
        (ParameterReader(parameter, validators), names.index(parameter.name)) for parameter in parameters
    )


def _latin_1(raw: bytes) -> str:
    return raw.decode("latin-1")
