"""Under which paths the operations of a document are found."""

from __future__ import annotations

from typing import Any

import pytest

from garrison.openapi.contract import Contract
from garrison.openapi.model import DocumentError, Head
from garrison.openapi.routing import Match
from tests.toolkit.openapi.documents import compiled

_MANY = [f"v{number}" for number in range(100)]
_VARIABLES = {
    "any": {"default": "a"},
    "base": {"default": "v1", "enum": ["v2", "v1"]},
    "deep": {"default": "api/v1"},
    "many": {"default": "v0", "enum": _MANY},
    "mixed": {"default": "v0", "enum": [*_MANY, "a/b"]},
    "none": {"default": ""},
    "paths": {"default": "a/0", "enum": [f"a/{number}" for number in range(100)]},
    "where": {"default": "https://pets.invalid/v1", "enum": ["https://pets.invalid/v2", "//other/v2"]},
}


def _document(servers: object = None, of_item: object = None, of_operation: object = None) -> dict[str, Any]:
    operation: dict[str, object] = {"operationId": "show", "responses": {}}
    item: dict[str, object] = {"get": operation}
    found: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Pets", "version": "1"},
        "paths": {"/pets/{id}": item, "/health": {"get": {"operationId": "health", "responses": {}}}},
    }
    for holder, declared in ((found, servers), (item, of_item), (operation, of_operation)):
        if declared is not None:
            holder["servers"] = declared
    return found


def _contract(source: dict[str, Any]) -> Contract:
    return Contract(compiled(source), {}, security="app")


def _found(contract: Contract, path: str) -> tuple[str, ...]:
    """The operation for a path, and the values of its variables; empty where there is none."""
    match = contract.find(Head("GET", path.encode(), b"", ()))
    if not isinstance(match, Match):
        return ()
    return (match.operation.name, *(value.decode() for value in match.values))


@pytest.mark.parametrize(
    ("servers", "prefixes"),
    [
        (None, ("",)),
        ([], ("",)),
        ([{"url": "/"}], ("",)),
        ([{"url": ""}], ("",)),
        ([{"url": "https://pets.invalid"}], ("",)),
        ([{"url": "//pets.invalid/v1"}], ("/v1",)),
        ([{"url": "https://pets.invalid/v1/"}, {"url": "/v2"}, {"url": "v3"}], ("/v1", "/v2", "/v3")),
        ([{"url": "./v1"}, {"url": "../v2"}, {"url": "https://a/b/../v3"}], ("/v1", "/v2", "/v3")),
        ([{"url": "https://pets.invalid/v1?a=1#b"}], ("/v1",)),
        ([{"url": "https://{any}/{base}"}], ("/v1", "/v2")),
        ([{"url": "https://{many}.{mixed}:{any}/{base}"}], ("/v1", "/b:{*0}/v1", "/v2", "/b:{*0}/v2")),
        ([{"url": "/{any}/x/{any}"}], ("/{*0}/x/{*1}",)),
        ([{"url": "{any}/v1"}], ("/{*0}/v1",)),
        ([{"url": "/{deep}"}], ("/api/v1",)),
        ([{"url": "/v1{none}"}], ("/v1",)),
        ([{"url": "/{many}"}], ("/{*0}",)),
        ([{"url": "/{mixed}"}], ("/{*0}", "/a/b")),
        ([{"url": "{where}"}], ("/v1", "/v2")),
    ],
)  # fmt: skip
def test_servers_are_prefixes(servers: Any, prefixes: tuple[str, ...]) -> None:
    """The path of each, with every value that a variable may have; a free one stays a variable."""
    for server in servers or ():
        server["variables"] = _VARIABLES
    found = compiled(_document(servers)).servers
    assert sorted(found) == sorted(prefixes)


def test_servers_with_too_many_paths_are_refused() -> None:
    """What is left out would be a path that nobody guards."""
    with pytest.raises(DocumentError, match="at most 64 paths by its variables") as caught:
        compiled(_document([{"url": "/{paths}", "variables": _VARIABLES}]))
    assert caught.value.pointer == "/servers/0/url"


def test_a_path_or_an_operation_may_have_servers_of_its_own() -> None:
    """A request to them is for the operation, with and without their path, and where all others are."""
    all_of_it, item, own = ([{"url": f"https://pets.invalid/{name}"}] for name in ("all", "item", "own"))
    contract = _contract(_document(all_of_it, item, own))
    for prefix in ("", "/all", "/own"):
        assert _found(contract, f"{prefix}/pets/5") == ("show", "5")
    assert _found(contract, "/item/pets/5") == ()
    assert _found(contract, "/own/health") == ()
    assert _found(contract, "/all/health") == ("health",)
    contract = _contract(_document(all_of_it, item, []))
    assert _found(contract, "/item/pets/5") == ("show", "5")


def test_servers_of_its_own_go_first() -> None:
    """Where another operation would be found by the servers of the document, which it has replaced."""
    source = _document([{"url": "/all"}])
    show = {"get": {"operationId": "other", "responses": {}, "servers": [{"url": "/none"}]}}
    source["paths"] = {"/x": show, "/all/x": {"get": {"operationId": "own", "responses": {}}}}
    assert _found(_contract(source), "/all/x") == ("own",)
    source["paths"]["/y"] = {"get": {"operationId": "its", "responses": {}, "servers": [{"url": "/z"}]}}
    source["paths"]["/z/y"] = {"get": {"operationId": "late", "responses": {}, "servers": [{"url": "/w"}]}}
    assert _found(_contract(source), "/all/y") == ("its",)


def test_a_free_variable_of_a_server_may_be_anything() -> None:
    """Such as the name of a tenant: it is no value of the operation's own parameters."""
    servers = [{"url": "https://pets.invalid/{any}", "variables": _VARIABLES}]
    contract = _contract(_document(servers))
    for tenant in ("a", "b", "b%2Fc"):
        assert _found(contract, f"/{tenant}/pets/5") == ("show", "5")
        assert _found(contract, f"/{tenant}/health") == ("health",)
    assert _found(contract, "/pets/5") == ("show", "5")
    assert _found(contract, "/b/pets/a%20b") == ("show", "a%20b")
