"""`garrison run` over https."""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from garrison.server.tls import Certificate
from garrison.server_section import Server
from garrison.settings import SettingsError
from garrison.units import Secret
from tests.toolkit.server.conftest import Running, running, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

AUTHORITY = trustme.CA()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate with its key, another key, and a file that is neither."""
    folder = tmp_path_factory.mktemp("tls")
    leaf = AUTHORITY.issue_cert("localhost")
    leaf.private_key_pem.write_to_path(folder / "key.pem")
    for index, blob in enumerate(leaf.cert_chain_pems):
        blob.write_to_path(folder / "certificate.pem", append=index > 0)
    leaf.private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    AUTHORITY.issue_cert("localhost").private_key_pem.write_to_path(folder / "other.pem")
    (folder / "text.pem").write_text("no certificate at all\n")
    key = load_pem_private_key(leaf.private_key_pem.bytes(), None)
    secret = BestAvailableEncryption(b"opens it")
    for name, form in {"encrypted": PrivateFormat.PKCS8, "older": PrivateFormat.TraditionalOpenSSL}.items():
        (folder / f"{name}.pem").write_bytes(key.private_bytes(Encoding.PEM, form, secret))
    return folder


@pytest.fixture(scope="module", params=["apart", "together in two workers"])
def shop(
    files: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[int]:
    """The port of the everyday app over https."""
    words = ("--tls-certificate", str(files / "certificate.pem"), "--tls-key", str(files / "key.pem"))
    if request.param != "apart":
        words = ("--tls-certificate", str(files / "both.pem"), "--workers", "2")
    up = Running(("shop:app", "--port", "0", *words), {}, tmp_path_factory.mktemp("shop"))
    try:
        wait_for(lambda: "listening on" in up.stderr)
        place = next(
            record["event"] for record in up.records if record["event"].startswith("listening on https")
        )
        yield int(place.split()[2].rpartition(":")[2])
        assert up.stop() == 0
    finally:
        up.clean()


def shaken(port: int, context: ssl.SSLContext) -> tuple[str | None, str, bytes]:
    """The version and the cipher that server and client agree on, and the reply to a request."""
    AUTHORITY.configure_trust(context)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        cipher = secure.cipher()
        assert cipher is not None
        secure.sendall(b"GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n")
        return secure.version(), cipher[0], b"".join(iter(lambda: secure.recv(65536), b""))


def test_clients_are_served(shop: int) -> None:
    """A current client speaks TLS 1.3, the app knows that it is https, and browsers are told to stay."""
    version, _, reply = shaken(shop, ssl.create_default_context())
    assert version == "TLSv1.3"
    assert b'"scheme":"https"' in reply
    assert b"strict-transport-security: " in reply


def test_what_is_old_is_refused(shop: int) -> None:
    """TLS 1.2 is spoken with ciphers that authenticate what they encrypt only, and nothing older is."""
    context = ssl.create_default_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    version, cipher, _ = shaken(shop, context)
    assert version == "TLSv1.2"
    assert "GCM" in cipher or "CHACHA20" in cipher
    context.set_ciphers("ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA:AES128-SHA:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        shaken(shop, context)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            "--tls-certificate nowhere.pem",
            (
                "GARRISON_SERVER_TLS_CERTIFICATE: expected a file that can be read"
                " (No such file or directory), found 'nowhere.pem'."
            ),
        ),
        (
            "--tls-certificate certificate.pem --tls-key other.pem",
            "GARRISON_SERVER_TLS_KEY: expected the key of the certificate, found 'other.pem'.",
        ),
        (
            "--tls-certificate text.pem",
            (
                "GARRISON_SERVER_TLS_CERTIFICATE: expected PEM files with the certificate and its key,"
                " found 'text.pem'."
            ),
        ),
        (
            "--tls-certificate certificate.pem",
            (
                "GARRISON_SERVER_TLS_CERTIFICATE: expected PEM files with the certificate and its key,"
                " found 'certificate.pem'. Name the key with GARRISON_SERVER_TLS_KEY, or --tls-key."
            ),
        ),
        ("--tls-key key.pem", "--tls-key: expected tls_certificate to be set, found 'key.pem'."),
    ],
)
def test_files_that_do_not_fit(
    files: Path, monkeypatch: pytest.MonkeyPatch, refused: Callable[..., str], words: str, line: str
) -> None:
    """A file that is missing, broken or another's is named before anything is served."""
    paths = [str(files / word) if (files / word).exists() else word for word in words.split()]
    found = refused(2, "shop:app", *paths).replace(f"{files}/", "")
    assert found == f"garrison: {line}"


@pytest.mark.parametrize("key", ["encrypted.pem", "older.pem"])
def test_a_key_that_is_encrypted(files: Path, key: str) -> None:
    """Without its password the variable that opens it is named, and with a wrong one that it does not."""
    section = Server(tls_certificate=str(files / "certificate.pem"), tls_key=str(files / key))
    with pytest.raises(SettingsError) as caught:
        Certificate(section).context()
    assert str(caught.value) == (
        f"GARRISON_SERVER_TLS_KEY: expected a key that needs no password, found '{files / key}'."
        " This one is encrypted: GARRISON_SERVER_TLS_KEY_PASSWORD opens it."
    )
    with pytest.raises(SettingsError, match="expected a key that GARRISON_SERVER_TLS_KEY_PASSWORD opens"):
        Certificate(replace(section, tls_key_password=Secret("opens it not"))).context()
    assert Certificate(replace(section, tls_key_password=Secret("opens it"))).context() is not None


def test_a_certificate_that_is_none_is_to_blame_first(files: Path) -> None:
    """Whatever the key is: it has not been looked at."""
    section = Server(tls_certificate=str(files / "text.pem"), tls_key=str(files / "encrypted.pem"))
    with pytest.raises(SettingsError, match=r"^GARRISON_SERVER_TLS_CERTIFICATE: expected PEM files"):
        Certificate(section).context()


@pytest.fixture
def hasty(files: Path, tmp_path: Path) -> Iterator[Running]:
    """A server with little patience, and a grace that no test should see the end of."""
    words = ("--tls-certificate", str(files / "both.pem"))
    with running(
        tmp_path,
        "shop:app",
        *words,
        GARRISON_SERVER_HEADER_TIMEOUT="500ms",
        GARRISON_SERVER_KEEP_ALIVE="500ms",
        GARRISON_SERVER_DRAIN_DELAY="0s",
        GARRISON_SERVER_GRACE="25s",
    ) as up:
        yield up


def test_a_handshake_that_stalls_ends(hasty: Running) -> None:
    """A client that never says hello is a slow client as any other."""
    with socket.create_connection(("127.0.0.1", hasty.port), timeout=10) as silent:
        assert silent.recv(1) == b""


def test_a_client_that_does_not_listen_holds_no_stop(hasty: Running) -> None:
    """An idle connection of a pool, whose client reads only when it asks, ends with its keep-alive time."""
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    with (
        socket.create_connection(("127.0.0.1", hasty.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        secure.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert secure.recv(12) == b"HTTP/1.1 200"
        hasty.process.terminate()
        assert hasty.process.wait(15) == 0
