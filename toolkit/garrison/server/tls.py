"""How clients are served over TLS: what current clients can do, and nothing older."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from garrison.server_section import Server
from garrison.settings import Problem, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Of TLS 1.2 only key exchanges that keep past traffic secret and ciphers that authenticate what they
# encrypt (RFC 9325 section 4.2); all of TLS 1.3 are of that kind, and this list is not about them.
CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"

# The line above a certificate, which has more words in OpenSSL's own form (RFC 7468 sections 4 and 5).
CERTIFICATE: Final = (b"CERTIFICATE-----",)
# The line above an encrypted key: of PKCS #8 (RFC 7468 section 11), and of the older form, which OpenSSL
# still writes (RFC 1421 section 4.6.1.1).
ENCRYPTED: Final = (b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"Proc-Type: 4,ENCRYPTED")


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files of a section; each process that serves reads them by itself.

    Args:
        section: with the paths.
    """

    section: Server

    @property
    def is_given(self) -> bool:
        """Whether there is to be TLS at all."""
        return bool(self.section.tls_certificate)

    def __call__(self, *_: object) -> ssl.SSLContext:
        """As uvicorn's `ssl_context_factory` is called."""
        context = self.context()
        if context is None:
            raise TypeError("there is no certificate")
        return context

    def context(self) -> ssl.SSLContext | None:
        """The context that the settings describe; None where they ask for no TLS.

        Raises:
            SettingsError: a file is not there, cannot be read, or is not what it should be.
        """
        section = self.section
        if not section.tls_certificate:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # RFC 8996 deprecates what is older.
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        context.set_alpn_protocols(["http/1.1"])
        password = section.tls_key_password
        for field in ("tls_certificate", "tls_key"):
            _check_readable(field, getattr(section, field))
        try:
            context.load_cert_chain(
                section.tls_certificate,
                section.tls_key or None,
                # Without one, OpenSSL would ask whoever sits at the terminal.
                "" if password is None else password.reveal(),
            )
        except ssl.SSLError as error:
            field, expected, hint = _expected(error, section)
            raise _problem(field, expected, getattr(section, field), hint) from None
        return context


def _check_readable(field: str, path: str) -> None:
    if path:
        try:
            with open(path, "rb"):  # noqa: PTH123 - the path is as it was given
                return
        except OSError as error:
            raise _problem(field, f"a file that can be read ({error.strerror})", path) from None


def _expected(error: ssl.SSLError, section: Server) -> tuple[str, str, str]:
    """The field that is to blame, what it should hold, and what to do."""
    reason = error.reason or ""
    key = "tls_key" if section.tls_key else "tls_certificate"
    if "MISMATCH" in reason:
        return key, "the key of the certificate", ""
    if _says(section.tls_certificate, CERTIFICATE) and _says(getattr(section, key), ENCRYPTED):
        if section.tls_key_password is None:
            hint = "This one is encrypted: GARRISON_SERVER_TLS_KEY_PASSWORD opens it."
            return key, "a key that needs no password", hint
        return key, "a key that GARRISON_SERVER_TLS_KEY_PASSWORD opens", ""
    # Without a key of its own the file has to hold both.
    lone = _says(section.tls_certificate, CERTIFICATE) and not section.tls_key
    hint = "Name the key with GARRISON_SERVER_TLS_KEY, or --tls-key." if lone else ""
    return "tls_certificate", "PEM files with the certificate and its key", hint


def _says(path: str, marks: Sequence[bytes]) -> bool:
    """Whether a PEM file has one of these lines; OpenSSL does not tell what it was that it could not read."""
    with open(path, "rb") as file:  # noqa: PTH123 - the path is as it was given
        return any(mark in line for line in file for mark in marks)


def _problem(field: str, expected: str, found: str, hint: str = "") -> SettingsError:
    name = f"GARRISON_SERVER_{field.upper()}"
    return SettingsError([Problem(name=name, expected=expected, found=found, hint=hint)])
