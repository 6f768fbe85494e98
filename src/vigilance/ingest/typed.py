"""One raw table to typed columns: which header is which column, how each column is read, which rows fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from vigilance import issues as issues_
from vigilance import terms
from vigilance.i18n import messages
from vigilance.ingest import places
from vigilance.ingest.address import address_reader
from vigilance.ingest.coded import Coded, hold
from vigilance.ingest.columns import LINE, PREPARED, ROW, Cell, Check, Note, Plan, Reader, Table, Tables, prepared
from vigilance.ingest.coordinates import coordinates_reader, outlines
from vigilance.ingest.derived import derived_id
from vigilance.ingest.headers import Headers, nearest
from vigilance.ingest.numbers import NUMERIC
from vigilance.ingest.readers.table import RawTable
from vigilance.ingest.survey import SHORT, decide, rows_failing

_ = messages("ingest")


@dataclass(frozen=True, slots=True)
class TypedTable:
    """A raw table with the expressions of its typed columns, the rows that fail and all that is said of it.

    ``failing`` has ``_row, _line, code``; only rows with an error are in it. ``unchanged`` as in ``Intake``.
    """

    raw: RawTable
    frame: pl.LazyFrame
    own: list[str]
    typed: Mapping[str, pl.DataType]
    mapping: Mapping[str, str]
    unknown: list[str]
    issues: list[pl.DataFrame]
    failing: pl.DataFrame
    repaired: Mapping[str, pl.Expr] = field(default_factory=dict)
    unchanged: Mapping[str, str] = field(default_factory=dict)


def typed_table(
    raw: RawTable, table: Table, headers: Headers, on: date, facts: Tables | None, *, alone: bool = False
) -> TypedTable:
    """Decide how every column of a raw table is read and find the rows that fail, in two or three passes.

    A long table that is ``alone`` is held in memory, if it can be, and its file read no more.
    """
    raw = _without_internal_names(raw)
    held = hold(raw) if alone else None
    if held is not None:
        raw = replace(raw, frame=held.frame)
    positions = headers.match(raw.header).mapping
    columns = [column for column in table.columns if column.name in positions]
    cells = {
        column.name: Cell(
            column.name,
            raw.names[positions[column.name]],
            raw.header[positions[column.name]],
            on,
            facts,
            column.required,
            held is not None and raw.names[positions[column.name]] in held.words,
        )
        for column in columns
    }
    numeric = [c.name for c in columns if c.parser in NUMERIC]
    source, distinct, whole = _sources(raw, cells, numeric, held)
    short = raw.counts.loaded <= SHORT
    decided = decide(source, {c.name: c.parser(cells[c.name], c) for c in columns}, distinct, short=short)
    plans = dict(decided)
    if held is not None:
        plans |= {n: held.planned(plans[n], cells[n], words) for n, words in distinct.items()}
    typed = {name: expression for plan in plans.values() for name, expression in plan.typed.items()}
    notes: list[Note] = []
    unchanged: dict[str, str] = {}
    if table.name == "suppliers":
        unchanged = _unchanged(decided, cells, whole)
        typed, notes = _site_columns(typed, cells)
        typed["_factors"] = _factor_code(decided, cells, distinct, held)
    frame = source.with_columns(**typed)
    later = _later(frame, table, cells, facts, short=short)
    frame = frame.with_columns(**{n: e for plan in later.values() for n, e in plan.typed.items()})
    if table.name == "suppliers" and facts is None:
        frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(places.ZONE))
    everything = [*plans.values(), *later.values()]
    failing, found = _failing(frame, everything, raw)
    unknown = [name for i, name in enumerate(raw.names) if i not in positions.values()]
    own = list(raw.names) if table.keep_unknown else [c.name for c in cells.values()]
    schema = frame.collect_schema()
    return TypedTable(
        raw=raw,
        frame=frame,
        own=own,
        typed={n: t for n, t in schema.items() if n not in raw.names and n not in (ROW, LINE) and n[0] not in PREPARED},
        mapping={name: cell.header for name, cell in cells.items()},
        unknown=unknown,
        issues=[
            *found,
            _noted(raw, [*notes, *(note for plan in everything for note in plan.notes)]),
            _unknown_columns(raw, table, positions),
        ],
        failing=failing,
        repaired={cells[n].name: p.repaired for n, p in plans.items() if p.repaired is not None},
        unchanged=unchanged,
    )


def _sources(
    raw: RawTable, cells: Mapping[str, Cell], numeric: list[str], held: Coded | None
) -> tuple[pl.LazyFrame, dict[str, pl.LazyFrame], set[str]]:
    """The rows with their prepared columns and, of the columns held as codes, the distinct texts with theirs.

    Then the columns known to need no trimming: only of a table that is held is it asked.
    """
    if held is None:
        return prepared(raw.frame, cells, numeric), {}, set()
    distinct = held.prepared(cells, numeric)
    others = {n: c for n, c in cells.items() if n not in distinct}
    trim = _untrimmed(raw.frame, others)
    rows = prepared(raw.frame, others, set(numeric) - set(distinct), trim)
    whole = others.keys() - set(trim)
    fetched: dict[str, pl.Expr] = {}
    for name, words in distinct.items():
        made = words.select(pl.col("^[\x1e\x1f].*$")).collect()
        fetched |= {column: held.fetched(cells[name].name, made[column]) for column in made.columns}
        own = held.words[cells[name].name][cells[name].name]
        if made.select(cells[name].text).to_series().equals(own, null_equal=True):
            whole.add(name)
    return rows.with_columns(**fetched), distinct, whole


def _untrimmed(frame: pl.LazyFrame, cells: Mapping[str, Cell]) -> list[str]:
    """The columns in which some cell begins or ends with a blank, or is an empty text: asked once for all passes."""
    if not cells:
        return []
    text = {name: pl.col(cell.name) for name, cell in cells.items()}
    odd = frame.select(**{n: ((t.str.strip_chars() != t) | (t == "")).any() for n, t in text.items()})
    return [name for name, found in odd.collect(engine="streaming").row(0, named=True).items() if found]


def _without_internal_names(raw: RawTable) -> RawTable:
    """The table with another name for a user's column that begins as ours do: ``_iso3`` becomes ``own_iso3``."""
    taken = set(raw.names)
    new = {}
    for name in raw.names:
        if name.startswith(terms.INTERNAL):
            other = f"own{name}"
            while other in taken:
                other += "_"
            taken.add(other)
            new[name] = other
    if not new:
        return raw
    names = [new.get(name, name) for name in raw.names]
    # Parsed again, the columns would have their own names.
    return replace(raw, names=names, frame=raw.frame.rename(new), parse=None)


def _unchanged(decided: Mapping[str, Plan], cells: Mapping[str, Cell], whole: set[str]) -> dict[str, str]:
    """The typed columns of sites whose reading is their cell's own text, of the cells that need no trimming."""
    typed, _notes = _site_columns({name: e for plan in decided.values() for name, e in plan.typed.items()}, cells)
    read = {name: typed[f"{terms.INTERNAL}{name}"] for name in whole if f"{terms.INTERNAL}{name}" in typed}
    # Zones are read later, of several columns.
    return {
        f"{terms.INTERNAL}{name}": cells[name].name
        for name, expression in sorted(read.items())
        if name != "zone" and expression.meta.eq(cells[name].text)
    }


def _site_columns(typed: Mapping[str, pl.Expr], cells: Mapping[str, Cell]) -> tuple[dict[str, pl.Expr], list[Note]]:
    """The columns that scoring reads of a site, but its factors: unknowns named, an id derived if need be."""
    sites = {name: e for name, e in typed.items() if name.removeprefix(terms.INTERNAL) not in terms.FACTORS}
    unknown_division = pl.lit(terms.DIVISION_UNKNOWN)
    sites["_division"] = pl.coalesce(typed["_division"], unknown_division) if "_division" in typed else unknown_division
    tier = typed.get("_tier")
    unknown_tier = pl.lit(terms.TIER_UNKNOWN, dtype=pl.Int8)
    sites["_tier"] = unknown_tier if tier is None else tier.fill_null(terms.TIER_UNKNOWN)
    for name in ("_workers", "_migrant_share"):
        sites.setdefault(name, pl.lit(None, dtype=pl.Float64))
    if "activity" in cells:
        sites["_activity"] = cells["activity"].text
    notes: list[Note] = []
    if "supplier_id" not in cells:
        sites["_supplier_id"], note = derived_id(typed, cells)
        notes.append(note)
    return sites, notes


def _factor_code(
    plans: Mapping[str, Plan], cells: Mapping[str, Cell], distinct: Mapping[str, pl.LazyFrame], held: Coded | None
) -> pl.Expr:
    """The states of all factors in one code (``scoring.patterns``): Int32 per row, one base-3 digit a factor."""
    code: pl.Expr = pl.lit(0, dtype=pl.Int32)
    by_text: dict[str, pl.Series] = {}
    for power, name in enumerate(terms.FACTORS):
        digit = plans[name].typed[f"_{name}"] if name in plans else pl.lit(None, dtype=pl.Int32)
        part = digit.fill_null(terms.UNKNOWN).cast(pl.Int32) * 3**power
        if name in distinct:
            column = cells[name].name
            made = distinct[name].select(part.alias(name)).collect().to_series()
            # One column may be mapped to several factors.
            by_text[column] = made + by_text[column] if column in by_text else made
        else:
            code = code + part
    if held is not None and by_text:
        code = code + held.summed(by_text)
    return code.cast(pl.Int32)


def _later(
    frame: pl.LazyFrame, table: Table, cells: Mapping[str, Cell], facts: Tables | None, *, short: bool
) -> dict[str, Plan]:
    """What needs more than one column: zones, and the country against the address and the coordinates."""
    if table.name != "suppliers" or facts is None:
        return {}
    readers: dict[str, Reader] = {"zone": places.zone_reader(cells.get("zone"), cells.get("address"), facts)}
    if "lat" in cells and "lng" in cells and (found := outlines(facts)) is not None:
        readers["coordinates"] = coordinates_reader(cells["lat"], found)
    if "address" in cells and "country" in cells:
        readers["address"] = address_reader(cells["address"], cells["country"].header)
    return decide(frame, readers, short=short)


def _failing(frame: pl.LazyFrame, plans: Sequence[Plan], raw: RawTable) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Rows with an error (``_row, _line, code``) and the issues of all rows that fail a check."""
    wanted = [plan for plan in plans if plan.failing]
    checks = [check for plan in wanted for check in plan.checks]
    if not checks:
        return pl.DataFrame(schema={ROW: pl.Int64, LINE: pl.Int64, "code": pl.String}), []
    rows = rows_failing(frame, wanted)
    found: list[pl.DataFrame] = []
    errors: list[pl.DataFrame] = []
    for i, check in enumerate(checks):
        texts = _texts(check)
        hit = rows.select(ROW, LINE, pl.col(f"key_{i}").alias("key"), pl.col(f"value_{i}").alias("value"))
        hit = hit.drop_nulls("key").join(texts, on="key", how="left", maintain_order="left")
        found.append(_as_issues(hit, raw, check.column))
        errors.append(hit.filter(pl.col("severity") == "error").select(ROW, LINE, "code"))
    failing = pl.concat(errors).sort(ROW).unique(ROW, keep="first", maintain_order=True)
    return failing, [part for part in found if part.height]


def _texts(check: Check) -> pl.DataFrame:
    columns = ("key", "code", "severity", "message", "hint")
    rows = [(key, t.code, t.severity, t.message, t.hint) for key, t in check.texts.items()]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def _as_issues(hit: pl.DataFrame, raw: RawTable, column: str) -> pl.DataFrame:
    """Failing rows as issues, all at once; values cut and control characters escaped as ``issues.shown`` does."""
    limit = issues_.VALUE_LIMIT
    value = pl.col("value").fill_null("")
    shown = pl.when(value.str.len_chars() > limit).then(value.str.head(limit - 1) + "…").otherwise(value)
    frame = hit.select(
        "code",
        "severity",
        pl.lit(raw.file.name).alias("file"),
        pl.lit(raw.sheet).alias("sheet"),
        pl.col(LINE).alias("row"),
        pl.lit(column).alias("column"),
        shown.alias("value"),
        "message",
        "hint",
    )
    odd = frame["value"].str.contains(r"[\x00-\x1f\x7f]")
    if odd.any():
        escaped = [issues_.shown(text) for text in hit["value"].filter(odd)]
        frame = frame.with_columns(pl.Series("value", frame["value"]).scatter(odd.arg_true(), escaped))
    return frame.select(issues_.SCHEMA.names())


def _noted(raw: RawTable, notes: Sequence[Note]) -> pl.DataFrame:
    return issues_.frame(
        issues_.issue(
            note.text.code,
            note.text.message,
            severity=note.text.severity,
            file=raw.file.name,
            sheet=raw.sheet,
            row=note.line,
            column=note.column,
            value=note.value,
            hint=note.text.hint,
        )
        for note in notes
    )


def _unknown_columns(raw: RawTable, table: Table, positions: Mapping[str, int]) -> pl.DataFrame:
    taken = set(positions.values())
    free = [column.name for column in table.columns if column.name not in positions]
    records = []
    for i, header in enumerate(raw.header):
        if i in taken or not header.strip():
            continue  # A column without a header was named by the reader, which said so.
        near = nearest(table.name, header, free)
        kept = _("this column is not read; it is kept") if table.keep_unknown else _("this column is not kept")
        hint = (
            _("did you mean {column}? Then rename it, or say --map {column}='{header}'").format(
                column=near, header=header
            )
            if near
            else _("say --map COLUMN='{header}' if it is one of the known columns").format(header=header)
        )
        records.append(
            issues_.issue(
                "column_unknown",
                kept,
                severity="warning",
                file=raw.file.name,
                sheet=raw.sheet,
                column=header,
                hint=hint,
            )
        )
    return issues_.frame(records)
