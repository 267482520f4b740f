"""Shows on stderr how a run goes on; never on stdout, which is for reports."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

from garrison_harness.load.account import Account
from garrison_harness.load.report.live_rows import live_rows, progress_line
from garrison_harness.load.report.spark import BLOCKS, PLAIN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from rich.live import Live as RichLive
    from rich.text import Text

    from garrison_harness.load.delta import Delta
    from garrison_harness.load.generator import Listener
    from garrison_harness.load.plan import Plan
    from garrison_harness.load.thresholds import Threshold

LINE_INTERVAL: Final = 5.0
"""Seconds of the run between two lines in the log of a job."""


class Live:
    """A view that is drawn anew each second where stderr is a terminal, and gone at the end.

    Elsewhere there is a line every five seconds, if it is asked for.
    """

    def __init__(
        self,
        plan: Plan,
        thresholds: Sequence[Threshold],
        *,
        lines: bool = False,
        stream: TextIO | None = None,
    ) -> None:
        """Show a run.

        Args:
            plan: What it is to do, with the URL of the target.
            thresholds: What it has to keep.
            lines: Write lines where the stream is no terminal.
            stream: Where to; stderr if None.
        """
        self._plan = plan
        self._thresholds = thresholds
        self._stream = sys.stderr if stream is None else stream
        self._lines = lines and not self._stream.isatty()
        self._next_line = LINE_INTERVAL
        self._view: RichLive | None = None
        self._levels = BLOCKS

    def __enter__(self) -> Self:
        if self._stream.isatty():
            self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        if self._view is not None:
            with suppress(OSError):
                self._view.stop()
            self._view = None

    def see(self, account: Account) -> None:
        """Show what was seen so far.

        Args:
            account: All of it.
        """
        try:
            self._show(account)
        except OSError:
            # Nobody looks any more. The run goes on, and so do its reports.
            self._view, self._lines = None, False

    def _show(self, account: Account) -> None:
        if self._view is not None:
            self._view.update(self._page(account), refresh=True)
        elif self._lines and account.duration >= self._next_line:
            self._stream.write(f"garrison: {progress_line(account, self._plan)}\n")
            self._stream.flush()
            self._next_line = account.duration - account.duration % LINE_INTERVAL + LINE_INTERVAL

    def hear(self, account: Account, _delta: Delta) -> None:
        """Show what was seen so far, as the only listener of a run.

        Args:
            account: All of it.
        """
        self.see(account)

    def before(self, listener: Listener) -> Listener:
        """What shows all that the other one then hears, and says what that says.

        Args:
            listener: Hears of the run.
        """

        def hear(account: Account, delta: Delta) -> str | None:
            self.see(account)
            return listener(account, delta)

        return hear

    def _begin(self) -> None:
        # A run without a terminal does without rich.
        from rich.live import Live as RichLive  # noqa: PLC0415

        from garrison_harness.report.console import ReportConsole  # noqa: PLC0415

        console = ReportConsole(self._stream)
        if not console.encoding.lower().startswith("utf"):
            self._levels = PLAIN
        # No thread draws: a signal would find it anywhere.
        view = RichLive(
            self._page(Account()),
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        view.start(refresh=True)
        self._view = view

    def _page(self, account: Account) -> Text:
        from rich.text import Text  # noqa: PLC0415

        rows = live_rows(account, self._plan, self._thresholds, levels=self._levels)
        return Text("\n", no_wrap=True, overflow="ellipsis").join(Text.assemble(*row) for row in rows)
