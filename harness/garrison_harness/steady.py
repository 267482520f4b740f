"""What of a finding stays the same from one audit to the next."""

from __future__ import annotations

import re
from typing import Final

# What an audit or a server makes up: the canary (also where a long target was cut off), ids in hexadecimal
# and the address with the port. Any other digit may tell one route from another: /v1/search, /v2/search.
_MADE_UP: Final = re.compile(
    r"""
    garrison-(?:[0-9a-f]{12}|[0-9a-f]{1,11}(?=\.\.\.$))
    | (?<![0-9a-z])(?:
        [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}
        | (?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{8,}
      )(?![0-9a-z])
    | (?<![\w.])127(?:\.[0-9]{1,3}){3}(?::[0-9]+)?(?![\w.])
    | (?<=//)[^/:\s?\#]+:[0-9]+
    | (?<![\w.])(?:localhost|\[::1\]):[0-9]+
    """,
    re.VERBOSE | re.IGNORECASE,
)
# What was timed, measured or counted, which is no part of a path; a status has no unit and stays.
_MEASURED: Final = re.compile(
    r"""
    (?<![\w./-])[0-9][0-9.]*(?:
        \ of\ (?:the\ )?[0-9]+(?![\w/])
        | (?=\ (?:ms|s|bytes|[KM]B|requests)\b)
      )
    | (?<=content-length:\ )[0-9]+\ and\ [0-9]+
    | (?<![\w?&/])(?:remaining|reset|[rt])=[0-9]+
    """,
    re.VERBOSE | re.IGNORECASE,
)


def steady_request(where: str) -> str:
    """Method and target of a request, with a `0` for each part that is another one in the next audit.

    Args:
        where: Such as `GET /orders/1`, of which all stays.
    """
    return _MADE_UP.sub("0", where)


def steady_message(message: str) -> str:
    """What a finding says, with a `0` for what is made up, timed, measured or counted anew each time.

    Args:
        message: Such as `keeps the app busy for 1.2 s`, which becomes `keeps the app busy for 0 s`.
    """
    return _MEASURED.sub("0", _MADE_UP.sub("0", message))
