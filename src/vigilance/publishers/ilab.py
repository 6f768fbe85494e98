"""US Department of Labor, ILAB: the list of goods, and the findings on child labour by country (Sweat & Toil).

Layouts read: the spreadsheet of the list (country, good, exploitation type, or one column per hazard) and the
Sweat & Toil data by country, flat (CSV, XLSX) or nested (JSON).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from vigilance import issues, reference
from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import messages
from vigilance.publishers import files
from vigilance.publishers.places import with_iso3
from vigilance.publishers.reading import Reading

_ = messages("data")

PUBLISHER: Final = "US Department of Labor, ILAB"
COUNTRY: Final = ("country", "country_area", "country_name", "name", "countries")
GOOD: Final = ("good", "good_name", "goods")
SECTOR: Final = ("sector", "good_sector", "production_sector")
HAZARDS: Final = {
    "child_labour": ("child_labor", "child_labour", "cl"),
    "forced_labour": ("forced_labor", "forced_labour", "fl"),
    "forced_child_labour": ("forced_child_labor", "forced_child_labour", "fcl"),
}
TYPE: Final = ("exploitation_type", "type_of_exploitation", "exploitation", "exploitation_types", "labor_type")
DOWNSTREAM: Final = ("downstream", "downstream_good", "downstream_goods")
YEAR: Final = ("edition", "year", "report_year")


def recognise_goods(path: Path, as_of: date | None = None) -> Reading:
    """The list of goods of one or more editions.

    ``as_of`` is the day the edition was published; its year is the edition where the file has no such column.
    Raises ``InputRefused`` when the columns are not there, ``UsageError`` when the edition is not known.
    """
    found = files.find(path, (COUNTRY, GOOD)).frame
    flags = {hazard: _first(found, names) for hazard, names in HAZARDS.items()}
    kinds = _first(found, TYPE)
    if kinds is None and flags["child_labour"] is None and flags["forced_labour"] is None:
        raise InputRefused(
            _("{path}: no column says for which hazard a good is listed").format(path=path.name),
            hint=_("columns wanted: {names}").format(names="Exploitation Type; Child Labor, Forced Labor"),
        )
    year = _first(found, YEAR)
    if year is None and as_of is None:
        raise UsageError(
            _("{path} does not say of which edition it is").format(path=path.name),
            hint=_("say when the edition was published: --as-of 2024-09-05"),
        )
    edition = pl.col(year).cast(pl.Int64, strict=False) if year else pl.lit(as_of.year if as_of else None)
    rows, problems = with_iso3(found, _first(found, COUNTRY) or "country", path.name)
    sector = _first(found, SECTOR)
    listed = {name: _flag(flags[name], kinds, name) for name in HAZARDS}
    downstream = _first(found, DOWNSTREAM)
    rows = rows.select(
        edition=edition,
        iso3=pl.col("iso3"),
        good=pl.col(_first(found, GOOD) or "good"),
        sector=(pl.col(sector).str.to_lowercase() if sector else pl.lit(None, dtype=pl.String)),
        **listed,
        downstream=_yes(downstream) if downstream else pl.lit(value=False),
    ).with_columns(
        (pl.lit(as_of) if as_of else pl.date(pl.col("edition"), 12, 31)).alias("known_on"),
        pl.lit(None, dtype=pl.String).alias("note"),
    )
    rows = rows.filter(pl.col("good").is_not_null() & pl.col("edition").is_not_null())
    rows = rows.unique(["edition", "iso3", "good"], keep="first", maintain_order=True)
    rows = rows.with_columns(_sector_of_good())
    unmapped = _unmapped(rows, path.name)
    return Reading("goods", PUBLISHER, rows, ("edition",), as_of, issues.ordered([problems, unmapped]))


def _first(frame: pl.DataFrame, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in frame.columns), None)


def _yes(column: str) -> pl.Expr:
    return (
        pl.col(column).str.strip_chars().str.to_lowercase().is_in(["yes", "x", "true", "1", "y"]).fill_null(value=False)
    )


def _flag(column: str | None, kinds: str | None, hazard: str) -> pl.Expr:
    if column is not None:
        return _yes(column)
    if kinds is None:
        return pl.lit(value=False)
    told = pl.col(kinds).str.to_lowercase().str.replace_all("labour", "labor").fill_null("")
    pattern = {
        "child_labour": r"(^|[^d] |[,;&/] *)child labor|^cl\b|, *cl\b",
        "forced_labour": r"forced labor|^fl\b|, *fl\b",
        "forced_child_labour": r"forced child labor|\bfcl\b",
    }[hazard]
    return told.str.contains(pattern)


def _sector_of_good() -> pl.Expr:
    """The sector of a good that the file does not classify: as earlier editions had it, else ``other``."""
    known = reference.load().table("goods").unique("good", keep="last", maintain_order=True)
    sectors = dict(known.select("good", "sector").iter_rows())
    told = pl.col("sector").str.replace("^.*(agriculture|manufacturing|mining).*$", "$1")
    allowed = told.is_in(["agriculture", "manufacturing", "mining", "other"])
    remembered = pl.col("good").replace_strict(sectors, default="other", return_dtype=pl.String)
    return pl.when(allowed).then(told).otherwise(remembered).alias("sector")


def _unmapped(rows: pl.DataFrame, file: str) -> pl.DataFrame:
    mapped = reference.load().table("goods_activity").select("good").unique()
    new = rows.select("good").unique().join(mapped, on="good", how="anti").to_series().sort().to_list()
    return issues.frame(
        issues.issue(
            "good_unmapped",
            _("no activity is known for this good: it will not raise any site until goods_activity has it"),
            severity="warning",
            file=file,
            column="good",
            value=good,
        )
        for good in new
    )


SHARES: Final = {
    "child_work_percent": ("child_work_share", "children_work_statistics_total_percentage_of_working_children",
                           "working_children_percent", "working_percent"),
    "child_work_agriculture_percent": ("child_work_agriculture", "agriculture", "agriculture_percent"),
    "child_work_industry_percent": ("child_work_industry", "industry", "industry_percent"),
    "child_work_services_percent": ("child_work_services", "services", "services_percent"),
    "school_attendance_percent": ("school_attendance", "attending_school_percent", "percentage"),
}  # fmt: skip
COUNTS: Final = {
    "labour_inspectors": ("labour_inspectors", "labor_inspectors", "number_of_labor_inspectors"),
    "labour_inspections": ("labour_inspections", "labor_inspections", "number_of_labor_inspections"),
    "child_labour_violations": ("child_labour_violations", "child_labor_violations", "violations_found"),
    "criminal_investigations": ("criminal_investigations", "investigations"),
    "criminal_prosecutions": ("criminal_prosecutions", "prosecutions", "prosecutions_initiated"),
    "criminal_convictions": ("criminal_convictions", "convictions"),
}
AGES: Final = {
    "min_age_work": ("min_age_work", "minimum_work_age", "minimum_age_for_work"),
    "min_age_hazardous": ("min_age_hazardous", "minimum_hazardous_work_age", "minimum_age_for_hazardous_work"),
}
ANSWERS: Final = {
    "c138_ratified": ("c138_ratified", "c_138_ratified"),
    "c182_ratified": ("c182_ratified", "c_182_ratified"),
    "min_age_work_conforms": ("min_age_work_conforms", "minimum_work_conforms_to_intl_standard"),
    "min_age_hazardous_conforms": ("min_age_hazardous_conforms", "minimum_hazardous_work_conforms_to_intl_standard"),
    "hazardous_list_conforms": ("hazardous_list_conforms", "types_hazardous_work_conforms_to_intl_standard"),
    "forced_labour_prohibition_conforms": ("forced_labour_prohibition_conforms",
                                           "prohibits_forced_labor_conforms_to_intl_standard"),
    "child_trafficking_prohibition_conforms": ("child_trafficking_prohibition_conforms",
                                               "prohibits_child_trafficking_conforms_to_intl_standard"),
    "compulsory_education_conforms": ("compulsory_education_conforms",
                                      "compulsory_education_conforms_to_intl_standard"),
    "inspectors_meet_ilo_norm": ("inspectors_meet_ilo_norm", "inspectors_intl_standards"),
    "penalties_authorised": ("penalties_authorised", "authorized_access_penalties", "assess_penalties"),
    "unannounced_permitted": ("unannounced_permitted", "unannounced_inspections_permitted"),
    "unannounced_conducted": ("unannounced_conducted", "unannounced_inspections_conducted"),
    "complaint_mechanism": ("complaint_mechanism", "complaint_mechanism_exists"),
    "coordination_mechanism": ("coordination_mechanism",),
    "policy": ("policy",),
    "programme": ("programme", "program"),
}  # fmt: skip
ADVANCEMENT: Final = ("advancement", "advancement_level", "assessment")


def recognise_findings(path: Path, as_of: date | None = None) -> Reading:
    """Findings by country and year. Raises as ``recognise_goods`` does."""
    found = files.find(path, (COUNTRY, ADVANCEMENT)).frame
    year = _first(found, YEAR)
    if year is None and as_of is None:
        raise UsageError(
            _("{path} does not say of which year it is").format(path=path.name),
            hint=_("say when the findings were published: --as-of 2024-09-05 (their year is the one before)"),
        )
    rows, problems = with_iso3(found, _first(found, COUNTRY) or "country", path.name)
    told = pl.col(year).cast(pl.Int64, strict=False) if year else pl.lit(as_of.year - 1 if as_of else None)
    rows = findings(rows.with_columns(told.alias("year")))
    if as_of is not None:
        rows = rows.with_columns(pl.lit(as_of).alias("known_on"))
    return Reading("ilab_findings", PUBLISHER, rows, ("year",), as_of, problems)


def findings(raw: pl.DataFrame) -> pl.DataFrame:
    """Rows of ``ilab_findings`` from text columns as printed; needs ``iso3`` and ``year``.

    Shares printed as fractions become percent (an edition whose shares all lie under 1 prints fractions); footnote
    marks go; figures for two areas of a country ("13 | 21") are null, for there is no rule to merge them.
    """
    columns: dict[str, pl.Expr] = {"iso3": pl.col("iso3"), "year": pl.col("year")}
    advancement = _nested(raw, ADVANCEMENT)
    level = pl.col(advancement or "advancement").str.to_lowercase().str.extract(r"^(significant|moderate|minimal|no)")
    assessed = ~pl.col(advancement or "advancement").str.to_lowercase().str.contains("^no assessment")
    columns["advancement"] = (
        pl.when(assessed & (level == "no")).then(pl.lit("none")).when(assessed).then(level).otherwise(None)
    )
    columns["advancement_as_printed"] = pl.col(advancement or "advancement")
    for name, names in SHARES.items():
        value = _number(_nested(raw, names))
        fraction = value.max().over("year") <= 1
        columns[name] = pl.when(fraction).then(value * 100).otherwise(value)
    ages = _nested(raw, ("child_work_ages", "age_range", "working_age_range"))
    columns["child_work_ages"] = _single(ages)
    columns |= {name: _number(_nested(raw, names)) for name, names in AGES.items()}
    columns |= {name: _number(_nested(raw, names)).cast(pl.Int64, strict=False) for name, names in COUNTS.items()}
    columns |= {name: _answer(_nested(raw, names)) for name, names in ANSWERS.items()}
    columns["known_on"] = pl.date(pl.col("year") + 1, 9, 30)
    rows = raw.select(**columns)
    return rows.unique(["iso3", "year"], keep="first", maintain_order=True)


def _nested(frame: pl.DataFrame, names: tuple[str, ...]) -> str | None:
    """The column of one of these names, also below another one: ``enforcements_labor_inspectors``."""
    exact = _first(frame, names)
    below = [column for name in names for column in frame.columns if column.endswith(f"_{name}")]
    return exact or (below[0] if below else None)


def _single(column: str | None) -> pl.Expr:
    """The printed text without footnote marks; null where several areas are printed."""
    if column is None:
        return pl.lit(None, dtype=pl.String)
    text = pl.col(column).str.replace_all(r"[‡†*]+|\s*\(\d+(,\s*\d+)*\)$", "").str.strip_chars()
    return pl.when(~text.str.contains(r" \| ")).then(text)


def _number(column: str | None) -> pl.Expr:
    text = _single(column).str.replace_all(r"[,%\s]", "")
    return text.cast(pl.Float64, strict=False)


def _answer(column: str | None) -> pl.Expr:
    """``yes``, ``no``, ``unknown`` or ``not_applicable``; the printed word before any footnote."""
    word = (
        _single(column).str.to_lowercase().str.extract(r"^(yes|no|unknown|unavailable|n/?a|not applicable)(?:[^a-z]|$)")
    )
    return (
        pl.when(word.is_in(["yes", "no", "unknown"]))
        .then(word)
        .when(word == "unavailable")
        .then(pl.lit("unknown"))
        .when(word.is_not_null())
        .then(pl.lit("not_applicable"))
    )
