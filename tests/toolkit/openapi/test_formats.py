"""Formats: those of JSON Schema, and those of OpenAPI."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.openapi.formats import FUNCTIONS
from tests.toolkit.openapi.documents import checker


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("int32", [0, 2**31 - 1, -(2**31), "text", 1.5], [2**31, -(2**31) - 1]),
        ("int64", [2**63 - 1, -(2**63)], [2**63, -(2**63) - 1, 10**30]),
        ("uint8", [0, 255], [-1, 256]),
        ("float", [3.4e38, -1.5], [3.5e38, -1e300]),
        ("double", [1e300, "text"], []),
        ("byte", ["", "YQ==", "YWJj"], ["YQ", "YQ=", "Y Q=", "a!==", "\u00e9", "YQ\n=="]),
        ("base64url", ["", "YQ", "YQ==", "_-8"], ["Y", "a+b", "a b"]),
        ("date-time", ["2026-10-05T12:00:00Z", "2026-10-05T12:00:00.5+02:00"],
         ["2026-10-05", "2026-13-05T12:00:00Z"]),
        ("date", ["2024-02-29"], ["2023-02-29", "1.2.2024", "//24-02-29", "-024-02-29"]),
        ("time", ["12:00:00Z"], ["25:00:00Z"]),
        ("duration", ["P1DT2H"], ["1D"]),
        ("email", ["a@b.example"], ["a", "a@"]),
        ("hostname", ["a.example"], ["-a.example"]),
        ("ipv4", ["192.0.2.1"], ["192.0.2.256", "192.0.2"]),
        ("ipv6", ["2001:db8::1"], ["2001:db8::g"]),
        ("uri", ["https://a.example/b?c#d"], ["/b", "not a uri"]),
        ("uri-reference", ["/b"], ["\\b"]),
        ("uuid", ["2eb8aa08-aa98-11ea-b4aa-73b441d16380"], ["2eb8aa08"]),
        ("json-pointer", ["/a~1b"], ["a"]),
        ("regex", ["^a+$"], ["("]),
        ("password", ["", "hunter2"], []),
        ("binary", ["anything"], []),
        ("unheard-of", ["anything"], []),
    ],
)  # fmt: skip
def test_formats_are_checked(name: str, good: list[object], bad: list[object], version: str) -> None:
    """In all versions; of other types anything passes, and so it does for a format that nobody knows."""
    check = checker({"format": name}, version=version)
    assert [value for value in good if not check.fits(value)] == []
    assert [value for value in bad if check.fits(value)] == []
    assert check.fits(None)


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"format": "int32", "minimum": 5}, 5, 4),
        ({"minimum": 5, "format": "int32"}, 5, 4),
        ({"format": "int32", "maximum": 2**40}, 2**31 - 1, 2**31),
        ({"maximum": 2**40, "format": "int32"}, 2**31 - 1, 2**31),
        ({"format": "int32", "exclusiveMinimum": 5}, 6, 5),
    ],
)
def test_the_narrower_bound_holds(schema: dict[str, Any], good: int, bad: int) -> None:
    """That of the format or that beside it, in whichever order they are written."""
    assert checker(schema).fits(good)
    assert not checker(schema).fits(bad)


@given(st.text(st.characters()))
def test_our_functions_never_fail(text: str) -> None:
    """They are called from native code, whatever a client sends."""
    for function in FUNCTIONS.values():
        assert function(text) in {True, False}
        assert function(text + "\ud800") in {True, False}
