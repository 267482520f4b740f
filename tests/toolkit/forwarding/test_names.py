"""Names of headers that can be taken for one another."""

from __future__ import annotations

from garrison.forwarding.claims import claims_https
from garrison.forwarding.names import FORWARDING, is_guardable, spellings


def test_every_spelling_that_folds_to_a_name_is_known() -> None:
    """An app that reads `_` for `-` cannot tell these apart."""
    assert spellings([b"x-user-id"]) == {b"x-user-id", b"x_user-id", b"x-user_id", b"x_user_id"}
    assert spellings([b"x_a"]) == {b"x_a", b"x-a"}
    assert spellings([b"forwarded"]) == {b"forwarded"}
    assert {name.replace(b"_", b"-") for name in spellings(FORWARDING)} == FORWARDING


def test_what_makes_a_message_cannot_be_guarded() -> None:
    """Without these lines a request would be another one; credentials may be a proxy's to send."""
    fine = ("X-User-ID", "authorization", "x_user", "-".join("x" * 11))
    wrong = ("", "x y", "x:", "\xe4", "Host", "CONTENT_LENGTH", "transfer-encoding", "-".join("x" * 12))
    assert [name for name in (*fine, *wrong) if is_guardable(name)] == list(fine)


def test_claims_of_https() -> None:
    """Both families can say so, and other headers cannot."""
    for line in (
        (b"x-forwarded-proto", b"HTTPS"), (b"x-forwarded-proto", b"http, wss"),
        (b"forwarded", b"for=a;Proto=https"), (b"forwarded", b'proto="https"'),
    ):  # fmt: skip
        assert claims_https([(b"host", b"a"), line])
    for line in ((b"x-forwarded-proto", b"http"), (b"forwarded", b"host=https"), (b"x-other", b"https")):
        assert not claims_https([line])
