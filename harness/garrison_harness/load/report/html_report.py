"""The run as one HTML page that needs nothing else: no server, no network, and no script."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

from garrison_harness.load.report.asked import asked
from garrison_harness.load.report.charts import (
    compared_latency,
    compared_rate,
    lag_chart,
    latency_chart,
    memory_chart,
    rate_chart,
    spread_chart,
    status_chart,
    users_chart,
)
from garrison_harness.load.report.figures import figure
from garrison_harness.load.report.html_requests import requests_html, summary_html
from garrison_harness.load.report.html_target import capacity_html, comparison_html, promises_html
from garrison_harness.load.report.markup import source, table, text, word
from garrison_harness.load.report.text import why, word_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.load.report.charts import Sides
    from garrison_harness.load.report.plot.chart import Chart
    from garrison_harness.load.result import Result
    from garrison_harness.load.watch.track import Track


def render(result: Result) -> str:
    """The page, with a line break at the end."""
    style = files("garrison_harness.load.report").joinpath("page.css").read_text(encoding="utf-8")
    policy = f"default-src 'none'; style-src {source(style)}; base-uri 'none'; form-action 'none'"
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{text(f'garrison load {result.target}')}</title>",
        f"<style>{style}</style></head>",
        "<body>",
        *_head(result),
        *summary_html(result),
        *_thresholds(result),
        *promises_html(result),
        *capacity_html(result),
        *comparison_html(result),
        *_plots(result),
        *requests_html(result),
        "</body></html>",
    ]
    return "\n".join(lines) + "\n"


def _head(result: Result) -> Iterator[str]:
    yield f"<header><h1>garrison load <code>{text(str(result.target))}</code></h1>"
    yield f"<p>{word(result.verdict)}: {text(why(result))}</p>"
    yield (
        f'<p class="soft">{text(result.plan.base_url)}, {result.started:%Y-%m-%d %H:%M} UTC:'
        f" {text(asked(result.plan))}; Garrison {text(version('garrison'))}</p></header>"
    )
    if notes := (*result.health.reasons, *result.health.notes):
        told = "".join(f"<p>{text(note)}</p>" for note in notes)
        yield f'<div class="notes" role="note"><b>The generator</b>{told}</div>'


def _thresholds(result: Result) -> Iterator[str]:
    if not result.judgements:
        return
    yield "<h2>Thresholds</h2>"
    yield table(
        ("verdict", "threshold", "measured"),
        (
            (word(word_of(one)), f"<code>{text(one.threshold.expression)}</code>", text(one.describe()))
            for one in result.judgements
        ),
    )


def _plots(result: Result) -> Iterator[str]:
    charts = list(_charts(result))
    if charts:
        figures = "\n".join(map(figure, charts))
        yield f'<h2>Over time</h2><div class="plots">\n{figures}\n</div>'


def _charts(result: Result) -> Iterator[Chart]:
    account = result.outcome.account
    if not len(account.series):
        return
    sides: Sides = (("this run", account),)
    comparison = result.comparison
    if comparison is not None and comparison.baseline_account is not None:
        sides = (("this run", account), (comparison.baseline, comparison.baseline_account))
    yield rate_chart(account)
    yield latency_chart(account)
    yield status_chart(account)
    yield spread_chart(sides)
    if len(sides) > 1:
        yield compared_rate(sides)
        yield compared_latency(sides)
    yield users_chart(account)
    resources = result.resources
    if resources is not None and resources.lag is not None:
        yield lag_chart(resources.lag.points, _watched(result, resources.lag))
    if resources is not None and resources.memory is not None:
        yield memory_chart(resources.memory.points, _watched(result, resources.memory))


def _watched(result: Result, track: Track) -> float:
    """How long the target was watched: a search for the capacity takes longer than the step it tells of."""
    return track.points[-1][0] if result.capacity else result.outcome.account.duration
