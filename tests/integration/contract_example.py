"""The example that is held to its document, hardened by its env file and asked in process."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

from requests import Request

from garrison import Settings, harden
from garrison.env_file import read_env_file
from garrison.settings import load
from tests.integration.contract_judge import KEY, Judge, Sent
from tests.integration.documents import EXAMPLES
from tests.toolkit.driver import call, http_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send
    from tests.toolkit.driver import Reply

FOLDER: Final = EXAMPLES / "contract"
SERVED: Final = (b"x-served", b"by the app")


class Example:
    """The hardened example, and who judges its answers.

    Args:
        **more: settings beside those of its env file.
    """

    def __init__(self, **more: str) -> None:
        sys.path.insert(0, str(FOLDER))
        try:
            for name in ("app", "issuer"):
                sys.modules.pop(name, None)
            self.token: str = __import__("issuer").token("ann")
            environ = {**settings_of_example(), **more}
            self.app = harden(_marked(__import__("app").app), load(Settings, environ=environ).value)
        finally:
            sys.path.remove(str(FOLDER))
        self.judge = Judge(self.token)

    @property
    def credentials(self) -> tuple[tuple[bytes, bytes], ...]:
        """The headers of somebody who may everything."""
        return (b"x-api-key", KEY.encode()), (b"authorization", f"Bearer {self.token}".encode())

    def ask(self, sent: Sent) -> Reply:
        """Send one request; one with a body says how long it is."""
        size = [(b"content-length", str(len(sent.body)).encode())] if sent.body else []
        kept = [each for each in sent.headers if each[0] != b"content-length"]
        scope = http_scope(
            unquote_to_bytes(sent.path).decode("utf-8", "replace"),
            raw_path=sent.path,
            method=sent.method,
            query=sent.query,
            headers=[*kept, *size],
        )
        return call(self.app, scope, sent.body)

    def identified(self, sent: Sent) -> Sent:
        """The same request, of somebody who may everything."""
        names = {name for name, _ in self.credentials}
        kept = [each for each in sent.headers if each[0] not in names]
        return Sent(
            method=sent.method,
            path=sent.path,
            query=sent.query,
            headers=(*kept, *self.credentials),
            body=sent.body,
        )


def settings_of_example() -> dict[str, str]:
    """What its env file says, found from anywhere."""
    found = read_env_file(FOLDER / "contract.env")
    for name in ("GARRISON_CONTRACT_DOCUMENT", "GARRISON_CONTRACT_JWT_KEYS"):
        found[name] = str(FOLDER / found[name])
    return found


def let_in(reply: Reply) -> bool:
    """Whether the reply is the app's."""
    return SERVED in reply.headers


def sent_of(call_arguments: dict[str, Any]) -> Sent:
    """What `requests` makes of the arguments of a call."""
    prepared = Request(**call_arguments).prepare()
    body = prepared.body or b""
    if isinstance(body, str):
        body = body.encode()
    assert isinstance(body, bytes)
    path, _, query = prepared.path_url.partition("?")
    return Sent(
        method=prepared.method or "",
        path=path.encode(),
        query=query.encode(),
        headers=tuple(_lines(prepared.headers.items())),
        body=body,
    )


def _lines(headers: Any) -> Iterator[tuple[bytes, bytes]]:
    for name, value in headers:
        text = value if isinstance(value, bytes) else value.encode("latin-1")
        yield name.lower().encode(), text.strip()


def _marked(app: ASGIApp) -> ASGIApp:
    """The app, with a header on what it answers itself."""

    async def marked(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], SERVED]}
            await send(message)

        await app(scope, receive, send_marked)

    return marked
