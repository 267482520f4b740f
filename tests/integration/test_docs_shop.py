"""The shop of the examples does all that it offers, as it comes and hardened by its environment alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.shop import Customer, Site, customer, received

if TYPE_CHECKING:
    from collections.abc import Iterator

PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.fixture(params=["open_shop", "closed_shop"])
def site(request: pytest.FixtureRequest) -> Site:
    """The shop under uvicorn, and the same under `garrison run`."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Site)
    return found


@pytest.fixture
def visitor(site: Site) -> Iterator[Customer]:
    """Somebody who has signed in."""
    with customer(site) as found:
        yield found


def product(visitor: Customer, number: int) -> dict[str, Any]:
    """A product as everybody sees it."""
    found = visitor.http.get(f"/api/products/{number}").json()
    assert isinstance(found, dict)
    return found


def test_somebody_signs_in(site: Site, visitor: Customer) -> None:
    """By the cookie of a browser and by the token of a program; others are told to sign in."""
    assert visitor.http.get("/api/me").json() == {"name": visitor.name}
    stranger = Customer(site)
    with stranger.http as http:
        token = visitor.http.cookies["session"]
        assert http.get("/api/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        assert http.get("/api/me").status_code == 401
        assert http.get("/api/me", headers={"Authorization": f"Bearer {token}x"}).status_code == 401
        assert visitor.login("wrong password").status_code == 401
        assert visitor.register().status_code == 409


def test_an_order_is_taken_and_packed_later(visitor: Customer) -> None:
    """The reply comes first; then the background task packs, and writes a mail with a link to the order."""
    before = product(visitor, 1)["stock"]
    reply = visitor.order()
    number = reply.json()["number"]
    assert (reply.status_code, reply.json()["status"]) == (201, "placed")
    assert product(visitor, 1)["stock"] == before - 1

    assert visitor.http.get(f"/api/orders/{number}/packed").json()["status"] == "packed"
    assert visitor.mail(number).endswith(f"http://shop.example/api/orders/{number}\n")
    assert visitor.http.get("/api/orders?limit=5").json()[0]["number"] == number


def test_an_order_is_its_customers_own(site: Site, visitor: Customer) -> None:
    """For anybody else there is none, and what is not there cannot be bought."""
    number = visitor.order().json()["number"]
    with customer(site) as other:
        assert other.http.get(f"/api/orders/{number}").status_code == 404
    lines = [{"product": 1, "count": 1}, {"product": 3, "count": 100}]
    before = product(visitor, 1)["stock"]
    assert visitor.http.post("/api/orders", json={"lines": lines}).status_code == 409
    assert product(visitor, 1)["stock"] == before


def test_a_picture_is_shown(visitor: Customer) -> None:
    """What was uploaded comes back byte by byte, as what it was said to be."""
    path = visitor.upload(PIXEL).json()["picture"]
    reply = visitor.http.get(f"/pictures/{path}")
    assert (reply.status_code, reply.content) == (200, PIXEL)
    assert reply.headers["content-type"] == "image/png"


def test_a_review_is_read(visitor: Customer) -> None:
    """What somebody says of a product is there for everybody."""
    assert visitor.http.post("/api/products/4/reviews", json={"text": "It holds tea."}).status_code == 201
    found = visitor.http.get("/api/products/4/reviews").json()
    assert found[0] == {"account": visitor.name, "text": "It holds tea."}


def test_the_stock_is_a_stream(visitor: Customer) -> None:
    """The first event is there at once, and another one when somebody has bought something."""
    with visitor.http.stream("GET", "/api/stock") as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        lines = reply.iter_lines()
        first = json.loads(next(lines).removeprefix("data: "))
        visitor.order(2)
        following = json.loads(
            next(line for line in lines if line.startswith("data: ")).removeprefix("data: ")
        )
    assert following["Black tea"] == first["Black tea"] - 1


def test_an_order_is_followed_over_a_websocket(visitor: Customer) -> None:
    """It tells what an order is, and again when that changes; of others' orders, that they are unknown."""
    with visitor.socket() as socket:
        number = visitor.order(2).json()["number"]
        socket.send(str(number))
        told = received(socket)
        if told["status"] == "placed":
            told = received(socket)
        assert told == {"order": number, "status": "packed"}
        socket.send("999999")
        assert received(socket) == {"order": 999999, "status": "unknown"}


def test_the_pages_are_there(visitor: Customer) -> None:
    """Two pages, whose scripts stand in them."""
    for path in ("/", "/account"):
        reply = visitor.http.get(path)
        assert reply.headers["content-type"].startswith("text/html")
        assert "<script>" in reply.text
