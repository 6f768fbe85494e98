"""Screen a portfolio: each issuer's inherent and residual risk, and what of the whole comes from where.

The two hazards are never merged. Every sum that reaches an output is made on integers (``exposure.exact_sum``), so
that the order of the lines, or a position split in two, changes no digit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from vigilance import issues
from vigilance.i18n import messages
from vigilance.portfolio import company, exposure
from vigilance.portfolio.exposure import MOMENTS, UPSTREAM, exact_sum, loss, presence
from vigilance.portfolio.identity import plain_name
from vigilance.portfolio.inputs import MEASURES, CellScorer, World
from vigilance.portfolio.issuers import Issuers
from vigilance.rules import Judgements
from vigilance.terms import BANDS, HAZARDS, QUANTILES

if TYPE_CHECKING:
    from vigilance.portfolio import chains

_ = messages("portfolio")

NOT_ASSESSED: Final = "not_assessed"
SUPPLIERS: Final = -1
"""Stands for the known suppliers of an issuer and what is behind them, beside its tiers 1 to 4."""
DIGITS: Final = 10
"""Probabilities are quantised to ten digits once, at the end."""

SCOPES: Final = ("operations", "inherent", "residual")
"""Own operations (tier 1); operations and chain down to tier 4; the same after the company's measures."""

SITES: Final = pl.Schema(
    {
        "site": pl.String,
        "issuer": pl.String,
        "iso3": pl.String,
        "division": pl.String,
        "tier": pl.Int8,
        **dict.fromkeys(MEASURES, pl.Float64),
    }
)
"""Supplier sites with their scores; ``issuer`` is null for a site that only links reach."""


@dataclass(frozen=True)
class Screening:
    """The result. ``issuers``: one row per issuer held. ``contributions``: long, per hazard and dimension.

    ``tiers``: what each issuer's tiers hold (see ``exposure``), its known suppliers in. ``chains``: None without any.
    """

    issuers: pl.DataFrame
    contributions: pl.DataFrame
    tiers: pl.DataFrame
    exposed: exposure.Exposure
    chains: chains.Chains | None
    issues: pl.DataFrame


def screen(
    issuers: Issuers,
    world: World,
    judgements: Judgements,
    score: CellScorer,
    *,
    sites: pl.DataFrame | None = None,
    links: pl.DataFrame | None = None,
) -> Screening:
    """Put every issuer on the best exposure known and combine its cells, tiers and suppliers.

    ``sites``: schema ``SITES``. ``links``: ``buyer_id, supplier_id, share``; a buyer is an issuer (by LEI, ISIN, id or
    name) or a site, a supplier is a site.
    """
    home = {tier: judgements.value(f"portfolio.home_share.{tier}") for tier in (1, *UPSTREAM)}
    known_sites = sites if sites is not None else pl.DataFrame(schema=SITES)
    severe = judgements.value("method.band.severe")
    exposed = exposure.expose(_all_parts(issuers.parts, known_sites), world, home, score, severe)
    problems: list[pl.DataFrame] = []
    chain = _chain(issuers, exposed, known_sites, links, judgements, problems)
    tiers, branches = _with_suppliers(exposed.tiers, chain, known_sites, issuers.table, severe)
    answered = issuers.answers
    axes, odd = company.assess(answered, judgements) if answered.height else (None, issues.frame())
    table = _combined(issuers.table, tiers, axes, judgements)
    table = _levels(table, chain, exposed)
    table = _verdicts(table, judgements)
    contributions = _contributions(table, exposed, tiers, branches)
    problems.extend((odd, *([chain.issues] if chain is not None else [])))
    return Screening(_quantised(table), contributions, tiers, exposed, chain, issues.ordered(problems))


def _all_parts(parts: pl.DataFrame, sites: pl.DataFrame) -> pl.DataFrame:
    """Parts of the issuers, and one declared part per site: what stands behind it when nobody says."""
    placed = sites.filter(pl.col("iso3").is_not_null()).unique("site", keep="first", maintain_order=True)
    own = placed.select(
        issuer=pl.concat_str(pl.lit("site\0"), "site"),
        division="division",
        iso3="iso3",
        share=pl.lit(1.0),
        level=pl.lit("declared"),
    )
    return pl.concat([parts.select(own.columns), own]) if own.height else parts


def _chain(
    issuers: Issuers,
    exposed: exposure.Exposure,
    sites: pl.DataFrame,
    links: pl.DataFrame | None,
    judgements: Judgements,
    problems: list[pl.DataFrame],
) -> chains.Chains | None:
    """The chains behind issuers that have suppliers of their own in the files; None when none has."""
    stated = _links(issuers, sites, links, problems)
    if stated.is_empty():
        return None
    from vigilance.portfolio import chains  # noqa: PLC0415 - scipy only where there are suppliers

    behind = (
        exposed.tiers.filter(pl.col("tier").is_in(list(UPSTREAM)))
        .group_by("issuer")
        .agg(presence(exact_sum(pl.col(m))).alias(f"{m}_unknown") for m in MEASURES)
        .with_columns(id=pl.col("issuer").str.strip_prefix("site\0"))
    )
    mine = issuers.table.select(id="issuer").with_columns(pl.lit(None, dtype=pl.Float64).alias(m) for m in MEASURES)
    scored = sites.select(pl.col("site").alias("id"), *MEASURES).unique("id", keep="first", maintain_order=True)
    nodes = pl.concat([mine, scored])
    nodes = nodes.join(behind.drop("issuer"), on="id", how="left", maintain_order="left")
    return chains.solve(stated, nodes, MEASURES, listed_share=judgements.value("portfolio.listed_share"))


def _links(
    issuers: Issuers, sites: pl.DataFrame, links: pl.DataFrame | None, problems: list[pl.DataFrame]
) -> pl.DataFrame:
    """Stated links, buyers called by their issuer, and a link without a share to every listed site of an issuer."""
    schema = {"buyer_id": pl.String, "supplier_id": pl.String, "share": pl.Float64}
    found = links.select(schema.keys()) if links is not None else pl.DataFrame(schema=schema)
    taken = sites.select(key="site").unique()
    names = issuers.names.join(taken, on="key", how="anti")
    buyers = found.select(buyer_id="buyer_id").unique().drop_nulls().with_columns(_plain=plain_name("buyer_id"))
    called = (
        buyers.join(names, left_on="buyer_id", right_on="key", how="left")
        .join(names.rename({"issuer": "_by_name"}), left_on="_plain", right_on="key", how="left")
        .join(taken.with_columns(_site=pl.lit(value=True)), left_on="buyer_id", right_on="key", how="left")
        .select("buyer_id", "_site", issuer=pl.when(pl.col("_site").is_null()).then(pl.coalesce("issuer", "_by_name")))
    )
    unknown = called.filter(pl.col("issuer").is_null() & pl.col("_site").is_null())
    problems.append(_unknown_buyers(unknown["buyer_id"].sort()))
    found = (
        found.join(called.select("buyer_id", "issuer"), on="buyer_id", how="left")
        .join(unknown.select("buyer_id"), on="buyer_id", how="anti")
        .with_columns(buyer_id=pl.coalesce("issuer", "buyer_id"))
        .drop("issuer")
    )
    listed = sites.filter(pl.col("issuer").is_not_null()).select(
        buyer_id="issuer", supplier_id="site", share=pl.lit(None, dtype=pl.Float64)
    )
    implied = listed.join(found, on=["buyer_id", "supplier_id"], how="anti")
    return pl.concat([found, implied])


def _unknown_buyers(buyers: pl.Series) -> pl.DataFrame:
    """Links of buyers that are neither an issuer held nor a listed site: left out and named."""
    return pl.DataFrame({"value": buyers.head(1000)}).select(
        code=pl.lit("link_unknown_buyer"),
        severity=pl.lit("warning"),
        file=pl.lit("links"),
        sheet=pl.lit(""),
        row=pl.lit(None, dtype=pl.Int64),
        column=pl.lit("buyer_id"),
        value=pl.col("value").str.slice(0, issues.VALUE_LIMIT),
        message=pl.lit(
            _("This buyer is neither an issuer of the portfolio nor a listed site; its links are not used.")
        ),
        hint=pl.lit(_("{n} in all.").format(n=buyers.len())),
    )


def _with_suppliers(
    tiers: pl.DataFrame, chain: chains.Chains | None, sites: pl.DataFrame, table: pl.DataFrame, severe: float
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Tiers with the known suppliers in, and the branches (one per direct supplier) for the contributions.

    What the links know replaces its share of the sector's tiers; the rest of those tiers stands for the unknown.
    Tier ``SUPPLIERS`` holds the known branches.
    """
    own = tiers.filter(~pl.col("issuer").str.starts_with("site\0"))
    if chain is None:
        return own, pl.DataFrame()
    known = chain.nodes.join(table.select(id="issuer"), on="id", how="semi").filter(pl.col("suppliers") > 0)
    share = known.select(issuer="id", _known="known_share")
    scale = 1.0 - pl.col("_known").fill_null(0.0)
    upstream = pl.col("tier").is_in(list(UPSTREAM))
    scaled = own.join(share, on="issuer", how="left", maintain_order="left").with_columns(
        pl.when(upstream).then(pl.col(m) * scale).otherwise(m).alias(m) for m in (*MEASURES, *MOMENTS)
    )
    branch = (
        chain.links.join(share, left_on="buyer_id", right_on="issuer", how="semi")
        .join(chain.nodes.select("id", *(f"{m}_chain" for m in MEASURES)), left_on="supplier_id", right_on="id")
        .select(
            pl.col("buyer_id").alias("issuer"),
            pl.col("supplier_id").alias("site"),
            pl.col("share").alias("_share"),
            *((pl.col("share") * loss(pl.col(f"{m}_chain"))).alias(m) for m in MEASURES),
        )
        .join(_places(sites, severe), on="site", how="left")
    )
    share_at_risk = [exact_sum(pl.col("_share").filter(pl.col(f"_{h}_risky"))).alias(f"{h}_at_risk") for h in HAZARDS]
    branches = (
        branch.group_by("issuer")
        .agg(*(exact_sum(pl.col(m)).alias(m) for m in MEASURES), *share_at_risk)
        .with_columns(tier=pl.lit(SUPPLIERS, dtype=pl.Int8), **{f"{h}_spread": pl.lit(0.0) for h in HAZARDS})
    )
    return pl.concat([scaled.drop("_known"), branches.select(own.columns)]).sort("issuer", "tier"), branch


def _places(sites: pl.DataFrame, severe: float) -> pl.DataFrame:
    """Where each site is, and whether it stands at significant risk itself."""
    risky = {f"_{h}_risky": (pl.col(f"{h}_p80") >= severe).fill_null(value=False) for h in HAZARDS}
    return sites.unique("site", keep="first", maintain_order=True).select("site", "iso3", "division", "tier", **risky)


def _combined(
    table: pl.DataFrame, tiers: pl.DataFrame, axes: pl.DataFrame | None, judgements: Judgements
) -> pl.DataFrame:
    """Inherent and residual presence per issuer: ``1 − exp(−Σ L)``, each tier's ``L`` times what measures leave."""
    effect = {t: judgements.value(f"measures.effect.{t}") for t in (1, *UPSTREAM)}
    effect |= {0: judgements.value("measures.effect.unknown"), SUPPLIERS: effect[2]}
    efforts = axes if axes is not None else pl.DataFrame(schema={"issuer": pl.String, "effort": pl.Float64})
    left = 1.0 - pl.col("tier").replace_strict(effect, return_dtype=pl.Float64) * pl.col("effort").fill_null(0.0)
    weighed = tiers.join(efforts.select("issuer", "effort"), on="issuer", how="left").with_columns(_left=left)
    operations = pl.col("tier").is_in([0, 1])
    sums = weighed.group_by("issuer").agg(
        *(exact_sum(pl.col(m)).alias(f"_in_{m}") for m in MEASURES),
        *(exact_sum(pl.col(m) * pl.col("_left")).alias(f"_re_{m}") for m in MEASURES),
        *(
            exact_sum(pl.col(f"{h}_{q}").filter(operations)).alias(f"_op_{h}_{q}")
            for h in HAZARDS
            for q in ("p50", "p80")
        ),
        *(
            (exact_sum(pl.col(f"{h}_at_risk")) / (pl.col("tier") >= 0).sum()).alias(f"{h}_at_risk_share")
            for h in HAZARDS
        ),
        *(pl.col(f"{h}_at_risk").filter(pl.col("tier") >= 0).max().alias(f"{h}_at_risk_tier_share") for h in HAZARDS),
        *(exact_sum(pl.col(f"{h}_p50").filter(~operations)).alias(f"_up_{h}") for h in HAZARDS),
    )
    joined = table.join(sums, on="issuer", how="left", maintain_order="left")
    joined = joined.join(efforts, on="issuer", how="left", maintain_order="left")
    missing = [
        pl.lit(None, dtype=pl.Float64).alias(f"axis_{a}") for a in company.AXES if f"axis_{a}" not in joined.columns
    ]
    joined = joined.with_columns(missing)
    made = {
        f"{h}_{kind}_{q}": presence(pl.col(f"_{short}_{h}_{q}"))
        for h in HAZARDS
        for kind, short in (("inherent", "in"), ("residual", "re"))
        for q, _p in QUANTILES
    }
    made |= {f"{h}_operations_{q}": presence(pl.col(f"_op_{h}_{q}")) for h in HAZARDS for q in ("p50", "p80")}
    made |= {f"{h}_upstream_p50": presence(pl.col(f"_up_{h}")) for h in HAZARDS}
    return joined.with_columns(
        **made,
        **{f"axis_{a}_state": company.state(f"axis_{a}", judgements) for a in company.AXES},
        residual_state=pl.when(pl.col("effort").is_null())
        .then(pl.lit(NOT_ASSESSED))
        .when(pl.col("effort") > 0)
        .then(pl.lit("measures_counted"))
        .otherwise(pl.lit("nothing_proven")),
    )


def _levels(table: pl.DataFrame, chain: chains.Chains | None, exposed: exposure.Exposure) -> pl.DataFrame:
    """The level of each issuer, and how much of its four tiers is known of itself (0 to 1)."""
    tiers = 1.0 + len(UPSTREAM)
    if chain is None:
        known = pl.DataFrame(schema={"issuer": pl.String, "known_suppliers": pl.Float64})
    else:
        known = chain.nodes.filter(pl.col("suppliers") > 0).select(issuer="id", known_suppliers="known_share")
    joined = table.join(known, on="issuer", how="left", maintain_order="left")
    scored = exposed.tiers.select("issuer").unique().with_columns(_scored=pl.lit(value=True))
    joined = joined.join(scored, on="issuer", how="left", maintain_order="left")
    suppliers = pl.col("known_suppliers").fill_null(0.0)
    # A list of suppliers is a list of the tier right behind the company; what stands behind them is not known by it.
    declared = pl.when(pl.col("level") == "declared").then(1.0).otherwise(0.0)
    return joined.with_columns(
        exposure_source=pl.when(pl.col("known_suppliers").is_not_null())
        .then(pl.lit("supplier_file"))
        .when(pl.col("_scored").is_null())
        .then(pl.lit("nothing"))
        .otherwise("level"),
        coverage=(declared + suppliers) / tiers,
    ).drop("_scored")


def _verdicts(table: pl.DataFrame, judgements: Judgements) -> pl.DataFrame:
    """Scores and bands, on the 80th percentile; an issuer without exposure is not assessed, which is no band."""
    reference = judgements.value("method.score_reference")
    made = {}
    for h in HAZARDS:
        for kind in SCOPES:
            p50 = pl.col(f"{h}_{kind}_p50")
            made[f"{h}_{kind}_band"] = band_of(pl.col(f"{h}_{kind}_p80"), judgements)
            made[f"{h}_{kind}_score"] = 100.0 * (1.0 + p50 / reference).log() / math.log(1.0 + 1.0 / reference)
        made[f"{h}_gap"] = pl.col(f"{h}_inherent_p50") - pl.col(f"{h}_residual_p50")
    return table.with_columns(**made)


def band_of(p80: pl.Expr, judgements: Judgements) -> pl.Expr:
    """The band of a presence at its 80th percentile; ``not_assessed`` where there is none."""
    band = pl.lit(str(BANDS[0]))
    for word in BANDS[1:]:
        band = pl.when(p80 >= judgements.value(f"method.band.{word}")).then(pl.lit(str(word))).otherwise(band)
    return pl.when(p80.is_null()).then(pl.lit(NOT_ASSESSED)).otherwise(band)


def _contributions(
    table: pl.DataFrame, exposed: exposure.Exposure, tiers: pl.DataFrame, branches: pl.DataFrame
) -> pl.DataFrame:
    """How much of the portfolio's weighted presence comes from each issuer, country, activity and tier.

    ``C = Σ w·P``; an issuer's ``w·P`` is shared among its cells as their ``l`` shares its ``L``. Each dimension adds up
    to the same total.
    """
    frames = []
    for h in HAZARDS:
        p = f"{h}_p50"
        own = table.select(
            "issuer", "name", value=pl.col("weight") * pl.col(f"{h}_inherent_p50"), total=pl.col(f"_in_{p}")
        )
        frames.append(_dimension(own.drop_nulls("value"), h, "issuer", "issuer", "name"))
        cells = _cell_values(own, exposed, tiers, branches, p)
        frames.extend(
            _dimension(cells, h, dimension, column, column)
            for dimension, column in (("country", "iso3"), ("activity", "division"), ("tier", "tier"))
        )
    return pl.concat(frames)


def _cell_values(
    own: pl.DataFrame, exposed: exposure.Exposure, tiers: pl.DataFrame, branches: pl.DataFrame, p: str
) -> pl.DataFrame:
    """``iso3, division, tier, value``: every cell's and every known supplier's part."""
    rate = own.filter(pl.col("total") > 0).select("issuer", rate=pl.col("value") / pl.col("total"))
    # How much of the sector's tier an issuer keeps once its known suppliers are in.
    whole = exposed.tiers.select("issuer", "tier", _whole=p)
    kept = (
        tiers.filter(pl.col("tier") >= 0)
        .join(whole, on=["issuer", "tier"])
        .select("issuer", "tier", kept=pl.when(pl.col("_whole") > 0).then(pl.col(p) / pl.col("_whole")).otherwise(1.0))
    )
    by_component = (
        exposed.parts.join(rate, on="issuer")
        .join(kept, on="issuer")
        .group_by("component", "tier")
        .agg(rate=exact_sum(pl.col("rate") * pl.col("share") * pl.col("kept")))
    )
    cells = exposed.cells.join(by_component, on=["component", "tier"]).select(
        "iso3", "division", pl.col("tier").cast(pl.String), value=pl.col("rate") * pl.col("weight") * pl.col(p)
    )
    if branches.is_empty():
        return cells
    known = branches.join(rate, on="issuer").select(
        "iso3",
        "division",
        pl.format("supplier {}", pl.col("tier").fill_null(0)).alias("tier"),
        value=pl.col("rate") * pl.col(p),
    )
    return pl.concat([cells, known])


def _dimension(values: pl.DataFrame, hazard: str, dimension: str, key: str, label: str) -> pl.DataFrame:
    found = values.group_by(pl.col(key).fill_null("unknown").alias("key")).agg(
        label=pl.col(label).drop_nulls().min().cast(pl.String), contribution=exact_sum(pl.col("value"))
    )
    whole = exact_sum(pl.col("contribution"))
    return found.select(
        hazard=pl.lit(hazard),
        dimension=pl.lit(dimension),
        key="key",
        label=pl.coalesce("label", "key"),
        contribution=_ten_digits(pl.col("contribution")),
        share=pl.when(whole > 0).then(_ten_digits(pl.col("contribution") / whole)),
    ).sort(["contribution", "key"], descending=[True, False])


def _ten_digits(value: pl.Expr) -> pl.Expr:
    return value.round(DIGITS)


def _quantised(table: pl.DataFrame) -> pl.DataFrame:
    """Drop the working columns; probabilities and scores to ten digits."""
    hazard_columns = [c for c in table.columns if c.startswith(tuple(HAZARDS)) and table[c].dtype == pl.Float64]
    return table.drop(pl.selectors.starts_with("_")).with_columns(
        _ten_digits(pl.col(c)).alias(c) for c in hazard_columns
    )
