"""Country indicators from their publishers' own files: World Bank, V-Dem and ILOSTAT.

Layouts read:
- World Bank API, JSON: ``[{page ...}, [{indicator: {id}, countryiso3code, date, value}, ...]]``;
- World Bank bulk, wide CSV: four lines of preamble, then ``Country Code, Indicator Code, 1960, 1961, ...``;
- V-Dem country-year CSV: ``country_text_id, year`` and one column per variable;
- ILOSTAT bulk CSV or CSV in gzip: ``ref_area, indicator, sex, classif1, time, obs_value``.
Of each country and indicator the newest value is kept, raw, with its exact year. Series that the table
``indicators`` does not name are left out; it says which they are.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from vigilance import issues, reference
from vigilance.errors import InputRefused
from vigilance.i18n import messages
from vigilance.publishers import files
from vigilance.publishers.places import with_iso3
from vigilance.publishers.reading import Reading

_ = messages("data")

WIDE: Final = (("country_code",), ("indicator_code", "series_code"))
VDEM: Final = (("country_text_id",), ("year",))
ILOSTAT: Final = (("ref_area",), ("time",), ("obs_value",))
SPELLED_SERIES: Final = {"RL.EST": "GOV_WGI_RL.EST"}
"""Codes that a publisher spells in two ways, and the one that the table has."""
TOTAL: Final = r"^$|TOTAL|^SEX_T$"
"""The classes of ILOSTAT that stand for everybody."""


def recognise(path: Path, as_of: date | None = None) -> Reading:
    """Read whichever of the four layouts the file has. Raises ``InputRefused`` when it has none, or no known series."""
    if path.suffix.lower() == ".json":
        publisher, long = "World Bank", _api(path)
    else:
        publisher, long = _csv(path)
    long = _known(long, path)
    if as_of is not None:
        long = long.filter(pl.col("year") <= as_of.year)
    rows, problems = with_iso3(long, "area", path.name, silent=True)
    newest = rows.sort("year").unique(["iso3", "indicator"], keep="last", maintain_order=True)
    newest = newest.select(
        "iso3",
        "indicator",
        "value",
        pl.lit(value=False).alias("clipped"),
        pl.col("year").alias("year_min"),
        pl.col("year").alias("year_max"),
        pl.date(pl.col("year"), 12, 31).alias("known_on"),
    )
    return Reading("country_indicators", publisher, newest, issues=issues.ordered([problems]))


def _csv(path: Path) -> tuple[str, pl.DataFrame]:
    for publisher, header, read in (
        ("World Bank", WIDE, _wide),
        ("V-Dem Institute", VDEM, _vdem),
        ("ILO, ILOSTAT", ILOSTAT, _ilostat),
    ):
        try:
            frame, _preamble = files.scan(path, header)
        except InputRefused as error:
            if "no table" not in error.message and error.hint is None:
                raise
            continue
        return publisher, read(frame, path)
    raise InputRefused(
        _("{path}: not a file of the World Bank, V-Dem or ILOSTAT that is known").format(path=path.name),
        hint=_("columns wanted: {names}").format(
            names="Country Code + Indicator Code; country_text_id + year; ref_area + time + obs_value"
        ),
    )


def _api(path: Path) -> pl.DataFrame:
    document = files.records(path)
    entries = document[1] if isinstance(document, list) and len(document) == 2 else document
    if not isinstance(entries, list) or not entries or not isinstance(entries[0], dict):
        raise InputRefused(_("{path}: not an answer of the World Bank API").format(path=path.name))
    frame = pl.DataFrame([files.flat(entry) for entry in entries])
    wanted = {"indicator_id", "date", "value", "countryiso3code"}
    if not wanted <= set(frame.columns):
        raise InputRefused(_("{path}: not an answer of the World Bank API").format(path=path.name))
    return frame.select(
        area=pl.col("countryiso3code"),
        series=pl.col("indicator_id"),
        year=pl.col("date").str.slice(0, 4).cast(pl.Int64, strict=False),
        value=pl.col("value").cast(pl.Float64, strict=False),
    )


def _series() -> pl.DataFrame:
    return reference.load().table("indicators").select("indicator", "series")


def _wide(frame: pl.LazyFrame, path: Path) -> pl.DataFrame:
    del path
    names = frame.collect_schema().names()
    code = next(name for name in WIDE[1] if name in names)
    years = [name for name in names if name[:4].isdigit()]
    known = [*_series()["series"].to_list(), *SPELLED_SERIES]
    return (
        frame.filter(pl.col(code).is_in(known))
        .select("country_code", code, *years)
        .unpivot(on=years, index=["country_code", code], variable_name="year", value_name="value")
        .select(
            area=pl.col("country_code"),
            series=pl.col(code),
            year=pl.col("year").str.slice(0, 4).cast(pl.Int64),
            value=pl.col("value").cast(pl.Float64, strict=False),
        )
        .collect()
    )


def _vdem(frame: pl.LazyFrame, path: Path) -> pl.DataFrame:
    del path
    names = frame.collect_schema().names()
    known = [series for series in _series()["series"].to_list() if series in names]
    return (
        frame.select("country_text_id", "year", *known)
        .unpivot(on=known, index=["country_text_id", "year"], variable_name="series", value_name="value")
        .select(
            area=pl.col("country_text_id"),
            series=pl.col("series"),
            year=pl.col("year").cast(pl.Int64, strict=False),
            value=pl.col("value").cast(pl.Float64, strict=False),
        )
        .collect()
    )


def _ilostat(frame: pl.LazyFrame, path: Path) -> pl.DataFrame:
    names = frame.collect_schema().names()
    series = pl.col("indicator") if "indicator" in names else pl.lit(path.name.split(".")[0])
    classes = [name for name in names if name in {"sex", "classif1", "classif2"}]
    for name in classes:
        frame = frame.filter(pl.col(name).fill_null("").str.contains(TOTAL))
    return frame.select(
        area=pl.col("ref_area"),
        series=series,
        year=pl.col("time").str.slice(0, 4).cast(pl.Int64, strict=False),
        value=pl.col("obs_value").cast(pl.Float64, strict=False),
    ).collect()


def _known(long: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Values of the series that the table ``indicators`` names, under the ids of that table."""
    told = long.with_columns(pl.col("series").replace(SPELLED_SERIES))
    kept = told.join(_series(), on="series", how="inner").drop_nulls(["area", "year", "value"])
    if kept.is_empty():
        found = told["series"].drop_nulls().unique().sort().head(5).to_list()
        raise InputRefused(
            _("{path}: none of its series is in the table indicators").format(path=path.name),
            hint=_("series found: {names}").format(names=", ".join(found) or _("none")),
        )
    return kept
