"""Files damaged in every way that surveys of real CSV files describe, one way at a time or two, with their truth known.

``cases(table)`` damages a clean table at every place; ``judge`` compares what a reader made of the file with the truth.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import polars as pl
from tests.ingest.hostile.tables import Table

LINE_END = re.compile("\r\n|\n|\r")


@dataclass(frozen=True)
class Piece:
    """One record (or another line) as text, with what ends it. ``row`` is its place in the truth, -1 for none."""

    text: str
    row: int = -1
    end: str = "\r\n"
    also: int = -1
    """Another row of the truth that has come to stand here too."""


@dataclass(frozen=True)
class Case:
    """A damaged file. ``damaged`` rows need not be loaded, but then have to be named."""

    kind: str
    content: bytes
    header: list[str]
    rows: list[list[str]]
    lines: list[set[int]]
    damaged: frozenset[int] = frozenset()
    place: str = ""


@dataclass
class Sheet:
    """A file under construction: a header, its records, and which of them are damaged."""

    table: Table
    delimiter: str = ","
    pieces: list[Piece] = field(default_factory=list)
    damaged: set[int] = field(default_factory=set)

    @property
    def header(self) -> int:
        """The place of the header among the pieces."""
        return next(i for i, piece in enumerate(self.pieces) if piece.row == -2)

    def places(self) -> list[int]:
        """The places of the records of the truth that are still whole."""
        return [i for i, piece in enumerate(self.pieces) if piece.row >= 0 and piece.row not in self.damaged]

    def hurt(self, place: int, *texts: str) -> None:
        """Put other lines in the place of a record, which counts as damaged from now on."""
        old = self.pieces[place]
        self.damaged.add(old.row)
        self.pieces[place : place + 1] = [replace(old, text=text) for text in texts]

    def case(self, kind: str, place: str = "", encoding: str = "utf-8", prefix: bytes = b"") -> Case:
        """The finished file."""
        lines: list[set[int]] = [set() for _ in self.table.rows]
        at, text = 1, ""
        for piece in self.pieces:
            whole = piece.text + piece.end
            spans = len(LINE_END.findall(piece.text)) + 1
            for row in (piece.row, piece.also):
                if row >= 0:
                    lines[row] |= set(range(at, at + spans))
            at = len(LINE_END.findall(text + whole)) + 1
            text += whole
        content = prefix + text.encode(encoding, "strict")
        return Case(kind, content, self.table.header, self.table.rows, lines, frozenset(self.damaged), place)


def cell(text: str, delimiter: str = ",", quote: str = '"', always: bool = False) -> str:
    """One cell as RFC 4180 wants it."""
    if always or any(mark in text for mark in (delimiter, quote, "\n", "\r")):
        return quote + text.replace(quote, quote * 2) + quote
    return text


def record(cells: list[str], delimiter: str = ",", quote: str = '"', always: bool = False) -> str:
    """One record."""
    return delimiter.join(cell(text, delimiter, quote, always) for text in cells)


def sheet(table: Table, delimiter: str = ",", end: str = "\r\n", quote: str = '"', always: bool = False) -> Sheet:
    """A clean file under construction."""
    made = Sheet(table, delimiter)
    made.pieces = [Piece(record(table.header, delimiter, quote, always), -2, end)]
    made.pieces += [Piece(record(row, delimiter, quote, always), i, end) for i, row in enumerate(table.rows)]
    return made


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


def _with(made: Sheet, pieces: list[Piece]) -> Sheet:
    made.pieces = pieces
    return made


def _preambles(table: Table, delimiter: str) -> Iterator[tuple[str, Sheet]]:
    width = len(table.header)
    texts = {
        "title above": ["List of goods"],
        "title and blank line above": ["Monthly report", ""],
        "padded title above": ["Monthly report" + delimiter * (width - 1)],
        "padded title and padded blank above": ["Report" + delimiter * (width - 1), delimiter * (width - 1)],
        "several lines above": ["Exported by the system", "Date: 12 May 2024", "User: nobody, at home", ""],
        "a comment above": ["# made by a machine"],
        "names and values above": [f"Period{delimiter}2024", f"Unit{delimiter}EUR"],
        "blank lines above": ["", "", ""],
    }
    for kind, lines in texts.items():
        made = sheet(table, delimiter)
        yield kind, _with(made, [*(Piece(line) for line in lines), *made.pieces])


def _trailers(table: Table, delimiter: str) -> Iterator[tuple[str, Sheet]]:
    width = len(table.header)
    texts = {
        "footnote below": ["Source: own figures of the company"],
        "blank line and footnote below": ["", "Source: own figures"],
        "padded footnote below": ["Source: own figures of the company" + delimiter * (width - 1)],
        "total below": ["Total" + delimiter * (width - 1) + "1234"],
        "legal text below": [
            "",
            "This list is confidential, and may not be passed on to anyone.",
            "All rights reserved.",
        ],
        "blank lines below": ["", "", ""],
        "a short note below": ["done"],
    }
    for kind, lines in texts.items():
        made = sheet(table, delimiter)
        yield kind, _with(made, [*made.pieces, *(Piece(line) for line in lines)])


def _headers(table: Table, delimiter: str) -> Iterator[tuple[str, Sheet]]:
    names = table.header

    def under(header: list[str]) -> Sheet:
        return sheet(replace(table, header=header), delimiter)

    for place in range(len(names)):
        blank = [*names[:place], "", *names[place + 1 :]]
        yield "empty header cell", under(blank)
        if place:
            yield "header twice", under([*names[:place], names[0], *names[place + 1 :]])
    made = sheet(table, delimiter)
    made.pieces[0] = Piece(record(names[:-1], delimiter), -2)
    yield "header shorter than rows", made
    made = sheet(table, delimiter)
    made.pieces[0] = Piece(record([*names, "more"], delimiter), -2)
    yield "header longer than rows", made
    made = sheet(table, delimiter)
    yield "no header", _with(made, made.pieces[1:])
    yield "quoted header", _quoted_header(table, delimiter)
    made = sheet(table, delimiter)
    units = Piece(record([f"({name.lower()})" for name in names], delimiter))
    yield "units below the header", _with(made, [made.pieces[0], units, *made.pieces[1:]])
    made = sheet(table, delimiter)
    groups = Piece(record(["Group" if place % 3 == 0 else "" for place in range(len(names))], delimiter))
    yield "groups above the header", _with(made, [groups, *made.pieces])
    made = sheet(table, delimiter)
    halves = [name.partition(" ") if " " in name else (name[:2], "", name[2:]) for name in names]
    first = Piece(record([left for left, _, _right in halves], delimiter))
    second = Piece(record([right or "x" for _left, _, right in halves], delimiter), -2)
    yield "header over two lines", _with(made, [first, second, *made.pieces[1:]])


def _quoted_header(table: Table, delimiter: str) -> Sheet:
    made = sheet(table, delimiter)
    made.pieces[0] = Piece(record(table.header, delimiter, always=True), -2)
    return made


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


def file_cases(table: Table, delimiter: str = ",") -> Iterator[Case]:
    """Damages of a file as a whole."""
    for maker in (_preambles, _trailers, _headers):
        for kind, made in maker(table, delimiter):
            yield made.case(kind)
    yield from _line_end_cases(table, delimiter)
    yield from _encoding_cases(table, delimiter)
    yield from _delimiter_cases(table)
    yield from _quote_cases(table, delimiter)
    yield from _several_tables(table, delimiter)
    yield from _odd_sizes(table, delimiter)


def _line_end_cases(table: Table, delimiter: str) -> Iterator[Case]:
    for name, end in {"LF": "\n", "CR": "\r", "CRLF": "\r\n"}.items():
        made = sheet(table, delimiter, end)
        yield made.case(f"lines end in {name}")
        made.pieces[-1] = replace(made.pieces[-1], end="")
        yield made.case(f"lines end in {name}, the last in nothing")
        made.pieces[-1] = replace(made.pieces[-1], end=end * 2)
        yield made.case(f"lines end in {name}, the last twice")
    made = sheet(table, delimiter, "\r\r\n")
    yield made.case("lines end in CR CR LF")
    made = sheet(table, delimiter, ";\n")
    yield made.case("lines end in semicolon LF")
    made = sheet(table, delimiter, "\n\r")
    yield made.case("lines end in LF CR")
    made = sheet(table, delimiter, "\r\n\r\n")
    yield made.case("double-spaced")
    made = sheet(table, delimiter, delimiter + "\r\n")
    yield made.case("trailing delimiter everywhere")
    made = sheet(table, delimiter, delimiter * 3 + "\r\n")
    yield made.case("three trailing delimiters everywhere")
    made = sheet(table, delimiter, "   \r\n")
    yield made.case("trailing blanks everywhere")
    made = sheet(table, delimiter)
    made.pieces[1:] = [replace(piece, end=delimiter + "\r\n") for piece in made.pieces[1:]]
    yield made.case("trailing delimiter in rows only")


def _encoding_cases(table: Table, delimiter: str) -> Iterator[Case]:
    made = sheet(table, delimiter)
    text = "".join(piece.text + piece.end for piece in made.pieces)
    base = made.case("")
    marks = {"utf-8-sig": b"", "utf-16": b"", "utf-16-le": b"", "utf-16-be": b"", "utf-32": b""}
    for encoding, prefix in marks.items():
        yield replace(base, kind=f"in {encoding}", content=prefix + text.encode(encoding))
    yield replace(base, kind="BOM twice", content=b"\xef\xbb\xbf" * 2 + text.encode())
    yield replace(base, kind="BOM of UTF-16 on UTF-8", content=b"\xff\xfe" + text.encode())
    for encoding in ("latin-1", "cp1252", "cp1250", "cp850", "mac-roman", "cp1251", "gb18030"):
        try:
            content = text.encode(encoding)
        except UnicodeEncodeError:
            continue
        if not content.isascii():
            yield replace(base, kind=f"in {encoding}", content=content)
    mixed = text.encode() + record(["é" * 3] * len(table.header), delimiter).encode("latin-1")
    yield replace(base, kind="two encodings", content=mixed)


def _delimiter_cases(table: Table) -> Iterator[Case]:
    for name, mark in {
        "semicolon": ";", "tab": "\t", "pipe": "|", "caret": "^", "colon": ":", "blank": " ", "unit separator": "\x1f",
        "tilde": "~", "comma and blank": ", ", "two semicolons": ";;", "two pipes": "||", "three characters": "<->",
        "tab and blank": "\t ", "slash": "/", "hash": "#", "ideographic comma": "、", "broken bar": "¦",
    }.items():  # fmt: skip
        yield sheet(table, mark).case(f"delimiter {name}")
    made = sheet(table, ";")
    yield _with(made, [Piece("sep=;"), *made.pieces]).case("sep line")
    made = sheet(table, ";")
    yield _with(made, [Piece("sep=,"), *made.pieces]).case("sep line that lies")
    made = sheet(table, ",")
    made.pieces[0] = Piece(record(table.header, ";"), -2)
    yield made.case("header with another delimiter than rows")
    half = sheet(table, ",")
    for place in half.places()[len(table.rows) // 2 :]:
        piece = half.pieces[place]
        half.pieces[place] = replace(piece, text=record(table.rows[piece.row], ";"))
    half.damaged |= set(range(len(table.rows) // 2, len(table.rows)))
    yield half.case("half of the rows with another delimiter")


def _quote_cases(table: Table, delimiter: str) -> Iterator[Case]:
    yield sheet(table, delimiter, always=True).case("all cells quoted")
    yield sheet(table, delimiter, quote="'").case("apostrophes as quotes where needed")
    yield sheet(table, delimiter, quote="'", always=True).case("apostrophes around all cells")
    yield sheet(table, delimiter, quote="“", always=True).case("curly quotes around all cells")
    yield sheet(table, delimiter, quote="`", always=True).case("backticks around all cells")
    made = sheet(table, delimiter)
    made.pieces = [
        replace(p, text=p.text if p.row < 0 else delimiter.join(
            '"' + t.replace('"', '\\"') + '"' if {delimiter, '"', "\n"} & set(t) else t for t in table.rows[p.row]))
        for p in made.pieces
    ]  # fmt: skip
    yield made.case("backslash as escape")
    made = sheet(table, delimiter)
    made.pieces = [replace(p, text=delimiter.join(p.text.split(delimiter))) for p in made.pieces]
    made.pieces = [
        replace(p, text=p.text if p.row < 0 else delimiter.join(
            t.replace(delimiter, "\\" + delimiter).replace("\n", "\\n") for t in table.rows[p.row]))
        for p in made.pieces
    ]  # fmt: skip
    yield made.case("no quotes, delimiters escaped")
    made = sheet(table, delimiter, always=True)
    made.pieces = [replace(p, text=p.text.replace(f'"{delimiter}"', f'" {delimiter} "')) for p in made.pieces]
    yield made.case("blanks between quotes and delimiters")
    made = sheet(table, delimiter)
    made.pieces = [replace(p, text='"' + p.text.replace('"', '""') + '"') for p in made.pieces]
    yield made.case("each line in quotes")


def _several_tables(table: Table, delimiter: str) -> Iterator[Case]:
    for kind, other_width in {"narrower": -1, "as wide": 0, "wider": 1}.items():
        width = len(table.header) + other_width
        if width < 2:
            continue
        for between in ([], [Piece("")], [Piece("Second table"), Piece("")]):
            made = sheet(table, delimiter)
            below = [Piece(record([f"field {i}" for i in range(width)], delimiter))]
            below += [Piece(record([f"v{i}{j}" for i in range(width)], delimiter)) for j in range(5)]
            made.pieces = [*made.pieces, *between, *below]
            yield made.case(f"second table below, {kind}, {len(between)} lines between")
    made = sheet(table, delimiter)
    doubled = replace(table, header=[*table.header, "", *table.header], rows=[[*row, "", *row] for row in table.rows])
    beside = Sheet(doubled, delimiter)
    beside.pieces = [Piece(f"{p.text}{delimiter}{delimiter}{p.text}", p.row) for p in made.pieces]
    yield beside.case("second table beside")


def _odd_sizes(table: Table, delimiter: str) -> Iterator[Case]:
    made = sheet(replace(table, rows=[]), delimiter)
    yield made.case("header only")
    made.pieces[0] = replace(made.pieces[0], end="")
    yield made.case("header only, no line end")
    yield Case("empty", b"", table.header, [], [])
    yield Case("one line end", b"\r\n", table.header, [], [])
    yield Case("BOM only", b"\xef\xbb\xbf", table.header, [], [])
    one = replace(table, rows=table.rows[:1])
    yield sheet(one, delimiter).case("one row")
    huge = replace(table, rows=[*table.rows, ["x" * 40_000, *table.rows[0][1:]]])
    made = sheet(huge, delimiter)
    made.damaged = {len(table.rows)}
    yield made.case("a huge cell")
    wide = Table("wide", [f"c{i}" for i in range(500)], [[f"{i}-{j}" for i in range(500)] for j in range(5)])
    yield sheet(wide, delimiter).case("wide")
    text = "".join(p.text + p.end for p in sheet(table, delimiter).pieces)
    lasts = [len(row[-1]) for row in table.rows]
    # A cut inside the last cell of a record leaves a whole record behind: nobody can see it.
    for cut in (len(text) // 3, len(text) // 2, len(text) - lasts[-1] - 8):
        base = sheet(table, delimiter).case("")
        whole = text[:cut]
        # Records wholly before the cut are whole; the one that it hits is damaged; the others are not in the file.
        done = 0
        position = len(sheet(table, delimiter).pieces[0].text) + 2
        for piece in sheet(table, delimiter).pieces[1:]:
            position += len(piece.text) + 2
            if position > cut:
                break
            done += 1
        yield replace(
            base,
            kind="file cut off",
            content=whole.encode(),
            rows=table.rows[: done + 1],
            lines=base.lines[: done + 1],
            damaged=frozenset({done}),
        )


@dataclass(frozen=True)
class Verdict:
    """``exact``, ``aside`` (bad rows named, the others right), ``refused``, or ``silent`` with the reason."""

    outcome: str
    why: str = ""
    kept: int = 0
    whole: int = 0


def judge(case: Case, header: list[str], loaded: list[list[str]], issues: pl.DataFrame, lines: list[int]) -> Verdict:
    """Compare loaded rows, in order and with their lines, with the truth.

    ``warned``: a row was read wrongly, but it is named.
    """
    whole = len(case.rows) - len(case.damaged)
    named = set(issues.filter(pl.col("severity") != "info")["row"].drop_nulls().to_list())
    if [name.strip() for name in header] != [name.strip() for name in case.header]:
        said = issues.filter(pl.col("code").is_in(HEADER_CODES)).height > 0 or bool({1, 2} & named)
        if not said:
            return Verdict("silent", f"header {header}", 0, whole)
    truth = [[text.strip() for text in row] for row in case.rows]
    got = [[(text or "").strip() for text in row][: len(case.header)] for row in loaded]
    used = align(truth, got)
    wrong = [got[i] for i, at in enumerate(used) if at is None]
    have = {at for at in used if at is not None}
    kept = len(have - case.damaged)
    lost = [i for i in range(len(truth)) if i not in have]
    unsaid = [i for i in lost if not (case.lines[i] & named)]
    if wrong:
        near = {line for i in sorted(case.damaged) for line in case.lines[i]}
        told = {lines[i] for i, at in enumerate(used) if at is None} <= named
        if told or (near & named and len(wrong) <= len(case.damaged)):
            return Verdict("warned", f"wrong {wrong[:2]}", kept, whole)
        return Verdict("silent", f"wrong {wrong[:2]}", kept, whole)
    if unsaid:
        return Verdict("silent", f"lost without a word {[truth[i] for i in unsaid[:2]]}", kept, whole)
    return Verdict("aside" if lost else "exact", "", kept, whole)


def f1(case: Case, loaded: list[list[str]]) -> float:
    """Harmonic mean of precision and recall of whole records, in order, against the truth."""
    truth = [[text.strip() for text in row] for row in case.rows]
    got = [[(text or "").strip() for text in row] for row in loaded]
    if not truth and not got:
        return 1.0
    right = sum(place is not None for place in align(truth, got))
    return 2 * right / (len(truth) + len(got))


HEADER_CODES = (
    "no_header",
    "header_set_aside",
    "header_delimiter",
    "unnamed_column",
    "duplicate_header",
    "empty_columns",
    "trailing_delimiter",
    "title_lines",
)


def align(truth: list[list[str]], got: list[list[str]]) -> list[int | None]:
    """For each row that was read, its place in the truth, in order; None for one that is not there."""
    used: list[int | None] = []
    at = 0
    for row in got:
        place = next((i for i in range(at, len(truth)) if truth[i] == row), None)
        used.append(place)
        at = at if place is None else place + 1
    assert all(a is None or b is None or a < b for a, b in pairwise(used))
    return used
