"""Assess: from typed sites to scores, as one pure function on narwhals frames, the same on every engine.

    ln π* = ln outside + L·tanh(Σ ln r / L),   π = c·(1 - exp(-π*/c))
    m = π·N^γ,   P0 = 1 - exp(-m),   logit P = logit P0 + Σ evidence

Source: docs/method.md. Numbers come from ``rules/`` and ``data/`` through ``scoring.model``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import narwhals.stable.v2 as nw

from vigilance.rules import Judgements
from vigilance.scoring import cells, lines, patterns
from vigilance.scoring.interval import on_grid, presence, quantised, shifted, standard_normal, units
from vigilance.scoring.model import Model
from vigilance.terms import BANDS, GRADES, HAZARDS, QUANTILES, Hazard

Frame = nw.LazyFrame[Any] | nw.DataFrame[Any]

MEASURES: Final = (
    "score",
    "band",
    "grade",
    "inherent_p50",
    "p05",
    "p50",
    "p80",
    "p95",
    "expected_affected",
    "priority",
    "driver_1",
    "driver_2",
    "driver_3",
    "override",
)
SCORES: Final = tuple(f"{hazard}_{measure}" for hazard in HAZARDS for measure in MEASURES)
PLACE: Final = ("country_iso3", "isic_division", "zone_code", "tier_used")
STATE_IMPOSED: Final = "state_imposed_labour"
LISTED_ENTITY: Final = "listed_entity"
CONFIRMED_CASE: Final = "confirmed_case"
OVERRIDES: Final = (STATE_IMPOSED, LISTED_ENTITY, CONFIRMED_CASE)
"""What raises a band, the weakest first."""
VERDICTS: Final[Mapping[str, tuple[str, ...]]] = {
    "band": tuple(map(str, BANDS)),
    "grade": GRADES,
    "override": OVERRIDES,
}
"""The words of each verdict in the order of their positions; there may be no override (position -1)."""
PROBABILITIES: Final = ("inherent_p50", "p05", "p50", "p80", "p95")
PROBABILITY_DIGITS: Final = 13
"""Digits to which a probability is quantised. Where the ``exp`` of two engines differs in the last bit, so may this
last digit, by one: less than 1e-12."""
MEASURE_DIGITS: Final = 8
"""Digits of scores, of numbers of people and of priorities."""
SHARE_DIGITS: Final = 10
"""Digits of the share that a grade is read from, so that a sum that is exactly at a limit reaches it."""


@dataclass(frozen=True)
class Tables:
    """The look-up tables of one assessment, placed on the engine of the sites."""

    cells: Frame
    patterns: Frame
    evidence: Frame | None = None


def tables(model: Model, cell_keys: nw.DataFrame[Any], pattern_keys: nw.DataFrame[Any]) -> Tables:
    """Make the tables for the cells and patterns that occur (eager, small), given by the columns of their keys."""
    return Tables(cells=cells.table(model, cell_keys), patterns=patterns.table(model, pattern_keys))


def assess(
    sites: Frame, model: Model, look_up: Tables, keep: Sequence[str] = ("_row",), *, words: bool = True
) -> Frame:
    """Scores of typed sites (docs/architecture.md): the columns to ``keep``, then ``SCORES`` and ``PLACE``.

    Bands, grades and overrides are words, or their positions in ``VERDICTS`` (Int8) without ``words``; drivers are
    codes (``lines.decoded``). Row by row: nothing of a site depends on another one.
    """
    frame: Any = sites
    frame = frame.join(look_up.cells, on=list(cells.KEY), how="left")
    frame = frame.join(look_up.patterns, on=list(patterns.KEY), how="left")
    if look_up.evidence is not None:
        frame = frame.join(look_up.evidence, on="_supplier_id", how="left")
    return assess_joined(frame, model, keep, evidence=look_up.evidence is not None, words=words)


def assess_joined(
    sites: Any, model: Model, keep: Sequence[str], *, evidence: bool, measures: bool = True, words: bool = True
) -> Frame:
    """``assess`` for sites that already have the columns of their cell, their pattern and, if any, their evidence.

    ``measures`` False says that no site has measures in place: what they would change is not computed.
    """
    measures = measures and evidence
    digits = (PROBABILITY_DIGITS, MEASURE_DIGITS, SHARE_DIGITS)
    frame = sites.with_columns(**units(digits, nw.col("_factors")))
    frame = _with_size(frame, model.judgements)
    for hazard in HAZARDS:
        frame = _with_rate(frame, model, hazard)
        frame = _with_presence(frame, hazard, evidence, measures)
        frame = _with_drivers(frame, model, hazard, evidence, measures)
        frame = _with_quantiles(frame, hazard, evidence, measures)
        frame = _with_verdicts(frame, model.judgements, hazard, evidence)
    if words:
        said = {f"{hazard}_{name}": texts for hazard in HAZARDS for name, texts in VERDICTS.items()}
        frame = frame.with_columns(_word(name, texts).alias(name) for name, texts in said.items())
    place = [
        nw.col("_iso3").alias("country_iso3"),
        nw.col("_division").alias("isic_division"),
        nw.col("_zone").alias("zone_code"),
        nw.col("_tier").alias("tier_used"),
    ]
    kept: Frame = frame.select(*keep, *SCORES, *place)
    return kept


def _with_size(frame: Any, judgements: Judgements) -> Any:
    """N, N^γ and the variance of its logarithm; an unknown size is the activity's median with its spread."""
    exponent = judgements.get("method.size_exponent")
    known = ~nw.col("_workers").is_null()
    frame = frame.with_columns(
        nw.when(known).then(nw.col("_workers").log()).otherwise(nw.col("ln_usual_size")).alias("ln_n")
    )
    # A known size never has a wider interval than an unknown one.
    own = nw.min_horizontal((exponent.sd * nw.col("ln_n")) ** 2, nw.col("size_unknown_var"))
    return frame.with_columns(
        (exponent.value * nw.col("ln_n")).exp().alias("size_ratio"),
        nw.when(known).then(nw.col("_workers")).otherwise(nw.col("ln_usual_size").exp()).alias("people"),
        nw.when(known).then(own).otherwise(nw.col("size_unknown_var")).alias("size_var"),
        lines.driver(lines.SIZE, exponent.value * (nw.col("ln_n") - nw.col("ln_usual_size"))).alias("size_driver"),
    )


def site_terms(model: Model, hazard: Hazard) -> dict[str, tuple[nw.Expr, nw.Expr]]:
    """The factors that follow from a number of the row: line → (ln ratio, variance); 1 where it is unknown.

    A known share never has more variance than an unknown one.
    """
    mine = model.hazards[hazard]
    m, known = nw.col("_migrant_share"), ~nw.col("_migrant_share").is_null()
    found = {}
    if mine.migrants is not None:
        a = mine.migrants.coefficient
        ln = (1.0 + a * m).log() - nw.col(f"{hazard}_migrants_average")
        moved = (a * m) / (1.0 + a * m) - nw.col(f"{hazard}_migrants_slope")
        found[lines.MIGRANTS] = (
            nw.when(known).then(ln).otherwise(nw.lit(0.0)),
            _at_most((moved * mine.migrants.sd) ** 2, nw.col(f"{hazard}_migrants_unknown_var")),
        )
    if mine.sponsorship is not None:
        reach = nw.col(f"{hazard}_sponsorship_reach")
        share = nw.when(known).then(m).otherwise(nw.col(f"{hazard}_usual_migrants"))
        exposed = 1.0 + reach * share
        found[lines.SPONSORSHIP] = (
            exposed.log() - nw.col(f"{hazard}_sponsorship_average"),
            _at_most(
                (reach * m / (1.0 + reach * m) * mine.sponsorship.sd) ** 2, nw.col(f"{hazard}_sponsorship_unknown_var")
            ),
        )
    return found


def _at_most(answer: nw.Expr, blank: nw.Expr) -> nw.Expr:
    """The variance of an answer, null where there is none: at most that of the blank, which stands in for it."""
    return nw.when(answer < blank).then(answer).otherwise(blank)


def _with_rate(frame: Any, model: Model, hazard: Hazard) -> Any:
    """π and the variance of the link."""
    terms = site_terms(model, hazard)
    if terms:
        frame = frame.with_columns(
            **{f"ln_{name}": ln for name, (ln, _) in terms.items()},
            **{f"var_{name}": var for name, (_, var) in terms.items()},
        )
    factors = nw.col(f"{hazard}_ln_factors") + nw.col(f"{hazard}_ln_pattern")
    var = nw.col(f"{hazard}_var") + nw.col(f"{hazard}_pattern_var") + nw.col("size_var")
    for name in terms:
        factors, var = factors + nw.col(f"ln_{name}"), var + nw.col(f"var_{name}")
    bound, ceiling = bounds(model.judgements)
    raw = (nw.col(f"{hazard}_ln_outside") + bound(factors)).exp()
    frame = frame.with_columns(raw.alias("raw"), var.alias(f"{hazard}_link_var"))
    return frame.with_columns(ceiling(nw.col("raw")).alias(f"{hazard}_rate"))


def _with_drivers(frame: Any, model: Model, hazard: Hazard, evidence: bool, measures: bool) -> Any:
    """The strongest lines of the site: of its cell, its pattern, its own numbers and its evidence."""
    nothing = nw.lit(0, dtype=nw.Int32)
    terms = site_terms(model, hazard)
    site = [lines.driver(name, nw.col(f"ln_{name}")) if name in terms else nothing for name in lines.SITE_FACTORS]
    merged = lines.largest_of(_three(f"{hazard}_cell_driver"), _three(f"{hazard}_pattern_driver"))
    # One step after the other: within one step an engine would compute a driver again for every use.
    frame = frame.with_columns(**_numbered("own", (site[0], site[1], nw.col("size_driver"))))
    frame = frame.with_columns(**_numbered("site", lines.in_order(*_three("own"))), **_numbered("merged", merged))
    frame = frame.with_columns(**_numbered("drivers", lines.largest_of(_three("merged"), _three("site"))))
    added = {lines.EVIDENCE: nw.col("shift_used")} if evidence else {}
    added |= {lines.MEASURES: nw.col("ln_measures_used")} if measures else {}
    for line, ln_ratio in added.items():
        frame = frame.with_columns(lines.driver(line, ln_ratio).alias("added"))
        frame = frame.with_columns(**_numbered("drivers", _with_one(_three("drivers"), nw.col("added"))))
    return frame.with_columns(**{f"{hazard}_driver_{place}": nw.col(f"drivers_{place}") for place in (1, 2, 3)})


def _with_one(three: lines.Three, one: nw.Expr) -> lines.Three:
    """The three largest of a triple that is in order and one more, row by row."""
    second = nw.max_horizontal(nw.min_horizontal(three[0], one), three[1])
    third = nw.max_horizontal(nw.min_horizontal(three[1], one), three[2])
    return nw.max_horizontal(three[0], one), second, third


def _three(stem: str) -> lines.Three:
    return nw.col(f"{stem}_1"), nw.col(f"{stem}_2"), nw.col(f"{stem}_3")


def _numbered(stem: str, three: lines.Three) -> dict[str, nw.Expr]:
    return {f"{stem}_{place + 1}": expr for place, expr in enumerate(three)}


def bounds(judgements: Judgements) -> tuple[Callable[[nw.Expr], nw.Expr], Callable[[nw.Expr], nw.Expr]]:
    """The two smooth bounds: on the sum of ln r of the factors, and on the rate.

    Both increase strictly: no two risks tie.
    """
    limit = math.log(judgements.value("method.combined_ratio_bound"))
    top = judgements.value("method.rate_ceiling")

    def together(total: nw.Expr) -> nw.Expr:
        # L·tanh(x/L), with one exponential.
        return limit - 2.0 * limit / ((total * (2.0 / limit)).exp() + 1.0)

    def rate(raw: nw.Expr) -> nw.Expr:
        # For a small rate, c(1 - exp(-π*/c)) = π*(1 - π*/2c) to the last digits; the subtraction would lose some.
        small = raw * (1.0 - raw * (0.5 / top))
        return nw.when(raw < 1e-7).then(small).otherwise(top * (1.0 - (raw * (-1.0 / top)).exp()))

    return together, rate


def _with_presence(frame: Any, hazard: Hazard, evidence: bool, measures: bool) -> Any:
    """m inherent and residual, the spread of its logarithm, P0, and the shift that the evidence makes."""
    zero = nw.lit(0.0)

    def given(what: str, there: bool) -> nw.Expr:
        return nw.col(f"{hazard}_{what}").fill_null(0.0) if there else zero

    frame = frame.with_columns(
        (nw.col(f"{hazard}_rate") * nw.col("size_ratio")).alias("m_inherent"),
        (nw.col(f"{hazard}_link_var") + given("measures_var", measures)).sqrt().alias("sd"),
        given("shift", evidence).alias("shift_used"),
        given("shift_var", evidence).alias("shift_var_used"),
        given("ln_measures", measures).alias("ln_measures_used"),
    )
    reduced = nw.col("m_inherent") * nw.col("ln_measures_used").exp() if measures else nw.col("m_inherent")
    return frame.with_columns(reduced.alias("m")).with_columns(presence(nw.col("m")).alias("p0"))


def _with_quantiles(frame: Any, hazard: Hazard, evidence: bool, measures: bool) -> Any:
    """P05, P50, P80, P95 and the inherent median."""
    if evidence:
        # The slope of the logit of P0 in ln m is m / P0.
        frame = frame.with_columns(((nw.col("m") / nw.col("p0") * nw.col("sd")) ** 2).alias("on_logit"))
        whole = (nw.col("on_logit") + nw.col("shift_var_used")).sqrt()
        frame = frame.with_columns(
            (nw.col("on_logit").sqrt() / whole * nw.col("sd")).alias("step"),
            (nw.col("shift_var_used") / whole).alias("shift_step"),
        )
    moved = {name: z for name, probability in QUANTILES if (z := standard_normal(probability))}
    step = nw.col("step") if evidence else nw.col("sd")
    # One step after the other, here as below: within one step an engine would compute m again for every use of it.
    frame = frame.with_columns((nw.col("m") * (step * z).exp()).alias(f"m_{name}") for name, z in moved.items())
    frame = frame.with_columns(presence(nw.col(f"m_{name}")).alias(f"p0_{name}") for name in moved)
    made = {}
    for name, _probability in QUANTILES:
        m, p0 = (nw.col(f"m_{name}"), nw.col(f"p0_{name}")) if name in moved else (nw.col("m"), nw.col("p0"))
        if evidence:
            shift = nw.col("shift_used")
            p0 = shifted(m, p0, shift + nw.col("shift_step") * moved[name] if name in moved else shift)
        made[f"{hazard}_{name}"] = quantised(p0, PROBABILITY_DIGITS)
    inherent = presence(nw.col("m_inherent")) if measures else nw.col("p0")
    return frame.with_columns(**made, **{f"{hazard}_inherent_p50": quantised(inherent, PROBABILITY_DIGITS)})


def _with_verdicts(frame: Any, judgements: Judgements, hazard: Hazard, evidence: bool) -> Any:
    """Score, people affected, priority, band, grade and override."""
    if evidence:
        confirmed = nw.col(f"{hazard}_confirmed").fill_null(value=False)
        frame = frame.with_columns(
            nw.when(confirmed).then(nw.lit(1.0)).otherwise(nw.col(f"{hazard}_{name}")).alias(f"{hazard}_{name}")
            for name, _ in QUANTILES
        )
    p = nw.col(f"{hazard}_p50")
    reference = judgements.value("method.score_reference")
    score = (1.0 + p * (1.0 / reference)).log() * (100.0 / math.log(1.0 + 1.0 / reference))
    affected = nw.col(f"{hazard}_rate") * nw.col("people") / nw.col("p0")
    frame = frame.with_columns(
        quantised(score, MEASURE_DIGITS).alias(f"{hazard}_score"),
        nw.when(nw.col("m") < 1e-12).then(nw.lit(1.0)).otherwise(affected).alias("given_presence"),
    )
    rank = {word: place for place, word in enumerate(BANDS)}
    band = nw.lit(0)
    for word in BANDS[1:]:
        limit = on_grid(judgements.value(f"method.band.{word}"), PROBABILITY_DIGITS)
        band = nw.when(nw.col(f"{hazard}_p80") >= limit).then(nw.lit(rank[word])).otherwise(band)
    floors = [band.cast(nw.Int8), nw.col(f"{hazard}_floor")]
    if evidence:
        listed = nw.col(f"{hazard}_listed").fill_null(value=False)
        raised = min(int(judgements.value("method.listed_override")), len(BANDS) - 1)
        floors.append(nw.when(listed).then(nw.lit(raised)).otherwise(nw.lit(0)).cast(nw.Int8))
    frame = frame.with_columns(nw.max_horizontal(*floors).alias("held_band"))
    held = nw.col("held_band")
    frame = frame.with_columns(
        quantised(p * nw.col("given_presence"), MEASURE_DIGITS).alias(f"{hazard}_expected_affected"),
        quantised(_priority(judgements, hazard), MEASURE_DIGITS).alias(f"{hazard}_priority"),
        held.cast(nw.Int8).alias(f"{hazard}_band"),
        _known_share(judgements, hazard, evidence).alias("known_share"),
    )
    frame = frame.with_columns(_grade(judgements, nw.col("known_share")).alias(f"{hazard}_grade"))
    state = nw.when(nw.col(f"{hazard}_floor") > 0).then(_position(STATE_IMPOSED)).otherwise(_position(None))
    if evidence:
        state = nw.when(listed).then(_position(LISTED_ENTITY)).otherwise(state)
        state = nw.when(confirmed).then(_position(CONFIRMED_CASE)).otherwise(state)
    return frame.with_columns(state.cast(nw.Int8).alias(f"{hazard}_override"))


def _position(override: str | None) -> nw.Expr:
    return nw.lit(-1 if override is None else OVERRIDES.index(override), dtype=nw.Int8)


def _word(verdict: str, words: tuple[str, ...]) -> nw.Expr:
    """A verdict as a word, from its position; null where there is none."""
    found: nw.Expr = nw.lit(None, dtype=nw.String)
    for place, word in enumerate(words):
        found = nw.when(nw.col(verdict) >= place).then(nw.lit(word)).otherwise(found)
    return found


def _priority(judgements: Judgements, hazard: Hazard) -> nw.Expr:
    """100·S^a·ℓ^b: severity (a mean of scale, scope and irremediability) before likelihood."""
    power = judgements.value("severity.mean_exponent")
    full = math.log(10.0) * judgements.value("severity.scope.log10_people_at_full")
    scope = (1.0 + nw.col("given_presence")).log() * (1.0 / full)
    scope = nw.min_horizontal(scope, nw.lit(1.0))
    fixed = sum(judgements.value(f"severity.{side}.{hazard}") ** power for side in ("scale", "irremediability"))
    ln_severity = ((scope**power + fixed) * (1.0 / 3.0)).log() * (1.0 / power)
    likelihood = (nw.col(f"{hazard}_score") * 0.01).log()
    ln_priority: nw.Expr = (
        judgements.value("severity.priority.severity_exponent") * ln_severity
        + judgements.value("severity.priority.likelihood_exponent") * likelihood
    )
    return 100.0 * ln_priority.exp()


def _known_share(judgements: Judgements, hazard: Hazard, evidence: bool) -> nw.Expr:
    """The share of the weight of what could be known about the site that is known."""
    known = nw.col(f"{hazard}_known") + nw.col(f"{hazard}_pattern_known")
    known = known + nw.when(~nw.col("_workers").is_null()).then(nw.col("size_known")).otherwise(nw.lit(0.0))
    if judgements.has(f"factors.{lines.MIGRANTS}.coefficient.{hazard}"):
        given = nw.when(~nw.col("_migrant_share").is_null()).then(nw.col(f"{hazard}_migrants_known"))
        known = known + given.otherwise(nw.lit(0.0))
    if evidence:
        known = known + nw.col(f"{hazard}_checked").fill_null(0.0) * judgements.value(
            f"method.site_check_weight.{hazard}"
        )
    return quantised(known / nw.col(f"{hazard}_weight"), SHARE_DIGITS)


def _grade(judgements: Judgements, share: nw.Expr) -> nw.Expr:
    """A to E, as a position, from the share that is known."""
    grade = nw.lit(len(GRADES) - 1, dtype=nw.Int8)
    for place in range(len(GRADES) - 2, -1, -1):
        limit = on_grid(judgements.value(f"method.grade.{GRADES[place]}"), SHARE_DIGITS)
        grade = nw.when(share >= limit).then(nw.lit(place, dtype=nw.Int8)).otherwise(grade)
    return grade


def labels(codes: list[int], say: Callable[[str, float], str]) -> Mapping[int, str]:
    """Readable drivers for the codes that occur; ``say`` words a line and the logarithm of its ratio."""
    worded = {}
    for code in codes:
        found = lines.decoded(code)
        worded[code] = "" if found is None else say(*found)
    return worded
