"""Which operation a request is for."""

from __future__ import annotations

import timeit
from functools import partial

import pytest

from garrison.openapi.model import DocumentError, Operation
from garrison.openapi.routing import Match, Miss, Router


def operation(target: str) -> Operation:
    """An operation from a text such as `GET /pets`."""
    method, template = target.split(" ", 1)
    return Operation(method=method, template=template, name=target, pointer=f"/paths/{template}")


def router(*targets: str, prefixes: tuple[str, ...] = ("",)) -> Router:
    """A router of operations such as `GET /pets`."""
    return Router(map(operation, targets), prefixes=prefixes)


def found(given: Router, target: str) -> tuple[str, ...] | Miss:
    """The operation and its values for a text such as `GET /pets/5`."""
    method, path = target.split(" ", 1)
    match = given.match(method, path.encode())
    if isinstance(match, Miss):
        return match
    return (match.operation.name, *(value.decode() for value in match.values))


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("/", "/", ()),
        ("/pets", "/pets", ()),
        ("/pets/{id}", "/pets/5", ("5",)),
        ("/{a}/x/{b}", "/1/x/2", ("1", "2")),
        ("/files/{name}.{ext}", "/files/a.tar.gz", ("a.tar", "gz")),
        ("/files/{name}.{ext}", "/files/a..gz", ("a.", "gz")),
        ("/{owner}:{repo}", "/a:b", ("a", "b")),
        ("/v{version}/pets", "/v2/pets", ("2",)),
        ("/report-{day}.csv", "/report-1.csv", ("1",)),
        ("/{a}{b}", "/xyz", ("xy", "z")),
        ("/caf%C3%A9", "/caf%c3%a9", ()),
        ("/café", "/caf%C3%A9", ()),
        ("/a b", "/a%20b", ()),
        # To a framework whose templates are text, that is an encoded percent sign.
        ("/a%20b", "/a%20b", ()),
        ("/a%20b", "/a%2520b", ()),
        ("/pets/{id}", "/%70ets/5", ("5",)),
        ("/pets/{id}", "/pets/a%2Fb", ("a%2Fb",)),
        ("/pets/{id}", "/pets/;id=5", (";id=5",)),
        ("/pets/{id}", "/pets/%FF", ("%FF",)),
        ("/{owner}:{repo}", "/%61:b", ("%61", "b")),
        ("/pets/{id}.{ext}", "/pets/%2E.x", ("%2E", "x")),
    ],
)
def test_a_path_fits_its_template(template: str, path: str, values: tuple[str, ...]) -> None:
    """Literals are compared as they are decoded, and values are handed on as they were sent."""
    assert found(router(f"GET {template}"), f"GET {path}") == (f"GET {template}", *values)


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/pets", "/"),
        ("/pets", "/pets/5"),
        ("/pets/{id}", "/pets"),
        ("/pets/{id}", "/pets/"),
        ("/pets/{id}", "/pets/5/6"),
        ("/files/{name}.{ext}", "/files/a"),
        ("/files/{name}.{ext}", "/files/.gz"),
        ("/files/{name}.{ext}", "/files/a."),
        ("/{a}.{b}.{c}", "/a..c"),
        ("/v{version}", "/v"),
        ("/ab{x}bc", "/abc"),
        ("/pets", "*"),
        ("/pets", "pets"),
    ],
)
def test_a_path_that_fits_nothing(template: str, path: str) -> None:
    """A variable is never empty and never spans a slash."""
    match = router(f"GET {template}").match("GET", path.encode())
    assert isinstance(match, Miss)
    assert not match.allowed


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/users/me", "GET /users/me"),
        ("/users/5", "GET /users/{id}"),
        ("/users/5/files", "GET /users/{id}/files"),
        ("/users/me/files", "GET /users/{id}/files"),
        ("/users/report.csv", "GET /users/{name}.csv"),
        ("/users/a.b", "GET /users/{name}.{ext}"),
    ],
)
def test_what_is_more_concrete_comes_first(path: str, name: str) -> None:
    """Literals before variables, however they are declared, and back to the variable where they end."""
    given = router(
        "GET /users/{id}",
        "GET /users/{name}.{ext}",
        "GET /users/{name}.csv",
        "GET /users/me",
        "GET /users/{id}/files",
    )
    match = given.match("GET", path.encode())
    assert isinstance(match, Match)
    assert match.operation.name == name


def test_a_method_is_looked_for_in_all_paths_that_fit() -> None:
    """Routers go on to the next route where one lacks the method."""
    given = router("GET /users/me", "DELETE /users/{id}")
    assert found(given, "DELETE /users/me") == ("DELETE /users/{id}", "me")
    assert found(given, "PUT /users/me") == Miss(frozenset({"GET", "HEAD", "DELETE"}))
    assert found(given, "PUT /users/me/") == Miss(frozenset({"GET", "HEAD", "DELETE"}))


def test_head_is_get_unless_it_is_declared() -> None:
    """RFC 9110 section 9.3.2: whoever answers GET answers HEAD with the same handler."""
    assert found(router("GET /a", "POST /a"), "HEAD /a") == ("GET /a",)
    assert found(router("GET /a/{x}", "HEAD /a/{x}"), "HEAD /a/1") == ("HEAD /a/{x}", "1")
    assert found(router("HEAD /a", "GET /a"), "HEAD /a") == ("HEAD /a",)


def test_options_is_nobodys_operation() -> None:
    """What may be asked for is told, and a preflight reaches the app."""
    assert found(router("PUT /a/{x}", "POST /a/{x}"), "OPTIONS /a/1") == Miss(frozenset({"PUT", "POST"}))


def test_the_first_of_two_declarations_counts() -> None:
    """Templates that differ in the names of their variables are the same path."""
    given = router("GET /pets/{id}", "GET /pets/{name}", "POST /pets/{name}")
    assert found(given, "GET /pets/5") == ("GET /pets/{id}", "5")
    assert found(given, "POST /pets/5") == ("POST /pets/{name}", "5")


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [("/pets", "/pets/", ()), ("/pets/", "/pets", ()), ("/pets/{id}", "/pets/5/", ("5",)), ("/", "/", ())],
)
def test_a_slash_at_the_end_changes_nothing(template: str, path: str, values: tuple[str, ...]) -> None:
    """Frameworks redirect such a path, or serve it: neither way is it let in unseen."""
    assert found(router(f"GET {template}"), f"GET {path}") == (f"GET {template}", *values)


def test_a_slash_at_the_end_tells_two_operations_apart() -> None:
    """Each path has its own operation where both are declared."""
    given = router("GET /pets", "GET /pets/", "GET /pets/{id}")
    assert found(given, "GET /pets") == ("GET /pets",)
    assert found(given, "GET /pets/") == ("GET /pets/",)


@pytest.mark.parametrize(
    "path",
    [
        "/pets%2F5",
        "/pets%2fmine",
        "//pets/5",
        "/pets//5",
        "/pets/5//",
        "/pets/./5",
        "/pets/%2E/5",
        "/pets//%2E",
        "/x/../pets/5",
        "/pets/..",
        "/pets/%2e%2E",
        "/pets/mine%0A",
        "/mine%0a",
        "/mine;v=1",
        "/MINE",
        "/Pets/5",
        "/%4Dine",
        "/pets/x%2F",
        "http://example.com/mine",
        "/mine%20",
        "/mine%00",
    ],
)
def test_a_path_that_routers_read_differently_is_ambiguous(path: str) -> None:
    """It is neither matched as something harmless nor passed as undocumented."""
    given = router("GET /pets/{id}", "GET /pets/mine", "GET /mine", "GET /{a}/example.com/{x}")
    assert found(given, f"GET {path}") == Miss(frozenset(), ambiguous=True)


def test_a_method_in_small_letters_is_ambiguous() -> None:
    """Django takes it for the one in capital letters; one of its own the document may have in any."""
    given = router("GET /mine", "POST /mine", "copy /pets/{id}")
    for method in ("get", "Post", "head"):
        match = given.match(method, b"/mine")
        assert isinstance(match, Miss)
        assert match.ambiguous
    assert found(given, "copy /pets/5") == ("copy /pets/{id}", "5")
    assert found(given, "delete /mine") == Miss(frozenset({"GET", "HEAD", "POST"}))


@pytest.mark.parametrize("path", ["/a:b%3Ac", "/a%3Ab", "/a%3Ab:c%3Ad"])
def test_an_encoded_delimiter_in_a_segment_is_ambiguous(path: str) -> None:
    """Frameworks decode before they split, and would see other values than those that are checked."""
    assert found(router("GET /{owner}:{repo}"), f"GET {path}") == Miss(frozenset(), ambiguous=True)


@pytest.mark.parametrize(
    "path", ["//static//x.css", "/static/../etc", "/a%2Fb", "/x%0A", "/%", "/a;b", "/%zz"]
)
def test_an_undocumented_path_may_look_as_it_likes(path: str) -> None:
    """Where no reading leads to an operation, there is nothing to get around."""
    assert found(router("GET /pets/{id}", "GET /mine"), f"GET {path}") == Miss(frozenset())


@pytest.mark.parametrize(
    ("prefixes", "path", "expected"),
    [
        (("/v1",), "/v1/pets/5", ("GET /pets/{id}", "5")),
        (("/v1/",), "/v1/pets/5", ("GET /pets/{id}", "5")),
        (("/v1",), "/pets/5", Miss(frozenset())),
        (("", "/v1"), "/pets/5", ("GET /pets/{id}", "5")),
        (("/v1",), "/v1", Miss(frozenset())),
    ],
)
def test_servers_stand_in_front(
    prefixes: tuple[str, ...], path: str, expected: tuple[str, ...] | Miss
) -> None:
    """The path of a server is a part of every operation's path."""
    assert found(router("GET /pets/{id}", prefixes=prefixes), f"GET {path}") == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("pets", "begins with /"),
        ("/pets?a=1", "no \\?"),
        ("/#Action=List", "no #"),
        ("/pets/{id", "braces"),
        ("/pets/id}", "braces"),
        ("/pets/{}", "braces"),
        ("/{id}/{id}", "each variable once"),
    ],
)
def test_a_template_that_nothing_can_fit_is_refused(template: str, expected: str) -> None:
    """An operation that would never be matched would never be checked."""
    with pytest.raises(DocumentError, match=expected) as caught:
        router(f"GET {template}")
    assert caught.value.pointer == f"/paths/{template}"


def test_time_does_not_grow_with_the_document() -> None:
    """A thousand operations cost what ten do; three times as much is noise."""

    def seconds(size: int) -> float:
        targets = [f"GET /group{at}/{{id}}/items/{{item}}" for at in range(size)]
        given = router(*targets)
        path = f"/group{size - 1}/5/items/6".encode()
        assert isinstance(given.match("GET", path), Match)
        return min(timeit.repeat(lambda: given.match("GET", path), number=500, repeat=5))

    assert seconds(1_000) < 3 * seconds(10)


def test_backtracking_is_bounded() -> None:
    """Neither many variables in a segment nor literals beside variables make a long path expensive."""
    variables = [f"{{x{at}}}" for at in range(12)]
    choices = [
        f"GET /{'/'.join(('a', variables[at])[(at + shift) % 2] for at in range(12))}/end" for shift in (0, 1)
    ]
    given = router(*choices, "GET /{a}.{b}.{c}.{d}.{e}!")
    for path in ("/" + "a/" * 12 + "no", "/" + "a/" * 50_000, "/" + "." * 100_000):
        seconds = min(timeit.repeat(partial(given.match, "GET", path.encode()), number=1, repeat=3))
        assert seconds < 0.2
