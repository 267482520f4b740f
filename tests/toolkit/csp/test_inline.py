"""Inline scripts and styles: which ones there are, and exactly what stands between their tags."""

from __future__ import annotations

import pytest

from garrison.csp.inline import Inline, inline_parts, is_html

PAGE = """<!doctype html>
<html><head>
<title>&lt;script&gt;not this&lt;/script&gt;</title>
<script>let a = "<b>&amp;</b>";
</script>
<STYLE media=print>p { color: red }</STYLE>
<script type="module">import "./a.js"</script>
<script type=" Text/JavaScript ">b()</script>
<script type="application/ld+json">{"@type": "Thing"}</script>
<script type="text/template"><p>{{ x }}</p></script>
<script src="/app.js"></script>
<script></script>
<!-- <script>comment()</script> -->
</head><body onload="c()"></body></html>
"""


def test_what_a_browser_would_run_is_found() -> None:
    """Scripts and styles of the page are found as they stand; data, comments and files are not."""
    assert inline_parts(PAGE) == (
        Inline(tag="script", line=4, text='let a = "<b>&amp;</b>";\n'),
        Inline(tag="style", line=6, text="p { color: red }"),
        Inline(tag="script", line=7, text='import "./a.js"'),
        Inline(tag="script", line=8, text="b()"),
        Inline(tag="script", line=12, text=""),
    )


def test_line_ends_are_those_of_the_parser() -> None:
    """A page with line ends of Windows has the text that a browser sees, and the lines of its file."""
    (found,) = inline_parts("<p>\r\n<script>\r\na()\r\n</script>")
    assert found == Inline(tag="script", line=2, text="\na()\n")


@pytest.mark.parametrize(
    "strange", ["<![foo[ a>", "<![CDATA[ a>", "<![if IE]>", "<![endif]-->", "<![", "<!x>", "<?php a ?>"]
)
def test_a_strange_declaration_is_a_comment(strange: str) -> None:
    """Browsers pass over what they do not know up to the next `>`, and read on."""
    found = inline_parts(f"{strange}\n<script>a()</script>")
    assert [part.text for part in found] == ([] if strange == "<![" else ["a()"])


@pytest.mark.parametrize("text", ["let a = {{ user|tojson }};", "{% if x %}a(){% endif %}"])
def test_templates_are_told_apart(text: str) -> None:
    """What a template engine fills in has another hash in every page."""
    (found,) = inline_parts(f"<script>{text}</script>")
    assert found.is_template
    assert not inline_parts("<script>let a = {b: {}};</script>")[0].is_template


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (PAGE, True),
        ("\n  <p>x</p>", True),
        ('{% extends "a" %}\n{% block x %}\n<script>a()</script>\n', True),
        ("", False),
        ("alert(1)\n", False),
        ('document.write("<script>a()<\\/script>");\n', False),
        ("p { color: red }", False),
    ],
)
def test_html_is_known_by_its_text(text: str, expected: bool) -> None:
    """A template that begins with something else is HTML, and a script that writes a tag is not."""
    assert is_html(text) is expected
