"""Files with one or two damaged records, in every way that surveys of real CSV files describe, their truth known."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.ingest.hostile.sheets import Case, Piece, Sheet, cell, record, sheet
from tests.ingest.hostile.tables import Table

Damage = Callable[[Sheet, int, int], bool]
"""Damages the record at a place (index of a piece) in a column; False where that would change nothing."""


def _raw(made: Sheet, place: int) -> list[str]:
    return [cell(text, made.delimiter) for text in made.table.rows[made.pieces[place].row]]


def _joined(made: Sheet, raw: list[str]) -> str:
    return made.delimiter.join(raw)


def _missing_delimiter(made: Sheet, place: int, column: int) -> bool:
    raw = _raw(made, place)
    if column >= len(raw) - 1:
        return False
    made.hurt(place, _joined(made, [*raw[:column], raw[column] + raw[column + 1], *raw[column + 2 :]]))
    return True


def _extra_delimiter(made: Sheet, place: int, column: int) -> bool:
    raw = _raw(made, place)
    made.hurt(place, _joined(made, [*raw[: column + 1], "", *raw[column + 1 :]]))
    return True


def _delimiter_inside(made: Sheet, place: int, column: int) -> bool:
    raw = _raw(made, place)
    if len(raw[column]) < 2 or '"' in raw[column]:
        return False
    middle = len(raw[column]) // 2
    raw[column] = raw[column][:middle] + made.delimiter + raw[column][middle:]
    made.hurt(place, _joined(made, raw))
    return True


def _cell_lost(made: Sheet, place: int, column: int) -> bool:
    raw = _raw(made, place)
    made.hurt(place, _joined(made, raw[:column] + raw[column + 1 :]))
    return True


def _cut_short(made: Sheet, place: int, column: int) -> bool:
    raw = _raw(made, place)
    if column == len(raw) - 1:
        return False
    made.hurt(place, _joined(made, raw[: column + 1]))
    return True


def _cell_added(made: Sheet, place: int, column: int) -> bool:
    raw = _raw(made, place)
    made.hurt(place, _joined(made, [*raw[:column], "added", *raw[column:]]))
    return True


def _split_at_delimiter(made: Sheet, place: int, column: int) -> bool:
    raw = _raw(made, place)
    if column == len(raw) - 1:
        return False
    made.hurt(place, _joined(made, raw[: column + 1]), _joined(made, raw[column + 1 :]))
    return True


def _split_inside(made: Sheet, place: int, column: int) -> bool:
    raw = _raw(made, place)
    if len(raw[column]) < 2:
        return False
    middle = len(raw[column]) // 2
    if '"' in raw[column]:
        return False
    left, right = raw[column][:middle], raw[column][middle:]
    made.hurt(place, _joined(made, [*raw[:column], left]), _joined(made, [right, *raw[column + 1 :]]))
    return True


def _two_on_a_line(made: Sheet, place: int, column: int) -> bool:
    if place + 1 >= len(made.pieces) or made.pieces[place + 1].row < 0:
        return False
    if max(made.pieces[place].also, made.pieces[place + 1].also) >= 0:
        return False
    following = made.pieces.pop(place + 1)
    between = ["", made.delimiter, " "][column % 3]
    first = made.pieces[place]
    made.damaged |= {first.row, following.row}
    made.pieces[place] = replace(first, text=first.text + between + following.text, also=following.row)
    return True


def _other_delimiter(made: Sheet, place: int, column: int) -> bool:
    other = [mark for mark in ",;\t|" if mark != made.delimiter][column % 3]
    made.hurt(place, record(made.table.rows[made.pieces[place].row], other))
    return True


def _one_other_delimiter(made: Sheet, place: int, column: int) -> bool:
    raw = _raw(made, place)
    if column == len(raw) - 1:
        return False
    other = [mark for mark in ",;\t| " if mark != made.delimiter][place % 4]
    left, right = _joined(made, raw[: column + 1]), _joined(made, raw[column + 1 :])
    made.hurt(place, left + other + right)
    return True


def _other_quote(made: Sheet, place: int, column: int) -> bool:
    row = made.table.rows[made.pieces[place].row]
    raw = _raw(made, place)
    if made.delimiter not in row[column]:
        return False
    raw[column] = f"'{row[column]}'"
    made.hurt(place, _joined(made, raw))
    return True


def _quote_never_closed(made: Sheet, place: int, column: int) -> bool:
    raw = _raw(made, place)
    raw[column] = '"' + raw[column].replace('"', "")
    made.hurt(place, _joined(made, raw))
    return True


def _quote_never_opened(made: Sheet, place: int, column: int) -> bool:
    raw = _raw(made, place)
    raw[column] = raw[column].replace('"', "") + '"'
    made.hurt(place, _joined(made, raw))
    return True


def _bare_quote(made: Sheet, place: int, column: int) -> bool:
    raw = _raw(made, place)
    plain = raw[column].replace('"', "")
    if len(plain) < 2 or made.delimiter in plain or "\n" in plain:
        return False
    raw[column] = plain[:1] + '"' + plain[1:]
    made.hurt(place, _joined(made, raw))
    return True


def _quotes_not_doubled(made: Sheet, place: int, column: int) -> bool:
    raw = _raw(made, place)
    plain = made.table.rows[made.pieces[place].row][column].replace('"', "")
    if len(plain) < 4:
        return False
    raw[column] = f'"{plain[:2]}"{plain[2:4]}"{plain[4:]}"'
    made.hurt(place, _joined(made, raw))
    return True


def _quotes_escaped(made: Sheet, place: int, column: int) -> bool:
    raw = _raw(made, place)
    plain = made.table.rows[made.pieces[place].row][column].replace('"', "")
    if len(plain) < 2:
        return False
    raw[column] = f'"{plain[:1]}\\"{plain[1:]}\\""'
    made.hurt(place, _joined(made, raw))
    return True


def _delimiter_escaped(made: Sheet, place: int, column: int) -> bool:
    raw = _raw(made, place)
    if made.delimiter not in raw[column]:
        return False
    raw[column] = raw[column].strip('"').replace(made.delimiter, "\\" + made.delimiter)
    made.hurt(place, _joined(made, raw))
    return True


def _blank_around_quotes(made: Sheet, place: int, column: int) -> bool:
    raw = _raw(made, place)
    raw[column] = f' "{raw[column].strip(chr(34))}" '
    made.hurt(place, _joined(made, raw))
    return True


def _carriage_return_inside(made: Sheet, place: int, column: int) -> bool:
    raw = _raw(made, place)
    if len(raw[column]) < 2 or '"' in raw[column]:
        return False
    raw[column] = raw[column][:1] + "\r" + raw[column][1:]
    made.hurt(place, _joined(made, raw))
    return True


def _other_line_end(made: Sheet, place: int, column: int) -> bool:
    piece = made.pieces[place]
    made.pieces[place] = replace(piece, end="\n" if column % 2 else "\r")
    return True


def _line_end_lost(made: Sheet, place: int, column: int) -> bool:
    return _two_on_a_line(made, place, 0) if column == 0 else False


def _nul(made: Sheet, place: int, column: int) -> bool:
    raw = _raw(made, place)
    raw[column] += "\0"
    made.hurt(place, _joined(made, raw))
    return True


def _blank_line(made: Sheet, place: int, column: int) -> bool:
    made.pieces.insert(place, Piece(["", " ", made.delimiter * (len(made.table.header) - 1), "\t"][column % 4]))
    return True


def _repeated_header(made: Sheet, place: int, column: int) -> bool:
    if column:
        return False
    made.pieces.insert(place, replace(made.pieces[made.header], row=-1))
    return True


def _group_heading(made: Sheet, place: int, column: int) -> bool:
    if column:
        return False
    made.pieces.insert(place, Piece("Region South"))
    return True


def _comment_line(made: Sheet, place: int, column: int) -> bool:
    if column:
        return False
    made.pieces.insert(place, Piece("# checked by hand up to here"))
    return True


def _delimiters_after(made: Sheet, place: int, column: int) -> bool:
    piece = made.pieces[place]
    made.hurt(place, piece.text + made.delimiter * (column + 1))
    return True


ROW_DAMAGES: dict[str, Damage] = {
    "delimiter missing": _missing_delimiter,
    "delimiter doubled": _extra_delimiter,
    "delimiter inside a cell": _delimiter_inside,
    "cell lost": _cell_lost,
    "record cut short": _cut_short,
    "cell added": _cell_added,
    "split at a delimiter": _split_at_delimiter,
    "split inside a cell": _split_inside,
    "two records on a line": _two_on_a_line,
    "other delimiter in a row": _other_delimiter,
    "one other delimiter": _one_other_delimiter,
    "apostrophes as quotes": _other_quote,
    "quote never closed": _quote_never_closed,
    "quote never opened": _quote_never_opened,
    "bare quote": _bare_quote,
    "quotes not doubled": _quotes_not_doubled,
    "quotes escaped": _quotes_escaped,
    "delimiter escaped": _delimiter_escaped,
    "blanks around quotes": _blank_around_quotes,
    "carriage return inside": _carriage_return_inside,
    "other line end": _other_line_end,
    "NUL": _nul,
    "blank line": _blank_line,
    "header repeated": _repeated_header,
    "heading between rows": _group_heading,
    "comment between rows": _comment_line,
    "delimiters after the record": _delimiters_after,
}


def row_cases(table: Table, delimiter: str = ",", kinds: dict[str, Damage] | None = None) -> Iterator[Case]:
    """Each damage at every row and in every column."""
    for kind, damage in (kinds or ROW_DAMAGES).items():
        for row in range(len(table.rows)):
            for column in range(len(table.header)):
                made = sheet(table, delimiter)
                if damage(made, made.places()[row], column):
                    yield made.case(kind, f"row {row}, column {column}")


def pair_cases(table: Table, count: int, seed: int = 3, delimiter: str = ",") -> Iterator[Case]:
    """Two damages in two places (sometimes side by side) of one file."""
    rng = random.Random(seed)
    for one in ROW_DAMAGES:
        for two in ROW_DAMAGES:
            if "escaped" in one and "escaped" in two:
                continue  # on two lines, backslashes are the convention of the file
            for _ in range(count):
                made = sheet(table, delimiter)
                done = []
                for kind in (one, two):
                    places = made.places()
                    if places and ROW_DAMAGES[kind](made, rng.choice(places), rng.randrange(len(table.header))):
                        done.append(kind)
                if len(done) == 2:
                    yield made.case(f"{one} + {two}")


def header_cases(table: Table, delimiter: str = ",") -> Iterator[Case]:
    """Each damage of a record, in the header."""
    for kind, damage in ROW_DAMAGES.items():
        if kind in HEADER_DAMAGES:
            for column in range(len(table.header)):
                made = sheet(replace(table, rows=[table.header, *table.rows]), delimiter)
                made.pieces = made.pieces[1:]
                if damage(made, 0, column):
                    base = made.case(f"header: {kind}", f"column {column}")
                    rows, lines = base.rows[1:], base.lines[1:]
                    yield replace(base, rows=rows, lines=lines, damaged=frozenset(), header=table.header)


HEADER_DAMAGES = (
    "delimiter missing",
    "delimiter doubled",
    "delimiter inside a cell",
    "cell lost",
    "cell added",
    "other delimiter in a row",
    "one other delimiter",
    "quote never closed",
    "quote never opened",
    "bare quote",
    "quotes not doubled",
    "blanks around quotes",
)
