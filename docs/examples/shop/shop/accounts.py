"""Accounts, and who somebody is: a JWT, in the header of a program or in the cookie of a browser."""

import hashlib
import hmac
import secrets
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Annotated

import jwt
from fastapi import APIRouter, Depends, HTTPException, Response
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

from .database import connected
from .environment import SECRET

HOURS = 8
routes = APIRouter(prefix="/api", tags=["accounts"])
bearer = HTTPBearer(auto_error=False)
cookie = APIKeyCookie(name="session", auto_error=False)


class Credentials(BaseModel):
    """What somebody signs in with."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{1,19}$")]
    password: Annotated[str, Field(min_length=8, max_length=200)]


class Session(BaseModel):
    """What a program sends as `Authorization: Bearer`."""

    token: str


class Account(BaseModel):
    """Somebody."""

    name: str


def hashed(password: str, salt: str) -> str:
    """What is kept of a password; made slowly, so that it is worth nothing to a thief."""
    return hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), n=2**13, r=8, p=1).hex()


NOBODY = f"{secrets.token_hex(16)}:{secrets.token_hex(64)}"
"""What a name that does not exist is compared with, so that it takes as long as one that does."""


def name_in(token: str | None) -> str | None:
    """Whose token it is; None for one that was not made here, or is too old."""
    try:
        claims = jwt.decode(token or "", SECRET, algorithms=["HS256"], options={"require": ["sub", "exp"]})
    except jwt.InvalidTokenError:
        return None
    return str(claims["sub"])


def signed_in(
    header: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    session: Annotated[str | None, Depends(cookie)],
) -> str:
    """Who asks."""
    name = name_in(header.credentials if header else session)
    if name is None:
        raise HTTPException(401, "sign in first", {"WWW-Authenticate": "Bearer"})
    return name


Customer = Annotated[str, Depends(signed_in)]


@routes.post("/accounts", status_code=201)
def register(credentials: Credentials) -> Account:
    """Open an account."""
    salt = secrets.token_hex(16)
    row = (credentials.name, f"{salt}:{hashed(credentials.password, salt)}")
    try:
        with connected() as database:
            database.execute("insert into accounts values (?, ?)", row)
    except sqlite3.IntegrityError:
        raise HTTPException(409, "this name is taken") from None
    return Account(name=credentials.name)


@routes.post("/login")
def login(credentials: Credentials, response: Response) -> Session:
    """Sign in."""
    with connected() as database:
        query = "select password from accounts where name = ?"
        row = database.execute(query, (credentials.name,)).fetchone()
    salt, _, expected = (row["password"] if row else NOBODY).partition(":")
    if not hmac.compare_digest(hashed(credentials.password, salt), expected):
        raise HTTPException(401, "wrong name or password")
    until = datetime.now(UTC) + timedelta(hours=HOURS)
    token = jwt.encode({"sub": credentials.name, "exp": until}, SECRET, algorithm="HS256")
    response.set_cookie("session", token, max_age=HOURS * 3600)
    return Session(token=token)


@routes.post("/logout", status_code=204)
def logout(response: Response) -> None:
    """Forget the browser's cookie."""
    response.delete_cookie("session")


@routes.get("/me")
def me(name: Customer) -> Account:
    """Who am I?"""
    return Account(name=name)
