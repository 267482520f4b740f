"""One route in FastAPI and in Litestar, each with the interactive documentation that it comes with."""

from fastapi import FastAPI
from litestar import Litestar, get
from litestar.params import FromPath

on_fastapi = FastAPI(title="Teas")


@on_fastapi.get("/teas/{number}")
async def brew(number: int) -> dict[str, str]:
    """A tea."""
    return {"tea": f"Darjeeling {number}"}


@get("/teas/{number:int}", summary="Brew")
async def brew_on_litestar(number: FromPath[int]) -> dict[str, str]:
    """A tea."""
    return {"tea": f"Darjeeling {number}"}


on_litestar = Litestar([brew_on_litestar], logging_config=None)
