"""`python -m docs.site.layers`: the picture of the layers, in the order that the code puts them on."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Final, NamedTuple
from xml.sax.saxutils import escape

from docs.site.sources import DOCS
from garrison import Contract, CspReports, Exposure, Hosts, RateLimit, Settings, harden

if TYPE_CHECKING:
    from garrison.asgi import Receive, Scope, Send


class Kind(NamedTuple):
    """What layers are there for, and a colour on which dark text can be read."""

    words: str
    colour: str


KNOW: Final = Kind("know who asks, and write down what happens", "#a5c8ff")
PROTECT: Final = Kind("protect every reply, refusals and errors included", "#a7e3c0")
ADMIT: Final = Kind("let in what is meant for the app, as much as it can serve", "#ffd58a")
BOUND: Final = Kind("bound what a single request may be", "#ffb8ae")
APP: Final = Kind("your app", "#d5d9df")

# The job of each layer in a few words, and its kind. A layer that is missing here stops the program.
LAYERS: Final = {
    "proxy": ("whose word counts about the client", KNOW),
    "request_id": ("one id for reply, log and error", KNOW),
    "tracing": ("span and duration", KNOW),
    "access_log": ("one event a request", KNOW),
    "security_headers": ("what browsers are told", PROTECT),
    "cookies": ("Secure, HttpOnly", PROTECT),
    "cross_origin": ("who may read or act from elsewhere", PROTECT),
    "errors": ("no internals in replies", PROTECT),
    "health": ("probes: starting, ready, draining", ADMIT),
    "hosts": ("which names, https", ADMIT),
    "exposure": ("what is closed to strangers", ADMIT),
    "csp_reports": ("takes what browsers report", ADMIT),
    "overload": ("sheds load, ends work at a stop", ADMIT),
    "rate_limit": ("quotas of clients", ADMIT),
    "timeouts": ("slow bodies, readers, handlers", BOUND),
    "request_limits": ("sizes, JSON, paths", BOUND),
    "contract": ("callers, parameters, bodies", BOUND),
    "rate_limit_by_principal": ("quotas of who is known by now", BOUND),
}
DOCUMENT: Final = DOCS / "examples" / "contract" / "openapi.yaml"
PAGE: Final = DOCS / "explanation" / "architecture.md"
PLACE: Final = re.compile(r"(?<=<!-- legend -->\n).*(?=<!-- end of legend -->)", re.DOTALL)
WIDTH: Final = 480
ROW: Final = 28
TOP: Final = 34
LEFT: Final = 40
INK: Final = "#1b1f24"
# Between black and white, for what stands on the page itself.
LINE: Final = "#7d8794"


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """An app."""


def order() -> tuple[str, ...]:
    """The names of all layers as `harden()` puts them on, outermost first."""
    everything = Settings(
        hosts=Hosts(allowed=("shop.example",)),
        exposure=Exposure(closed="docs"),
        csp_reports=CspReports(path="/csp-reports"),
        rate_limit=RateLimit(limits="100/minute; /api/*: 50/minute, 10/minute by principal"),
        contract=Contract(document=str(DOCUMENT), security="app"),
    )
    return harden(nothing, everything).layers


def picture() -> str:
    """An SVG without styles or scripts, so that no policy has to allow any."""
    names = order()
    height = TOP + ROW * (len(names) + 1) + 6
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="sans-serif" font-size="12">',
        "<title>The layers of Garrison around an app</title>",
        f"<desc>{escape(', '.join(names))}, the app</desc>",
        *_arrow(16, TOP - 4, TOP + ROW * (len(names) + 1) - 4, "request"),
        *_arrow(WIDTH - 16, TOP + ROW * (len(names) + 1) - 4, TOP - 4, "reply"),
    ]
    for number, name in enumerate(names):
        words, kind = LAYERS[name]
        parts += _bar(number, name, words, kind)
    parts += _bar(len(names), "your app", "Starlette, FastAPI, Litestar, Django, ...", APP)
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def legend() -> str:
    """The same for whoever does not see the picture, kind by kind, as Markdown."""
    names = order()
    lines = []
    for kind in (KNOW, PROTECT, ADMIT, BOUND):
        listed = ", ".join(f"`{name}`" for name in names if LAYERS[name][1] is kind)
        lines.append(f"| {kind.words} | {listed} |")
    return "\n".join(["", "| they | outermost first |", "|---|---|", *lines, ""])


def _bar(number: int, name: str, words: str, kind: Kind) -> list[str]:
    top, right = TOP + ROW * number, WIDTH - LEFT
    y = top + ROW // 2 + 2
    mono = 'font-family="monospace" font-weight="bold"'
    return [
        f'<rect x="{LEFT}" y="{top}" width="{right - LEFT}" height="{ROW - 4}" rx="4" fill="{kind.colour}"/>',
        f'<text x="{LEFT + 10}" y="{y}" fill="{INK}" {mono}>{name}</text>',
        f'<text x="{right - 10}" y="{y}" fill="{INK}" text-anchor="end">{escape(words)}</text>',
    ]


def _arrow(x: int, start: int, end: int, words: str) -> list[str]:
    tip = 7 if end > start else -7
    pen = f'stroke="{LINE}" stroke-width="2" fill="none"'
    anchor, shift = ("start", -8) if x < LEFT else ("end", 8)
    return [
        f'<path d="M{x} {start}V{end}" {pen}/>',
        f'<path d="M{x - 5} {end - tip}L{x} {end + tip // 2}L{x + 5} {end - tip}" {pen}/>',
        f'<text x="{x + shift}" y="20" fill="{LINE}" text-anchor="{anchor}">{words}</text>',
    ]


def main() -> int:
    """Write the picture, and its words into the page that shows it."""
    (DOCS / "images" / "layers.svg").write_text(picture(), encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(PLACE.sub(lambda _: f"{legend()}\n", text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
