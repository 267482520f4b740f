"""Whether a reply gives what was asked for, or turns the caller away in friendlier words than a 401."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from garrison_harness.exchange import Reply

_WORDS_READ: Final = 4000
_DENIAL: Final = re.compile(
    r"unauthori[sz]ed|unauthenticated|not authenticated|authentication|log(?:ged)?[ -]?in|sign(?:ed)?[ -]?in"
    r"|access denied|forbidden|permission|type=[\"']?password",
    re.IGNORECASE,
)
# Neither a page of authors nor one of lessons is a login.
_LOGIN: Final = re.compile(
    r"login|(?<![a-z])(?:log|sign)[-_]?in(?![a-z])|auth(?!ors?(?![a-z]))|(?<![a-z])(?:sso|saml)(?![a-z])",
    re.IGNORECASE,
)


def turns_away(reply: Reply) -> bool:
    """Whether the reply refuses a caller for who they are: by its status, or on the way to a login.

    Args:
        reply: To a request without credentials.
    """
    leads = 300 <= (reply.status or 0) < 400 and _LOGIN.search(reply.get("location")) is not None
    return reply.status in {401, 403} or leads


def serves(reply: Reply, missing: Reply) -> bool:
    """Whether the reply is what was asked for, and not what the app answers to everything.

    Args:
        reply: The reply.
        missing: What the app answers for a path that it does not serve.
    """
    if reply.status is None or not 200 <= reply.status < 300 or reply.failure:
        return False
    if missing.status is not None and missing.status < 300 and missing.media_type == reply.media_type:
        return False
    return reply.body != missing.body or reply.status == 204


def denies_in_words(reply: Reply) -> bool:
    """Whether a success says in its content that it is none, such as a login page.

    Args:
        reply: A reply with a status of success.
    """
    return _DENIAL.search(reply.text[:_WORDS_READ]) is not None
