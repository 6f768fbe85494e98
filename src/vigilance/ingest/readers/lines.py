"""A line that no record can be: found without holding it in memory, before anything reads the file line by line."""

from __future__ import annotations

import mmap
from pathlib import Path

from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.ingest.readers.limits import MIB, Limits

_ = messages("readers")

_SLACK = 4 * MIB
"""How much longer than a record a line may be and still be set aside as one bad record."""


def refuse_endless(path: Path, start: int, name: str, limits: Limits) -> None:
    """Raise ``InputRefused`` when a line from byte ``start`` on is longer than any that is set aside.

    Looks at one place per window: in a file of ordinary lines, the end of each window holds a line end.
    """
    size = path.stat().st_size
    window = limits.record + _SLACK
    if size - start <= window:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        position = start
        while size - position > window:
            stop = position + window
            # Nearly all files have LF; asked first for CR, they would be read whole for nothing.
            last = next((at for mark in (b"\n", b"\r") if (at := _last(data, mark, position, stop)) >= 0), None)
            if last is None:
                raise InputRefused(
                    _("{file}, line {line}: a line longer than {limit} bytes").format(
                        file=name, line=_line_at(data, position), limit=limits.record
                    )
                )
            position = last + 1


def _last(data: mmap.mmap, mark: bytes, start: int, stop: int) -> int:
    """The last place of a mark, from the end in growing steps: nearly always within the first."""
    step = 4096
    while True:
        begin = max(start, stop - step)
        found = data.rfind(mark, begin, stop)
        if found >= 0 or begin == start:
            return found
        step *= 16


def _line_at(data: mmap.mmap, offset: int) -> int:
    """The 1-based physical line at an offset that begins one."""
    line, position = 1, 0
    while position < offset:
        chunk = data[position : min(offset, position + MIB)]
        pairs = chunk.count(b"\r\n") + (chunk.startswith(b"\n") and data[max(position - 1, 0) : position] == b"\r")
        line += chunk.count(b"\n") + chunk.count(b"\r") - pairs
        position += len(chunk)
    return line
