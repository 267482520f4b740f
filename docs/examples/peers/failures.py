"""Errors beside what FastAPI and Starlette answer by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from docs.examples.peers.asked import ask
from docs.examples.peers.case import Case
from garrison import Settings, harden

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docs.examples.peers.asked import Answer

JSON: Final = [(b"content-type", b"application/json")]


class Account(BaseModel):
    """What a registration asks for."""

    name: str
    password: str


async def register(account: Account) -> dict[str, str]:
    """A route that wants two fields."""
    return {"name": account.name}


async def forbidden() -> None:
    """What a task group raises where one of its tasks may not."""
    raise ExceptionGroup("unhandled errors in a TaskGroup", [HTTPException(403)])


async def database() -> None:
    """A failure that says too much."""
    raise HTTPException(500, "could not connect to postgres://shop:hunter2@db.internal/shop")


def cases() -> Iterator[Case]:
    """What is compared here."""
    bare, around = _app(), harden(_app(), Settings())
    sent = b'{"password": "hunter2"}'
    yield Case(
        "a registration without a name: the password in the 422",
        "fastapi",
        _shown(ask(bare, "/register", headers=JSON, body=sent)),
        _shown(ask(around, "/register", headers=JSON, body=sent)),
    )
    yield Case(
        "a handler raises HTTPException(500) with the address of its database",
        "fastapi",
        _shown(ask(bare, "/database")),
        _shown(ask(around, "/database")),
    )
    yield Case(
        "a task group raises HTTPException(403)",
        "fastapi",
        f"is answered with {ask(bare, '/forbidden').status}",
        f"is answered with {ask(around, '/forbidden').status}",
    )


def _app() -> FastAPI:
    app = FastAPI()
    app.post("/register")(register)
    app.get("/database")(database)
    app.get("/forbidden")(forbidden)
    return app


def _shown(answer: Answer) -> str:
    return "is shown" if "hunter2" in answer.body else "is not shown"
