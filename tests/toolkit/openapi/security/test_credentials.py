"""Credentials are found where the document says they are, and nowhere else."""

from __future__ import annotations

from base64 import b64encode

import pytest

from garrison.openapi.credentials import AMBIGUOUS, MALFORMED, Credential, reader
from garrison.openapi.model import Head, Scheme
from tests.toolkit.openapi.security.made import BASIC, BEARER, CERTIFICATE, KEY, OAUTH, head, key_in


def value_of(scheme: Scheme, request: Head) -> str | None:
    """The value that is read, which has to be readable."""
    found = reader(scheme)(request)
    assert found is None or isinstance(found, Credential)
    return None if found is None else found.value


@pytest.mark.parametrize("scheme", [BEARER, OAUTH, Scheme(name="o", type="openIdConnect", pointer="")])
@pytest.mark.parametrize("line", ["Bearer abc.def-_~+/=", "bearer abc.def-_~+/=", "BEARER   abc.def-_~+/= "])
def test_reads_a_bearer_token_in_any_case_of_its_scheme(scheme: Scheme, line: str) -> None:
    """Clients write Bearer as they like, and OAuth 2 and OpenID Connect are bearer tokens too."""
    assert value_of(scheme, head(("authorization", line))) == "abc.def-_~+/="


def test_reads_tokens_that_are_wider_than_the_grammar() -> None:
    """Frameworks give out tokens such as `17|secret`, which their apps accept."""
    assert value_of(BEARER, head(("authorization", "Bearer 17|secret:x"))) == "17|secret:x"


@pytest.mark.parametrize(
    "line", ["Bearer", "Bearer ", "Bearer a b", "Bearer a, Bearer b", b"Bearer \xff", "Bearer a\tb"]
)
def test_a_broken_bearer_line_is_no_missing_one(line: str | bytes) -> None:
    """Two tokens in one line, or none behind the scheme, were sent and are wrong."""
    assert reader(BEARER)(head(("authorization", line))) == MALFORMED


def test_two_authorization_lines_are_refused() -> None:
    """Whoever reads the request next may take the other one."""
    lines = (("authorization", "Bearer good"), ("authorization", "Bearer good"))
    assert reader(BEARER)(head(*lines)) == AMBIGUOUS
    assert reader(BASIC)(head(*lines)) == AMBIGUOUS


def test_another_scheme_is_no_credential_of_this_one() -> None:
    """A client that tried Basic where Bearer is wanted has to be told so, and not that its token is bad."""
    assert value_of(BEARER, head(("authorization", "Basic YTpi"))) is None
    assert value_of(BASIC, head(("authorization", "Bearer YTpi"))) is None
    assert value_of(BEARER, head(("authorization", ""))) is None
    assert value_of(BEARER, head(("x-authorization", "Bearer abc"))) is None


def test_a_bearer_token_in_the_query_is_none() -> None:
    """Queries end up in logs and histories; only an API key can be declared there."""
    assert value_of(BEARER, head(query=b"access_token=abc")) is None
    assert value_of(key_in("query", "access_token"), head(query=b"access_token=abc")) == "abc"


def basic(text: bytes) -> Head:
    """A request with these basic credentials."""
    return head(("authorization", b"Basic " + b64encode(text)))


def test_reads_user_and_password_of_basic() -> None:
    """A password may hold colons and letters beyond ASCII."""
    found = reader(BASIC)(basic("änne:pass:wörd".encode()))
    assert isinstance(found, Credential)
    assert (found.user, found.value) == ("änne", "pass:wörd")


@pytest.mark.parametrize("text", [b"no colon", b"a:\xff", b"a:b\x00", b"a\n:b"])
def test_broken_basic_credentials_are_refused(text: bytes) -> None:
    """What cannot be read as user and password reaches no verifier."""
    assert reader(BASIC)(basic(text)) == MALFORMED
    assert reader(BASIC)(head(("authorization", "Basic %%%"))) == MALFORMED


def test_basic_that_nobody_judges_is_not_decoded() -> None:
    """An app may take passwords in an older encoding; that is its business."""
    assert isinstance(reader(BASIC, exact=False)(basic(b"a:\xff")), Credential)


def test_reads_whatever_stands_behind_another_http_scheme() -> None:
    """Digest and the like are for a callable, which gets all of it."""
    digest = Scheme(name="d", type="http", scheme="digest", pointer="")
    line = 'Digest username="a", realm="b"'
    assert value_of(digest, head(("authorization", line))) == 'username="a", realm="b"'
    assert reader(digest)(head(("authorization", "Digest "))) == MALFORMED


def test_reads_an_api_key_from_a_header() -> None:
    """Blanks around it are no part of it, and an empty one is none."""
    assert value_of(KEY, head(("x-api-key", " abc "))) == "abc"
    assert value_of(KEY, head(("x-api-key", ""))) is None
    assert value_of(KEY, head(("x-other-key", "abc"))) is None
    assert reader(KEY)(head(("x-api-key", b"\xff"))) == MALFORMED


@pytest.mark.parametrize(
    ("query", "value"),
    [
        (b"key=abc", "abc"),
        (b"a=1&key=a%2Bb+c%C3%A4&b=2", "a+b cä"),
        (b"k%65y=abc", "abc"),
        (b"key=abc&key=abc", "abc"),
        (b"key=abc&key=", "abc"),
        (b"akey=abc", None),
        (b"key", None),
        (b"Key=abc", None),
        (b"a=key=abc", None),
    ],
)
def test_reads_an_api_key_from_the_query_as_apps_do(query: bytes, value: str | None) -> None:
    """The key that is judged is the one that the app will see, however its name is escaped."""
    assert value_of(key_in("query"), head(query=query)) == value


def test_a_cookie_is_in_the_cookie_header_only() -> None:
    """The same text in another header is something else."""
    assert value_of(key_in("cookie"), head(("x-cookie", "key=abc"), ("set-cookie", "key=abc"))) is None


def test_finds_a_key_whose_name_has_a_blank() -> None:
    """A plus stands for a blank in names too."""
    assert value_of(key_in("query", "api key"), head(query=b"api+key=abc")) == "abc"


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (["key=abc"], "abc"),
        (["a=1; key=abc; b=2"], "abc"),
        (["a=1", 'key="abc"'], "abc"),
        (["a=1;key = abc "], "abc"),
        (["akey=abc; keyb=def"], None),
        (["key="], None),
        (['key="'], '"'),
        (["Key=abc"], None),
    ],
)
def test_reads_an_api_key_from_cookies(lines: list[str], value: str | None) -> None:
    """One line or several, quoted or not."""
    assert value_of(key_in("cookie"), head(*(("cookie", line) for line in lines))) == value


@pytest.mark.parametrize(
    ("location", "request_"),
    [
        ("header", head(("key", "abc"), ("key", "def"))),
        ("query", head(query=b"key=abc&k%65y=def")),
        ("cookie", head(("cookie", "key=abc; key=def"))),
    ],
)
def test_two_different_keys_are_refused(location: str, request_: Head) -> None:
    """Nobody knows which of them the app will read."""
    assert reader(key_in(location))(request_) == AMBIGUOUS


def test_a_cookie_that_nobody_judges_may_be_there_twice() -> None:
    """Browsers send one for each path, and an app that works with that goes on working."""
    found = reader(key_in("cookie"), exact=False)(head(("cookie", "key=abc; key=def")))
    assert isinstance(found, Credential)
    two = head(("key", "abc"), ("key", "def"))
    assert reader(key_in("header"), exact=False)(two) == AMBIGUOUS


def test_a_certificate_is_for_somebody_else_to_see() -> None:
    """A request does not show it, so that a callable is always asked."""
    assert value_of(CERTIFICATE, head()) == ""


def test_a_credential_does_not_show_itself() -> None:
    """A traceback or a log line with a credential in it gives nothing away."""
    found = reader(BASIC)(basic(b"user-canary:password-canary"))
    assert "canary" not in repr(found)
    assert "canary" not in str(found)
