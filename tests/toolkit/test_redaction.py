"""Redaction: secrets are masked by name and by shape, everything else stays, and quickly."""

from __future__ import annotations

import os
import sys
import time
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison import Redaction, SettingsError
from garrison.redaction import Redactor
from garrison.shortening import beginning
from garrison.token_shapes import MASK
from tests.masking import HIDDEN, JWT, UNTOUCHED, Hidden

REDACTOR: Final = Redactor(Redaction())

# What paths and the tokens in them are made of.
IN_PATHS: Final = (
    *("/", "/", ".", "~", "-", "_", "=", ":", "%3a", "?", "@", "://", " ", "\n", "a", "orders", "token"),
    *("AKIA", "IOSFODNN7EXAMPLE", "ghp_", "sk-", "xoxb-", "eyJ", "SG.", "abcdefghij0123456789", "bearer"),
)


@pytest.mark.parametrize("case", HIDDEN, ids=str)
def test_what_has_the_shape_of_a_secret_is_masked(case: Hidden) -> None:
    """Tokens, keys, passwords and credentials in URLs disappear wherever they stand, and stay away."""
    masked = REDACTOR.text(case.text)
    assert case.secret in case.text
    assert case.secret not in masked
    assert MASK in masked
    assert REDACTOR.text(masked) == masked
    assert REDACTOR.reveals(case.text)
    assert case.secret not in REDACTOR.text(f"before\n{case.text}\nafter")


@pytest.mark.parametrize("text", UNTOUCHED)
def test_an_ordinary_text_stays(text: str) -> None:
    """Ids, hashes, addresses, pictures and words about secrets are no secrets."""
    assert REDACTOR.text(text) == text
    assert not REDACTOR.reveals(text)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://shop:hunter2@db:5432/x", f"postgresql://{MASK}@db:5432/x"),
        ("password=hunter2&x=1", f"password={MASK}&x=1"),
        ('{"password": "hunter2", "a": 1}', '{"password": "' + MASK + '", "a": 1}'),
        ('{"password": "", "a": 1}', '{"password": "", "a": 1}'),
        ("{'api_key': ['hunter2']}", "{'api_key': ['" + MASK + "']}"),
        ("PASSWD : hunter2", f"PASSWD : {MASK}"),
        ("-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\nx", f"{MASK}\nx"),
    ],
)
def test_what_stands_around_a_secret_stays(text: str, masked: str) -> None:
    """A reader sees what was there, and JSON stays JSON."""
    assert REDACTOR.text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "<script>firebase({apiKey: 'AIza" + "x" * 35 + "'})</script>",
        "<a href='/retry?token=abc123'>try again</a>",
        f"<script>const anonymous = '{JWT}'</script>",
    ],
)
def test_a_page_may_show_what_browsers_use(text: str) -> None:
    """What pages publish is no evidence of a leak on a page; in an API's reply and in a log it is masked."""
    assert not REDACTOR.reveals(text, page=True)
    assert REDACTOR.reveals(text)


def test_a_page_may_not_show_what_only_servers_use() -> None:
    """A connection string on a page is a leak."""
    assert REDACTOR.reveals("<p>postgresql://shop:hunter2@db/shop</p>", page=True)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"q=shoes&page=2", "q=shoes&page=2"),
        (b"token=abc", f"token={MASK}"),
        (b"a=1&Access_Token=x&b=2", f"a=1&Access_Token={MASK}&b=2"),
        (b"%74oken=x", f"%74oken={MASK}"),
        (b"token=", f"token={MASK}"),
        (b"token", "token"),
        (b"sig=a&sig=b", f"sig={MASK}&sig={MASK}"),
        (b"x=pwd=abc", f"x=pwd={MASK}"),
        (b"u=://a:b@c", f"u=://{MASK}@c"),
        (b"a=1;code=x;b=2&c=3", f"a=1;code={MASK}&c=3"),
        (b"code=x;y", f"code={MASK}"),
        (b"next=/callback?code=x", f"next=/callback?code={MASK}"),
        (b"next=/%3Fcode%3Dx", f"next={MASK}"),
        (b"next=%252F%253Fcode%253Dx", f"next={MASK}"),
        (b"token%3Dx", MASK),
        (b"code[]=x&a[code][0]=x&user.otp=x", f"code[]={MASK}&a[code][0]={MASK}&user.otp={MASK}"),
        (b"code%20=x&+code=x&c%256fde=x", f"code%20={MASK}&+code={MASK}&c%256fde={MASK}"),
        (b"session_id=x&api-key=x", f"session_id={MASK}&api-key={MASK}"),
        (b"q=a;b&r=3.5&s=[1]", "q=a;b&r=3.5&s=[1]"),
        (b"\xff=\x00", "ÿ=\x00"),
        (b"", ""),
    ],
)
def test_a_query_keeps_its_names_and_loses_its_secrets(raw: bytes, shown: str) -> None:
    """A log reader sees which parameters there were, and no credential in any spelling of its name."""
    assert REDACTOR.query(raw) == shown


def test_a_nested_name_and_an_escaped_value() -> None:
    """What forms nest and what URLs escape once more is found too."""
    assert REDACTOR.query(b"user[password]=x&user%5Bpassword%5D=x") == (
        f"user[password]={MASK}&user%5Bpassword%5D={MASK}"
    )
    assert REDACTOR.query(b"next=https%3A%2F%2Fa%3Ab%40c&q=a%20b") == f"next={MASK}&q=a%20b"
    assert REDACTOR.query(b"next=%2Flogin%3Fpassword%3Dhunter2") == f"next={MASK}"


def test_headers_by_name_and_by_shape() -> None:
    """Credentials are masked in any case, twice where they came twice, and what looks like one elsewhere."""
    lines = [
        (b"Authorization", b"whatever"), (b"x-trace", b"a"), (b"x-trace", JWT.encode()), (b"accept", b"*/*"),
        (b"authorization", b"again"),
    ]  # fmt: skip
    assert REDACTOR.headers(lines, frozenset({b"authorization", b"x-trace"})) == {
        "authorization": [MASK, MASK],
        "x-trace": ["a", MASK],
    }
    assert REDACTOR.header(b"x-note", b"\xff\x00") == "ÿ\x00"


def test_paths_by_template() -> None:
    """A segment that the policy names is masked, below a prefix too, and a token in any path."""
    redactor = Redactor(Redaction(paths=("/reset/{token}", "/users/*/keys/{a}/{b}")))
    for path, shown in {
        "/reset/abc": f"/reset/{MASK}",
        "/v1/Reset/abc": f"/v1/Reset/{MASK}",
        "/reset/abc/confirm": f"/reset/{MASK}/confirm",
        "/users/7/keys/x/y/z": f"/users/7/keys/{MASK}/{MASK}/z",
        "/reset": "/reset",
        "/reset/": "/reset/",
        "/presets/abc": "/presets/abc",
        "/": "/",
        f"/open/{JWT}": f"/open/{MASK}",
        "/x;pwd=abc": f"/x;pwd={MASK}",
    }.items():
        assert redactor.path(path) == shown
    assert REDACTOR.path("/reset/abc") == "/reset/abc"


@given(st.lists(st.sampled_from(IN_PATHS), max_size=12).map("".join))
def test_a_path_is_masked_as_any_text_is(path: str) -> None:
    """That most paths are told at a glance to hold no token lets none through."""
    masked = REDACTOR.path(f"/{path}")
    assert masked == REDACTOR.text(f"/{path}")


def test_a_token_of_any_vendor_is_masked_in_a_path() -> None:
    """Also one whose prefix has an underscore, and one that is not a segment of its own."""
    for token in ("ghp_" + "a1" * 12, "AKIA" + "A1" * 8, "npm_" + "a1" * 16, "xoxb-" + "a1" * 8):
        assert REDACTOR.path(f"/orders/open/{token}") == f"/orders/open/{MASK}"
        assert REDACTOR.path(f"/orders/open.{token}~x") == f"/orders/open.{MASK}~x"


@pytest.mark.parametrize("name", ["password", "DB_PASSWORD", "newPassword", "x-api-key", "apiKey", "token"])
def test_fields_by_name(name: str) -> None:
    """A field of a log event or a mapping is secret by how its name ends, in every spelling."""
    assert REDACTOR.is_secret(name)
    assert not REDACTOR.is_secret(f"{name}_count")


def test_names_can_be_chosen() -> None:
    """A list of one's own replaces each list, in any case, and blanks are refused at start."""
    redactor = Redactor(Redaction(query=("PIN",), headers=("X-Pin",), names=("Pin-Code",)))
    assert redactor.query(b"pin=1&code=2") == f"pin={MASK}&code=2"
    assert redactor.header(b"x-pin", b"1") == MASK
    assert redactor.text("pin_code: 12345, PINCODE=12345 password=abc") == (
        f"pin_code: {MASK}, PINCODE={MASK} password=abc"
    )
    assert redactor.is_secret("my_pin_code")
    nothing = Redactor(Redaction(query=(), headers=(), names=()))
    assert nothing.text("password=abc") == "password=abc"
    assert nothing.text(f"x {JWT}") == f"x {MASK}"
    for field in ("query", "headers", "names"):
        with pytest.raises(SettingsError, match=rf"Redaction\.{field}"):
            Redaction(**{field: (" ",)})  # type: ignore[arg-type]
        with pytest.raises(SettingsError, match=rf"{field}: expected names without blanks, parted by commas"):
            Redaction(**{field: ("token code",)})  # type: ignore[arg-type]
    for path in ("reset/{token}", "/reset/token"):
        with pytest.raises(SettingsError, match=r"Redaction\.paths"):
            Redaction(paths=(path,))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("otp=123456 totp: 123456", f"otp={MASK} totp: {MASK}"),
        ("session_id=abc&sessionId=abc", f"session_id={MASK}&sessionId={MASK}"),
        ("api_key: abcdef", f"api_key: {MASK}"),
        ("x-api-key: abcdef", f"x-api-key: {MASK}"),
        ("refresh_token: abcdef", f"refresh_token: {MASK}"),
        ("api_key: missing, x-api-key: Field required", "api_key: missing, x-api-key: Field required"),
        ("def login(api_key: str, session_id: bytes)", "def login(api_key: str, session_id: bytes)"),
        ("Invalid session: closed, apikey: unclear", "Invalid session: closed, apikey: unclear"),
        ("bypass=true compass: north laptop: thin", "bypass=true compass: north laptop: thin"),
    ],
)
def test_a_name_that_is_no_prose_hides_plain_words(text: str, masked: str) -> None:
    """What a field holds is hidden even where it is a word; complaints about it, and its type, are not."""
    assert REDACTOR.text(text) == masked


def test_short_words_of_names_do_not_make_every_text_suspicious() -> None:
    """The `id` of `session_id` is in most texts, and looking at them all would cost every request."""
    assert "session" in REDACTOR._separated
    assert "id" not in REDACTOR._separated


def test_patterns_of_ones_own() -> None:
    """What a house calls secret is masked everywhere: all of a match, or its first group."""
    redactor = Redactor(Redaction(patterns=r"\bcust-[0-9]{6,} iban=(DE[0-9]+)"))
    assert redactor.text("é cust-123456 \ud800 iban=DE77,") == f"é {MASK} \ud800 iban={MASK},"
    assert redactor.query(b"c=cust-123456&x=1") == f"c={MASK}&x=1"
    assert redactor.path("/c/cust-123456") == f"/c/{MASK}"
    assert redactor.header(b"x-customer", b"cust-123456") == MASK
    assert redactor.reveals("cust-123456", page=True)
    assert redactor.text("cust-12") == "cust-12"


@pytest.mark.parametrize("pattern", [r"(a)\1", "(?<=a)b", "[", "x*"])
def test_a_pattern_that_cannot_be_linear_is_refused(pattern: str, capfd: pytest.CaptureFixture[str]) -> None:
    """What RE2 does not take, and what matches everywhere, is an error at start that names the pattern."""
    with pytest.raises(SettingsError, match=r"Redaction\.patterns") as caught:
        Redaction(patterns=f"ok {pattern}")
    assert repr(pattern) in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_patterns_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without RE2 a pattern is one clear line, and everything else works."""
    monkeypatch.setitem(sys.modules, "re2", None)
    with pytest.raises(SettingsError, match=r"pip install 'garrison\[patterns\]'"):
        Redaction(patterns="x")
    assert Redactor(Redaction()).text("password=abc") == f"password={MASK}"


PIECES: Final = [
    "eyJ", ".", "-", JWT, "Bearer ", "bearer\t", "Basic ", "abcdefgh1", "://", "a:b@", "AKIA", "A" * 16,
    "ghp_", "sk_live_", "xoxb-", "-----BEGIN ", "PRIVATE KEY-----", "password", "PWD", "ApiKey", "api_key",
    "secret", "token", "=", ": ", "&", "'", "K", "ab", " ", "\n",
]  # fmt: skip
TEXTS: Final = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)


@given(TEXTS)
def test_the_shortcut_hides_nothing(text: str) -> None:
    """Looking for markers first never lets through what an expression would mask."""
    text = text.replace("&", "")
    found = any(shape.expression.search(text) for shape in REDACTOR._shapes)
    assert REDACTOR.reveals(text) == found
    if found:
        assert MASK in REDACTOR.text(text)
        assert MASK in REDACTOR.query(text.encode())


@given(TEXTS)
def test_masking_twice_changes_nothing(text: str) -> None:
    """What is masked holds nothing that would be masked again."""
    masked = REDACTOR.text(text)
    assert REDACTOR.text(masked) == masked


ATTACKS: Final = [
    "eyJ", "-eyJ", "eyJaaaaaa.", "eyJaaaaaa..", "bearer ", "basic\t", "digest username=", "://a:", "://",
    "://a:@", "%3a%2f%2f", "AKIA", "pwd ", "password'", "pwd=", 'pwd="', 'pwd="\\', "token: a", "(b'token",
    "('", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "-", "cookie:", "cookie: a", "sk-", "ghp_", "token=[",
    "SG.aaaaaaaaaaaaaaaa.", "1234567890:AA", "token=[[b", " ", "a", "_", "é",
    "authorization: a ", "authorization: a b,c=", 'name="', 'name="password"\r\n', "password=a(",
    "'--password', ", "?code=", "?a=", "%25", "&",
]  # fmt: skip


LONGEST: Final = (64 if os.environ.get("PROOF") == "1" else 24) * 1024


@pytest.mark.parametrize("attack", ATTACKS)
def test_time_is_linear_in_the_text(attack: str) -> None:
    """A text made to confuse the expressions costs in proportion to its length."""
    # One marker of each shape, so that no shortcut is taken.
    everything = " ".join(marker for shape in REDACTOR._shapes for marker in shape.markers[:1])

    def seconds(length: int) -> float:
        text = everything + attack * (length // len(attack))
        times = []
        for _ in range(3):
            started = time.thread_time()
            REDACTOR.text(text)
            REDACTOR.reveals(text)
            REDACTOR.parameters(text)
            times.append(time.thread_time() - started)
        return min(times)

    short, long = seconds(LONGEST // 8), seconds(LONGEST)
    assert long < 20 * short + 0.005
    assert long < 1.0


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/x?a=1&X-Amz-Signature={}&b",
        "/callback?code={}",
        "/x?next=%252Fcb%253Fcode%253D{}",
        "/a;code={}",
    ],
)
def test_a_url_in_a_text_loses_what_its_query_would(url: str) -> None:
    """The parameters that are masked in queries are masked in the URLs that libraries quote."""
    text = f"GET {url.format('hunter2')} gave 403"
    assert REDACTOR.text(text) == f"GET {url.format(MASK)} gave 403"
    assert REDACTOR.header(b"location", text.encode()) == f"GET {url.format(MASK)} gave 403"
    # A link in an error of the app is what it has to say.
    assert not REDACTOR.reveals("see /help?code=404")


def test_slashes_that_a_router_takes_for_one() -> None:
    """Whoever writes a path with another slash or a dot in between shows no more."""
    redactor = Redactor(Redaction(paths=("/reset/{code}",)))
    for path in ("/reset//hunter2", "/reset/./hunter2", "/shop/reset/././/hunter2"):
        assert "hunter2" not in redactor.path(path)


@pytest.mark.parametrize("shift", range(0, 40, 3))
def test_a_secret_is_recognised_before_it_is_cut(shift: int) -> None:
    """Where a text is too long, no part of a secret stays because the rest of it is gone."""
    for secret in (JWT, "postgresql://ann:correct-horse-battery@db", "Bearer correct-horse-battery"):
        for text in (
            "x" * (100 - shift) + " " + secret + "y" * 20_000,
            "x" * (100 - shift) + " " + secret + " y",
            f"{secret} " * 60 + "x" * (100 - shift) + " " + secret + " y" * 20_000,
        ):
            shown = beginning(text, 100, REDACTOR.text)
            assert len(shown) <= 100
            assert "eyJ" not in shown
            assert "corr" not in shown
    assert beginning("x" * 9000, 100, REDACTOR.text) == "x" * 100
