"""Attributes that are built late, as the SDKs read them."""

from __future__ import annotations

from garrison.conventions import Deferred, Value


def test_late_attributes_are_built_once_whoever_asks() -> None:
    """SDKs before 1.43 copy them, newer ones go through them; a tracer that records nothing does neither."""
    built: list[str] = []

    def build() -> dict[str, Value]:
        built.append("now")
        return {"http.request.method": "GET"}

    late = Deferred(build)
    assert built == []
    copied = late.copy()
    copied["http.route"] = "/"
    assert (len(late), dict(late.items()), late["http.request.method"]) == (
        1,
        {"http.request.method": "GET"},
        "GET",
    )
    assert built == ["now"]
