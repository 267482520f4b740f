"""A login that guessing does not get into, and that nobody can keep its owners out of."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel

from garrison import Attempt, Limit, LoginLimit, QuotaExceededError, harden, problem_handler

SALT = secrets.token_bytes(16)


def hashed(password: str) -> bytes:
    """What is kept of a password; made slowly, so that it is worth nothing to a thief."""
    return hashlib.scrypt(password.encode(), salt=SALT, n=2**14, r=8, p=1)


USERS = {"ann": hashed("correct horse battery staple")}
# Whoever asks for a name that does not exist waits as long as for one that does.
NOBODY = hashed(secrets.token_hex())


class Credentials(BaseModel):
    """What a client submits."""

    username: str
    password: str


app = FastAPI()
app.add_exception_handler(QuotaExceededError, problem_handler)
login_limit = LoginLimit(account="username")


@app.post("/login")
async def login(
    credentials: Credentials, attempt: Annotated[Attempt, Depends(login_limit)]
) -> dict[str, str | bool]:
    """Let somebody in; what the attempt took is given back where the password is right."""
    expected = USERS.get(credentials.username, NOBODY)
    found = await asyncio.to_thread(hashed, credentials.password)
    if not hmac.compare_digest(found, expected):
        raise HTTPException(401, "wrong name or password")
    await attempt.succeeded()
    # Somewhere new, or while others guess: a good moment to ask for a second factor.
    return {"welcome": credentials.username, "new_here": not attempt.remembered}


@app.post("/password-reset", dependencies=[Depends(Limit("3/hour"))])
async def password_reset() -> dict[str, str]:
    """Send a mail, and not too many."""
    return {"sent": "if there is such an account"}


hardened = harden(app)
