"""What every masker of this repository must hide, and what it must leave: one list for all of them.

The tokens are put together here, so that no scanner of secrets takes this file for a leak.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Hidden(NamedTuple):
    """A text, and the part of it that nobody may see."""

    text: str
    secret: str


JWT: Final = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxIn0" + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
JWE: Final = "eyJhbGciOiJSU0EtT0FFUCJ9." + "OKOawDo13gRp2ojaHV7L.48V1_ALb6US04U3b.5eym8TW_c8.XFBo"
PEM_BODY: Final = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7"
LETTERS: Final = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0"


def _token(prefix: str, length: int = 36) -> Hidden:
    token = prefix + (LETTERS * 2)[:length]
    return Hidden(f"the upstream said no to {token}, sorry", token)


def _pem(end: str) -> Hidden:
    lines = (
        f"-----BEGIN RSA PRIVATE KEY-----{end}{PEM_BODY}{end}{PEM_BODY}=={end}-----END RSA PRIVATE KEY-----"
    )
    return Hidden(f"key:{end}{lines}{end}after", PEM_BODY)


TOKENS: Final = (
    Hidden(f"token was {JWT} ok", JWT),
    Hidden(f"({JWE})", "48V1_ALb6US04U3b"),
    Hidden(f"Authorization: Bearer {LETTERS}", LETTERS),
    Hidden("authorization: basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA"),
    Hidden('Authorization: Digest username="ann", response="6629fae49393a053"', "6629fae49393a053"),
    Hidden("Authorization: Token 9944b09199c62bcf9418ad846dd0e4bb", "9944b09199c62bcf9418ad846dd0e4bb"),
    _token("gh" + "p_"),
    _token("github" + "_pat_", 50),
    _token("glp" + "at-", 20),
    _token("sk" + "_live_", 24),
    _token("rk" + "_test_", 24),
    _token("whs" + "ec_", 32),
    _token("xo" + "xb-123456789012-", 24),
    _token("xa" + "pp-1-", 30),
    _token("sk-" + "proj-", 40),
    _token("sk-" + "ant-api03-", 40),
    _token("np" + "m_", 36),
    _token("py" + "pi-AgEIcHlwaS5vcmc", 60),
    _token("S" + "G.abcdefghijklmnopqrstuv.", 40),
    Hidden("do " + "dop" + "_v1_" + "0f" * 32, "0f" * 32),
    _token("hv" + "s.", 30),
    Hidden("shop " + "shp" + "at_" + "0f" * 16, "0f" * 16),
    _token("GOC" + "SPX-", 28),
    _token("ya" + "29.", 60),
    _token("AI" + "za", 35),
    _token("123456789:A" + "A", 33),
    Hidden("https://hooks.slack" + ".com/services/T000/B000/XXXXXXXXXXXXXXXX", "XXXXXXXXXXXXXXXX"),
    Hidden("key AK" + "IAIOSFODNN7EXAMPLE here", "IAIOSFODNN7EXAMPLE"),
    Hidden("AccountKey=" + LETTERS + "==;EndpointSuffix=x", LETTERS),
    _pem("\n"),
    _pem("\\n"),
)

URLS: Final = (
    Hidden("postgresql://shop:hunter2@db:5432/x", "hunter2"),
    Hidden("redis://:hunter2@cache/0", "hunter2"),
    Hidden("amqp://u:p@ss:w0rd@mq/", "ss:w0rd"),
    Hidden(f"https://{LETTERS}@git.example/x", LETTERS),
    Hidden("?next=https%3A%2F%2Fann%3Ahunter2%40db.example", "hunter2"),
    Hidden("cannot reach 'mysql+aiomysql://root:hunter2@db/x?charset=utf8'", "hunter2"),
)

NAMED: Final = (
    Hidden("password=hunter2&x=1", "hunter2"),
    Hidden('{"password": "correct horse battery", "a": 1}', "horse battery"),
    Hidden('{"user": {"newPassword":"hun\\"ter2"}}', "ter2"),
    Hidden('{\\"password\\": \\"hunter2\\"}', "hunter2"),
    Hidden("{'api_key': 'hunter2'}", "hunter2"),
    Hidden("{'password': ['hunter2']}", "hunter2"),
    Hidden("{b'password': b'hunter2'}", "hunter2"),
    Hidden("PASSWD : hunter2", "hunter2"),
    Hidden("password: swordfish", "swordfish"),
    Hidden("DB_PASSWORD=hunter2", "hunter2"),
    Hidden("AWS_SECRET_ACCESS_KEY: wJalrXUtnFEMI/K7MDENG", "wJalrXUtnFEMI/K7MDENG"),
    Hidden("client-secret => hunter2", "hunter2"),
    Hidden("clientSecret: hunter2", "hunter2"),
    Hidden("refresh_token=abc123", "abc123"),
    Hidden("X-Api-Key: abc123", "abc123"),
    Hidden("(b'x-api-key', b'hunter2')", "hunter2"),
    Hidden("[('password', 'hunter2')]", "hunter2"),
    Hidden("Cookie: theme=dark; sid=hunter2", "hunter2"),
    Hidden("(b'cookie', b'sid=hunter2')", "hunter2"),
    Hidden("Set-Cookie: sid=hunter2; Path=/", "hunter2"),
    Hidden("Authorization: Custom hunter2", "hunter2"),
    Hidden("{'Authorization': 'Custom hunter2'}", "hunter2"),
    Hidden("authorization: AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0f0f", "0f0f"),
    Hidden("new_password1=hunter2", "hunter2"),
    Hidden('{"passwordConfirm": "hunter2"}', "hunter2"),
    Hidden("User(name='ann', password=Secret('hunter2'))", "hunter2"),
    Hidden("{'password': ('hunter2',)}", "hunter2"),
    Hidden("[[b'x-api-key', b'hunter2']]", "hunter2"),
    Hidden("Command '['psql', '--password', 'hunter2']' failed", "hunter2"),
    Hidden("body was %7B%22password%22%3A%22hunter2%22%7D", "hunter2"),
    Hidden('; name="password"\r\n\r\nhunter2\r\n--xyz', "hunter2"),
    Hidden(r'b\'; name="user[password]"\r\nContent-Type: text/plain\r\n\r\nhunter2\r\n--xyz\'', "hunter2"),
)

HIDDEN: Final = (*TOKENS, *URLS, *NAMED)

UNTOUCHED: Final = (
    "",
    "550e8400-e29b-41d4-a716-446655440000",
    "4bf92f3577b34da6a3ce929d0e0e4736",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "d41d8cd98f00b204e9800998ecf8427e  file.bin",
    "commit 9d2ac03e7f6b2f5a0d0c1b9f8e7d6c5b4a392817",
    "ann@shop.example wrote to bob.o'neil+news@mail.example",
    "mailto:ann@a.example",
    '<img src="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk">',
    "The token is missing. A token expires after an hour; ask for another token.",
    "Invalid token: expired",
    "JSON: unexpected token '<' at 1:1",
    "KeyError: 'token'",
    "The password is too short.",
    "Please enter your password: ",
    "required: ['email', 'password', 'username']",
    '{"loc": ["body", "password"], "msg": "Field required"}',
    "https://a.example:8443/path?x=1",
    "http://[::1]:8000/",
    "ssh://git@github.example/repo",
    "see https://a.example/@ann and mail b@c.example",
    "bearer of bad news",
    "Bearer authentication is needed",
    "Basic knowledge of HTTP",
    "eyJ is how every JWT begins",
    "the basics: see basic usage",
    "A secretary's keyboard, highlighted",
    "max_tokens=4096",
    "sk-learn and ghost_writer and npm_config",
    "skip-this-long-kebab-case-name-that-is-no-key",
    "-----BEGIN CERTIFICATE-----",
    "2026-11-22T21:47:13.123Z GET /items/7 200 12ms",
    "cookie: the best ones have chocolate",
    "AKIA is a prefix, ASIA a continent",
    "GET /static/app.4f9a1c2e.js",
)
"""What must come out as it went in."""
