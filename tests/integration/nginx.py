"""Runs nginx on loopback with a configuration that somebody wrote for production."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import socket
import ssl
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import trustme

from tests.ports import free_port
from tests.toolkit.server.conftest import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.documents import Request

HOST = "shop.example"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
FRAME = """\
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {servers}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """An nginx that runs with a configuration of the page.

    Attributes:
        plain: the port that stands for 80.
        tls: the port that stands for 443.
        context: what trusts its certificate.
    """

    plain: int
    tls: int
    context: ssl.SSLContext

    def ask(self, request: Request, *, https: bool = True) -> tuple[int, str, bytes]:
        """Send what curl would send to the host; gives status, Location and body."""
        with self.asked(request, https=https) as reply:
            return reply.status, reply.getheader("location", ""), reply.read()

    @contextmanager
    def asked(self, request: Request, *, https: bool = True) -> Iterator[http.client.HTTPResponse]:
        """The reply to what curl would send to the host, to be read as it comes."""
        made = http.client.HTTPConnection("127.0.0.1", self.plain, timeout=10)
        if https:
            made.sock = self.context.wrap_socket(self.connected(), server_hostname=HOST)
        try:
            sent = {"Host": HOST, **dict(request.headers)}
            made.request(request.method, request.path, body=request.body or None, headers=sent)
            with made.getresponse() as reply:
                yield reply
        finally:
            made.close()

    def connected(self) -> socket.socket:
        """A connection to the port where it speaks TLS."""
        return socket.create_connection(("127.0.0.1", self.tls), timeout=10)

    def seen(self, request: Request) -> dict[str, Any]:
        """What the example app saw of a request."""
        status, _, body = self.ask(request)
        assert status == 200, body
        found = json.loads(body)
        assert isinstance(found, dict)
        return found


@contextmanager
def nginx(folder: Path, text: str, replaced: dict[str, str]) -> Iterator[Site]:
    """Run nginx with a block of the page, on ports and with files of the test."""
    assert NGINX is not None
    plain, tls = free_port(), free_port()
    authority = trustme.CA()
    leaf = authority.issue_cert(HOST)
    leaf.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    leaf.private_key_pem.write_to_path(folder / "key.pem")
    replaced = {
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{tls} ssl;",
        "/etc/ssl/shop.example.pem": str(folder / "cert.pem"),
        "/etc/ssl/shop.example.key": str(folder / "key.pem"),
        **replaced,
    }
    for old, new in replaced.items():
        text = text.replace(old, new)
    config = folder / "nginx.conf"
    config.write_text(FRAME.format(folder=folder, servers=text), encoding="utf-8")
    process = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")])
    context = ssl.create_default_context()
    authority.configure_trust(context)
    try:

        def connects() -> bool:
            assert process.poll() is None, (folder / "error.log").read_text(encoding="utf-8")
            with socket.socket() as made:
                return made.connect_ex(("127.0.0.1", tls)) == 0

        wait_for(connects)
        yield Site(plain=plain, tls=tls, context=context)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
