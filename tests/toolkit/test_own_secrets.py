"""What a request brought that nobody may see, for the exceptions that quote it."""

from __future__ import annotations

from garrison import Redaction
from garrison.own_secrets import MOST, own_secrets, without
from garrison.redaction import Redactor
from tests.toolkit.driver import http_scope

REDACTOR = Redactor(Redaction(paths=("/reset/{code}",)))


def test_every_place_of_the_policy() -> None:
    """Credentials with and without their scheme, passwords inside Base64, cookies, parameters, segments."""
    scope = http_scope(
        "/reset/segment7",
        query=b"page=1234&token=a%20b%2Fc&key=xyz",
        headers=[
            (b"authorization", b"Basic YW5uOmh1bnRlcjI="),
            (b"x-api-key", b"key-of-mine"),
            (b"cookie", b"theme=dark; sid=long-enough"),
            (b"accept", b"text/html"),
        ],
    )
    found = own_secrets(scope, "/reset/segment7", REDACTOR)
    expected = {"segment7", "hunter2", "YW5uOmh1bnRlcjI=", "key-of-mine", "long-enough", "a%20b%2Fc", "a b/c"}
    assert expected <= set(found)
    assert not {"1234", "dark", "xyz", "text/html"} & set(found)
    assert found == sorted(found, key=len, reverse=True)
    assert without("hunter2 of ann, a b/c", found) == "[redacted] of ann, [redacted]"


def test_nonsense_is_no_failure() -> None:
    """Broken Base64 and a thousand parameters cost a bounded time and raise nothing."""
    query = b"&".join(b"token=value-%d" % number for number in range(1000))
    scope = http_scope(query=query, headers=[(b"authorization", b"Basic \xff?"), (b"cookie", b"=;;=")])
    assert len(own_secrets(scope, "/", REDACTOR)) == MOST


def test_parameters_within_parameters() -> None:
    """What a URL in a parameter carries, escaped once or twice, and what a semicolon parts."""
    scope = http_scope(query=b"next=%252Fcb%253Fcode%253Dhunter%2525202&a=1;token=hunter3&key[]=hunter4;x")
    assert {"hunter 2", "hunter3", "hunter4;x", "hunter4"} <= set(own_secrets(scope, "/", REDACTOR))
