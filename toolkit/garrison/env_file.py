"""Reads the file that `--env-file` names."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from garrison.settings import Problem, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A value in quotes that are not in it, and perhaps a comment.
QUOTED: Final = re.compile(r"""(?P<quote>["'])(?P<value>(?:(?!(?P=quote)).)*)(?P=quote)(?:\s+#.*)?""")


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a file with a `NAME=value` on each line.

    A line that begins with `#` is a comment, and so is what follows a blank and a `#` behind a value. Quotes
    around a whole value are taken off, and keep what is in them.

    Args:
        path: the file.

    Raises:
        SettingsError: the file cannot be read, or a line is something else.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not UTF-8 text"
        raise SettingsError(
            [
                Problem(
                    name="--env-file",
                    expected="the path of a readable file",
                    found=str(path),
                    hint=f"{reason}.",
                )
            ]
        ) from None
    found: dict[str, str] = {}
    problems = []
    for number, line in enumerate(lines, start=1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_]\w*", name.strip()) or "\0" in value:
            # The line may hold a secret, so it is not shown.
            problems.append(Problem(name=f"{path}, line {number}", expected="NAME=value"))
            continue
        found[name.strip()] = _plain(value)
    if problems:
        raise SettingsError(problems)
    return found


def _plain(value: str) -> str:
    """A value without its quotes, and without a comment behind it.

    python-dotenv, which uvicorn uses, and Docker Compose see a comment there; `docker run` and systemd take
    it for a part of the value. Whoever writes one means a comment.
    """
    text = value.strip()
    quoted = QUOTED.fullmatch(text)
    if quoted:
        return quoted["value"]
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return re.sub(r"\s#.*", "", value).strip()


def take_env_file(path: Path | None) -> dict[str, str]:
    """Put the variables of a file into the environment of this process; those that are there win.

    Args:
        path: the file; None for nothing to do.

    Returns:
        What the environment has from it now: a variable's name to the words for that file, for `load`.

    Raises:
        SettingsError: as `read_env_file` does.
    """
    if path is None:
        return {}
    taken = {name: value for name, value in read_env_file(path).items() if name not in os.environ}
    os.environ.update(taken)
    return dict.fromkeys(taken, f"env file {path}")


def told(error: SettingsError, sources: Mapping[str, str]) -> str:
    """What is wrong with settings, each with the file that it stands in.

    Args:
        error: the settings cannot be used.
        sources: as `take_env_file` returns them.
    """
    lines = []
    for line in str(error).splitlines():
        name, colon, rest = line.partition(": ")
        lines.append(f"{name} in {sources[name]}{colon}{rest}" if colon and name in sources else line)
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Print the variables of a file as JSON, for a program that may not import this one.

    Args:
        arguments: the file.

    Returns:
        0, or 2 for a file that is none, with what is wrong on standard error.
    """
    try:
        found = read_env_file(Path(arguments[0]))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
