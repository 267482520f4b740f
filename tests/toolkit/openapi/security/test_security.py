"""An operation is open to those that the document lets in, and to nobody else."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from garrison.openapi.attempt import Granted
from garrison.openapi.credentials import Credential, Rejected
from garrison.openapi.security import Authenticator, Denied
from garrison.openapi.verifiers import Verified, VerifierUnavailableError
from garrison.settings import SettingsError
from tests.toolkit.openapi.security.made import (
    BASIC,
    BEARER,
    CERTIFICATE,
    KEY,
    OAUTH,
    bearing,
    head,
    judge,
    key_in,
    needs,
    operation,
    token,
)

if TYPE_CHECKING:
    from garrison.openapi.model import Head, Operation
    from garrison.openapi.security import Mode
    from garrison.openapi.verifiers import Verifier

BEARER_401 = b'Bearer realm="api"'
INVALID = b'Bearer realm="api", error="invalid_token"'


class Known:
    """Knows these values, and counts what it is asked."""

    def __init__(self, **known: str) -> None:
        self.known = known
        self.asked = 0

    async def verify(self, credential: Credential, head: Head) -> Verified | Rejected:
        """A value is `PRINCIPAL` or `PRINCIPAL SCOPE...`."""
        self.asked += 1
        if credential.value == "down":
            raise VerifierUnavailableError
        if credential.value == "broken":
            raise RuntimeError("the database is gone")
        if credential.value not in self.known:
            return Rejected("not accepted")
        principal, *scopes = self.known[credential.value].split()
        return Verified(principal, frozenset(scopes))


def decide(
    wanted: Operation, request: Head, mode: Mode = "verify", verifier: Known | None = None
) -> Granted | Denied:
    """What is decided about one request, where one verifier judges every scheme."""
    known = verifier or Known(good="alice", reader="alice read", app="app", other="bob")
    verifiers = dict.fromkeys(("bearer", "basic", "oauth", "key", "certificate"), known)
    authenticator = Authenticator([wanted], verifiers, mode)
    return asyncio.run(authenticator.authenticate(wanted, request))


def refused(wanted: Operation, request: Head) -> Denied:
    """How a request is refused, which it must be."""
    found = decide(wanted, request)
    assert isinstance(found, Denied)
    return found


def accepted(wanted: Operation, request: Head, verifier: Known) -> Granted:
    """Whom a request is from, which must be somebody."""
    found = decide(wanted, request, verifier=verifier)
    assert isinstance(found, Granted)
    return found


ONE = operation((needs(BEARER),))


def test_who_is_accepted_goes_on_with_a_name() -> None:
    """The principal is what the verifier says."""
    assert decide(ONE, bearing("good")) == Granted("alice")
    assert decide(ONE, bearing("reader")) == Granted("alice", frozenset({"read"}))


def test_no_credential_is_told_how_and_not_that_it_is_bad() -> None:
    """RFC 6750 has no error code for somebody who did not try."""
    assert decide(ONE, head()) == Denied(401, (BEARER_401,), "missing", "no credential")
    assert refused(ONE, head(("authorization", "Basic eDp5"))).challenges == (BEARER_401,)


def test_a_bad_credential_is_told_so() -> None:
    """Whatever is wrong with it, and without its being repeated."""
    assert decide(ONE, bearing("canary")) == Denied(401, (INVALID,), "invalid", "bearer: not accepted")
    assert decide(ONE, bearing("two words")) == Denied(401, (INVALID,), "invalid", "bearer: malformed")
    twice = head(("authorization", "Bearer good"), ("authorization", "Bearer good"))
    assert decide(ONE, twice) == Denied(401, (INVALID,), "invalid", "bearer: sent twice")


def test_who_lacks_a_scope_is_told_which() -> None:
    """It is a 403: who asks is known, and may not."""
    wanted = operation((needs(OAUTH, "write", "read"),))
    found = decide(wanted, bearing("reader"))
    challenge = b'Bearer realm="api", error="insufficient_scope", scope="read write"'
    assert found == Denied(403, (challenge,), "scope", "oauth: lacks a scope", ("read", "write"), "alice")
    assert decide(operation((needs(OAUTH, "read"),)), bearing("reader")) == Granted(
        "alice", frozenset({"read"})
    )


def test_roles_are_compared_with_other_schemes_too() -> None:
    """OpenAPI 3.1 allows them everywhere; of a key there is nothing to say in the header."""
    wanted = operation((needs(KEY, "admin"),))
    found = decide(wanted, head(("x-api-key", "reader")))
    assert found == Denied(403, (), "scope", "key: lacks a scope", ("admin",), "alice")
    wanted = operation((needs(CERTIFICATE, "admin"),))
    found = decide(wanted, head(), verifier=Known(**{"": "machine"}))
    assert found == Denied(403, (), "scope", "certificate: lacks a scope", ("admin",), "machine")


@pytest.mark.parametrize("wanted", [operation(), operation(()), operation((), ())])
def test_an_open_operation_is_open(wanted: Operation) -> None:
    """Where nobody must authenticate, credentials are nobody's business."""
    verifier = Known()
    assert decide(wanted, bearing("whatever"), verifier=verifier) == Granted()
    assert verifier.asked == 0


OPTIONAL = (operation((), (needs(BEARER),)), operation((needs(BEARER),), ()))


@pytest.mark.parametrize("wanted", OPTIONAL)
def test_where_it_is_optional_nobody_may_come(wanted: Operation) -> None:
    """Without a credential a request is nobody's; with one it is somebody's."""
    assert decide(wanted, head()) == Granted()
    assert decide(wanted, head(("authorization", "Basic eDp5"))) == Granted()
    assert decide(wanted, bearing("good")) == Granted("alice")


@pytest.mark.parametrize("wanted", OPTIONAL)
def test_a_bad_credential_is_bad_where_it_is_optional_too(wanted: Operation) -> None:
    """Whoever sends one believes to be somebody, and must hear that it has expired."""
    assert refused(wanted, bearing("bad")).challenges == (INVALID,)
    assert refused(wanted, bearing("down")).status == 503


EITHER = operation((needs(BEARER),), (needs(KEY),))


def test_one_alternative_is_enough() -> None:
    """Whichever comes first, and whatever is wrong with the other."""
    assert decide(EITHER, head(("x-api-key", "other"))) == Granted("bob")
    both = head(("authorization", "Bearer bad"), ("x-api-key", "other"))
    assert decide(EITHER, both) == Granted("bob")
    down = head(("authorization", "Bearer down"), ("x-api-key", "other"))
    assert decide(EITHER, down) == Granted("bob")


def test_every_alternative_is_offered() -> None:
    """With the error where it was tried only, and each challenge once."""
    key = b'APIKey realm="api"'
    assert refused(EITHER, head()).challenges == (BEARER_401, key)
    assert refused(EITHER, bearing("bad")).challenges == (INVALID, key)
    assert refused(EITHER, head(("x-api-key", "bad"))).challenges == (BEARER_401, key)
    same = operation((needs(BASIC),), (needs(OAUTH),), (needs(BEARER),))
    basic = b'Basic realm="api", charset="UTF-8"'
    assert refused(same, head()).challenges == (basic, BEARER_401)
    assert refused(same, bearing("bad")).challenges == (basic, INVALID)


def test_the_error_stays_with_the_token_that_was_tried() -> None:
    """Two alternatives may be the same challenge, and only one of them be tried."""
    key = b'APIKey realm="api"'
    tried, untried = (needs(OAUTH),), (needs(BEARER), needs(KEY))
    assert refused(operation(tried, untried), bearing("bad")).challenges == (INVALID, key)
    assert refused(operation(untried, tried), bearing("bad")).challenges == (INVALID, key)


def test_the_worst_is_what_is_told() -> None:
    """A judge that is down might have said yes, and a known caller does not have to log in again."""
    wanted = operation((needs(OAUTH, "write"),), (needs(KEY),))
    lacking = ("authorization", "Bearer reader")
    assert refused(wanted, head(lacking, ("x-api-key", "bad"))).reason == "scope"
    assert refused(EITHER, head(("authorization", "Bearer bad"), ("x-api-key", "bad"))).why.startswith(
        "bearer"
    )
    assert refused(wanted, head(lacking, ("x-api-key", "down"))).reason == "unavailable"
    assert decide(wanted, head(("x-api-key", "down"))) == Denied(
        503, (), "unavailable", "key: cannot be judged now"
    )


def test_a_token_is_judged_once_for_all_alternatives() -> None:
    """Alternatives often differ in their scopes only."""
    verifier = Known(reader="alice read")
    wanted = operation((needs(OAUTH, "write"),), (needs(OAUTH, "admin"),), (needs(OAUTH, "read"),))
    assert decide(wanted, bearing("reader"), verifier=verifier) == Granted("alice", frozenset({"read"}))
    assert verifier.asked == 1
    found = refused(operation(*wanted.security[:2]), bearing("reader"))
    assert [b"write" in each for each in found.challenges] == [True, False]
    assert [b"admin" in each for each in found.challenges] == [False, True]


BOTH = operation((needs(KEY), needs(BEARER)))


def both(key: str, text: str) -> Head:
    """A request with two credentials."""
    return head(("x-api-key", key), ("authorization", f"Bearer {text}"))


def test_all_schemes_of_an_alternative_are_needed() -> None:
    """One of them alone, or with a bad one, is not enough."""
    for request in (bearing("good"), head(("x-api-key", "app"))):
        assert refused(BOTH, request).reason == "missing"
    assert refused(BOTH, both("bad", "good")).why == "key: not accepted"
    assert refused(BOTH, both("app", "bad")).challenges == (b'APIKey realm="api"', INVALID)


def test_several_principals_are_joined() -> None:
    """The key of an app and the token of its user are one caller, and nobody else's name is the same."""
    verifier = Known(app="app first", user="user second", plus="a+b", percent="100%", rest="c")
    assert decide(BOTH, both("app", "user"), verifier=verifier) == Granted(
        "app+user", frozenset({"first", "second"})
    )
    assert accepted(BOTH, both("user", "user"), verifier).principal == "user"
    assert accepted(BOTH, both("plus", "rest"), verifier).principal == "a%2Bb+c"
    assert accepted(BOTH, both("plus", "plus"), verifier).principal == "a+b"
    assert accepted(BOTH, both("percent", "rest"), verifier).principal == "100%25+c"
    assert accepted(ONE, bearing("plus"), verifier).principal == "a+b"


def test_what_a_verifier_raises_is_an_error_of_the_server() -> None:
    """Neither a pass nor the client's fault, whatever other alternatives there are."""
    for wanted in (ONE, OPTIONAL[0], EITHER):
        with pytest.raises(RuntimeError, match="the database is gone"):
            decide(wanted, bearing("broken"))


def test_an_operation_of_another_document_is_closed() -> None:
    """What nobody decided about is an error, and no pass."""
    authenticator = Authenticator([ONE], {"bearer": Known()})
    with pytest.raises(KeyError):
        asyncio.run(authenticator.authenticate(operation(template="/other"), head()))


def test_a_certificate_is_asked_about_and_cannot_be_asked_for() -> None:
    """A callable sees what a proxy says of it; without one the refusal is a 403."""
    wanted = operation((needs(CERTIFICATE),))
    assert decide(wanted, head(), verifier=Known(**{"": "machine"})) == Granted("machine")
    assert decide(wanted, head(), verifier=Known()) == Denied(403, (), "missing", "no credential")
    optional = operation((), (needs(CERTIFICATE),))
    assert decide(optional, head(), verifier=Known()) == Granted()
    with pytest.raises(SettingsError, match=r"certificate \(mutualTLS\)"):
        Authenticator([wanted], {})


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        (bearing("anything"), ONE),
        (bearing("anything"), operation((needs(OAUTH, "read"),))),
        (head(("x-api-key", "a"), ("authorization", "Bearer b")), operation((needs(KEY), needs(BEARER)))),
        (head(("authorization", b"Basic " + b64encode(b"\xff:\xff"))), operation((needs(BASIC),))),
        (head(("cookie", "key=a; key=b")), operation((needs(key_in("cookie")),))),
        (head(), operation((needs(CERTIFICATE),))),
        (head(), operation()),
        (head(), OPTIONAL[0]),
    ],
)
def test_presence_wants_a_credential_and_leaves_it_to_the_app(request_: Head, wanted: Operation) -> None:
    """The app verifies it in its dependencies, scopes included; nobody is named."""
    assert decide(wanted, request_, "presence") == Granted()


def test_presence_refuses_who_has_none() -> None:
    """A handler that forgot its dependency is not open to everybody; no verifier is needed for that."""
    authenticator = Authenticator([ONE], {}, "presence")
    found = asyncio.run(authenticator.authenticate(ONE, head()))
    assert found == Denied(401, (BEARER_401,), "missing", "no credential")
    found = asyncio.run(authenticator.authenticate(ONE, bearing("a b")))
    assert found == Denied(401, (INVALID,), "invalid", "bearer: malformed")


def test_the_app_may_do_all_of_it() -> None:
    """Then nothing is looked at."""
    assert decide(ONE, head(), "app") == Granted()
    Authenticator([ONE], {}, "app")


def test_a_needed_scheme_without_a_verifier_stops_the_start() -> None:
    """An operation that nobody could call, or everybody, is noticed before the first request."""
    with pytest.raises(SettingsError, match="the security scheme bearer"):
        Authenticator([ONE], {"key": Known()})


def test_the_realm_is_the_operators() -> None:
    """It is in every challenge, and cannot break the header."""
    authenticator = Authenticator([ONE], {"bearer": Known()}, realm="orders (v1)")
    found = asyncio.run(authenticator.authenticate(ONE, head()))
    assert isinstance(found, Denied)
    assert found.challenges == (b'Bearer realm="orders (v1)"',)
    with pytest.raises(ValueError, match="realm"):
        Authenticator([], {}, realm='x"')


def test_requests_do_not_see_each_other() -> None:
    """A hundred requests at once are answered as they would be alone."""
    verifiers = {"bearer": judge()}
    authenticator = Authenticator([ONE], verifiers)
    texts = [token(sub=f"user-{number}", aud="orders" if number % 3 else "other") for number in range(100)]

    async def ask() -> list[Granted | Denied]:
        return await asyncio.gather(*(authenticator.authenticate(ONE, bearing(text)) for text in texts))

    for number, found in enumerate(asyncio.run(ask())):
        if number % 3:
            assert isinstance(found, Granted)
            assert found.principal == f"user-{number}"
        else:
            assert found == Denied(401, (INVALID,), "invalid", "bearer: audience")


def test_nothing_that_was_sent_is_in_the_answer() -> None:
    """Answers go to clients and to logs."""
    wanted = operation((needs(KEY),), (needs(BASIC),), (needs(OAUTH, "scope"),))
    sent = [
        head(("authorization", "Bearer canary.canary.canary")),
        head(("authorization", b"Basic " + b64encode(b"canary:canary"))),
        head(("authorization", "Basic canary")),
        head(("x-api-key", "canary"), ("x-api-key", "canary2")),
        head(("authorization", "canary canary")),
        head(("authorization", f"Bearer {token(kid='canary', iss='canary')}")),
    ]
    verifiers: dict[str, Verifier] = {"key": Known(), "basic": Known(), "oauth": judge()}
    for request in sent:
        found = asyncio.run(Authenticator([wanted], verifiers).authenticate(wanted, request))
        assert isinstance(found, Denied)
        assert "canary" not in repr(found)
