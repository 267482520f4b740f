"""Ids, from one reply to the next request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from garrison_harness.load.requests.carrying import MOST, Carrier, Chosen, Sent, Success
from garrison_harness.load.requests.linking import Declared, linked
from garrison_harness.load.requests.spec import FRESH, Example, Form, Gift, RequestSpec, parameters_of

NUMBER = "12345678"


def specs(*lines: str) -> dict[str, RequestSpec]:
    """Linked requests of `METHOD /path`."""
    made = []
    for line in lines:
        method, path = line.split()
        example = Example(values=("0",) * len(parameters_of(path)))
        made.append(RequestSpec(method=method, path=path, name=path, examples=(example,), sure=False))
    found = linked([Declared(spec=spec, operation={}) for spec in made], {})
    return dict(zip(lines, found, strict=True))


def learn(
    carrier: Carrier,
    spec: RequestSpec,
    reply: Any,
    chosen: Chosen | None = None,
    status: int = 200,
    **headers: str,
) -> None:
    """Let a user see a reply."""
    success = Success(status, headers, json.dumps(reply).encode())
    carrier.learn(spec, chosen or Chosen(), Sent(spec.examples[0].renewed(NUMBER), NUMBER), success)


def target(carrier: Carrier, spec: RequestSpec) -> str | None:
    """What would be asked for next."""
    chosen = carrier.choose(spec)
    return None if chosen is None else spec.target(spec.examples[0], chosen.ids)


@pytest.mark.parametrize(
    ("reply", "asked"),
    [
        ({"id": 7}, "/items/7"),
        ({"itemId": "a/b"}, "/items/a%2Fb"),
        ({"item_id": 8, "id": 9}, "/items/8"),
        ({"data": {"id": 7}}, "/items/7"),
        ({"uuid": "u-1"}, "/items/u-1"),
        ({"id": True}, None),
        ({"id": ""}, None),
        ({"id": "x" * 500}, None),
        ({"id": ".."}, None),
        ({"ok": 1}, None),
        ([], None),
        ("7", None),
        (None, None),
    ],
    ids=str,
)
def test_what_was_made_is_asked_for(reply: Any, asked: str | None) -> None:
    """The id of a reply to POST is what GET names, wherever apps put it."""
    known = specs("POST /items", "GET /items/{itemId}")
    carrier = Carrier()
    learn(carrier, known["POST /items"], reply)
    assert target(carrier, known["GET /items/{itemId}"]) == asked


def test_a_location_tells_the_id_where_the_body_does_not() -> None:
    """A reply of 201 may have no body."""
    known = specs("POST /items", "GET /items/{id}")
    carrier = Carrier()
    learn(carrier, known["POST /items"], None, location="http://127.0.0.1/api/items/7")
    assert target(carrier, known["GET /items/{id}"]) == "/items/7"
    learn(carrier, known["POST /items"], None, location="http://127.0.0.1/elsewhere/8")
    assert target(carrier, known["GET /items/{id}"]) == "/items/7"


@pytest.mark.parametrize(
    "reply", [[{"id": 7}], {"total": 1, "items": [{"id": 7}]}, [1, {"x": 2}, {"id": "7"}]], ids=str
)
def test_what_was_listed_is_asked_for_and_never_deleted(reply: Any) -> None:
    """A list names what others made: it may be read and changed."""
    known = specs("GET /items", "GET /items/{id}", "DELETE /items/{id}", "PUT /items/{id}")
    carrier = Carrier()
    learn(carrier, known["GET /items"], reply)
    assert (
        target(carrier, known["GET /items/{id}"]) == target(carrier, known["PUT /items/{id}"]) == "/items/7"
    )
    assert carrier.choose(known["DELETE /items/{id}"]) is None


def test_own_things_and_those_of_others_are_both_asked_for() -> None:
    """A user looks at what it made most of the time, and at what others made now and then."""
    known = specs("POST /items", "GET /items", "GET /items/{id}")
    carrier = Carrier()
    learn(carrier, known["POST /items"], {"id": 1})
    learn(carrier, known["GET /items"], [{"id": 2}])
    asked = [target(carrier, known["GET /items/{id}"]) for _ in range(8)]
    assert asked.count("/items/1") > asked.count("/items/2") > 0


def test_ids_below_ids_stay_together() -> None:
    """A note is asked for below the item that it is on."""
    known = specs("POST /items", "POST /items/{item}/notes", "GET /items/{i}/notes/{note}")
    carrier = Carrier()
    learn(carrier, known["POST /items"], {"id": 7})
    post = known["POST /items/{item}/notes"]
    chosen = carrier.choose(post)
    assert chosen == Chosen(("7",), own=True)
    learn(carrier, post, {"id": 1}, chosen)
    get = known["GET /items/{i}/notes/{note}"]
    assert target(carrier, get) == "/items/7/notes/1"
    assert carrier.choose(get) == Chosen(("7", "1"), own=True)


def test_what_was_made_below_something_of_others_may_go_with_it() -> None:
    """A note on somebody else's item is gone when that is: 404 is no error, and it is not for deleting."""
    known = specs(
        "GET /items", "POST /items/{id}/notes", "GET /items/{id}/notes/{n}", "DELETE /items/{id}/notes/{n}"
    )
    carrier = Carrier()
    learn(carrier, known["GET /items"], [{"id": 7}])
    post = known["POST /items/{id}/notes"]
    learn(carrier, post, {"id": 1}, carrier.choose(post))
    assert carrier.choose(known["GET /items/{id}/notes/{n}"]) == Chosen(("7", "1"))
    assert carrier.choose(known["DELETE /items/{id}/notes/{n}"]) is None


def test_what_was_deleted_is_forgotten_with_all_below_it() -> None:
    """Nobody asks for what is gone; what else there is stays."""
    known = specs(
        "POST /items", "DELETE /items/{id}", "POST /items/{id}/notes", "GET /items/{id}/notes/{note}"
    )
    carrier = Carrier()
    for number in (7, 8):
        learn(carrier, known["POST /items"], {"id": number})
        learn(carrier, known["POST /items/{id}/notes"], {"id": 1}, Chosen((str(number),), own=True))
    learn(carrier, known["DELETE /items/{id}"], None, Chosen(("7",), own=True))
    for _ in range(4):
        assert target(carrier, known["DELETE /items/{id}"]) == "/items/8"
        assert target(carrier, known["GET /items/{id}/notes/{note}"]) == "/items/8/notes/1"


def test_a_put_names_what_it_makes() -> None:
    """Where nothing else gives the key, it is the one that PUT was sent to."""
    known = specs("PUT /settings/{key}", "GET /settings/{key}")
    carrier = Carrier()
    put = known["PUT /settings/{key}"]
    learn(carrier, put, None, carrier.choose(put))
    assert target(carrier, known["GET /settings/{key}"]) == "/settings/0"


def operations(source: str, example: Example, *gives: Gift) -> tuple[RequestSpec, RequestSpec]:
    """A request that brings an id, and the one that deletes by it."""
    method, path = source.split()
    giver = RequestSpec(method=method, path=path, name=path, examples=(example,), gives=gives)
    return giver, RequestSpec(method="DELETE", path="/items/{id}", name="delete", takes="/items/{}")


REPLY = Gift(to="/items/{}", source="reply", fields=("id",))
PATH = Gift(to="/items/{}", source="path")


@pytest.mark.parametrize(
    ("source", "example", "gift", "status", "own"),
    [
        ("POST /items", Example(body='{"name": "a"}'), REPLY, 200, True),
        ("POST /items", Example(body='{"id": 7}'), REPLY, 200, False),
        ("POST /items", Example(body='{"id": 7}'), REPLY, 201, True),
        ("POST /login", Example(), REPLY, 200, False),
        ("POST /login", Example(), REPLY, 201, True),
        ("GET /me", Example(), REPLY, 200, False),
        ("GET /me", Example(), REPLY, 201, False),
        ("PATCH /items", Example(), REPLY, 200, False),
        ("PUT /items/{id}", Example(values=("7",)), PATH, 200, False),
        ("PUT /items/{id}", Example(values=("7",)), PATH, 201, True),
        ("PUT /items/{id}", Example(values=(f"k{FRESH}",)), PATH, 204, True),
    ],
)
def test_what_was_there_before_is_never_deleted(
    source: str, example: Example, gift: Gift, status: int, *, own: bool
) -> None:
    """A reply that names something is no proof that the request made it: it may have written over it."""
    giver, delete = operations(source, example, gift)
    carrier = Carrier()
    learn(carrier, giver, {"id": 7}, status=status)
    assert (carrier.choose(delete) is not None) is own


@pytest.mark.parametrize(
    ("form", "reply", "asked"),
    [
        ("integer", {"name": "tea"}, None),
        ("integer", {"uuid": "a-1", "id": 7}, "/items/7"),
        ("integer", {"id": "7"}, "/items/7"),
        ("uuid", {"id": 7}, None),
        (
            "uuid",
            {"id": "0f8fad5b-d9cb-469f-a165-70867728950e"},
            "/items/0f8fad5b-d9cb-469f-a165-70867728950e",
        ),
    ],
)
def test_an_id_looks_as_its_parameter_says(form: Form, reply: Any, asked: str | None) -> None:
    """A name is no number: where a path takes an integer, no other field of the reply is asked for."""
    post, get = (
        RequestSpec(method=method, path=path, name=path, examples=(Example(values=values),))
        for method, path, values in (("POST", "/items", ()), ("GET", "/items/{item_id}", ("0",)))
    )
    taker = Declared(spec=get, operation={}, forms={"item_id": form})
    post, get = linked([Declared(spec=post, operation={}), taker], {})
    carrier = Carrier()
    learn(carrier, post, reply, status=201)
    assert target(carrier, get) == asked


def test_a_name_is_a_guess() -> None:
    """What is found by a name only may be missing, and is not for deleting: the app may know it otherwise."""
    known = specs("POST /items", "GET /items/{item}", "DELETE /items/{item}")
    carrier = Carrier()
    learn(carrier, known["POST /items"], {"name": NUMBER}, status=201)
    assert carrier.choose(known["GET /items/{item}"]) == Chosen((NUMBER,))
    assert carrier.choose(known["DELETE /items/{item}"]) is None


def test_missing_is_an_error_only_where_it_has_to_be_there() -> None:
    """Own things must be there; listed ones may be gone by now, and made-up ones need not exist."""
    get = specs("POST /items", "GET /items/{id}")["GET /items/{id}"]
    carrier = Carrier()
    assert not carrier.expects(get, Chosen(("7",), own=True), 404)
    assert carrier.expects(get, Chosen(("7",)), 404)
    assert carrier.expects(get, Chosen(), 410)
    assert not carrier.expects(get, Chosen(), 500)
    named = RequestSpec(method="GET", path="/a", name="/a", expect=(409,))
    assert carrier.expects(named, Chosen(), 409)
    assert not carrier.expects(named, Chosen(), 404)


def test_memory_is_bounded() -> None:
    """A run of hours remembers the newest ids only."""
    known = specs("POST /items", "GET /items/{id}")
    carrier = Carrier()
    for number in range(3 * MOST):
        learn(carrier, known["POST /items"], {"id": number})
    asked = {target(carrier, known["GET /items/{id}"]) for _ in range(3 * MOST)}
    assert asked == {f"/items/{number}" for number in range(2 * MOST, 3 * MOST)}
