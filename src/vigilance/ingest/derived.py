"""An id for sites of a list that has none: the same site gets the same id from every list and on every machine."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from vigilance.i18n import messages
from vigilance.ingest.columns import Cell, Note, Text

_ = messages("ingest")

_SEPARATOR = "\x1f"


def _digest(texts: pl.Series) -> pl.Series:
    """``D-`` and 16 hexadecimal digits of the MD5 of each text: at ten million sites, one clash in 10^5 lists."""
    import duckdb  # noqa: PLC0415 - only a list without ids pays for it

    table = pl.DataFrame({"text": texts}).to_arrow()
    with duckdb.connect(":memory:") as connection:
        connection.register("texts", table)
        query = "SELECT 'D-' || substr(md5(text), 1, 16) AS id FROM texts"
        found = pl.DataFrame(connection.sql(query).to_arrow_table())
    return found["id"].alias(texts.name)


def derived_id(typed: Mapping[str, pl.Expr], cells: Mapping[str, Cell]) -> tuple[pl.Expr, Note]:
    """The id from name, country and address (case and blanks apart), or the Open Supply Hub id where there is one."""
    parts = [typed["_name"], typed["_iso3"]]
    if "address" in cells:
        parts.append(cells["address"].text)
    plain = [p.fill_null("").str.to_lowercase().str.replace_all(r"\s+", " ") for p in parts]
    value = pl.concat_str(plain, separator=_SEPARATOR).map_batches(_digest, return_dtype=pl.String, is_elementwise=True)
    if "os_id" in cells:
        value = pl.coalesce(cells["os_id"].text, value)
        said = _("no column of ids: the Open Supply Hub id stands for it, else one made from name, country, address")
    else:
        said = _("no column of ids: one is made from name, country and address")
    return value, Note(Text("id_derived", "warning", said, _("add a column supplier_id")), "supplier_id")
