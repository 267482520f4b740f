"""JSON as it should not be: what each rule of RFC 8259 forbids, broken one by one."""

from __future__ import annotations

from typing import Final

from tests.hostile.case import JSON, MARK, Case, cases, request

NUMBERS: Final = [
    "+1", "++1", "--", "-", "-a", "01", "-01", "00", "1.2.3", ".5", "-.5", "5.", "5.e1", "1e", "1e+", "1E-",
    "1ee2", "1e1.5", "0x1F", "0b1", "0o7", "1_000", "1,000", "1f", "1L", "NaN", "-NaN", "nan", "Infinity",
    "-Infinity", "+Infinity", "inf", "1e400", "-1e400", "١٢", "１２", "1e९", "0e", "0e+", "2.e3", "2.e-3",
    "1+1", "1/2", "-1x", "-Inf", "1eE2", "1.8011670033376514H",
]  # fmt: skip
# Characters behind a backslash: those of RFC 8259 section 7 are left out.
NO_ESCAPES: Final = [bytes([code]) for code in range(1, 128) if chr(code) not in '"\\/bfnrtu']
BAD_UNICODE: Final = [
    b"\\u",
    b"\\u1",
    b"\\u12",
    b"\\u123",
    b"\\uG000",
    b"\\u00G0",
    b"\\u{61}",
    b"\\U0061",
    b"\\u 061",
    b"\\u-061",
]
SURROGATES: Final = [
    b"\\ud800",
    b"\\udc00",
    b"\\ud800\\ud800",
    b"\\udc00\\ud800",
    b"\\ud800a",
    b"\\ud800\\n",
    b"\\uDBFF\\u0041",
]
NOT_UTF8: Final = [
    b"\x80", b"\xbf", b"\xc0\x80", b"\xc0\xaf", b"\xc1\xbf", b"\xc3", b"\xc3(", b"\xe0\x80\x80",
    b"\xe0\x9f\xbf", b"\xe2\x82", b"\xe2\x28\xa1", b"\xed\xa0\x80", b"\xed\xbf\xbf",
    b"\xed\xa0\x80\xed\xb0\x80",
    b"\xf0\x80\x80\x80", b"\xf0\x28\x8c\xbc", b"\xf0\x9f\x98", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xfc\x84\x80\x80\x80\x80", b"\xfe", b"\xff", b"\xff\xfe", b"\xe9", b"\x81",
]  # fmt: skip
LITERALS: Final = b"True TRUE tru truee False fals null0 Null NULL nul none None undefined nil yes on".split()
BLANKS: Final = [
    b"\x0b",
    b"\x0c",
    b"\x1f",
    b"\xc2\xa0",
    b"\xe2\x80\xa8",
    b"\xe2\x81\xa0",
    b"\xef\xbb\xbf",
    b"\x00",
    b"\x7f",
]
STRUCTURES: Final = rb"""
[ ] { } [[ ]] [} {] [1 [1, [,1] [1,] [1,,2] [,] [1:2] [1;2] [1 2] [[1] [1]] ["a" ["a", {"a" {"a": {"a":1
{"a":1, {"a":1,} {,"a":1} {"a":1,,"b":2} {"a"} {"a",1} {"a"=1} {"a"::1} {:1} {1:1} {null:1} {[]:1} {a:1}
{'a':1} ['a'] {"a":1}{"b":2} {"a":1}] [1]] [1]x [1]; [1],[2] [1]// [1]/**/ /**/[1] //[1] #[1] [1]# ["a"b]
["a""b"] {"a":1"b":2} {"a":/**/1} <a/> "a 'a' `a` a" "" "a"b ( (1) @ $ & * ** ~ ^ % ! ? , ; : :: . .. ...
- -- = == [*] {*:1} \ [\] "\ ["\"] ["\\\"] [{"a":[ [{"a":]} {"a":[}] [[[[[[[[[[ ]]]]]]]]]] {"a":{"a":{"a":
[{},{ [{}],}
""".split()


def malformed() -> list[Case]:
    """No JSON at all, each with a value that must not come back."""
    texts = {
        **{f"number {text}": f"[{text}]".encode() for text in NUMBERS},
        **{f"escape {text!r}": b'["\\' + text + b'"]' for text in NO_ESCAPES},
        **{f"escape {text!r}": b'["' + text + b'"]' for text in BAD_UNICODE},
        **{f"surrogate {text!r}": b'["' + text + b'"]' for text in SURROGATES},
        **{f"control {code}": b'["%c"]' % code for code in range(32)},
        **{f"bytes {text!r}": b'["' + text + b'"]' for text in NOT_UTF8},
        **{f"name {text!r}": b'{"' + text + b'": 1}' for text in NOT_UTF8},
        **{f"literal {text!r}": b"[" + text + b"]" for text in LITERALS},
        **{f"blank {text!r}": b"[1" + text + b"]" for text in BLANKS},
        **{f"structure {text!r}": text for text in STRUCTURES if text != b'""'},
        **{
            f"encoded as {name}": '["a"]'.encode(name)
            for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
        },
        "twice": b'{"a": 1, "a": 2}',
        "twice by an escape": b'{"a": 1, "\\u0061": 2}',
        "twice deep down": b'[[{"x": {"a": 1, "b": 2, "a": 3}}]]',
        "digits": b"[" + b"9" * 100_000 + b"]",
        "fraction": b"[0." + b"1" * 100_000 + b"]",
        "exponent": b"[1e" + b"9" * 100_000 + b"]",
    }  # fmt: skip
    return [
        *cases("json", {name: request(b"/raw", _marked(text)) for name, text in texts.items()}, 400),
        *cases("json order", {name: request(b"/orders", _marked(text)) for name, text in texts.items()}, 400),
    ]


def _marked(text: bytes) -> bytes:
    # What is wrong stays wrong behind a sound beginning, except for the encodings of other widths.
    return text if b"\0" in text else b'{"name": "' + MARK + b'", "extra": {"x": ' + text + b"}}"


def deep() -> list[Case]:
    """Nested far deeper than any document."""
    openings = {
        "arrays": b"[",
        "objects": b'{"a":',
        "names": b'{"' + MARK + b'":',
        "both": b'[{"a":',
        "blanks": b"[ \n",
        "members": b'[1,"' + MARK + b'",',
        "strings": b'["]",',
        "escapes": b'["\\"]",{"\\\\":',
    }
    types = [
        JSON,
        b"APPLICATION/JSON; charset=utf-8",
        b"application/problem+json",
        b"text/json",
        b"text/plain",
        None,
    ]
    return [
        *cases(
            "deep",
            {
                f"{name} {depth} {kind!r}": request(b"/raw", opening * depth, content_type=kind)
                for name, opening in openings.items()
                for depth in (65, 1000, 50_000)
                for kind in types
            },
            400,
        ),
        *cases("deep", {"a million": request(b"/raw", b"[" * 1_000_000)}, 400),
        *cases(
            "deep",
            {
                f"form {name}": request(
                    b"/raw", opening * 1000, content_type=b"application/x-www-form-urlencoded"
                )
                for name, opening in openings.items()
            },
            400,
        ),
    ]


def odd() -> list[Case]:
    """JSON all the same, of the wrong shape or in unusual words: any answer will do that is no failure."""
    texts = {
        "nothing": b"",
        "null": b"null",
        "true": b"true",
        "number": b"1",
        "text": b'"' + MARK + b'"',
        "list": b'["' + MARK + b'"]',
        "mark": b'\xef\xbb\xbf{"name": "' + MARK + b'"}',
        "prototype": b'{"__proto__": {"admin": "' + MARK + b'"}, "constructor": 1, "__class__": 1}',
        "wrong types": b'{"name": ["' + MARK + b'"], "quantity": "' + MARK + b'", "price": {}}',
        "nul": b'{"name": "\\u0000' + MARK + b'"}',
        "large": b'{"name": "' + MARK + b'", "quantity": 1' + b"0" * 100 + b"}",
        "double": b'{"name": "' + MARK + b'", "price": 1.7976931348623157e308}',
        "tiny": b'{"name": "' + MARK + b'", "price": 1e-400}',
        "minus zero": b'{"name": "' + MARK + b'", "quantity": -0}',
        "long name": b'{"' + MARK * 5000 + b'": 1}',
        "many names": b"{" + b",".join(b'"%s%d": 1' % (MARK, number) for number in range(5000)) + b"}",
        "many values": b'{"name": "x", "tags": [' + b",".join([b'"a"'] * 50_000) + b"]}",
        "as deep as may be": b'{"name": "x", "extra": ' + b'{"a":' * 60 + b"1" + b"}" * 61,
    }
    return [
        case
        for target in (b"/raw", b"/orders")
        for case in cases(f"odd {target!r}", {name: request(target, text) for name, text in texts.items()})
    ]
