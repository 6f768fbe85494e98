"""A progress bar on standard error, shown only on long work at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vigilance.i18n import messages

_ = messages("cli")


@contextmanager
def progress(*, hidden: bool) -> Iterator[Callable[[str, int], None]]:
    """A function to call with a stage (``read``, ``score``) and the rows just done."""
    if hidden or not sys.stderr.isatty():
        yield lambda _stage, _rows: None
        return
    from rich.console import Console  # noqa: PLC0415 - rich takes a while to import, and pipes do not need it
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    words = {"read": _("reading"), "score": _("scoring"), "write": _("writing")}
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(words["read"], total=None)

        def step(stage: str, rows: int) -> None:
            bar.update(task, description=words.get(stage, stage), advance=rows)

        yield step
