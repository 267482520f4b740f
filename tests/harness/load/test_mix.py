"""Which users share a load, as people write it."""

from __future__ import annotations

import pytest

from garrison_harness.load.mix import Share, parse_mix


def test_a_mix_is_read() -> None:
    """Names with weights, and with a path where they need one."""
    assert parse_mix("browser=3, api") == (Share(user="browser", weight=3), Share(user="api"))
    assert parse_mix("websocket:/ws?a=b=2,slow:/big") == (
        Share(user="websocket", path="/ws?a=b", weight=2),
        Share(user="slow", path="/big"),
    )
    assert len(parse_mix("websocket:/a,websocket:/b")) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected NAME=WEIGHT"),
        ("browser=3,", "expected NAME=WEIGHT"),
        ("=3", "expected NAME=WEIGHT"),
        ("Browser", "did you mean browser?"),
        ("robot", "there are browser, api,"),
        ("api=0", "whole number from 1 to 1000 for api, found '0'"),
        ("api=1.5", "found '1.5'"),
        ("api=", "found ''"),
        ("slow://host/", "expected a path"),
        ("slow:/a b", "expected a path"),
        ("api,api=2", "api is there twice"),
    ],
)
def test_what_is_no_mix_is_explained(text: str, words: str) -> None:
    """The message says what was expected and found, in one line."""
    with pytest.raises(ValueError, match=r".") as fault:
        parse_mix(text)
    assert words in str(fault.value)
    assert "\n" not in str(fault.value)
