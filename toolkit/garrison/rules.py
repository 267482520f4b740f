"""One notation for rules by method, path and identity, which every section shares."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from garrison.nearest import nearest_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from garrison.asgi import Scope

METHOD: Final = re.compile(r"[A-Z][A-Z-]*(\|[A-Z][A-Z-]*)*")

# Those that apps answer; of the rest of IANA's registry, and of private ones, each is taken as it stands.
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "TRACK", "QUERY")

# Middlewares nest, but not endlessly.
DEEPEST: Final = 100

# RFC 3986 section 3.3.
DOT_SEGMENT: Final = re.compile(r"/\.\.?(?:/|$)")


class NotationError(ValueError):
    """A text that is not in a notation.

    Args:
        expected: what fits, a noun phrase with an example.
        found: the part of the text that does not.
    """

    def __init__(self, expected: str, found: str) -> None:
        self.expected = expected
        self.found = found
        super().__init__(f"{expected}, not {found!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: what it applies to, and what it says there.

    Attributes:
        methods: the methods it applies to; empty for all. With GET goes HEAD, which frameworks answer with
            the same handler (RFC 9110 section 9.3.2).
        path: the path as the framework routes it; `*` at the end stands for anything; empty for all.
        value: what the rule says, in the notation of its section.
        identity: what is behind `by`, or an empty text.
    """

    methods: frozenset[str]
    path: str
    value: str
    identity: str

    @property
    def target(self) -> tuple[frozenset[str], str]:
        """What the rule applies to; rules with the same target belong together."""
        return self.methods, self.path

    @property
    def about(self) -> str:
        """The target as it is written; `everything` where it has neither methods nor a path."""
        methods = self.methods - {"HEAD"} if "GET" in self.methods else self.methods
        return " ".join(filter(None, ["|".join(sorted(methods)), self.path])) or "everything"

    def applies(self, method: str, path: str) -> bool:
        """Whether the rule is about this request.

        Args:
            method: as the client sent it.
            path: without `root_path`, as the router sees it.
        """
        if self.methods and method not in self.methods:
            return False
        if self.path.endswith("*"):
            return path.startswith(self.path[:-1])
        return not self.path or path == self.path


# Of rate limits, the section that has the most of them.
EXAMPLE: Final = "'POST /login: 5/minute' or '/api/*: 100/minute'"

# What every request fits.
EVERYTHING: Final = Rule(methods=frozenset(), path="/*", value="", identity="")


def parse_rules(text: str, example: str = EXAMPLE) -> tuple[Rule, ...]:
    """Read rules such as `POST /login: 5/minute by address; /api/*: 1000/hour; 100/minute`.

    Rules are parted by `;`. In front of the `: ` stand methods, joined by `|`, and a path, both optional;
    behind it the value, and `by IDENTITY` where the section has identities.

    Args:
        text: any number of rules.
        example: what to show to somebody whose rule does not fit.

    Raises:
        NotationError: with the rule that does not fit and how a rule looks.
    """
    return tuple(_parse(part.strip(), example) for part in text.split(";") if part.strip())


def _parse(text: str, example: str) -> Rule:
    target, colon, rest = text.partition(": ")
    if not colon:
        target, rest = "", text
    methods: frozenset[str] = frozenset()
    path = ""
    for word in target.split():
        if word.startswith("/") and not path and word.count("*") == word.endswith("*"):
            path = word
        elif METHOD.fullmatch(word) and not methods and not path:
            methods = frozenset(map(_method, word.split("|")))
            if "GET" in methods:
                methods |= {"HEAD"}
        else:
            raise NotationError(f"a rule such as {example}", text)
    value, _, identity = rest.partition(" by ")
    if not value.strip():
        raise NotationError("a value behind the target", text)
    return Rule(methods=methods, path=path, value=value.strip(), identity=identity.strip())


def _method(name: str) -> str:
    """A method, unless it is nearly another: a rule that is about no request would never be missed."""
    near = None if name in METHODS else nearest_to(name, METHODS, cutoff=0.75)
    if near is not None:
        raise NotationError(f"a method such as {near}", name)
    return name


def covers(earlier: Rule, later: Rule) -> bool:
    """Whether every request that the later rule is about fits the earlier one already."""
    if earlier.methods and not (later.methods and later.methods <= earlier.methods):
        return False
    if earlier.path.endswith("*"):
        return later.path.startswith(earlier.path[:-1])
    return earlier.path in {"", later.path}


def parse_paths(text: str, example: str) -> tuple[Rule, ...]:
    """Read targets without values, such as `POST /saml/acs; /payments/*`.

    Args:
        text: any number of targets, each with a path, parted by `;`.
        example: what to show to somebody whose text does not fit.

    Raises:
        NotationError: with the target that does not fit.
    """
    found: list[Rule] = []
    for part in text.split(";"):
        target = part.strip()
        if not target:
            continue
        try:
            rules = parse_rules(f"{target}: listed")
        except NotationError:
            rules = ()
        # A method alone would stand for every path, which nobody means who lists paths.
        if len(rules) != 1 or not rules[0].path or rules[0].value != "listed":
            raise NotationError(_paths_such_as(example), target)
        found += rules
    return tuple(found)


def _paths_such_as(example: str) -> str:
    """What is expected, with the sign between paths, which is a comma in other lists."""
    return f"paths such as {example!r}" + ("" if ";" in example else ", parted by ';'")


def exact_paths(rules: Iterable[Rule]) -> frozenset[str] | None:
    """All paths that rules are about; None where one of them is about more than a single path.

    Nearly every request is about none of a few paths, which one look tells.

    Args:
        rules: any number of them.
    """
    found = frozenset(rule.path for rule in rules)
    return found if all(path and not path.endswith("*") for path in found) else None


def grouped(rules: Iterable[Rule]) -> Iterator[tuple[Rule, ...]]:
    """Rules of one target together, in the order in which the targets first appear."""
    groups: dict[tuple[frozenset[str], str], list[Rule]] = {}
    for rule in rules:
        groups.setdefault(rule.target, []).append(rule)
    return (tuple(group) for group in groups.values())


def routed_path(scope: Scope) -> str:
    """The path as the router will see it: `path` without the `root_path` in front of it.

    Servers that put the prefix into `path` and servers that do not are both met (ASGI 3.0, HTTP
    connection scope, `root_path`).
    """
    path: str = scope["path"]
    root: str = scope.get("root_path", "").rstrip("/")
    if root and path.startswith(root) and path[len(root) : len(root) + 1] in {"", "/"}:
        return path[len(root) :] or "/"
    return path


def root_path_of(app: object) -> str:
    """The prefix that an app puts into the scope by itself, as `FastAPI(root_path=…)` does, or nothing.

    Nothing else is asked for an attribute of that name: that of Flask and Quart is a folder.

    Args:
        app: with any number of middlewares around it that keep it as `app`.
    """
    # Whoever has made such an app has imported it.
    fastapi = sys.modules.get("fastapi")
    for _ in range(DEEPEST):
        if fastapi is None or app is None:
            break
        if isinstance(app, fastapi.FastAPI):
            root: str = app.root_path
            return root
        app = getattr(app, "app", None)
    return ""


def is_unambiguous(path: str) -> bool:
    """Whether every router, file server and proxy reads this path alike.

    They differ about empty and dot segments (RFC 3986 section 6.2.2.3), parameters of segments (section
    3.3), blanks and control characters: Python's `$` forgives a newline at the end, so that Starlette finds
    the route `/docs` for a path that goes on with one.

    Args:
        path: as the server gave it, decoded.
    """
    # One expression for all of it takes two to five times as long, on the path of every request.
    if path[:1] != "/" or "//" in path or ";" in path or " " in path or not path.isprintable():
        return False
    return "/." not in path or DOT_SEGMENT.search(path) is None
