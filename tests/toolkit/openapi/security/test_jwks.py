"""Keys in a file are read again when it changes, and a bad file does not lock everybody out."""

from __future__ import annotations

import asyncio
import json
import os
from io import StringIO
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from typing import TYPE_CHECKING

import pytest

from garrison.openapi.jwks import CHECK, FixedKeys, KeyFile, open_keys
from garrison.openapi.jwks_url import KeyUrl
from garrison.openapi.jwt_keys import KeysError
from garrison.openapi.key_documents import read_keys
from garrison.settings import SettingsError
from tests.toolkit.openapi.security.made import ec_key, jwk_of, jwks, pem_of, rsa_key, written

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.openapi.jwks import KeySource


class Clock:
    """Seconds that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def ids(source: KeySource) -> list[str | None]:
    """The ids of the keys of the moment."""
    return [key.id for key in asyncio.run(source.keys()).keys]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with one key."""
    path = tmp_path / "jwks.json"
    path.write_bytes(jwks(jwk_of(rsa_key(), "old")))
    return path


def test_a_file_is_read_again_when_it_changes(file: Path) -> None:
    """Keys are replaced without a restart, within seconds and not at each request."""
    clock, lines = Clock(), StringIO()
    source = KeyFile(file, log=written(lines), clock=clock)
    file.write_bytes(jwks(jwk_of(rsa_key(), "old"), jwk_of(ec_key(), "new")))
    assert ids(source) == ["old"]
    clock.now += CHECK
    assert ids(source) == ["old", "new"]
    assert json.loads(lines.getvalue())["state"] == "replaced"


def test_a_file_that_is_replaced_by_another_is_noticed(file: Path) -> None:
    """Kubernetes swaps a link, and deployments rename: size and time may be the same."""
    clock = Clock()
    source = KeyFile(file, log=written(StringIO()), clock=clock)
    stamp = file.stat().st_mtime_ns
    other = file.with_suffix(".new")
    other.write_bytes(jwks(jwk_of(rsa_key(), "new")))
    os.utime(other, ns=(stamp, stamp))
    other.replace(file)
    clock.now += CHECK
    assert ids(source) == ["new"]


def test_the_same_file_gives_the_same_keys(file: Path) -> None:
    """Tokens that are remembered stay so while nothing changes."""
    clock = Clock()
    source = KeyFile(file, log=written(StringIO()), clock=clock)
    first = asyncio.run(source.keys())
    clock.now += CHECK
    assert asyncio.run(source.keys()) is first
    assert asyncio.run(source.newer(first)) is first


@pytest.mark.parametrize("text", [b"", b"half of a", jwks(jwk_of(b"weak"))])
def test_a_bad_file_keeps_the_keys_that_were_there(file: Path, text: bytes) -> None:
    """A file that is being written, or is wrong, is reported once, and read when it is right again."""
    clock, lines = Clock(), StringIO()
    source = KeyFile(file, log=written(lines), clock=clock)
    file.write_bytes(text)
    for _ in range(3):
        clock.now += CHECK
        assert ids(source) == ["old"]
    (line,) = map(json.loads, lines.getvalue().splitlines())
    assert (line["level"], line["event"], line["state"]) == ("error", "contract_keys", "kept")
    assert line["source"] == str(file)
    assert "expected" in line["reason"]
    file.write_bytes(jwks(jwk_of(rsa_key(), "new")))
    clock.now += CHECK
    assert ids(source) == ["new"]


def test_a_file_that_could_not_be_read_is_read_later(file: Path) -> None:
    """A flood that takes all descriptors does not keep new keys out for good; it is reported once."""
    clock, lines = Clock(), StringIO()
    source = KeyFile(file, log=written(lines), clock=clock)
    file.write_bytes(jwks(jwk_of(ec_key(), "new")))
    soft, hard = getrlimit(RLIMIT_NOFILE)
    try:
        # Descriptors that are open stay so.
        setrlimit(RLIMIT_NOFILE, (3, hard))
        for _ in range(3):
            clock.now += CHECK
            with pytest.raises(StopIteration) as ended:
                source.keys().send(None)
            assert [key.id for key in ended.value.value.keys] == ["old"]
    finally:
        setrlimit(RLIMIT_NOFILE, (soft, hard))
    clock.now += CHECK
    assert ids(source) == ["new"]
    assert [json.loads(line)["state"] for line in lines.getvalue().splitlines()] == ["kept", "replaced"]


def test_a_file_that_is_gone_keeps_the_keys_too(file: Path) -> None:
    """So does one that cannot be read."""
    clock, lines = Clock(), StringIO()
    source = KeyFile(file, log=written(lines), clock=clock)
    file.unlink()
    clock.now += CHECK
    assert ids(source) == ["old"]
    assert "No such file" in lines.getvalue()


def test_a_file_without_keys_stops_the_start(tmp_path: Path) -> None:
    """Before anything is served it is an error, with what is wrong."""
    with pytest.raises(KeysError, match="found No such file"):
        KeyFile(tmp_path / "none", log=written(StringIO()))
    with pytest.raises(KeysError, match="found Is a directory"):
        KeyFile(tmp_path, log=written(StringIO()))


def test_a_setting_names_a_file_or_a_url(file: Path, tmp_path: Path) -> None:
    """A path is read at once, a URL when the first token comes; what is wrong is one line."""
    log = written(StringIO())
    name = "GARRISON_CONTRACT_JWT_KEYS"
    assert ids(open_keys(str(file), setting=name, log=log)) == ["old"]
    assert isinstance(open_keys("https://issuer.example/jwks", setting=name, log=log), KeyUrl)
    pem = tmp_path / "weak.pem"
    pem.write_bytes(pem_of(rsa_key(1024)))
    with pytest.raises(SettingsError) as caught:
        open_keys(str(pem), setting=name, log=log)
    assert str(caught.value) == (
        f"{name}: expected a file with a JWK set or with public keys in PEM, found {str(pem)!r}."
        " It is RSA of 1024 bits, expected at least 2048."
    )
    with pytest.raises(SettingsError) as caught:
        open_keys("https://user:password@issuer.example/jwks", setting=name, log=log)
    assert "password@" not in str(caught.value)


def test_a_relative_path_is_that_of_the_start(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though servers and apps may change the directory of the process later on."""
    clock = Clock()
    monkeypatch.chdir(file.parent)
    source = open_keys(file.name, setting="KEYS", log=written(StringIO()), clock=clock)
    monkeypatch.chdir("/")
    file.write_bytes(jwks(jwk_of(ec_key(), "new")))
    clock.now += CHECK
    assert ids(source) == ["new"]


def test_fixed_keys_never_change() -> None:
    """There is nothing newer than what code has given."""
    keys = read_keys(jwks(jwk_of(rsa_key())))
    source = FixedKeys(keys)
    assert asyncio.run(source.keys()) is keys
    assert asyncio.run(source.newer(keys)) is keys
