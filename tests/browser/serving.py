"""Real servers on loopback under names of their own, so that a browser sees different sites."""

from __future__ import annotations

import base64
import hashlib
import socket
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import trustme
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from garrison.asgi import ASGIApp

# No suffix of these is on the public suffix list, so that `test` counts as one: the first two are
# different sites, and the third is a neighbour on the site of the first.
SHOP = "shop.test"
OTHER = "other.test"
BLOG = "blog.shop.test"


class Certificate:
    """One that names every site here.

    Attributes:
        fingerprint: of its key, as Chromium wants it to trust the certificate.
    """

    def __init__(self) -> None:
        self._leaf = trustme.CA().issue_cert(SHOP, OTHER, BLOG)
        made = x509.load_pem_x509_certificate(self._leaf.cert_chain_pems[0].bytes())
        key = made.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.fingerprint = base64.b64encode(hashlib.sha256(key).digest()).decode("ascii")

    def context(self, config: uvicorn.Config, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        """What uvicorn serves with."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._leaf.configure_cert(made)
        return made


@contextmanager
def served(app: ASGIApp, certificate: Certificate | None) -> Iterator[int]:
    """Serve an app in a thread, over TLS where there is a certificate; gives the port."""
    # asyncio switches Nagle's algorithm off only for sockets that say they are TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        ssl_context_factory=certificate.context if certificate else None,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="served")
    thread.start()
    try:
        # Who connects before the server is up waits in the listener's queue.
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        assert not thread.is_alive(), "the server did not stop"
        listener.close()
