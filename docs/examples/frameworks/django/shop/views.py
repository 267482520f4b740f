"""The views, which know nothing of Garrison."""

from __future__ import annotations

import json
import logging
import secrets
from typing import TYPE_CHECKING

from django import forms
from django.http import Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from django.http import HttpRequest

log = logging.getLogger("shop")
stock = {1: "tea", 2: "kettle"}


class NewItem(forms.Form):
    """What a client sends of an item."""

    name = forms.CharField(min_length=1, max_length=80)


@require_GET
async def home(_: HttpRequest) -> HttpResponse:
    """The page."""
    return HttpResponse("<!doctype html><title>Shop</title><h1>Shop</h1><a href='/items'>Items</a>")


@require_http_methods(["GET", "POST"])
async def items(request: HttpRequest) -> JsonResponse:
    """Everything there is, or a new item."""
    if request.method == "GET":
        found = [{"number": number, "name": name} for number, name in stock.items()]
        return JsonResponse(found, safe=False)
    try:
        sent = json.loads(request.body)
    except ValueError:
        sent = None
    new = NewItem(sent if isinstance(sent, dict) else {})
    if not new.is_valid():
        return JsonResponse({"errors": new.errors}, status=422)
    number = len(stock) + 1
    stock[number] = new.cleaned_data["name"]
    return JsonResponse({"number": number, "name": stock[number]}, status=201)


@require_GET
async def item(_: HttpRequest, number: int) -> JsonResponse:
    """One item."""
    log.info("item %d is looked at", number)
    if number not in stock:
        raise Http404
    return JsonResponse({"number": number, "name": stock[number]})


@require_POST
async def upload(request: HttpRequest) -> JsonResponse:
    """A picture of an item, of which the size is told."""
    return JsonResponse({"size": request.FILES["picture"].size})


@require_POST
async def login(_: HttpRequest) -> HttpResponse:
    """A session for whoever asks."""
    reply = HttpResponse(status=204)
    reply.set_cookie("session", secrets.token_urlsafe())
    return reply


@require_GET
async def boom(_: HttpRequest) -> HttpResponse:
    """A failure that nobody handles."""
    raise RuntimeError("no database at postgresql://shop:hunter2@db/shop")


@require_GET
async def stream(_: HttpRequest) -> StreamingHttpResponse:
    """Three events."""

    async def events() -> AsyncIterator[str]:
        for number in range(3):
            yield f"data: {number}\n\n"

    return StreamingHttpResponse(events(), content_type="text/event-stream")
