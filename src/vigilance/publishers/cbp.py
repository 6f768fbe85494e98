"""US Customs and Border Protection: withhold release orders and findings; DHS: the UFLPA entity list.

Layouts read: the statistics file of CBP (one row per order: country, entity or merchandise, date, status) and the
entity list of the Uyghur Forced Labor Prevention Act (name of entity, effective date), as CSV, XLSX or saved page.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from vigilance.publishers import files
from vigilance.publishers.dates import day
from vigilance.publishers.places import with_iso3
from vigilance.publishers.reading import Reading

ENTITY: Final = ("entity", "manufacturer", "manufacturer_s", "manufacturers", "entity_name", "company", "name")
STARTED: Final = ("effective_date", "date", "date_issued", "issue_date", "date_of_action")
LISTED: Final = ("name_of_entity", "entity_name", "entity", "name", "entities")
ORDERS: Final = (("country", "country_area"), STARTED, ("status", "order_status"))
ENTITIES: Final = (LISTED, ("effective_date", "date_added", "date"))


def measure_id() -> pl.Expr:
    """The id of a row of ``enforcement``: kind, country, entity or product and day, folded."""
    label = (
        pl.coalesce("entity", "product", pl.col("value").cast(pl.String), pl.lit("all"))
        .str.to_lowercase()
        .str.replace_all(r"[^a-z0-9]+", "_")
        .str.strip_chars("_")
        .str.slice(0, 60)
    )
    return pl.concat_str(
        [
            "kind",
            pl.col("iso3").fill_null("all"),
            label,
            pl.col("since").cast(pl.String).fill_null("undated"),
        ],
        separator=":",
    ).alias("id")


def recognise(path: Path, as_of: date | None = None) -> Reading:
    """Read a file of CBP, or the UFLPA list (its name says ``uflpa`` or ``entity list``).

    Raises ``InputRefused`` when the columns are not there.
    """
    name = files.fold(path.name)
    reading = read_uflpa(path) if "uflpa" in name or "entity_list" in name else read_orders(path)
    return replace(reading, as_of=as_of)


def read_orders(path: Path) -> Reading:
    """Withhold release orders and findings. Raises ``InputRefused`` when the columns are not there."""
    found = files.find(path, ORDERS).frame
    columns = found.columns
    country = _first(columns, ORDERS[0])
    rows, problems = with_iso3(found, country, path.name)
    action = _first(columns, ("action_type", "type", "action", "wro_finding"))
    status = pl.col(_first(columns, ORDERS[2])).str.to_lowercase()
    rows = rows.select(
        kind=pl.when(_text(action).str.to_lowercase().str.contains("finding"))
        .then(pl.lit("cbp_finding"))
        .otherwise(pl.lit("cbp_wro")),
        iso3=pl.col("iso3"),
        entity=_text(_first(columns, ENTITY)),
        product=_text(_first(columns, ("merchandise", "product", "products", "commodity"))),
        industry=_text(_first(columns, ("industry", "industry_sector"))),
        since=day(_first(columns, STARTED)),
        status=pl.when(status.str.contains("inactive|revoked|closed|terminated"))
        .then(pl.lit("closed"))
        .when(status.str.contains("modif|partial"))
        .then(pl.lit("modified"))
        .when(status.str.contains("active"))
        .then(pl.lit("active"))
        .otherwise(pl.lit("unknown")),
        note=_text(_first(columns, ("status_notes", "notes", "note"))),
    )
    return Reading("enforcement", "US Customs and Border Protection", _finished(rows), issues=problems)


def read_uflpa(path: Path) -> Reading:
    """Entities of the UFLPA list. Raises ``InputRefused`` when the columns are not there."""
    found = files.find(path, ENTITIES).frame
    rows = found.select(
        kind=pl.lit("uflpa_entity"),
        iso3=pl.lit("CHN"),
        zone=pl.lit("CN-XJ"),
        entity=_text(_first(found.columns, LISTED)),
        since=day(_first(found.columns, ENTITIES[1])),
        status=pl.lit("active"),
    ).filter(pl.col("entity").is_not_null())
    return Reading("enforcement", "US Department of Homeland Security", _finished(rows), scope=("kind",))


def _first(columns: list[str], names: tuple[str, ...]) -> str:
    """The first of ``names`` that is a column, or an empty text."""
    return next((name for name in names if name in columns), "")


def _text(column: str) -> pl.Expr:
    return pl.col(column) if column else pl.lit(None, dtype=pl.String)


def _finished(rows: pl.DataFrame) -> pl.DataFrame:
    empty = {"product": pl.String, "value": pl.Int64, "unit": pl.String, "until": pl.Date}
    rows = rows.with_columns(
        pl.lit(None, dtype=kind).alias(name) for name, kind in empty.items() if name not in rows.columns
    )
    return (
        rows.with_columns(
            pl.when(pl.col("since").is_null()).then(pl.lit("none")).otherwise(pl.lit("day")).alias("date_precision"),
            pl.col("since").alias("known_on"),
            pl.lit("the publisher's own file").alias("source"),
            pl.lit("seen").alias("confidence"),
            measure_id(),
        )
        .filter(pl.col("since").is_not_null())
        .unique("id", keep="first", maintain_order=True)
    )
