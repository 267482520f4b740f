"""One kind of request that a load sends: a method and a path, with examples to choose from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, TypedDict

READING: Final = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing (RFC 9110 section 9.2.1)."""

FRESH: Final = "97531864"
"""Eight digits that are replaced by others each time a request is sent: what is made is new each time.

They are decimal digits in a fixed number, so that they fit into text, numbers and UUIDs alike."""

KEPT_BY_CLIENT: Final = frozenset({"host", "content-length", "transfer-encoding", "connection"})
"""Headers that nobody else writes, in lower case: they say where a request goes, and where it ends."""

_PARAMETER: Final = re.compile(r"\{[^{}]*\}")

Source = Literal["reply", "list", "header", "path"]
Form = Literal["", "integer", "uuid"]
"""What a parameter of a path has to look like, where its schema says that; empty for any text."""


class ExampleRecord(TypedDict):
    """An example as it goes through JSON."""

    values: list[str]
    query: str
    headers: list[list[str]]
    body: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What makes a request out of a path.

    Attributes:
        values: Of the parameters of the path, in order, percent-encoded.
        query: Encoded, without the question mark; empty for none.
        headers: Names and values, among them the content type.
        body: As text; None for none.
    """

    values: tuple[str, ...] = ()
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None

    def renewed(self, number: str) -> Example:
        """The same with another number wherever `FRESH` is.

        Args:
            number: Eight digits.
        """
        parts = (*self.values, self.query, self.body or "", *(value for _, value in self.headers))
        if not any(FRESH in part for part in parts):
            return self
        return Example(
            values=tuple(value.replace(FRESH, number) for value in self.values),
            query=self.query.replace(FRESH, number),
            headers=tuple((name, value.replace(FRESH, number)) for name, value in self.headers),
            body=self.body.replace(FRESH, number) if self.body is not None else None,
        )

    def to_record(self) -> ExampleRecord:
        """The example in JSON's types."""
        return {
            "values": list(self.values),
            "query": self.query,
            "headers": [list(line) for line in self.headers],
            "body": self.body,
        }

    @classmethod
    def from_record(cls, record: ExampleRecord) -> Example:
        """The example that `to_record` described."""
        return cls(
            values=tuple(record["values"]),
            query=record["query"],
            headers=tuple((name, value) for name, value in record["headers"]),
            body=record["body"],
        )


class GiftRecord(TypedDict):
    """A gift as it goes through JSON."""

    to: str
    source: Source
    fields: list[str]
    guesses: list[str]
    form: Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """An id that a reply brings for other requests.

    Attributes:
        to: The path whose last parameter it is the value of, as `shape_of` writes it: `/items/{}`.
        source: `reply` for a field of the JSON object that was made, `list` for one of each object of a list,
            `header` for the Location, `path` for what the request itself named.
        fields: Where in the object, the first that is there: names, or JSON pointers (RFC 6901) into the
            whole reply.
        guesses: Where else it may be, though what is there may as well be something else.
        form: What it has to look like.
    """

    to: str
    source: Source
    fields: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    form: Form = ""

    def to_record(self) -> GiftRecord:
        """The gift in JSON's types."""
        return {
            "to": self.to,
            "source": self.source,
            "fields": list(self.fields),
            "guesses": list(self.guesses),
            "form": self.form,
        }

    @classmethod
    def from_record(cls, record: GiftRecord) -> Gift:
        """The gift that `to_record` described."""
        return cls(
            to=record["to"],
            source=record["source"],
            fields=tuple(record["fields"]),
            guesses=tuple(record["guesses"]),
            form=record["form"],
        )


class SpecRecord(TypedDict):
    """A request as it goes through JSON."""

    method: str
    path: str
    name: str
    examples: list[ExampleRecord]
    weight: int
    tags: list[str]
    expect: list[int]
    takes: str
    gives: list[GiftRecord]
    sure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSpec:
    """One kind of request.

    Attributes:
        method: In capital letters.
        path: With its parameters in braces, `/items/{id}`, and percent-encoded besides.
        name: What it is counted under, behind the method; the path, where nobody gave it another.
        examples: At least one; they are sent in turn.
        weight: How often it is sent, compared with the others.
        tags: What thresholds can choose it by.
        expect: Statuses from 400 on that are no error.
        takes: The path, as `shape_of` writes it, whose ids come from other replies; empty for none.
        gives: The ids that its replies bring.
        sure: Whether somebody says that what its examples name is there; else a 404 is no error.
    """

    method: str
    path: str
    name: str
    examples: tuple[Example, ...] = (Example(),)
    weight: int = 1
    tags: tuple[str, ...] = ()
    expect: tuple[int, ...] = ()
    takes: str = ""
    gives: tuple[Gift, ...] = ()
    sure: bool = True

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.method in READING

    def target(self, example: Example, ids: tuple[str, ...] = ()) -> str:
        """The path and query to ask for.

        Args:
            example: Fills in what no id does.
            ids: Values of the first parameters, percent-encoded.
        """
        values = (*ids, *example.values[len(ids) :])
        texts = _PARAMETER.split(self.path)
        path = "".join(text + value for text, value in zip(texts, (*values, ""), strict=True))
        return f"{path}?{example.query}" if example.query else path

    def to_record(self) -> SpecRecord:
        """The request in JSON's types."""
        return {
            "method": self.method,
            "path": self.path,
            "name": self.name,
            "examples": [example.to_record() for example in self.examples],
            "weight": self.weight,
            "tags": list(self.tags),
            "expect": list(self.expect),
            "takes": self.takes,
            "gives": [gift.to_record() for gift in self.gives],
            "sure": self.sure,
        }

    @classmethod
    def from_record(cls, record: SpecRecord) -> RequestSpec:
        """The request that `to_record` described."""
        return cls(
            method=record["method"],
            path=record["path"],
            name=record["name"],
            examples=tuple(map(Example.from_record, record["examples"])),
            weight=record["weight"],
            tags=tuple(record["tags"]),
            expect=tuple(record["expect"]),
            takes=record["takes"],
            gives=tuple(map(Gift.from_record, record["gives"])),
            sure=record["sure"],
        )


def one_request(path: str) -> RequestSpec:
    """A GET of one path.

    Args:
        path: With a query where it has one.
    """
    before, _, query = path.partition("?")
    return RequestSpec(method="GET", path=before, name=path, examples=(Example(query=query),), tags=("read",))


def parameters_of(path: str) -> list[str]:
    """The names of the parameters of a path, in order."""
    return [found[1:-1] for found in _PARAMETER.findall(path)]


def shape_of(path: str) -> str:
    """A path without the names of its parameters: `/items/{}`, since operations may call them differently."""
    return _PARAMETER.sub("{}", path)
