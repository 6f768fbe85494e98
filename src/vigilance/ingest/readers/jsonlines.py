"""JSON lines: one object per line, its numbers kept as they are written (``1.0`` stays ``1.0``)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

import polars as pl

from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.ingest.readers.columnar import check_header
from vigilance.ingest.readers.columns import unique_names
from vigilance.ingest.readers.encoding import open_text, refuse_bytes
from vigilance.ingest.readers.limits import Limits
from vigilance.ingest.readers.table import (
    LINE,
    REJECTED_SCHEMA,
    ROW,
    Counts,
    Dialect,
    HeaderMatcher,
    RawTable,
)
from vigilance.issues import frame as issue_frame
from vigilance.issues import issue

_ = messages("readers")

_BATCH: Final = 50_000


@dataclass(slots=True)
class _Taken:
    """What was read so far; ``parts`` are frames of text whose columns may differ."""

    parts: list[pl.DataFrame] = field(default_factory=list)
    rows: list[dict[str, str | None]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    keys: dict[str, None] = field(default_factory=dict)
    bad: list[tuple[int, bytes, str]] = field(default_factory=list)
    blank: int = 0
    loaded: int = 0

    def flush(self) -> None:
        """Turn the rows at hand into a frame."""
        if self.rows:
            schema = dict.fromkeys({key: None for row in self.rows for key in row}, pl.String)
            part = pl.DataFrame(self.rows, schema=schema, orient="row")
            self.parts.append(
                part.rename({key: f"k{list(self.keys).index(key)}" for key in schema}).with_columns(
                    pl.Series(LINE, self.lines, dtype=pl.Int64)
                )
            )
            self.loaded += len(self.rows)
            self.rows, self.lines = [], []


def read_json_lines(path: Path, name: str, matcher: HeaderMatcher | None, limits: Limits) -> RawTable:
    """One file of JSON objects, one per line, as a table of text; nested values become JSON text."""
    text = open_text(path, name)
    taken = _Taken()
    offset = text.start
    with text.path.open("rb") as file:
        file.seek(text.start)
        line = 0
        while content := file.readline(limits.record + 2):
            line += 1
            _take(content, line, taken, limits)
            if b"\0" in content or not _is_utf8(content):
                raise refuse_bytes(text.path, name, offset + _bad_place(content))
            offset += len(content)
            if len(taken.rows) >= _BATCH:
                taken.flush()
            _check(taken, line, name, limits)
    taken.flush()
    if not taken.loaded:
        raise InputRefused(
            _("{file}: no line holds a JSON object").format(file=name),
            hint=_("write one object per line, without brackets or commas between them"),
        )
    return _table(path, name, matcher, taken, text.encoding)


def _check(taken: _Taken, line: int, name: str, limits: Limits) -> None:
    if len(taken.bad) > 1000 and not taken.rows and not taken.loaded:
        raise InputRefused(_("{file}: no line holds a JSON object").format(file=name))
    if line > limits.rows:
        raise InputRefused(_("{file}: more than {limit} rows").format(file=name, limit=limits.rows))
    if len(taken.keys) > limits.columns:
        raise InputRefused(
            _("{file}: {count} columns, over the limit of {limit}").format(
                file=name, count=len(taken.keys), limit=limits.columns
            )
        )


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _bad_place(content: bytes) -> int:
    nul = content.find(0)
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return error.start if nul < 0 else min(nul, error.start)
    return nul


def _take(content: bytes, line: int, taken: _Taken, limits: Limits) -> None:
    body = content.strip()
    if not body:
        taken.blank += 1
        return
    try:
        if len(content) > limits.record:
            raise ValueError
        pairs = json.loads(
            body,
            object_pairs_hook=_object,
            parse_int=str,
            parse_float=str,
            parse_constant=_constant,
        )
        if not isinstance(pairs, dict):
            raise TypeError
        row = {key: _text(value) for key, value in pairs.items()}
    except TypeError:
        taken.bad.append((line, body, "not_an_object"))
    except (ValueError, RecursionError):
        taken.bad.append((line, body, "bad_json"))
    else:
        taken.keys.update(dict.fromkeys(row))
        taken.rows.append(row)
        taken.lines.append(line)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(name)


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text.encode()  # a lone surrogate is no text; UnicodeEncodeError is a ValueError
    return text


def _table(path: Path, name: str, matcher: HeaderMatcher | None, taken: _Taken, encoding: str) -> RawTable:
    header = list(taken.keys)
    names, notes = unique_names(header, check_header(header, name, matcher), name, 1)
    frame = pl.concat(taken.parts, how="diagonal")
    frame = frame.select(
        *(pl.col(f"k{index}").alias(new) for index, new in enumerate(names)),
        pl.int_range(pl.len(), dtype=pl.Int64).alias(ROW),
        LINE,
    )
    texts = {
        "bad_json": _("the line is not valid JSON"),
        "not_an_object": _("the line holds JSON, but not an object"),
    }
    notes += [
        issue(
            code,
            texts[code],
            file=name,
            row=line,
            value=body[:400].decode("utf-8", "replace"),
            hint=_("write one object per line, each key once"),
        )
        for line, body, code in taken.bad
    ]
    return RawTable(
        file=path,
        sheet="",
        header=header,
        names=names,
        frame=frame.lazy(),
        issues=issue_frame(notes),
        rejected=pl.DataFrame(taken.bad, schema=REJECTED_SCHEMA, orient="row"),
        counts=Counts(taken.loaded + len(taken.bad) + taken.blank, taken.loaded, len(taken.bad), taken.blank),
        sha256="",
        size=0,
        dialect=Dialect("jsonl", encoding),
    )
