"""Runs every pattern of the harness on texts that are made to take it long; prints the first that does.

Run as a process of its own: a pattern that is bad enough does not come back.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import random
import re
import signal
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import sre_constants
    import sre_parse

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 1.0  # seconds of processor time, for 5,000 letters
UNITS = [" ", "\n", "a", "A", "0", '"', "'", "(", "[", "<", "*", ",", ";", "=", ".", "\\", "_", "-"]
UNITS += ["a ", " a", '""', '" ', ";a=a ", "a,", "#\n", " \n", "* ", "=a;", "<a ", "a=a "]
COMPILED: dict[tuple[str | bytes, int], str] = {}


def gather() -> None:
    """Import all of the harness that needs no Locust, and note every pattern that it makes or names."""
    real = re.compile

    def noting(pattern: Any, flags: Any = 0) -> Any:
        place = sys._getframe(1).f_globals.get("__name__", "")
        if place.startswith("garrison_harness"):
            COMPILED[pattern, int(flags)] = place
        return real(pattern, flags)

    re.compile = noting
    import garrison_harness  # noqa: PLC0415 - after the line above

    for module in pkgutil.walk_packages(garrison_harness.__path__, "garrison_harness."):
        if not module.name.endswith((".users", ".locust_child", "__main__")):
            found = importlib.import_module(module.name)
            named_in(Path(found.__file__ or ""), module.name)
    re.compile = real


def named_in(file: Path, name: str) -> None:
    """Note the patterns that are given to a function of `re` where they are used."""
    for node in ast.walk(ast.parse(file.read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in {"findall", "fullmatch", "match", "search", "split", "sub"}
        ):
            text = spelt(node.args[0])
            if text:
                COMPILED[text, re.IGNORECASE if "IGNORECASE" in ast.unparse(node) else 0] = name


def spelt(node: ast.expr) -> str:
    """The pattern, with a word for what is put into it; empty where it has a name."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    parts = node.values if isinstance(node, ast.JoinedStr) else []
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "word" for part in parts)


def sample(parsed: Any, choice: random.Random) -> str:
    """A text that the pattern matches, or nearly."""
    return "".join(one(operation, argument, choice) for operation, argument in parsed)


def one(operation: Any, argument: Any, choice: random.Random) -> str:
    """What one part of a pattern matches."""
    if operation in {sre_constants.MAX_REPEAT, sre_constants.MIN_REPEAT}:
        least, most, inner = argument
        return str(sample(inner, choice) * max(least, min(2, int(most))))
    if operation is sre_constants.SUBPATTERN:
        return sample(argument[-1], choice)
    if operation is sre_constants.BRANCH:
        return sample(choice.choice(argument[1]), choice)
    if operation is sre_constants.LITERAL:
        return chr(int(argument))
    if operation is sre_constants.IN:
        kind, inner = choice.choice(argument)
        if kind is sre_constants.LITERAL:
            return chr(inner)
        return chr(choice.randint(*inner)) if kind is sre_constants.RANGE else "a"
    if operation in {sre_constants.ANY, sre_constants.NOT_LITERAL}:
        return "a"
    return ""


def attacks(pattern: str | bytes, flags: int) -> Iterator[str]:
    """Long texts of one kind, and what the pattern wants at first with repeats of what it wants then."""
    for unit in UNITS:
        yield unit * (5000 // len(unit))
        yield unit * (5000 // len(unit)) + "\0"
    choice = random.Random(1)  # noqa: S311 - the same in every run
    text = pattern if isinstance(pattern, str) else pattern.decode("latin-1")
    for _ in range(8):
        found = sample(sre_parse.parse(text, flags), choice)[:60]
        own = {found[at : at + size] for at in range(len(found)) for size in (1, 2, 6)}
        for cut in range(len(found) + 1):
            for unit in (*UNITS, *(unit for unit in own if found.startswith(unit, cut))):
                for end in ("\0", ";\0"):
                    yield found[:cut] + unit * 60 + end
        yield found * (5000 // (len(found) or 1)) + "\0"


def attack() -> str:
    """The pattern that takes too long, and where it is; empty where none does."""

    def end(_number: int, _frame: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGPROF, end)
    for (pattern, flags), place in COMPILED.items():
        compiled: Any = re.compile(pattern, flags)
        for text in dict.fromkeys(attacks(pattern, flags)):
            said: Any = text if isinstance(pattern, str) else text.encode("latin-1", "replace")
            try:
                signal.setitimer(signal.ITIMER_PROF, LONGEST)
                compiled.match(said)
                compiled.fullmatch(said)
                # What is looked for anywhere may begin anywhere, which takes the square of the length.
                compiled.search(said[:1000])
                signal.setitimer(signal.ITIMER_PROF, 0)
            except TimeoutError:
                return f"{place}: {pattern!r} on {text[:60]!r}"
    return ""


if __name__ == "__main__":
    gather()
    slow = attack()
    sys.stdout.write(slow or f"{len(COMPILED)} patterns")
    sys.exit(bool(slow))
