"""The documentation as a site: links lead somewhere, nothing comes from elsewhere, an audit finds nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

import pytest

from docs.site.__main__ import CONFIG
from docs.site.cells import fit
from docs.site.glossary import glossed
from docs.site.navigation import navigation, targets
from docs.site.sources import pages, target_of
from docs.site.staging import relinked
from docs.site.verify import faults_of
from tests.docs_site import built_once
from tests.integration.documents import DOCS, EXAMPLES, ROOT, blocks

if TYPE_CHECKING:
    from pathlib import Path

# The site is built first, which is some seconds of work for the processor.
pytestmark = pytest.mark.timeout(240)
PROOF: Final = os.environ.get("PROOF") == "1"
# What is about replies; what sends much, waits or stops the server says nothing of these pages.
SAMPLED: Final = () if PROOF else ("--select=H,C,O,E,M,I,X",)
PAGE: Final = '<html><head>{head}</head><body><h1 id="top">Title</h1>{body}</body></html>'


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, and the settings to serve it with."""
    return built_once(tmp_path_factory)


def site_of(folder: Path, *, head: str = "", body: str = "") -> Path:
    """A site of one page and one picture."""
    (folder / "index.html").write_text(PAGE.format(head=head, body=body), encoding="utf-8")
    (folder / "there.svg").write_text("<svg/>", encoding="utf-8")
    (folder / "style.css").write_text("body { background: url(there.svg) }", encoding="utf-8")
    return folder


def test_every_page_is_in_the_navigation_once() -> None:
    """A reader finds each page, and examples that teach, by the navigation that docs/README.md makes."""
    found = targets(navigation())
    examples = {target_of(page).as_posix() for page in DOCS.glob("examples/*/README.md")}

    assert len(found) == len(set(found))
    assert set(found) - examples == {target_of(page).as_posix() for page in pages()}


def test_the_navigation_is_that_of_diataxis() -> None:
    """What to learn, to do, to look up and to understand stand apart, and tasks are grouped."""
    (start, *sections, project) = navigation()
    names = [next(iter(section)) for section in sections]

    assert list(start) == ["Start"]
    assert names == ["Tutorial", "How to", "Reference", "Explanation"]
    assert list(project) == ["Project"]
    tasks = sections[1]["How to"]
    assert all(isinstance(group, dict) and len(targets([group])) <= 12 for group in tasks)


def test_each_page_became_one_of_the_site(built: Path) -> None:
    """The pages of the navigation are there as their address says."""
    for target in targets(navigation()):
        path = PurePosixPath(target)
        folder = built / "site" / (path.parent if path.name == "index.md" else path.with_suffix(""))
        assert (folder / "index.html").is_file(), target


def test_what_is_no_page_is_shown(built: Path) -> None:
    """A link to a file or a folder of the repository leads to its text, on the site as on a forge."""
    comparison = (built / "site" / "explanation" / "comparison" / "index.html").read_text(encoding="utf-8")
    (link,) = set(re.findall(r'href="([^"]+/docs/examples/peers/)"', comparison))
    folder = (built / "site" / "explanation" / "comparison" / link).resolve()

    assert 'href="quotas-py/"' in (folder / "index.html").read_text(encoding="utf-8")
    assert "slowapi" in (folder / "quotas-py" / "index.html").read_text(encoding="utf-8")
    assert list((built / "site" / "project").glob("changelog/index.html"))


def test_a_list_right_below_a_line_is_one() -> None:
    """A forge begins a list without an empty line in front, and so does the site."""
    text, *_ = relinked("Read\n- [this](README.md)\n- that\n", DOCS / "x.md", PurePosixPath("x.md"))

    assert text == "Read\n\n- [this](index.md)\n- that\n"


def test_code_keeps_what_looks_like_a_link() -> None:
    """Only prose has links."""
    block = "````text\n```\n[this](nowhere.md)\n```\n````\n"

    assert relinked(block, DOCS / "x.md", PurePosixPath("x.md")) == (block, [], [])


@pytest.mark.parametrize(
    "link", ["nowhere.md", "../nothing", "../../../etc/hostname", "../tests/hostile/key.pem/x"]
)
def test_a_link_to_nothing_stops_the_build(link: str) -> None:
    """It is named with the page that has it."""
    _, _, (fault,) = relinked(f"[this]({link})", DOCS / "README.md", PurePosixPath("index.md"))

    assert fault == f"docs/README.md links {link}: no such file"


@pytest.mark.parametrize(
    ("head", "body", "fault"),
    [
        ("", '<a href="nowhere/">x</a>', "the link nowhere/ leads nowhere"),
        ("", '<a href="#bottom">x</a>', "the link #bottom leads nowhere"),
        ("", '<a href="javascript:x()">x</a>', "the link javascript:x() leads nowhere"),
        ("", '<img src="gone.svg">', "gone.svg is loaded from another host, or is not there"),
        ('<script src="https://cdn.example/x.js"></script>', "", "https://cdn.example/x.js is loaded"),
        ('<link rel="stylesheet" href="//fonts.example/x.css">', "", "//fonts.example/x.css is loaded"),
        ('<link rel="preconnect" href="https://fonts.example">', "", "https://fonts.example is loaded"),
        ('<link rel="icon" href="gone.png">', "", "gone.png is loaded"),
        ("", '<p style="color: red">x</p>', "a style of its own on p"),
        ("<style>p { color: red }</style>", "", "a style of its own on style"),
    ],
)
def test_a_fault_of_a_page_is_found(tmp_path: Path, head: str, body: str, fault: str) -> None:
    """A link that leads nowhere, and whatever a browser would fetch elsewhere or in vain."""
    (found,) = faults_of(site_of(tmp_path, head=head, body=body))

    assert found.startswith(f"index.html: {fault}")


@pytest.mark.parametrize(
    "rule", ["src: url(https://fonts.example/x.woff)", "} @import '//x.example/y.css'; x {"]
)
def test_a_style_sheet_that_loads_from_elsewhere_is_found(tmp_path: Path, rule: str) -> None:
    """Fonts and further sheets count like scripts."""
    site = site_of(tmp_path)
    (site / "style.css").write_text(f"@font-face {{ {rule} }}", encoding="utf-8")

    (fault,) = faults_of(site)
    assert fault.startswith("style.css: ")


def test_what_is_right_is_no_fault(tmp_path: Path) -> None:
    """Links to headings, to files, to other hosts; pictures that are there, or in the page itself."""
    body = (
        '<a href="#top">x</a><a href="there.svg">x</a><a href="https://docs.example/#x">x</a>'
        '<img src="there.svg"><img src="data:image/gif;base64,R0lG">'
    )

    assert faults_of(site_of(tmp_path, head='<link rel="stylesheet" href="style.css">', body=body)) == []


@pytest.mark.parametrize(
    ("words", "fitted"),
    [
        ("GARRISON_RATE_LIMIT_STORAGE", "GARRISON_<wbr>RATE_<wbr>LIMIT_<wbr>STORAGE"),
        ("GARRISON_RATE_LIMIT_COSTS=", "GARRISON_<wbr>RATE_<wbr>LIMIT_<wbr>COSTS="),
        ("strict_transport_security()", "strict_<wbr>transport_<wbr>security()"),
        ("_rate_limit_exceeded_handler", "_rate_<wbr>limit_<wbr>exceeded_<wbr>handler"),
        ("limits=&quot;100/minute&quot;", "limits=<wbr>&quot;100/minute&quot;"),
        ("request_id", "request_id"),
        ("check --start-timeout", 'check <span class="whole">--start-timeout</span>'),
    ],
)
def test_a_long_name_in_a_table_breaks_at_its_joints(tmp_path: Path, words: str, fitted: str) -> None:
    """A browser may go on in the next line behind a mark, and keeps short names and flags whole."""
    site = site_of(tmp_path, body=f"<table><tr><td><code>{words}</code></td></tr></table>")
    fit(site)

    assert f"<code>{fitted}</code></td>" in (site / "index.html").read_text(encoding="utf-8")


def test_blocks_of_code_have_no_joints(tmp_path: Path) -> None:
    """What is copied from them, and how they scroll, is as it was written."""
    code = "GARRISON_SECURITY_HEADERS_PAGE_PERMISSIONS_REPORT_ONLY=--x"
    body = f"<pre><span></span><code>{code}</code></pre><pre><code>{code}</code></pre>"
    site = site_of(tmp_path, body=body)
    fit(site)

    assert body in (site / "index.html").read_text(encoding="utf-8")


def test_text_in_a_table_is_told_from_words(tmp_path: Path) -> None:
    """A style gives it more room; figures need none."""
    text = "What stands here goes on for a line."
    site = site_of(tmp_path, body=f"<table><tr><td>{text}</td><td>12</td></tr></table>")
    fit(site)

    assert f'<td class="text">{text}</td><td>12</td>' in (site / "index.html").read_text(encoding="utf-8")


def test_the_tables_of_the_site_are_fitted(built: Path) -> None:
    """A page whose tables are full of long names has them with joints."""
    page = (built / "site" / "how-to" / "migrate" / "index.html").read_text(encoding="utf-8")

    assert "GARRISON_<wbr>RATE_<wbr>LIMIT_<wbr>COSTS" in page
    assert '<td class="text">' in page


def test_a_setting_leads_to_the_reference_where_a_page_names_it_first() -> None:
    """Headings, links, comments and blocks stay as they are, and so does a name that is no setting."""
    name = "GARRISON_HOSTS_ALLOWED"
    kept = (
        f"# `{name}`\n\n[`{name}`](x.md)\n\n<!-- `{name}` -->\n\n```env\n`{name}`\n```\n\n`GARRISON_PORT`\n"
    )
    link = f"[`{name}=shop.example`](../reference/settings.md#garrison_hosts_allowed)"

    found = glossed(f"{kept}\nSet `{name}=shop.example`, or `{name}`.\n", DOCS / "how-to" / "run.md")
    assert found == f"{kept}\nSet {link}, or `{name}`.\n"


def test_the_reference_names_the_guides_to_a_setting(built: Path) -> None:
    """A reader gets from a setting to the task that it is for, and from the task to the setting."""
    reference = (built / "site" / "reference" / "settings" / "index.html").read_text(encoding="utf-8")
    guide = (built / "site" / "how-to" / "reverse-proxies" / "index.html").read_text(encoding="utf-8")
    entry = reference.partition('<h3 id="garrison_proxy_hops">')[2].partition("<h3")[0]

    assert 'href="../../how-to/reverse-proxies/"' in entry
    assert 'href="../../reference/settings/#garrison_proxy_hops"' in guide


def test_the_theme_is_told_to_fetch_nothing() -> None:
    """Its letters would come from Google."""
    assert re.search(r"^  font: false$", CONFIG.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_site_passes_the_audit(built: Path) -> None:
    """Served by `garrison run` with the settings that `make docs` writes, it gives no finding at all."""
    served = ["garrison", "run", "docs.examples.site.app:app", "--env-file", str(built / "site.env")]
    words = ["check", *SAMPLED, "--fail-on=info", "--", sys.executable, "-m", *served, "--port", "{port}"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GARRISON_")}
    done = subprocess.run(
        [sys.executable, "-m", "garrison", *words],
        cwd=ROOT,
        env={**environ, "SITE": str(built / "site")},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )

    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    for check in ("H1", "H2", "H3", "H7", "H13", "H14", "I6", "M1"):
        assert re.search(rf"^PASS  {check} ", done.stdout, re.MULTILINE), done.stdout


def test_the_settings_of_the_example_are_those_of_its_guide() -> None:
    """What the page shows as `site.env` is what the file has."""
    (shown,) = blocks(DOCS / "how-to" / "static-site.md", "env")

    assert (EXAMPLES / "site" / "site.env").read_text(encoding="utf-8") == shown.text


def test_nothing_of_the_policy_is_unsafe(built: Path) -> None:
    """What is inline is allowed by its hash."""
    policy = (built / "site.env").read_text(encoding="utf-8")

    assert "unsafe" not in policy
    assert len(re.findall(r"'sha256-[\w+/]{43}='", policy)) > 1
