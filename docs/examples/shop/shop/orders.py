"""Orders, which are packed after their customers were told that they have been taken."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from .accounts import Customer
from .catalog import Number
from .database import connected
from .environment import MAILS, PACKING

routes = APIRouter(prefix="/api/orders", tags=["orders"])


class Line(BaseModel):
    """Some of a product."""

    product: Number
    count: Annotated[int, Field(ge=1, le=100)]


class Cart(BaseModel):
    """What somebody wants."""

    lines: Annotated[list[Line], Field(min_length=1, max_length=20)]


class Order(BaseModel):
    """What has been ordered, and what became of it: `placed`, and later `packed`."""

    number: int
    status: str
    lines: list[Line]


def order_of(number: int, name: str) -> Order:
    """An order of this customer's; there is none of anybody else."""
    with connected() as database:
        query = "select * from orders where number = ? and account = ?"
        row = database.execute(query, (number, name)).fetchone()
        query = 'select product, count from lines where "order" = ?'
        lines = [Line(**line) for line in database.execute(query, (number,))]
    if row is None:
        raise HTTPException(404, "there is no such order")
    return Order(number=row["number"], status=row["status"], lines=lines)


def place(cart: Cart, name: str) -> int:
    """Take an order, if all of it is there."""
    with connected() as database:
        query = "insert into orders (account, status) values (?, 'placed') returning number"
        number: int = database.execute(query, (name,)).fetchone()["number"]
        for line in cart.lines:
            query = "update products set stock = stock - ? where number = ? and stock >= ?"
            if not database.execute(query, (line.count, line.product, line.count)).rowcount:
                raise HTTPException(409, f"there are not {line.count} of product {line.product}")
            database.execute("insert into lines values (?, ?, ?)", (number, line.product, line.count))
    return number


async def pack(number: int, link: str) -> None:
    """Pack an order, and write to its customer."""
    await asyncio.sleep(PACKING)
    await run_in_threadpool(finish, number, link)


def finish(number: int, link: str) -> None:
    """Write the mail, which a mail server would fetch, and note that it is done."""
    mail = f"Your order {number} is packed. See what is in it: {link}\n"
    (MAILS / f"{number}.txt").write_text(mail, encoding="utf-8")
    with connected() as database:
        database.execute("update orders set status = 'packed' where number = ?", (number,))


@routes.post("", status_code=201)
def order(cart: Cart, name: Customer, request: Request, later: BackgroundTasks) -> Order:
    """Buy what is in the cart."""
    number = place(cart, name)
    later.add_task(pack, number, str(request.url_for("read", number=number)))
    return order_of(number, name)


@routes.get("")
def orders(name: Customer, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> list[Order]:
    """My orders, the newest first."""
    query = "select number from orders where account = ? order by number desc limit ?"
    with connected() as database:
        found = [row["number"] for row in database.execute(query, (name, limit))]
    return [order_of(number, name) for number in found]


@routes.get("/{number}")
def read(number: Number, name: Customer) -> Order:
    """One of them."""
    return order_of(number, name)


@routes.get("/{number}/packed")
async def packed(number: Number, name: Customer) -> Order:
    """The same, once it is packed."""
    while True:
        found = await run_in_threadpool(order_of, number, name)
        if found.status == "packed":
            return found
        await asyncio.sleep(0.1)
