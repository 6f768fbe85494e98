"""XLSX: for people who live in a spreadsheet. Text is text, numbers are numbers, nothing is a formula.

Rows are written one by one because the format asks for it; nothing is computed here.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import polars as pl
import xlsxwriter

from vigilance import tabular
from vigilance.i18n import messages
from vigilance.report import sensitivity, waterfall, wording
from vigilance.report.charts import COLOURS
from vigilance.report.document import Bullets, Column, Kind, Statement, Table, Text
from vigilance.report.material import Material
from vigilance.report.matrix import by_country
from vigilance.report.summary import worst_first
from vigilance.report.writers import Request, writer
from vigilance.terms import HAZARDS

_ = messages("report")

OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "in_memory": False,
}
FORMATS: Final[dict[str, str]] = {
    "int": "#,##0",
    "decimal": "#,##0.0",
    "percent": "0.0%",
    "ratio": '[<0.1]"×"0.0000;"×"0.00',
    "number": "0.00",
}
EXPLAINED: Final = 500
"""Sites whose every ratio is listed: those with the highest risk. More would pass what a sheet can hold."""
LONGEST: Final = 32_000
"""A cell of a spreadsheet holds 32,767 characters."""
WIDEST: Final = 60
SAMPLE: Final = 200

Heading = tuple[str, str]
"""A title and a kind: ``text``, ``band``, or a key of ``FORMATS``."""


class Book:
    """A workbook and its formats."""

    def __init__(self, target: io.BytesIO) -> None:
        self.book = xlsxwriter.Workbook(target, OPTIONS)
        self.book.set_properties({"created": datetime(2000, 1, 1), "title": "vigilance"})  # noqa: DTZ001 - a fixed date
        self.head = self.book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 2})
        self.title = self.book.add_format({"bold": True, "font_size": 14})
        self.wrap = self.book.add_format({"text_wrap": True, "valign": "top"})
        self.bold = self.book.add_format({"bold": True, "valign": "top"})
        self.numbers = {kind: self.book.add_format({"num_format": text}) for kind, text in FORMATS.items()}
        self.bands = {
            band: self.book.add_format({"bg_color": colour, "font_color": "#ffffff" if band == "severe" else "#1a1f24"})
            for band, colour in COLOURS.items()
        }

    def text_sheet(self, name: str, lines: Iterable[tuple[str, str]]) -> None:
        """A sheet of two columns: a label (or a heading, when the text is empty) and a text."""
        sheet = self.book.add_worksheet(name)
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, 110)
        for row, (label, text) in enumerate(lines):
            sheet.write_string(row, 0, _guarded(label), self.bold if text else self.title)
            if text:
                sheet.write_string(row, 1, _guarded(text), self.wrap)

    def table_sheet(self, name: str, headings: Sequence[Heading], frame: pl.DataFrame, *, freeze: int = 1) -> None:
        """A sheet with a frozen header and filters; ``frame`` has one column per heading."""
        sheet = self.book.add_worksheet(name)
        sheet.freeze_panes(1, freeze)
        safe = tabular.safe(frame.rename(dict(zip(frame.columns, map(str, range(frame.width)), strict=True))))
        for place, (_title, kind) in enumerate(headings):
            sample = [str(value) for value in safe[:SAMPLE, place].to_list() if value is not None]
            longest = max([len(text) for text in sample] + [10]) if kind in {"text", "band"} else 11
            sheet.set_column(place, place, min(longest + 2, WIDEST), self.numbers.get(kind))
        for place, (title, _kind) in enumerate(headings):
            sheet.write_string(0, place, title, self.head)
        writers = [sheet.write_string if kind in {"text", "band"} else sheet.write_number for _title, kind in headings]
        formats = [self.numbers.get(kind) for _title, kind in headings]
        for row, values in enumerate(safe.iter_rows(), start=1):
            for place, value in enumerate(values):
                if value is not None:
                    writers[place](row, place, value, formats[place])
        last = max(safe.height, 1)
        sheet.autofilter(0, 0, last, len(headings) - 1)
        for place, (_title, kind) in enumerate(headings):
            if kind == "band":
                self._colour(sheet, place, last)

    def _colour(self, sheet: Any, place: int, last: int) -> None:
        for band, shade in self.bands.items():
            rule = {"type": "cell", "criteria": "==", "value": f'"{wording.band_of(band)}"', "format": shade}
            sheet.conditional_format(1, place, last, place, rule)

    def close(self) -> None:
        """Finish the file."""
        self.book.close()


def _guarded(text: str) -> str:
    shown = pl.DataFrame({"text": [wording.plain(text, LONGEST)]})
    return str(tabular.safe(shown)["text"][0])


@writer("xlsx")
def write(request: Request) -> bytes:
    """The workbook of a run for those who work with the list; for other readers, the tables of their document."""
    target = io.BytesIO()
    book = Book(target)
    _summary(book, request)
    if request.whole_list:
        _whole_run(book, request.material)
    else:
        _document(book, request)
    _method(book, request)
    book.close()
    return target.getvalue()


def _summary(book: Book, request: Request) -> None:
    """Title, facts and the texts of the document."""
    said = request.document
    lines = [(said.title, ""), (said.subtitle, ""), *said.facts]
    for section in said.sections:
        told: list[str] = []
        for block in section.blocks:
            if isinstance(block, Text):
                told.append(block.text)
            elif isinstance(block, Bullets):
                told += block.items
        if told:
            lines += [(section.title, ""), *(("•", text) for text in told)]
    book.text_sheet(_("Summary"), lines)
    counts = [table for table in said.tables if table.columns[0].kind == "band"][:1]
    for table in counts:
        _table(book, _("Bands"), table.columns, table.rows)


def _table(book: Book, name: str, columns: Sequence[Any], rows: Sequence[Sequence[Any]]) -> None:
    kinds: list[Kind] = [column.kind for column in columns]
    made = {str(place): [_value(row[place], kind) for row in rows] for place, kind in enumerate(kinds)}
    schema = {str(place): pl.Float64 if kind in FORMATS else pl.String for place, kind in enumerate(kinds)}
    headings = [
        (column.title, column.kind if column.kind in FORMATS or column.kind == "band" else "text") for column in columns
    ]
    book.table_sheet(name, headings, pl.DataFrame(made, schema=schema))


def _value(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind in FORMATS:
        return float(value)
    return wording.band_of(str(value)) if kind == "band" else wording.plain(value, LONGEST)


def _whole_run(book: Book, material: Material) -> None:
    _sites(book, material)
    _issues(book, material)
    _ratios(book, material)
    _countries(book, material)
    _sensitivity(book, material)


def _sensitivity(book: Book, material: Material) -> None:
    """Bands and first places under other sensitivities of audits, a sheet each."""
    found = sensitivity.cases(material)
    if found:
        _table(book, _("Sensitivity"), *_parts(sensitivity.bands_table(found)))
        _table(book, _("First in line"), *_parts(sensitivity.first_table(found)))


def _parts(table: Table) -> tuple[Sequence[Column], Sequence[Sequence[Any]]]:
    return table.columns, table.rows


def _sites(book: Book, material: Material) -> None:
    """Every site, the highest risk first; probabilities are real percentages."""
    names = wording.hazards()
    headings: list[Heading] = [
        (_("site"), "text"),
        (_("name"), "text"),
        (_("country"), "text"),
        (_("activity"), "text"),
        (_("tier"), "int"),
        (_("workers"), "int"),
        (_("rank"), "int"),
    ]
    frame = worst_first(material)
    words = {str(b): wording.band_of(str(b)) for b in COLOURS}
    columns: list[pl.Expr] = [
        pl.col("_supplier_id"),
        pl.col("_name").str.slice(0, LONGEST),
        pl.col("_iso3").replace(material.countries),
        pl.col("_division").replace(material.activities),
        pl.when(pl.col("_tier") > 0).then(pl.col("_tier")).alias("_tier"),
        pl.col("_workers"),
        pl.col("rank"),
    ]
    for hazard in HAZARDS:
        headings += [
            (_("{hazard}, band").format(hazard=names[hazard]), "band"),
            (_("{hazard}, score").format(hazard=names[hazard]), "decimal"),
            ("P05", "percent"),
            ("P50", "percent"),
            ("P80", "percent"),
            ("P95", "percent"),
            (_("evidence grade"), "text"),
            (_("people affected (expected)"), "decimal"),
            (_("priority"), "decimal"),
            (_("band raised by"), "text"),
        ]
        columns += [
            pl.col(f"{hazard}_band").replace(words),
            pl.col(f"{hazard}_score"),
            *(pl.col(f"{hazard}_{q}") for q in ("p05", "p50", "p80", "p95")),
            pl.col(f"{hazard}_grade"),
            pl.col(f"{hazard}_expected_affected"),
            pl.col(f"{hazard}_priority"),
            pl.col(f"{hazard}_override").replace(wording.overrides()),
        ]
    book.table_sheet(_("Sites"), headings, frame.select(columns), freeze=2)


def _issues(book: Book, material: Material) -> None:
    headings = [
        (_("kind"), "text"),
        (_("code"), "text"),
        (_("file"), "text"),
        (_("sheet"), "text"),
        (_("row"), "int"),
        (_("column"), "text"),
        (_("value"), "text"),
        (_("message"), "text"),
        (_("how to mend it"), "text"),
    ]
    words = {"error": _("error"), "warning": _("warning"), "info": _("note")}
    frame = material.run.issues.select(
        pl.col("severity").replace(words), "code", "file", "sheet", "row", "column", "value", "message", "hint"
    )
    book.table_sheet(_("Issues"), headings, frame)


def _ratios(book: Book, material: Material) -> None:
    """Every line of the sites with the highest risk, with its source."""
    ids = worst_first(material)["_supplier_id"].head(EXPLAINED).to_list()
    long = waterfall.ratios(material, ids)
    steps = {"rate": _("rate"), "presence": _("presence"), "evidence": _("evidence")}
    frame = long.select(
        "supplier_id",
        pl.col("hazard").replace(wording.hazards()),
        pl.col("step").replace(steps),
        "title",
        "ratio",
        "low",
        "high",
        pl.when("known").then(pl.lit(_("stated"))).otherwise(pl.lit(_("not stated"))).alias("known"),
        "source_text",
        pl.col("since").cast(pl.String),
    )
    headings = [
        (_("site"), "text"),
        (_("hazard"), "text"),
        (_("step"), "text"),
        (_("line"), "text"),
        (_("ratio"), "ratio"),
        (_("lower bound"), "ratio"),
        (_("upper bound"), "ratio"),
        (_("answer"), "text"),
        (_("source"), "text"),
        (_("since"), "text"),
    ]
    book.table_sheet(_("Ratios and sources"), headings, frame, freeze=4)


def _countries(book: Book, material: Material) -> None:
    names = wording.hazards()
    frame = by_country(material)
    headings: list[Heading] = [(_("country"), "text"), (_("code"), "text"), (_("sites"), "int")]
    columns: list[pl.Expr] = [
        pl.col("iso3").replace(material.countries).alias("country"),
        pl.col("iso3"),
        pl.col("sites"),
    ]
    for hazard in HAZARDS:
        headings += [
            (_("{hazard}, severe").format(hazard=names[hazard]), "int"),
            (_("{hazard}, high").format(hazard=names[hazard]), "int"),
            (_("{hazard}, index").format(hazard=names[hazard]), "number"),
            (_("{hazard}, five years before").format(hazard=names[hazard]), "number"),
        ]
        columns += [pl.col(f"{hazard}_{c}") for c in ("severe", "high", "index", "index_5_years_before")]
    book.table_sheet(_("Countries"), headings, frame.select(columns))


def _document(book: Book, request: Request) -> None:
    """Statements with every row that they rest on, and the tables of a document."""
    said = request.document
    if said.statements:
        _statements(book, said.statements)
    numbered = [table for table in said.tables if table.columns[0].kind != "band"]
    for number, table in enumerate(numbered, start=1):
        _table(book, _("Table {n}").format(n=number), table.columns, table.rows)


def _statements(book: Book, statements: Sequence[Statement]) -> None:
    states = {True: _("not assessed"), False: _("generated")}
    frame = pl.DataFrame(
        {
            "id": [s.id for s in statements],
            "state": [states[s.gap] for s in statements],
            "text": [s.text for s in statements],
            "basis": [s.basis for s in statements],
            "sites": [len(s.ids) for s in statements],
        }
    )
    headings = [
        (_("statement"), "text"),
        (_("state"), "text"),
        (_("text"), "text"),
        (_("rows"), "text"),
        (_("sites"), "int"),
    ]
    book.table_sheet(_("Statements"), headings, frame)
    traced = pl.DataFrame(
        {
            "id": [s.id for s in statements for _site in s.ids],
            "supplier_id": [site for s in statements for site in s.ids],
        },
        schema={"id": pl.String, "supplier_id": pl.String},
    )
    book.table_sheet(_("Traced rows"), [(_("statement"), "text"), (_("site"), "text")], traced.head(1_000_000))


def _method(book: Book, request: Request) -> None:
    """What the numbers mean, what is weak, and what identifies the run."""
    material = request.material
    lines = [
        (_("Method"), ""),
        (
            _("rate"),
            _("Expected share of workers affected within a year: a product of ratios, each with a source."),
        ),
        (_("presence"), _("Probability that anyone at the site is affected: it grows with the rate and the size.")),
        (_("evidence"), _("Audits, reports, events and lists multiply the odds. Clean audits barely lower them.")),
        (
            "P05, P50, P80, P95",
            _("Quantiles of it. Bands and ranks follow P80: ignorance raises priority."),
        ),
        (_("evidence grade"), _("A to E: how much of what matters about the site is known. It says nothing of risk.")),
        (_("priority"), _("Severity for people first, then likelihood.")),
        (
            _("Ratios and sources"),
            _("Lists the {count} sites with the highest risk.").format(count=wording.number(EXPLAINED)),
        ),
        (_("What is weak"), ""),
        *(("•", text) for text in wording.weaknesses()),
        (_("This run"), ""),
        (_("As of"), wording.day(material.run.on)),
        *material.provenance(),
    ]
    book.text_sheet(_("Method"), lines)
