"""Risk through a chain of suppliers: known tiers, and the share of it that nobody knows.

    P_chain(r) = 1 − Π (1 − P_j)^{w_j}

over the known sites upstream of ``r``, ``w_j`` the product of the shares along the way summed over the ways, times
the unknown share at the average that its sector has upstream. In logarithms, with ``l = −ln(1 − P)``, it is linear:

    U(r) = Σ_j s_rj · (l_j + U(j)) + (1 − Σ_j s_rj) · u(r)

so five million links are a few sparse products. A cycle (A sells to B, B sells to A) would go round for ever; the
members of a cycle form one component, and inside a component of ``n`` members a way has at most ``n − 1`` links.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse
from scipy.sparse import csgraph

from vigilance import issues
from vigilance.i18n import messages

_ = messages("portfolio")

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MAX_TIERS: Final = 32
"""Where a chain is cut. The cut is reported; real maps of suppliers end after some ten tiers."""
_CERTAIN: Final = 1.0 - 1e-12
_NAMED_MEMBERS: Final = 20


@dataclass(frozen=True)
class Chains:
    """What the chains say.

    ``links``: ``buyer_id, supplier_id, share`` as used, complete and at most 1 per buyer. ``nodes``: one row per id,
    sorted: ``id``, ``known_share`` (0 to 1 of its purchases that the links cover), ``suppliers`` (direct), ``cycle``
    (number, null outside cycles), and per measure ``<m>_upstream`` (its chain without itself) and ``<m>_chain`` (with
    itself). ``cycles``: ``cycle, size, members`` (text, the first twenty).
    """

    links: pl.DataFrame
    nodes: pl.DataFrame
    cycles: pl.DataFrame
    issues: pl.DataFrame


def solve(
    links: pl.DataFrame,
    sites: pl.DataFrame,
    measures: Sequence[str],
    *,
    listed_share: float,
    max_tiers: int = MAX_TIERS,
) -> Chains:
    """Combine the risk of sites along links of buyer to supplier.

    ``links``: ``buyer_id, supplier_id`` (String) and ``share`` (Float64, 0 to 1 of the buyer's purchases, null
    unknown); several rows of a pair are added up. ``sites``: ``id`` and one column per measure (P, 0 to 1, null when
    the id was not scored itself), and per measure ``<m>_unknown``: the average upstream of its sector, for the share
    that is not known (null: nothing assumed). ``measures``: for instance ``forced_labour_p50``. ``listed_share``: what
    suppliers listed without a share account for together, of what is left. Chains longer than ``max_tiers`` are cut,
    with an issue.
    """
    problems: list[pl.DataFrame] = []
    kept = _usable(links, sites, measures, problems)
    names = (
        pl.concat([sites["id"], kept["buyer_id"], kept["supplier_id"]])
        .unique()
        .drop_nulls()
        .sort()
        .to_frame("id")
        .with_row_index("n")
    )
    edges = _edges(kept, names, listed_share, problems)
    matrix = _matrix(edges, names.height)
    component, sizes = _components(matrix)
    own, unknown = _columns(names, sites, measures)
    known = np.asarray(matrix.sum(axis=1)).ravel().clip(0.0, 1.0)
    upstream = _upstream(matrix, component, sizes, own, (1.0 - known)[:, None] * unknown, max_tiers, problems)
    cyclic = sizes[component] > 1
    nodes = names.select("id").with_columns(
        pl.Series("known_share", known),
        pl.Series("suppliers", np.diff(matrix.indptr).astype(np.int64)),
        _numbered(component, cyclic),
        *(pl.Series(f"{m}_upstream", -np.expm1(-upstream[:, k])) for k, m in enumerate(measures)),
        *(pl.Series(f"{m}_chain", -np.expm1(-(own + upstream)[:, k])) for k, m in enumerate(measures)),
    )
    cycles = _cycles(nodes)
    problems.append(_cycle_issues(cycles))
    ids = names["id"]
    used = edges.select(buyer_id=ids.gather(edges["b"]), supplier_id=ids.gather(edges["s"]), share="w")
    return Chains(used, nodes, cycles, issues.ordered(problems))


def _usable(
    links: pl.DataFrame, sites: pl.DataFrame, measures: Sequence[str], problems: list[pl.DataFrame]
) -> pl.DataFrame:
    """Links whose supplier is scored, or has suppliers of its own; the others are named and left to the unknown."""
    scored = sites.filter(pl.all_horizontal(pl.col(list(measures)).is_not_null())).select("id")
    whole = links.filter(pl.col("buyer_id").is_not_null() & pl.col("supplier_id").is_not_null())
    selfish = pl.col("buyer_id") == pl.col("supplier_id")
    _report(
        problems,
        "link_to_itself",
        whole.filter(selfish).select("buyer_id").unique(),
        _("A site that supplies itself adds nothing; the link is left out."),
        "warning",
    )
    whole = whole.filter(~selfish)
    reached = pl.concat([scored["id"], whole["buyer_id"]]).unique().to_frame("supplier_id")
    orphans = whole.join(reached, on="supplier_id", how="anti").select("supplier_id").unique()
    _report(
        problems,
        "link_unknown_supplier",
        orphans,
        _("This supplier is in the links and not in the list of suppliers: its share counts as unknown."),
        "warning",
    )
    return whole.join(reached, on="supplier_id", how="semi") if orphans.height else whole


def _report(problems: list[pl.DataFrame], code: str, values: pl.DataFrame, message: str, severity: str) -> None:
    if values.height:
        found = values.to_series().sort()
        shown = found.head(1000)
        problems.append(
            pl.DataFrame({"value": shown.str.slice(0, issues.VALUE_LIMIT)}).select(
                code=pl.lit(code),
                severity=pl.lit(severity),
                file=pl.lit("links"),
                sheet=pl.lit(""),
                row=pl.lit(None, dtype=pl.Int64),
                column=pl.lit(values.columns[0]),
                value=pl.col("value"),
                message=pl.lit(message),
                hint=pl.lit(_("{n} in all.").format(n=found.len())),
            )
        )


def _edges(links: pl.DataFrame, names: pl.DataFrame, listed_share: float, problems: list[pl.DataFrame]) -> pl.DataFrame:
    """Links on numbers, one per pair, shares complete and at most 1 per buyer: columns ``b, s, w``."""
    pairs = (
        links.join(names.rename({"id": "buyer_id", "n": "b"}), on="buyer_id")
        .join(names.rename({"id": "supplier_id", "n": "s"}), on="supplier_id")
        .group_by("b", "s")
        .agg(
            w=pl.col("share").clip(0.0, 1.0).sum(),
            missing=pl.col("share").is_null().all(),
        )
        .sort("b", "s")
    )
    totals = pairs.group_by("b").agg(
        stated=pl.col("w").filter(~pl.col("missing")).sum(), unstated=pl.col("missing").sum()
    )
    over = totals.filter(pl.col("stated") > 1.0 + 1e-9)
    _report(
        problems,
        "shares_over_one",
        over.join(names, left_on="b", right_on="n").select(buyer_id="id"),
        _("The shares of this buyer's suppliers add up to more than 1 and are scaled down to 1."),
        "warning",
    )
    each = (1.0 - pl.col("stated")).clip(0.0, 1.0) * listed_share / pl.col("unstated")
    return pairs.join(totals, on="b").select(
        "b",
        "s",
        w=pl.when("missing").then(each).otherwise(pl.col("w") / pl.max_horizontal(pl.col("stated"), pl.lit(1.0))),
    )


def _matrix(edges: pl.DataFrame, n: int) -> Any:
    where = (edges["b"].to_numpy(), edges["s"].to_numpy())
    return sparse.csr_array((edges["w"].to_numpy(), where), shape=(n, n))


def _components(matrix: Any) -> tuple[Ints, Ints]:
    if matrix.nnz == 0:
        n = matrix.shape[0]
        return np.arange(n, dtype=np.int64), np.ones(n, dtype=np.int64)
    count, component = csgraph.connected_components(matrix, directed=True, connection="strong")
    return component.astype(np.int64), np.bincount(component, minlength=count).astype(np.int64)


def _columns(names: pl.DataFrame, sites: pl.DataFrame, measures: Sequence[str]) -> tuple[Floats, Floats]:
    """``−ln(1 − P)`` of each node itself and of the unknown upstream of its sector, both (nodes, measures)."""
    wanted = [
        pl.col(name) if name in sites.columns else pl.lit(None, dtype=pl.Float64).alias(name)
        for m in measures
        for name in (m, f"{m}_unknown")
    ]
    table = (
        names.join(sites.select("id", *wanted).unique("id", keep="first"), on="id", how="left", maintain_order="left")
        .drop("id", "n")
        .fill_null(0.0)
    )
    logs = -np.log1p(-np.minimum(table.to_numpy().astype(np.float64), _CERTAIN))
    return np.ascontiguousarray(logs[:, 0::2]), np.ascontiguousarray(logs[:, 1::2])


def _upstream(
    matrix: Any,
    component: Ints,
    sizes: Ints,
    own: Floats,
    remainder: Floats,
    max_tiers: int,
    problems: list[pl.DataFrame],
) -> Floats:
    """Solve ``U = S(l + U) + remainder`` tier by tier; exact once a pass changes nothing."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    inside = component[rows] == component[matrix.indices]
    outer = matrix if not inside.any() else _masked(matrix, rows, ~inside)
    inner = _masked(matrix, rows, inside) if inside.any() else None
    steps = np.minimum(sizes[component] - 1, max_tiers)
    upstream = np.zeros_like(own)
    for _tier in range(max_tiers):
        new = outer @ (own + upstream) + remainder
        if inner is not None:
            new = _within(inner, new, own, steps)
        if np.array_equal(new, upstream):
            return upstream
        upstream = new
    if not np.array_equal(_pass(outer, inner, upstream, own, remainder, steps), upstream):
        problems.append(
            issues.frame(
                [
                    issues.issue(
                        "chain_cut",
                        _("A chain is longer than {n} tiers and was cut there.").format(n=max_tiers),
                        severity="warning",
                        file="links",
                    )
                ]
            )
        )
    return upstream


def _pass(outer: Any, inner: Any, upstream: Floats, own: Floats, remainder: Floats, steps: Ints) -> Floats:
    new: Floats = outer @ (own + upstream) + remainder
    return new if inner is None else _within(inner, new, own, steps)


def _masked(matrix: Any, rows: Ints, keep: npt.NDArray[np.bool_]) -> Any:
    return sparse.csr_array((matrix.data[keep], (rows[keep], matrix.indices[keep])), shape=matrix.shape)


def _within(inner: Any, outside: Floats, own: Floats, steps: Ints) -> Floats:
    """Ways inside a component, at most ``steps`` links long: Σ_m S^m (outside + l) − l, row by row."""
    total = outside
    for step in range(1, int(steps.max()) + 1):
        longer = outside + inner @ (total + own)
        total = np.where((steps >= step)[:, None], longer, total)
    return total


def _numbered(component: Ints, cyclic: npt.NDArray[np.bool_]) -> pl.Series:
    """Cycles numbered from 1 in the order of their first member, null elsewhere."""
    found = pl.DataFrame({"c": component, "cyclic": cyclic}).with_row_index()
    order = (
        found.filter("cyclic").group_by("c").agg(first=pl.col("index").min()).sort("first").with_row_index("cycle", 1)
    )
    joined = found.join(order, on="c", how="left", maintain_order="left")
    return joined.select(pl.when("cyclic").then("cycle").cast(pl.Int64).alias("cycle"))["cycle"]


def _cycles(nodes: pl.DataFrame) -> pl.DataFrame:
    return (
        nodes.filter(pl.col("cycle").is_not_null())
        .group_by("cycle")
        .agg(
            size=pl.len().cast(pl.Int64),
            members=pl.col("id").sort().head(_NAMED_MEMBERS).str.join(" → "),
        )
        .sort("cycle")
    )


def _cycle_issues(cycles: pl.DataFrame) -> pl.DataFrame:
    return cycles.head(1000).select(
        code=pl.lit("cycle_in_links"),
        severity=pl.lit("warning"),
        file=pl.lit("links"),
        sheet=pl.lit(""),
        row=pl.lit(None, dtype=pl.Int64),
        column=pl.lit("supplier_id"),
        value=pl.col("members").str.slice(0, issues.VALUE_LIMIT),
        message=pl.format(_("{} sites supply each other in a circle; no way goes round it twice."), "size"),
        hint=pl.lit(_("Check whether the direction of one of the links is the wrong way round.")),
    )
