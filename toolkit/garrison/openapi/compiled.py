"""A document, compiled: its operations, and the validators for what they send and receive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.openapi.definitions import Definitions
from garrison.openapi.dialects import dialect_of
from garrison.openapi.operations import Operations
from garrison.openapi.schemes import read_schemes
from garrison.openapi.servers import read_servers
from garrison.openapi.shapes import Shapes
from garrison.openapi.validators import Validators

if TYPE_CHECKING:
    from collections.abc import Mapping

    from garrison.openapi.document import Document
    from garrison.openapi.model import Operation, Scheme
    from garrison.openapi.validators import Regexes


class Compiled:
    """What a document says.

    Attributes:
        operations: in the order of the document.
        schemes: its security schemes, by name.
        servers: the path prefixes of its servers, an empty one among them where there is none.
        requests: validators of what requests hold.
    """

    __slots__ = ("_regexes", "_replies", "_reply_definitions", "operations", "requests", "schemes", "servers")

    def __init__(
        self,
        *,
        operations: tuple[Operation, ...],
        schemes: Mapping[str, Scheme],
        servers: tuple[str, ...],
        requests: Validators,
        replies: Definitions,
        regexes: Regexes,
    ) -> None:
        self.operations = operations
        self.schemes = schemes
        self.servers = servers
        self.requests = requests
        self._reply_definitions = replies
        self._regexes = regexes
        self._replies: Validators | None = None

    def replies(self) -> Validators:
        """The validators of what replies hold, compiled when they are wanted first.

        Raises:
            DocumentError: a schema of a reply is none.
        """
        if self._replies is None:
            self._replies = Validators(self._reply_definitions.compound(), regexes=self._regexes)
        return self._replies


def compile_document(document: Document, *, regexes: Regexes = "linear") -> Compiled:
    """Compile a document.

    Args:
        document: with all that it refers to.
        regexes: which engine runs the patterns of its schemas.

    Raises:
        DocumentError: something in it is not what it must be.
    """
    requests, replies = Definitions(document, "request"), Definitions(document, "reply")
    schemes = read_schemes(document)
    shapes = Shapes(dialect_of(document))
    operations = tuple(Operations(document, schemes, requests, replies, shapes).read())
    return Compiled(
        operations=operations,
        schemes=schemes,
        servers=read_servers(document.root) or ("",),
        requests=Validators(requests.compound(), regexes=regexes),
        replies=replies,
        regexes=regexes,
    )
