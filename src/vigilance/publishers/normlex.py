"""ILO NORMLEX: ratifications by instrument ("Country, Date, Status, Note") or by country ("Convention, ...").

Read as NORMLEX gives them: the CSV or XLSX download of a list, or the page saved as HTML. The instrument, or the
country, stands in a column of its own, in the page's title, or in the name of the file (``C029.csv``,
``ratifications-france.html``). A list by instrument is complete: a member that is not in it has not ratified.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from vigilance import issues, reference
from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.publishers import files
from vigilance.publishers.dates import day, parsed
from vigilance.publishers.places import iso3, with_iso3
from vigilance.publishers.reading import Reading

_ = messages("data")

PUBLISHER: Final = "ILO, NORMLEX"
COUNTRY: Final = ("country", "pays", "member", "country_name")
INSTRUMENT: Final = ("convention", "instrument", "conventions", "code")
DATE: Final = ("date", "ratification_date", "date_of_ratification", "ratified_on")
STATUS: Final = ("status", "statut", "etat")
NOTE: Final = ("note", "notes", "remarks", "remarques")
CODE: Final = r"([CP]\d{3})"
COMPLETE: Final = 40
"""Members that a list by instrument has at least; a shorter one is taken for an extract and only adds and changes."""


def recognise(path: Path, as_of: date | None = None) -> Reading:
    """Read either list; ``as_of`` is the day of the download.

    Raises ``InputRefused`` when the columns, the instrument or the country are not there.
    """
    try:
        found = files.find(path, (COUNTRY, DATE))
    except InputRefused:
        found = files.find(path, (INSTRUMENT, DATE))
    frame = found.frame
    country, instrument = (_first(frame, names) for names in (COUNTRY, INSTRUMENT))
    told = f"{found.preamble} {path.stem}"
    if instrument is None:
        frame = frame.with_columns(pl.lit(_instrument_of(told, path)).alias("_convention"))
    else:
        frame = frame.with_columns(pl.col(instrument).str.to_uppercase().str.extract(CODE).alias("_convention"))
    if country is None:
        frame = frame.with_columns(pl.lit(_country_of(told, path)).alias("iso3"))
        problems = issues.frame()
    else:
        frame, problems = with_iso3(frame, country, path.name)
    rows = _rows(frame)
    dropped = _undated(rows, path.name)
    rows = rows.filter(pl.col("deposited_on").is_not_null())
    if instrument is None and rows.height >= COMPLETE:
        rows = _with_the_others(rows)
    rows = rows.with_columns(pl.lit(as_of, dtype=pl.Date).alias("status_as_of"))
    return Reading("ratifications", PUBLISHER, rows, as_of=as_of, issues=issues.ordered([problems, dropped]))


def _first(frame: pl.DataFrame, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in frame.columns), None)


def _instrument_of(told: str, path: Path) -> str:
    codes: list[str] = sorted(set(re.findall(CODE, told.upper())))
    if len(codes) != 1:
        raise InputRefused(
            _("{path}: of which instrument is this list?").format(path=path.name),
            hint=_("put its number in the name of the file, for instance C029.csv"),
        )
    return codes[0]


def _country_of(told: str, path: Path) -> str:
    """The country in ``Ratifications for France`` (title) or ``ratifications-france`` (file name)."""
    named = re.findall(r"(?:ratifications?[ _-]+(?:for|pour|of|de)?[ _:-]*)([^\n|]+)", told, re.IGNORECASE)
    names = pl.DataFrame({"name": [*(name.strip() for name in named), path.stem]})
    codes = names.select(iso3("name")).to_series().drop_nulls().unique()
    if codes.len() != 1:
        raise InputRefused(
            _("{path}: of which country is this list?").format(path=path.name),
            hint=_("put its name or code in the name of the file, for instance ratifications-france.csv"),
        )
    return str(codes[0])


def _rows(frame: pl.DataFrame) -> pl.DataFrame:
    date_column = _first(frame, DATE)
    status, note = _first(frame, STATUS), _first(frame, NOTE)
    notes = pl.col(note).fill_null("") if note else pl.lit("")
    state = pl.col(status).fill_null("") if status else pl.lit("")
    told = pl.concat_str([state, notes], separator=" ")
    opened = reference.load().table("conventions").select("code", pl.col("in_force_on").alias("_opened"))
    date_text = r"(\d{1,2} \p{L}+\.? \d{4})"
    ended = parsed(told.str.extract(r"(?i)(?:denounced|denunciation|dénonc\p{L}*)[^\d]*" + date_text))
    stated = parsed(told.str.extract(r"(?i)(?:enter into force|entrera en vigueur)[^\d]*" + date_text))
    minimum = told.str.extract(r"(?i)(?:minimum age|âge minimum)[^\d]*(\d{2})").cast(pl.Int64)
    deposited = day(date_column or "date")
    in_force = pl.max_horizontal(deposited.dt.offset_by("12mo"), "_opened")
    return (
        frame.join(opened, left_on="_convention", right_on="code", how="inner")
        .select(
            iso3=pl.col("iso3"),
            convention=pl.col("_convention"),
            stated_status=pl.when(ended.is_not_null())
            .then(pl.lit(reference.DENOUNCED))
            .otherwise(pl.lit(reference.RATIFIED)),
            deposited_on=deposited,
            deposited_year=deposited.dt.year().cast(pl.Int64),
            date_precision=pl.lit("day"),
            in_force_on=pl.coalesce(stated, in_force),
            denounced_on=ended,
            denounced_year=ended.dt.year().cast(pl.Int64),
            declared_min_age=minimum,
            date_confidence=pl.lit("seen"),
            known_on=deposited,
            source=pl.lit("ILO NORMLEX, the publisher's own export"),
            confidence=pl.lit("seen"),
            note=pl.lit(None, dtype=pl.String),
        )
        .unique(["iso3", "convention"], keep="last", maintain_order=True)
    )


def _undated(rows: pl.DataFrame, file: str) -> pl.DataFrame:
    lost = rows.filter(pl.col("deposited_on").is_null())
    return issues.frame(
        issues.issue(
            "date",
            _("no date that can be read: set aside"),
            severity="warning",
            file=file,
            value=f"{row['iso3']} {row['convention']}",
            hint=_("dates as 24 Jun 1937 or 1937-06-24"),
        )
        for row in lost.iter_rows(named=True)
    )


def _with_the_others(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the members that the complete list of an instrument does not name: they have not ratified it."""
    members = reference.load().table("countries").filter("ilo_member").select("iso3")
    codes = rows.select("convention").unique()
    others = members.join(codes, how="cross").join(rows, on=["iso3", "convention"], how="anti")
    others = others.with_columns(
        pl.lit(reference.NOT_RATIFIED).alias("stated_status"),
        pl.lit("none").alias("date_precision"),
        pl.lit("ILO NORMLEX, the publisher's own export").alias("source"),
        pl.lit("seen").alias("confidence"),
    )
    return pl.concat([rows, others], how="diagonal")
