"""Valid requests with some bytes changed: nobody can tell them apart but whoever reads as carefully."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.contract_example import Example, let_in
from tests.integration.contract_judge import Sent

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

COUNT: Final = 20_000 if os.environ.get("PROOF") == "1" else 1000

REGION: Final = (b"x-region", b"eu")
JSON: Final = (b"content-type", b"application/json")
ONCE: Final = (b"idempotency-key", b"5f0c1b7e-9a3d-48d6-a2e4-7c1f60b98d35")
FORM: Final = (b"content-type", b"application/x-www-form-urlencoded")
UPLOAD: Final = (b"content-type", b"multipart/form-data; boundary=xyz")
CARD: Final = b'{"item": "tea", "count": 2, "payment": {"kind": "card", "number": "411111111111"}}'
INVOICE: Final = b'{"payment":{"kind":"invoice","email":"ann@shop.example"},"count":99,"item":"\\u00e9"}'
PARTS: Final = (
    b'--xyz\r\nContent-Disposition: form-data; name="title"\r\n\r\nA cat\r\n'
    b'--xyz\r\nContent-Disposition: form-data; name="picture"; filename="c.png"\r\n'
    b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\r\n--xyz--\r\n"
)

SEEDS: Final = (
    Sent(method="GET", path=b"/orders"),
    Sent(method="GET", path=b"/orders", query=b"limit=10&status=open&status=paid", headers=(REGION,)),
    Sent(method="GET", path=b"/orders", query=b"placed[after]=2026-01-31&placed%5Bbefore%5D=2026-02-28"),
    Sent(method="POST", path=b"/orders", headers=(JSON, ONCE), body=CARD),
    Sent(method="POST", path=b"/orders", headers=(JSON, ONCE), body=INVOICE),
    Sent(method="GET", path=b"/orders/1"),
    Sent(method="GET", path=b"/orders/%31"),
    Sent(method="POST", path=b"/orders/1/notes", headers=(FORM,), body=b"text=so+g%6Fod%21&stars=5"),
    Sent(method="POST", path=b"/orders/1/picture", headers=(UPLOAD,), body=PARTS),
    Sent(method="GET", path=b"/account"),
)  # fmt: skip

SNIPPETS: Final = (
    b"%", b"%00", b"%2F", b"%2e%2e/", b"/", b"//", b"/../", b"%ff", b"%C3%A9", b"+", b"&", b"=", b";", b",",
    b"limit=5", b"&limit=5", b"&status=open", b"&stars=1", b"[", b"]", b"[after]", b"{", b"}", b'"', b"\\",
    b"\\ud800", b"\\u0000", b"NaN", b"1e400", b"-0", b"0", b"1.0", b"99999999999999999999", b"null", b"true",
    b"[" * 70, b'"id": 7,', b'"kind": "invoice",', b"--xyz", b"--xyz--", b"\r\n", b"\n", b"\x00", b"\xff",
    b"\xc3\xa9", b"\xef\xbb\xbf", b" ", b"; charset=utf-8", b"; charset=utf-16", b"*",
)  # fmt: skip


@st.composite
def edited(draw: DrawFn, text: bytes) -> bytes:
    """A text with up to three changes."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from((0, 0, 1, 1, 2, 5, 20))))
        cut = text[start:end]
        put = draw(
            st.sampled_from(SNIPPETS)
            | st.binary(max_size=2)
            | st.sampled_from((b"", cut * 2, cut.swapcase()))
        )
        text = text[:start] + put + text[end:]
    return text


@st.composite
def requests(draw: DrawFn, seeds: tuple[Sent, ...]) -> Sent:
    """A request with changes in one of its parts, as a server would still hand it on."""
    sent = draw(st.sampled_from(seeds))
    parts = ["path"] + [name for name in ("query", "body", "headers") if getattr(sent, name)]
    part = draw(st.sampled_from(parts + ["body"] * 3 * bool(sent.body)))
    if part == "headers":
        which = draw(st.integers(0, len(sent.headers) - 1))
        headers = list(sent.headers)
        name, value = headers[which]
        # What h11 lets through, without the blanks around.
        headers[which] = name, bytes(draw(edited(value)).translate(None, bytes([*range(32), 127]))).strip()
        return replace(sent, headers=tuple(headers))
    text = draw(edited(getattr(sent, part)))
    if part == "path":
        kept = text.translate(None, bytes([*range(33), *b"#?", *range(127, 256)]))
        return replace(sent, path=b"/" + kept.lstrip(b"/"))
    if part == "query":
        return replace(sent, query=text.translate(None, bytes([*range(33), *b"#", *range(127, 256)])))
    return replace(sent, body=text)


@pytest.fixture(scope="module")
def example() -> Example:
    """The hardened example."""
    return Example(GARRISON_ACCESS_LOG="off")


def test_the_seeds_are_valid(example: Example) -> None:
    """What is changed was right before."""
    for seed in map(example.identified, SEEDS):
        assert example.judge.verdict(seed) == "valid"
        assert let_in(example.ask(seed)), seed


@pytest.mark.timeout(300)
def test_changed_bytes_are_judged_right(example: Example) -> None:
    """What is refused breaks the document, what is let in keeps it, and nothing is a failure."""
    judged: Counter[str] = Counter()

    @settings(max_examples=COUNT)
    @given(requests(tuple(map(example.identified, SEEDS))))
    def ask(sent: Sent) -> None:
        reply = example.ask(sent)
        verdict = example.judge.verdict(sent)
        assert reply.status < 500, sent
        assert verdict == "disputed" or let_in(reply) == (verdict == "valid"), (sent, verdict, reply.body)
        judged[verdict] += 1

    ask()
    assert judged["invalid"] > COUNT // 5
    assert judged["valid"] > COUNT // 20
    assert judged["disputed"] < COUNT // 3
