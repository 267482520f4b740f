"""The command `garrison contract key`: an API key is shown once, and settings get no more than its hash."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner, Result

from garrison.cli import main
from garrison.openapi.api_keys import ApiKeys, parse_api_keys
from garrison.openapi.credentials import Credential, Rejected
from garrison.openapi.verifiers import Verified
from garrison.redaction import Redaction, Redactor
from garrison.units import Secret
from tests.toolkit.driver import run
from tests.toolkit.openapi.security.made import KEY, head

if TYPE_CHECKING:
    from pathlib import Path

SECRET: Final = "sixteen letters."
OLD: Final = "a-key-of-somebody-else"


def garrison(*words: str, sent: bytes = b"", secret: str | None = SECRET) -> Result:
    """What the command prints, where the secret is set unless it is None."""
    environ = {"GARRISON_SECRET": secret, "COLUMNS": "80"}
    return CliRunner().invoke(main, ["contract", *words], prog_name="garrison", env=environ, input=sent)


def owner(entry: str, key: str) -> Verified | Rejected:
    """Whose key it is to an app with this entry in its settings."""
    found: list[Verified | Rejected] = []

    async def ask() -> None:
        keys = ApiKeys(parse_api_keys(entry), Secret(SECRET))
        found.append(await keys.verify(Credential(scheme=KEY, value=key), head()))

    run(ask())
    return found[0]


def parts(page: str) -> tuple[str, str]:
    """The key and the entry of a page."""
    key, entry = re.findall(r"^  (.+)$", page, re.MULTILINE)
    return key, entry


def test_makes_a_key_and_the_entry_that_knows_it() -> None:
    """What is printed works as it is, with the scopes that were asked for, and differs each time."""
    found = garrison("key", "alice", "orders:read", "orders:write")
    assert found.exit_code == 0
    key, entry = parts(found.stdout)
    assert owner(entry, key) == Verified("alice", frozenset({"orders:read", "orders:write"}))
    assert key not in entry
    assert parts(garrison("key", "alice").stdout)[0] != key


def test_a_page_fits_the_terminal() -> None:
    """Lines are within 80 columns but the entry, which is one line to be copied."""
    pages = [garrison(*words).stdout for words in ((), ("--help",), ("key", "--help"), ("key", "alice"))]
    lines = [line for page in pages for line in page.splitlines() if not line.startswith("  alice=")]
    assert max(map(len, lines)) <= 80


def test_several_entries_are_one_setting() -> None:
    """A client has its old key and its new one while it changes them."""
    pairs = [parts(garrison("key", name).stdout) for name in ("alice", "alice", "bob")]
    setting = ", ".join(entry for _, entry in pairs)
    assert [owner(setting, key) for key, _ in pairs] == [*[Verified("alice")] * 2, Verified("bob")]


def test_programs_read_json() -> None:
    """The same in one object; of a key that was given there is the entry only."""
    found = json.loads(garrison("key", "--format", "json", "alice", "a").stdout)
    assert owner(found["entry"], found["key"]) == Verified("alice", frozenset({"a"}))
    given = json.loads(garrison("key", "--stdin", "--format", "json", "bob", sent=OLD.encode()).stdout)
    assert given.keys() == {"principal", "entry"}


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_hashes_a_key_that_is_there_already(end: bytes) -> None:
    """It comes over standard input, since arguments are in the list of processes, and is not repeated."""
    for form in ("text", "entry", "json"):
        found = garrison("key", "--stdin", "--format", form, "bob", sent=OLD.encode() + end)
        assert OLD not in found.output
        assert re.search(r"bob=[0-9a-f]{64}", found.stdout)
    entry = garrison("key", "--stdin", "--format", "entry", "bob", sent=OLD.encode() + end).stdout.strip()
    assert owner(entry, OLD) == Verified("bob")


def test_a_terminal_is_asked_and_does_not_show_the_key() -> None:
    """Whoever looks over a shoulder, or at the scrollback, sees nothing."""
    controller, terminal = pty.openpty()
    words = [sys.executable, "-m", "garrison", "contract", "key", "--stdin", "--format", "entry", "bob"]
    process = subprocess.Popen(
        words,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        env={**os.environ, "GARRISON_SECRET": SECRET},
        start_new_session=True,
    )
    os.close(terminal)
    shown = b""
    try:
        while b"Key: " not in shown:
            shown += os.read(controller, 1000)
        os.write(controller, OLD.encode() + b"\n")
        entry = process.communicate(timeout=20)[0].decode().strip()
        shown += os.read(controller, 1000)
    finally:
        process.kill()
        process.wait()
        os.close(controller)
    assert owner(entry, OLD) == Verified("bob")
    assert OLD.encode() not in shown


@pytest.mark.parametrize(
    ("words", "sent", "expected"),
    [
        (("a=b",), b"", "neither commas nor equals signs"),
        (("a,b",), b"", "neither commas nor equals signs"),
        (("",), b"", "1 to 256 characters"),
        ((" alice",), b"", "no blanks around it"),
        (("alice\n",), b"", "1 to 256 characters"),
        (("a" * 257,), b"", "1 to 256 characters"),
        (("alice", "a,b"), b"", "a scope has neither blanks nor commas"),
        (("alice", "a b"), b"", "a scope has neither blanks nor commas"),
        (("alice", 'a"'), b"", "a scope has neither blanks nor commas"),
        (("--stdin", "alice"), b"", "on one line of standard input, found nothing"),
        (("--stdin", "alice"), b"\n", "on one line of standard input, found nothing"),
        (("--stdin", "alice"), f"{OLD}\n{OLD}".encode(), "found several lines"),
        (("--stdin", "alice"), b"hunter22", "16 to 4096 characters, this one has 8"),
        (("--stdin", "alice"), b"k" * 5000, "16 to 4096 characters, this one has 5000"),
        (("--stdin", "alice"), f" {OLD}".encode(), "no blanks around it"),
        (("--stdin", "alice"), f"{OLD}\x00".encode(), "no control characters"),
        (("--stdin", "alice"), b"\xff" * 20, "a key in UTF-8"),
        (("--format", "entry", "alice"), b"", "would lose the key"),
    ],
)
def test_what_cannot_be_used_is_one_line(words: tuple[str, ...], sent: bytes, expected: str) -> None:
    """It ends with status 2, and shows nothing of a key."""
    found = garrison("key", *words, sent=sent)
    assert (found.exit_code, found.stdout) == (2, "")
    (line,) = found.stderr.splitlines()
    assert line.startswith("garrison: ")
    assert expected in line
    assert OLD not in line
    assert "hunter" not in line


def test_without_the_secret_there_is_no_hash() -> None:
    """The app could not know the key."""
    found = garrison("key", "alice", secret=None)
    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr.startswith("garrison: GARRISON_SECRET is not set")
    weak = garrison("key", "alice", secret="short")
    assert "GARRISON_SECRET: expected at least 16 characters" in weak.stderr
    assert weak.exit_code == 2


def test_the_secret_may_be_in_the_file_of_the_app(tmp_path: Path) -> None:
    """The app and the command read the same one."""
    path = tmp_path / "app.env"
    path.write_text(f'GARRISON_SECRET="{SECRET}"\n', encoding="utf-8")
    key, entry = parts(garrison("key", "--env-file", str(path), "alice", secret=None).stdout)
    assert owner(entry, key) == Verified("alice")


def test_a_key_is_masked_in_logs() -> None:
    """It is known by its prefix wherever it stands."""
    key, _ = parts(garrison("key", "alice").stdout)
    text = Redactor(Redaction()).text(f"no user for {key}, or so")
    assert text == "no user for [redacted], or so"
