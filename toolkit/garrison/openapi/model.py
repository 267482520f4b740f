"""What a document says, compiled for requests: the vocabulary of this engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

Location: TypeAlias = Literal["path", "query", "header", "cookie", "body"]
Version: TypeAlias = Literal["3.0", "3.1", "3.2"]
Style: TypeAlias = Literal[
    "simple", "label", "matrix", "form", "spaceDelimited", "pipeDelimited", "deepObject", "cookie"
]


class DocumentError(ValueError):
    """A document that cannot be used.

    Args:
        pointer: where in the document, as a JSON pointer (RFC 6901); empty for the document itself. In
            another file it follows the name of that and a `#`.
        expected: a noun phrase.
        found: what is there instead, in short; empty where there is nothing to show.
        others: what else is wrong; the message says where.
    """

    def __init__(
        self, pointer: str, expected: str, found: str = "", *, others: tuple[DocumentError, ...] = ()
    ) -> None:
        self.pointer = pointer
        self.expected = expected
        self.found = found
        self.others = others
        seen = f", found {found}" if found else ""
        more = f"; and {len(others)} more, the next at {others[0].pointer}" if others else ""
        super().__init__(f"{pointer or 'the document'}: expected {expected}{seen}{more}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What values a schema allows, as far as reading one from text needs to know.

    Attributes:
        types: of `string`, `integer`, `number`, `boolean`, `null`, `array` and `object`; all of them where
            the schema does not say.
        items: of an array's members; None where nothing is said.
        properties: of an object's members, by name.
        additional: of an object's other members; None where nothing is said, or there may be none.
        closed: whether an object may have no other members.
        required: members that an object must have.
        binary: whether a string is bytes as they are, which a multipart body sends as a file:
            `format: binary`, or `contentMediaType` without `contentEncoding`.
        longest: characters of a string, or bytes of a binary one, which `maxLength` bounds as they stream
            (OpenAPI 3.2 section 4.24.4.3); None where nothing is said.
    """

    types: frozenset[str]
    items: Shape | None = None
    properties: Mapping[str, Shape] = field(default_factory=dict)
    additional: Shape | None = None
    closed: bool = False
    required: frozenset[str] = frozenset()
    binary: bool = False
    longest: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of an operation.

    Attributes:
        name: as declared; that of a header in lower case.
        location: where it is.
        required: whether a request must have it.
        style: how a value is written (OpenAPI 3.1 section 4.8.12.2 and the table of style values).
        explode: whether members are written one by one.
        allow_reserved: whether a query value may hold reserved characters as they are.
        allow_empty: whether a query value may be empty where the schema would not allow it.
        content: the media type of a `content` parameter; empty for a styled one. `*querystring` is the name
            of an OpenAPI 3.2 parameter that is the whole query.
        shape: of its value.
        schema: the key of its schema at the validators; empty where it has none.
        pointer: where it is declared, as a JSON pointer.
    """

    name: str
    location: Location
    required: bool
    style: Style
    explode: bool
    allow_reserved: bool = False
    allow_empty: bool = False
    content: str = ""
    shape: Shape
    schema: str
    pointer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How one property of a form or multipart body is written (OpenAPI 3.1 section 4.8.15).

    Attributes:
        content_types: media types or ranges that a part may have, in lower case; empty for the default of its
            shape.
        style: of a property of a form; None where `content_types` says it.
        explode: as for parameters.
        allow_reserved: as for parameters.
        headers: parameters that a part must or may have as headers, without Content-Type.
    """

    content_types: tuple[str, ...] = ()
    style: Style | None = None
    explode: bool = True
    allow_reserved: bool = False
    headers: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One media type of a body.

    Attributes:
        range: such as `application/json`, `text/*` or `*/*`, in lower case without parameters.
        parameters: name in lower case and value of those that the content type must have; `charset` is never
            among them, since `application/json; charset=utf-8` in a document means all JSON.
        shape: of the body.
        schema: the key of its schema at the validators; empty where it has none.
        encoding: by property.
        pointer: where it is declared.
    """

    range: str
    parameters: tuple[tuple[str, str], ...] = ()
    shape: Shape
    schema: str
    encoding: Mapping[str, Encoding] = field(default_factory=dict)
    pointer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A request's body.

    Attributes:
        required: whether a request must have one.
        content: the more specific range first.
    """

    required: bool
    content: tuple[Media, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a status code promises.

    Attributes:
        headers: by name in lower case, as parameters of location `header`.
        content: the more specific range first; empty where nothing is said of a body.
    """

    headers: tuple[Parameter, ...] = ()
    content: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """A security scheme of the document.

    Attributes:
        name: its key under `components/securitySchemes`.
        type: `apiKey`, `http`, `mutualTLS`, `oauth2` or `openIdConnect`.
        location: of an API key: `query`, `header` or `cookie`; else empty.
        parameter: the name of an API key's parameter; a header's in lower case.
        scheme: of an `http` one, in lower case, such as `bearer` or `basic`.
        pointer: where it is declared.
    """

    name: str
    type: Literal["apiKey", "http", "mutualTLS", "oauth2", "openIdConnect"]
    location: str = ""
    parameter: str = ""
    scheme: str = ""
    pointer: str


class Need(NamedTuple):
    """One scheme of a security requirement.

    Attributes:
        scheme: what authenticates.
        scopes: that the caller must have.
    """

    scheme: Scheme
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation.

    Attributes:
        method: in capital letters.
        template: the path as declared, such as `/pets/{id}`.
        name: its operationId, or method and template.
        parameters: those of the path item among them.
        body: None where it takes none.
        security: alternatives, each of which needs all of its schemes; empty where nobody must
            authenticate, and an empty alternative where somebody may.
        replies: by status: `200`, `2XX` or `default`.
        servers: path prefixes of servers of its own, or of its path item; empty where those of the document
            hold.
        pointer: where it is declared.
    """

    method: str
    template: str
    name: str
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    security: tuple[tuple[Need, ...], ...] = ()
    replies: Mapping[str, Reply] = field(default_factory=dict)
    servers: tuple[str, ...] = ()
    pointer: str


class Violation(NamedTuple):
    """One way in which a request does not keep the document; never with a value that was sent.

    Attributes:
        location: the part of the request.
        pointer: a JSON pointer into it: `/limit` for the query parameter of that name, `/items/0/id` for a
            member of the body, empty for the body itself. Names that the document does not declare are not
            in it: they are the client's.
        rule: the keyword of the schema that is broken, such as `maximum`, or one of this engine: `required`,
            `unknown`, `repeated`, `style`, `encoding`, `mediaType`, `syntax`, `size`, `depth`, `status`.
        detail: a sentence for the client's developer, from the document alone.
    """

    location: Location
    pointer: str
    rule: str
    detail: str


class Head(NamedTuple):
    """What is known of a request before its body, as bytes of the wire.

    Attributes:
        method: in capital letters.
        path: the raw path, still percent-encoded, without root_path.
        query: the raw query.
        headers: name in lower case and value.
    """

    method: str
    path: bytes
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...] | list[tuple[bytes, bytes]]
