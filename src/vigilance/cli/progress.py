"""A progress bar on standard error, shown only on long work at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock, Timer
from typing import TYPE_CHECKING, Final

from vigilance.i18n import messages

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_ = messages("cli")

LONG: Final = 1.0
"""Seconds of work after which a bar is worth showing; most lists are done before."""


@contextmanager
def progress(*, hidden: bool) -> Iterator[Callable[[str, int], None]]:
    """A function to call with a stage (``read``, ``score``) and the rows just done."""
    if hidden or not sys.stderr.isatty():
        yield lambda _stage, _rows: None
        return
    # Worded here: another thread does not know the language in use.
    bar = _LateBar({"read": _("reading"), "score": _("scoring"), "write": _("writing")})
    timer = Timer(LONG, bar.show)
    timer.daemon = True
    timer.start()
    try:
        yield bar.step
    finally:
        timer.cancel()
        bar.close()


class _LateBar:
    """What is told of the work from its beginning, and the bar that shows it once the work turns out to be long."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self.words = words
        self.stage, self.rows = words["read"], 0
        self.closed = False
        self.bar: Progress | None = None
        self.task: TaskID | None = None
        self.lock = Lock()

    def step(self, stage: str, rows: int) -> None:
        """Note the rows just done."""
        with self.lock:
            self.stage, self.rows = self.words.get(stage, stage), self.rows + rows
            if self.bar is not None and self.task is not None:
                self.bar.update(self.task, description=self.stage, completed=self.rows)

    def show(self) -> None:
        """Draw the bar; from now on it draws itself."""
        from rich.console import Console  # noqa: PLC0415 - rich takes a while to import, and short work needs none
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        with self.lock:
            if self.closed:
                return
            self.bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.completed:,.0f}"),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self.task = self.bar.add_task(self.stage, total=None, completed=self.rows)
            self.bar.start()

    def close(self) -> None:
        """Take the bar away; none is drawn afterwards."""
        with self.lock:
            self.closed = True
            if self.bar is not None:
                self.bar.stop()
