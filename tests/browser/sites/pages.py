"""Pages that render with `csp_nonce`, and one of them repeats what a stranger wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from garrison import csp_nonce
from tests.browser.sites.shop import LOGO, WORKER, fixed

if TYPE_CHECKING:
    from starlette.requests import Request

FOUND = "if (found.textContent === 'nothing') found.textContent = 'something'"
WIDGET = "document.getElementById('widget').textContent = 'loaded'"


async def modern(request: Request) -> Response:
    """A page that has every kind of thing which the preset `web` is for."""
    nonce = csp_nonce(request)
    return HTMLResponse(
        f"""<!doctype html><title>Modern</title><link rel=stylesheet href=/style.css>
        <style nonce="{nonce}">h1 {{ color: rgb(0, 0, 128) }}</style>
        <h1>Modern</h1><img src=/logo.svg alt=Logo><img src="data:image/svg+xml,<svg/>" alt="">
        <p id=nonce></p><p id=widget></p><p id=worker></p><p id=answer></p>
        <form action=/answer><button>Ask</button></form>
        <script nonce="{nonce}">
            document.getElementById('nonce').textContent = 'ran';
            const script = document.createElement('script');
            script.src = '/widget.js';
            document.head.append(script);
            const worker = new Worker('/worker.js');
            worker.onmessage = event => {{ document.getElementById('worker').textContent = event.data }};
            worker.postMessage('1');
        </script>"""
    )


async def answer(request: Request) -> Response:
    """Where the form leads."""
    return HTMLResponse("<!doctype html><title>Answer</title><p id=answer>42</p>")


async def search(request: Request) -> Response:
    """A page with a hole: it repeats the question as it came."""
    return HTMLResponse(
        "<!doctype html><title>Search</title><p id=found>nothing</p>"
        f"<div id=question>{request.query_params.get('q', '')}</div>"
        f'<script nonce="{csp_nonce(request)}" src=found.js></script>'
    )


async def sinks(request: Request) -> Response:
    """A page whose script writes text into the document, once as it comes and once through a policy."""
    return HTMLResponse(
        f"""<!doctype html><title>Sinks</title><p id=raw></p><p id=safe></p>
        <script nonce="{csp_nonce(request)}">
            const createHTML = text => text.replaceAll('<', '&lt;');
            const policy = trustedTypes.createPolicy('page', {{ createHTML }});
            document.getElementById('safe').innerHTML = policy.createHTML('<b>safe</b>');
            document.getElementById('raw').innerHTML = '<b>raw</b>';
        </script>"""
    )


async def kept(request: Request) -> Response:
    """A page that browsers keep, and ask about each time."""
    headers = {"etag": '"1"', "cache-control": "private, no-cache"}
    if request.headers.get("if-none-match") == '"1"':
        return Response(status_code=304, headers=headers)
    nonce = csp_nonce(request)
    page = f'<!doctype html><p id=nonce></p><script nonce="{nonce}">nonce.textContent = "ran"</script>'
    return HTMLResponse(page, headers=headers)


pages = Starlette(
    routes=[
        Route("/", modern),
        Route("/answer", answer),
        Route("/search", search),
        Route("/sinks", sinks),
        Route("/kept", kept),
        Route("/style.css", fixed("p { color: rgb(0, 100, 0) }", "text/css")),
        Route("/logo.svg", fixed(LOGO, "image/svg+xml")),
        Route("/favicon.ico", fixed(LOGO, "image/svg+xml")),
        Route("/widget.js", fixed(WIDGET, "text/javascript")),
        Route("/found.js", fixed(FOUND, "text/javascript")),
        Route("/worker.js", fixed(WORKER, "text/javascript")),
    ]
)
