"""Files damaged as a whole, in every way that surveys of real CSV files describe, their truth known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.ingest.hostile.sheets import Case, Piece, Sheet, record, sheet
from tests.ingest.hostile.tables import Table


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
