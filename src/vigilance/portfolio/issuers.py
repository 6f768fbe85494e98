"""From lines to issuers: who they are, where they are based, what they do, and at which level that is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from vigilance import issues
from vigilance.i18n import messages
from vigilance.portfolio import identity, inputs
from vigilance.portfolio.exposure import exact_sum

_ = messages("portfolio")

_KEYS: Final = ("name", "isin", "lei", "ticker", "exchange")


@dataclass(frozen=True)
class Issuers:
    """``table``: one row per issuer held. ``parts``: ``issuer, division, iso3, share, level`` (see exposure).

    ``answers``: the questionnaire with ``issuer``. ``lists``: ``issuer, supplier_file``. ``names``: ``key, issuer``,
    every way to call an issuer. ``lines``: the positions with ``issuer``. ``undecided``: pairs for a person.
    """

    table: pl.DataFrame
    parts: pl.DataFrame
    answers: pl.DataFrame
    lists: pl.DataFrame
    names: pl.DataFrame
    lines: pl.DataFrame
    undecided: pl.DataFrame
    issues: pl.DataFrame


def build(
    lines: pl.DataFrame,
    facts: inputs.Facts,
    *,
    declared: pl.DataFrame | None = None,
    answers: pl.DataFrame | None = None,
    decided: pl.DataFrame | None = None,
    asked: float = 100.0,
) -> Issuers:
    """Join positions, declarations and answers into issuers.

    ``lines``: positions of ``holdings.read``. ``declared`` and ``answers``: files of ``declared.read``. ``decided``:
    the file of near names with its ``decision`` filled in. ``asked``: similarity from which a person is asked.
    """
    sources = [_source(lines, "holdings")]
    sources.extend(
        _source(frame, src) for frame, src in ((declared, "issuers"), (answers, "answers")) if frame is not None
    )
    together, wrong = identity.clean(pl.concat(sources))
    together = _places(together, facts.table("countries"))
    together = identity.group(together, _decisions(decided))
    together = together.with_columns(_plain=identity.plain_name(pl.col("name").fill_null("")))
    held = together.filter(pl.col("_src") == "holdings")
    ids = _ids(together)
    together = together.join(ids, on="issuer", how="left", maintain_order="left").with_columns(issuer="_id").drop("_id")
    held = together.filter(pl.col("_src") == "holdings")
    lines = lines.with_columns(
        issuer=held["issuer"], isin=held["isin"], lei=held["lei"], iso3=held["iso3"], country_from=held["country_from"]
    )
    mixes = _mixes(together, facts.table("activity_aliases"))
    said = _declared(together, declared, mixes)
    table = _table(lines, said)
    unheld = together.filter(~pl.col("issuer").is_in(table["issuer"].implode()))
    known = table["issuer"].implode()
    parts = _parts(table, mixes, said)
    table = table.join(
        parts.select("issuer", level_="level").unique("issuer"), on="issuer", how="left", maintain_order="left"
    )
    table = table.with_columns(level=pl.col("level_").fill_null("nothing")).drop("level_")
    problems = [wrong, _unheld(unheld), _torn(lines), _unresolved(lines, mixes)]
    with_issuer = _attach(answers, together, "answers").filter(pl.col("issuer").is_in(known))
    lists = _attach(declared, together, "issuers")
    lists = (
        lists.filter(pl.col("supplier_file").is_not_null() & pl.col("issuer").is_in(known))
        .select("issuer", "supplier_file")
        .unique()
        .sort("issuer", "supplier_file")
        if declared is not None
        else pl.DataFrame(schema={"issuer": pl.String, "supplier_file": pl.String})
    )
    return Issuers(
        table,
        parts,
        with_issuer,
        lists,
        _names(together.filter(pl.col("issuer").is_in(known))),
        lines,
        _undecided(unheld, table, asked, decided),
        issues.ordered(problems),
    )


def _source(frame: pl.DataFrame, src: str) -> pl.DataFrame:
    """The columns that identify, from any of the files, null where it has none."""
    wanted = (*_KEYS, "country", "activity", "industry")
    texts = [pl.col(c) if c in frame.columns else pl.lit(None, dtype=pl.String).alias(c) for c in wanted]
    weight = pl.col("weight") if "weight" in frame.columns else pl.lit(0.0)
    return frame.select(
        *texts, weight.alias("weight"), "_file", "_sheet", "_row", _src=pl.lit(src), _at=pl.int_range(pl.len())
    )


def _decisions(decided: pl.DataFrame | None) -> pl.DataFrame | None:
    if decided is None:
        return None
    same = decided.filter(pl.col("decision").str.strip_chars().str.to_lowercase().is_in(["same", "meme", "même"]))
    return same.select("name", "candidate").unique("name", keep="first", maintain_order=True)


def _places(lines: pl.DataFrame, countries: pl.DataFrame) -> pl.DataFrame:
    """Country of domicile: as stated, else the prefix of the ISIN. A declared country is no domicile."""
    spelt = inputs.places(lines["country"], countries)
    by_isin = inputs.from_isin(lines["isin"], countries)
    found = lines.join(spelt, left_on="country", right_on="text", how="left", maintain_order="left").rename(
        {"iso3": "_stated"}
    )
    own = pl.col("_src") == "holdings"
    return found.with_columns(_by_isin=by_isin).with_columns(
        iso3=pl.when(own).then(pl.coalesce("_stated", "_by_isin")),
        country_from=pl.when(own & pl.col("_stated").is_not_null())
        .then(pl.lit("stated"))
        .when(own & pl.col("_by_isin").is_not_null())
        .then(pl.lit("isin")),
    )


def _ids(lines: pl.DataFrame) -> pl.DataFrame:
    """A stable id per group: the smallest LEI, else ISIN, else ticker and exchange, else the plain name."""
    ticker = pl.concat_str("ticker", "exchange", separator="@", ignore_nulls=True)
    return (
        lines.group_by("issuer")
        .agg(
            lei=pl.col("lei").drop_nulls().min(),
            isin=pl.col("isin").drop_nulls().min(),
            name=pl.col("_plain").replace("", None).drop_nulls().min(),
            ticker=ticker.filter(pl.col("ticker").is_not_null()).min(),
            first=pl.struct("_src", "_at").min(),
        )
        .with_columns(
            _id=pl.coalesce(
                pl.concat_str(pl.lit("lei:"), "lei"),
                pl.concat_str(pl.lit("isin:"), "isin"),
                pl.concat_str(pl.lit("ticker:"), "ticker"),
                pl.concat_str(pl.lit("name:"), "name"),
            )
        )
        # Two companies of one name that nothing else tells apart keep the name and a number.
        .sort("_id", "issuer")
        .with_columns(_twin=pl.int_range(pl.len()).over("_id"))
        .select(
            "issuer",
            _id=pl.when(pl.col("_twin") > 0).then(pl.format("{}#{}", "_id", pl.col("_twin") + 1)).otherwise("_id"),
        )
    )


def _mixes(lines: pl.DataFrame, aliases: pl.DataFrame) -> pl.DataFrame:
    """Activity mixes by text: ``src, text, division, weight``; fund files speak in sectors, companies in ISIC."""
    own = lines.filter(pl.col("_src") == "holdings")
    spoken = pl.concat([own["industry"], own["activity"]])
    stated = lines.filter(pl.col("_src") == "issuers")["activity"]
    return pl.concat(
        [
            inputs.activities(spoken, aliases, codes="gics").with_columns(_src=pl.lit("holdings")),
            inputs.activities(stated, aliases, codes="isic").with_columns(_src=pl.lit("issuers")),
        ]
    )


def _attach(frame: pl.DataFrame | None, together: pl.DataFrame, src: str) -> pl.DataFrame:
    """A side file with the issuer of each of its rows."""
    if frame is None:
        return pl.DataFrame(schema={"issuer": pl.String})
    found = together.filter(pl.col("_src") == src).sort("_at")
    return frame.with_columns(issuer=found["issuer"])


def _declared(together: pl.DataFrame, declared: pl.DataFrame | None, mixes: pl.DataFrame) -> pl.DataFrame:
    """Declared countries and activities: ``issuer, iso3, text, share``; shares complete and adding up to 1."""
    schema = {"issuer": pl.String, "iso3": pl.String, "text": pl.String, "share": pl.Float64}
    if declared is None:
        return pl.DataFrame(schema=schema)
    rows = together.filter(pl.col("_src") == "issuers").sort("_at").with_columns(share=declared["share"])
    known = mixes.filter(pl.col("_src") == "issuers")["text"].unique()
    text = pl.when(pl.col("activity").is_in(known.implode())).then("activity")
    rows = rows.select("issuer", iso3="_stated", text=text, share="share")
    rows = rows.filter(pl.col("iso3").is_not_null() | pl.col("text").is_not_null())
    rows = rows.sort("issuer", "iso3", "text", "share", nulls_last=True)
    open_share = (1.0 - pl.col("share").sum().over("issuer")).clip(lower_bound=0.0)
    each = open_share / pl.col("share").is_null().sum().over("issuer")
    rows = rows.with_columns(share=pl.coalesce("share", each))
    total = pl.col("share").sum().over("issuer")
    return rows.filter(total > 0).with_columns(share=pl.col("share") / total)


def _table(lines: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """One row per issuer held, named and based as its heaviest line says."""
    # Ties are broken by what the lines say, never by where they stand: the order of a file changes nothing.
    said_in = ["weight", "value", "name", "isin", "lei", "ticker", "iso3", "activity", "industry"]
    falling = [name in {"weight", "value"} for name in said_in]
    heaviest = lines.sort(said_in, descending=falling, nulls_last=True)
    based = pl.col("iso3").sort_by(pl.col("country_from") == "isin").drop_nulls().first()
    table = heaviest.group_by("issuer", maintain_order=True).agg(
        name=pl.coalesce("name", "isin", "lei", "ticker").drop_nulls().first(),
        lei=pl.col("lei").drop_nulls().min(),
        isin=pl.col("isin").drop_nulls().unique().sort().str.join("|"),
        ticker=pl.col("ticker").drop_nulls().first(),
        iso3=based,
        country_from=pl.col("country_from").sort_by(pl.col("country_from") == "isin").drop_nulls().first(),
        activity=pl.col("activity").drop_nulls().first(),
        industry=pl.col("industry").drop_nulls().first(),
        weight=exact_sum(pl.col("weight")),
        value=pl.when(pl.col("value").is_not_null().any()).then(_money(pl.col("value"))),
        lines=pl.len().cast(pl.Int64),
    )
    only = said.group_by("issuer").agg(_one=pl.when(pl.col("iso3").n_unique() == 1).then(pl.col("iso3").first()))
    table = table.join(only, on="issuer", how="left", maintain_order="left")
    return (
        table.with_columns(
            country_from=pl.when(pl.col("iso3").is_null() & pl.col("_one").is_not_null())
            .then(pl.lit("declared"))
            .otherwise("country_from"),
            iso3=pl.coalesce("iso3", "_one"),
        )
        .drop("_one")
        .sort(["weight", "issuer"], descending=[True, False])
    )


def _money(value: pl.Expr) -> pl.Expr:
    """A sum of money on cents, so that the order of lots changes nothing."""
    return ((value * 100.0 + 0.5).floor().cast(pl.Int64).sum().cast(pl.Float64) * 0.01).round(2)


def _parts(table: pl.DataFrame, mixes: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """The best known mix of activities and countries of each issuer."""
    spoken = mixes.filter(pl.col("_src") == "holdings").drop("_src")
    fine = spoken.select(industry="text").unique().with_columns(_fine=pl.lit(value=True))
    own = (
        table.join(fine, on="industry", how="left", maintain_order="left")
        .with_columns(text=pl.when(pl.col("_fine")).then("industry").otherwise("activity"))
        .join(spoken, on="text")
        .select("issuer", "division", "iso3", share="weight_right", level=pl.lit("sector"))
    )
    stated = mixes.filter(pl.col("_src") == "issuers").drop("_src")
    exact = said.filter(pl.col("text").is_not_null()).join(stated, on="text")
    exact = exact.select("issuer", "division", "iso3", share=pl.col("share") * pl.col("weight"))
    placed = said.filter(pl.col("text").is_null()).select("issuer", "iso3", _s="share")
    mixed = placed.join(own.select("issuer", "division", "share"), on="issuer").select(
        "issuer", "division", "iso3", share=pl.col("share") * pl.col("_s")
    )
    home = table.select("issuer", _home="iso3")
    declared = (
        pl.concat([exact, mixed])
        .join(home, on="issuer")
        .with_columns(
            level=pl.when(pl.col("iso3").is_not_null()).then(pl.lit("declared")).otherwise(pl.lit("sector")),
            iso3=pl.coalesce("iso3", "_home"),
        )
        .drop("_home")
    )
    declared = declared.sort("issuer", "division", "iso3", "share", nulls_last=True)
    # An issuer counts as declared only when every part of it is placed; shares are made whole again.
    declared = declared.with_columns(
        level=pl.when((pl.col("level") == "declared").all().over("issuer")).then(pl.lit("declared")).otherwise("level"),
        share=pl.col("share") / pl.col("share").sum().over("issuer"),
    )
    rest = own.join(declared.select("issuer").unique(), on="issuer", how="anti")
    done = pl.concat([declared, rest])
    based = table.join(done.select("issuer").unique(), on="issuer", how="anti").filter(pl.col("iso3").is_not_null())
    bare = based.select("issuer", division=pl.lit("00"), iso3="iso3", share=pl.lit(1.0), level=pl.lit("domicile"))
    parts = pl.concat([done, bare])
    return (
        parts.group_by("issuer", "division", "iso3", "level")
        .agg(share=exact_sum(pl.col("share")))
        .sort("issuer", "level", "division", "iso3", nulls_last=True)
    )


def _names(lines: pl.DataFrame) -> pl.DataFrame:
    """Every key by which a file may call an issuer: its id, LEI, ISINs and plain names that mean one issuer."""
    keys = pl.concat(
        [
            lines.select(key="issuer", issuer="issuer"),
            lines.select(key="lei", issuer="issuer"),
            lines.select(key="isin", issuer="issuer"),
            lines.select(key="_plain", issuer="issuer"),
            lines.select(key="name", issuer="issuer"),
        ]
    ).drop_nulls()
    one = keys.unique().filter(pl.len().over("key") == 1)
    return one.filter(pl.col("key").str.len_chars() > 0).sort("key")


def _undecided(unheld: pl.DataFrame, table: pl.DataFrame, asked: float, decided: pl.DataFrame | None) -> pl.DataFrame:
    """Names of the side files that no position has, with the nearest issuer held: for a person to decide."""
    plain = table.select(id="issuer", name=identity.plain_name("name"))
    names = unheld.select("_plain").to_series().unique().sort()
    names = names.filter(names.str.len_chars() > 0)
    if decided is not None:
        names = names.filter(~names.is_in(decided["name"].implode()))
    return identity.near(names, plain, asked)


def _unheld(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of the side files about nobody in the portfolio."""
    once = rows.unique("issuer", keep="first", maintain_order=True)
    return _issue(
        once,
        "issuer_not_held",
        "info",
        "name",
        pl.coalesce("name", "lei", "isin"),
        _("No position is of this issuer; its rows are not used."),
    )


def _torn(lines: pl.DataFrame) -> pl.DataFrame:
    """Issuers whose lines name two countries."""
    stated = lines.filter(pl.col("country_from") == "stated")
    torn = stated.filter(pl.col("iso3").n_unique().over("issuer") > 1).unique(
        "issuer", keep="first", maintain_order=True
    )
    return _issue(
        torn,
        "issuer_two_countries",
        "warning",
        "country",
        pl.col("name"),
        _("The lines of this issuer name different countries; that of the heaviest line is used."),
    )


def _unresolved(lines: pl.DataFrame, mixes: pl.DataFrame) -> pl.DataFrame:
    """Activities and countries in words that nothing knows, once per spelling."""
    known = mixes["text"].unique().implode()
    acts = lines.filter(
        pl.col("activity").is_not_null()
        & ~pl.col("activity").is_in(known)
        & ~pl.col("industry").is_in(known).fill_null(value=False)
    )
    lands = lines.filter(pl.col("country").is_not_null() & (pl.col("country_from") != "stated").fill_null(value=True))
    return issues.ordered(
        [
            _issue(
                acts.unique("activity", keep="first", maintain_order=True),
                "activity_unknown",
                "warning",
                "activity",
                pl.col("activity"),
                _("No known activity or sector; these issuers stand at their domicile."),
            ),
            _issue(
                lands.unique("country", keep="first", maintain_order=True),
                "country_unknown",
                "warning",
                "country",
                pl.col("country"),
                _("No known country; the prefix of the ISIN is used if there is one."),
            ),
        ]
    )


def _issue(rows: pl.DataFrame, code: str, severity: str, column: str, value: pl.Expr, message: str) -> pl.DataFrame:
    return rows.select(
        code=pl.lit(code),
        severity=pl.lit(severity),
        file="_file",
        sheet="_sheet",
        row=pl.col("_row").cast(pl.Int64),
        column=pl.lit(column),
        value=value.fill_null("").str.replace_all(r"[\x00-\x1f\x7f]", " ").str.slice(0, issues.VALUE_LIMIT),
        message=pl.lit(message),
        hint=pl.lit(""),
    )
