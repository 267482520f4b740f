"""What there is to buy, what people say of it, and what it looks like."""

import secrets
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from .accounts import Customer
from .database import connected
from .environment import PICTURES

routes = APIRouter(tags=["catalog"])
Number = Annotated[int, Field(ge=1, lt=2**31)]


class Product(BaseModel):
    """Something to buy; its price is in cents."""

    number: int
    name: str
    price: int
    stock: int
    picture: str | None


class Words(BaseModel):
    """What somebody says of a product."""

    text: Annotated[str, Field(min_length=1)]


class Review(Words):
    """The same, and who said it."""

    account: str


def product_of(number: int) -> Product:
    """A product, if there is such a one."""
    with connected() as database:
        row = database.execute("select * from products where number = ?", (number,)).fetchone()
    if row is None:
        raise HTTPException(404, "there is no such product")
    return Product(**row)


@routes.get("/api/products")
def products(search: str = "", limit: Annotated[int, Query(ge=1, le=100)] = 20) -> list[Product]:
    """What there is, or what of it has this in its name."""
    query = "select * from products where instr(lower(name), lower(?)) order by number limit ?"
    with connected() as database:
        return [Product(**row) for row in database.execute(query, (search, limit))]


@routes.get("/api/products/{number}")
def product(number: Number) -> Product:
    """One of them."""
    return product_of(number)


@routes.get("/api/products/{number}/reviews")
def reviews(number: Number) -> list[Review]:
    """What people say of it, the newest first."""
    query = "select account, text from reviews where product = ? order by rowid desc limit 50"
    with connected() as database:
        return [Review(**row) for row in database.execute(query, (product_of(number).number,))]


@routes.post("/api/products/{number}/reviews", status_code=201)
def review(number: Number, words: Words, name: Customer) -> Review:
    """Say something of it."""
    row = (product_of(number).number, name, words.text)
    with connected() as database:
        database.execute("insert into reviews values (?, ?, ?)", row)
    return Review(account=name, text=words.text)


@routes.post("/api/products/{number}/picture", status_code=201)
def upload(number: Number, picture: UploadFile, name: Customer) -> Product:  # noqa: ARG001 - customers only
    """Show what it looks like."""
    found = product_of(number)
    file = secrets.token_hex(8)
    with (PICTURES / file).open("wb") as kept:
        while chunk := picture.file.read(65_536):
            kept.write(chunk)
    # It is believed what it says it is.
    row = (file, picture.content_type or "application/octet-stream")
    with connected() as database:
        database.execute("insert into pictures values (?, ?)", row)
        database.execute("update products set picture = ? where number = ?", (file, found.number))
    return product_of(number)


@routes.get("/pictures/{name}", response_class=FileResponse)
def shown(name: str) -> FileResponse:
    """A picture."""
    with connected() as database:
        row = database.execute("select * from pictures where name = ?", (name,)).fetchone()
    if row is None:
        raise HTTPException(404, "there is no such picture")
    return FileResponse(PICTURES / row["name"], media_type=row["media_type"])
