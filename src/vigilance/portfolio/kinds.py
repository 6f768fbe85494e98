"""What a line of a fund file is: a share, a bond, cash, a future, another fund, a total."""

from __future__ import annotations

import polars as pl

from vigilance.portfolio.vocabulary import flat, fold, folded, words


def classify(lines: pl.DataFrame) -> pl.DataFrame:
    """Add ``kind``: from the asset class, else the sector, else signs in the name; a plain line is an equity."""
    by_class = _by_value(lines["asset_class"], words("asset_classes"))
    by_sector = _by_value(lines["activity"], words("asset_classes"))
    sector_words = words("sectors")
    is_sector = lines["activity"].is_null() | _by_value(lines["activity"], sector_words, whole=True).is_not_null()
    by_sector = pl.select(pl.when(is_sector).then(None).otherwise(by_sector)).to_series()
    unclassed = lines["asset_class"].is_null() & by_sector.is_null()
    return (
        lines.with_columns(_c=by_class, _s=by_sector, _plain=folded("name").fill_null(""))
        .with_columns(_n=_sign(unclassed))
        .with_columns(
            kind=pl.when(_is_total())
            .then(pl.lit("total"))
            .when((pl.col("_c") == "corporate_bond") & (pl.col("_s") == "government"))
            .then(pl.lit("government"))
            .otherwise(pl.coalesce("_c", "_s", "_n", pl.lit("equity")))
        )
        .drop("_c", "_s", "_n", "_plain")
    )


def _by_value(texts: pl.Series, known: dict[str, str], *, whole: bool = False) -> pl.Series:
    """Kind of each distinct spelling: the whole of it, else the longest known words inside it."""
    found = {text: _kind(fold(text), known, whole) for text in texts.drop_nulls().unique().to_list()}
    return texts.replace_strict(found, default=None, return_dtype=pl.String)


def _kind(text: str, known: dict[str, str], whole: bool) -> str | None:
    if whole or text in known:
        return known.get(text)
    inside = [word for word in known if f" {word} " in f" {text} "]
    return known[max(inside, key=lambda word: (len(word), word))] if inside else None


def _sign(unclassed: pl.Series) -> pl.Expr:
    """Signs in the name, only where neither asset class nor sector says anything."""
    text = pl.concat_str(pl.lit(" "), "_plain", pl.lit(" "))
    sign = pl.lit(None, dtype=pl.String)
    for word, kind in words("name_signs").items():
        sign = pl.when(text.str.contains(f" {word} ", literal=True)).then(pl.lit(kind)).otherwise(sign)
    return pl.when(pl.lit(unclassed) & pl.col("isin").is_null()).then(sign)


def _is_total() -> pl.Expr:
    words_of_totals = [fold(word) for word in flat("totals")]
    return pl.col("_plain").is_in(words_of_totals) & pl.col("isin").is_null() & pl.col("ticker").is_null()
