"""The company view of FIR and RHSF: four axes from a questionnaire, and what they are worth against the risk.

A policy without proof earns nothing, a company that was not asked is *not assessed* (not bad, not good), and nothing
counts against the risk until measures are deployed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

import polars as pl

from vigilance import issues
from vigilance.i18n import language, messages

_ = messages("portfolio")

AXES: Final = ("knowledge", "commitment", "targeting", "measures")
PROOFS: Final = ("declared", "documented", "confirmed")
ANSWERS: Final = ("yes", "partly", "no")
NOT_ASSESSED: Final = "not_assessed"

_YES: Final = {"yes": "yes", "oui": "yes", "true": "yes", "1": "yes", "y": "yes", "o": "yes"}
_NO: Final = {"no": "no", "non": "no", "false": "no", "0": "no", "n": "no"}
_PARTLY: Final = {
    "partly": "partly",
    "partial": "partly",
    "partially": "partly",
    "en partie": "partly",
    "partiel": "partly",
    "0.5": "partly",
}
_SPELT: Final = {**_YES, **_NO, **_PARTLY}
_PROOF: Final = {
    "declared": "declared",
    "declare": "declared",
    "documented": "documented",
    "documente": "documented",
    "confirmed": "confirmed",
    "confirme": "confirmed",
    "verified": "confirmed",
    "verifie": "confirmed",
}


class Judgements(Protocol):
    """Numbers and words in force on a date."""

    def value(self, path: str) -> float:
        """One number."""
        ...

    def words(self, path: str) -> Any:
        """One block of words."""
        ...


@dataclass(frozen=True)
class Question:
    """One question of the catalogue."""

    id: str
    axis: str
    text: str


def catalogue(judgements: Judgements) -> list[Question]:
    """The questions of ``rules/portfolio.yaml`` in the language in use."""
    words = judgements.words("portfolio.choices.questions")
    return [Question(name, said["axis"], said[language()]) for name, said in words.items()]


def assess(answers: pl.DataFrame, judgements: Judgements) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Axes per issuer from answers, and issues.

    ``answers``: ``issuer, question, answer, proof`` (text; null when the row came without) and ``_file, _sheet, _row``.
    Returns one row per issuer: ``axis_<a>`` (0 to 1, null not assessed), ``axis_<a>_state``, ``effort`` (0 to 1, the
    weighted geometric mean that reduces the rate; null when nothing was assessed) and ``questions_answered``.
    """
    known = pl.DataFrame(
        [(q.id, q.axis) for q in catalogue(judgements)], schema={"question": pl.String, "axis": pl.String}, orient="row"
    )
    tidy = answers.with_columns(
        question=pl.col("question").str.strip_chars().str.to_lowercase(),
        _answer=_word("answer").replace_strict(_SPELT, default=None, return_dtype=pl.String),
        _proof=_word("proof").replace_strict(_PROOF, default=None, return_dtype=pl.String),
    )
    problems = [
        _odd(
            tidy.join(known, on="question", how="anti"),
            "question",
            "question_unknown",
            _("No question of the catalogue has this id; the row is left out."),
        ),
        _odd(
            tidy.filter(
                pl.col("_answer").is_null() & pl.col("answer").is_not_null() & (_word("answer") != "not assessed")
            ),
            "answer",
            "answer_unclear",
            _("Not yes, partly, no or not assessed; the question counts as not assessed."),
        ),
    ]
    valued = (
        tidy.join(known, on="question").filter(pl.col("_answer").is_not_null()).with_columns(_worth=_worth(judgements))
    )
    # The same question answered twice: the lower value holds, so that a second form cannot buy credit.
    once = valued.group_by("issuer", "question", "axis").agg(pl.col("_worth").min())
    axes = once.group_by("issuer", "axis").agg(value=pl.col("_worth").mean(), n=pl.len())
    wide = _wide(axes)
    return _effort(wide, judgements), issues.ordered(problems)


def _word(column: str) -> pl.Expr:
    plain = (
        pl.col(column).str.strip_chars().str.to_lowercase().str.normalize("NFKD").str.replace_all(r"[^a-z0-9. _]", "")
    )
    return plain.str.replace_all("_", " ")


def _worth(judgements: Judgements) -> pl.Expr:
    """Answer times proof; a commitment that is only declared, and any answer without proof, earns its own value."""
    answer = pl.col("_answer").replace_strict(
        {a: judgements.value(f"portfolio.company.answer.{a}") for a in ANSWERS}, default=0.0, return_dtype=pl.Float64
    )
    proof = pl.col("_proof").replace_strict(
        {p: judgements.value(f"measures.proof.{p}") for p in PROOFS},
        default=judgements.value("portfolio.company.unproven"),
        return_dtype=pl.Float64,
    )
    only_words = (pl.col("axis") == "commitment") & (pl.col("_proof") == "declared")
    return answer * pl.when(only_words).then(judgements.value("portfolio.company.commitment_declared")).otherwise(proof)


def _wide(axes: pl.DataFrame) -> pl.DataFrame:
    value = [pl.col("value").filter(pl.col("axis") == a).first().alias(f"axis_{a}") for a in AXES]
    return axes.group_by("issuer").agg(*value, questions_answered=pl.col("n").sum().cast(pl.Int64)).sort("issuer")


def _effort(wide: pl.DataFrame, judgements: Judgements) -> pl.DataFrame:
    """Weighted geometric mean with a floor; nothing at all until measures are deployed."""
    floor = judgements.value("measures.floor")
    weight = {a: judgements.value(f"portfolio.company.axis.{a}") for a in AXES}
    logs = [pl.max_horizontal(pl.col(f"axis_{a}").fill_null(0.0), pl.lit(floor)).log() * w for a, w in weight.items()]
    mean = (pl.sum_horizontal(logs) / sum(weight.values())).exp()
    deployed = pl.col("axis_measures").fill_null(0.0) > 0
    return wide.with_columns(
        *(state(f"axis_{a}", judgements).alias(f"axis_{a}_state") for a in AXES),
        effort=pl.when(deployed).then(mean).otherwise(0.0),
    )


def state(column: str, judgements: Judgements) -> pl.Expr:
    """An axis in words, for people; ``not_assessed`` is a state of its own."""
    words = pl.lit("weak")
    for name in ("partial", "strong"):
        limit = judgements.value(f"portfolio.company.state.{name}")
        words = pl.when(pl.col(column) >= limit).then(pl.lit(name)).otherwise(words)
    nothing = pl.when(pl.col(column) <= 0).then(pl.lit("none")).otherwise(words)
    return pl.when(pl.col(column).is_null()).then(pl.lit(NOT_ASSESSED)).otherwise(nothing)


def _odd(rows: pl.DataFrame, column: str, code: str, message: str) -> pl.DataFrame:
    return rows.select(
        code=pl.lit(code),
        severity=pl.lit("warning"),
        file="_file",
        sheet="_sheet",
        row="_row",
        column=pl.lit(column),
        value=pl.col(column).fill_null("").str.replace_all(r"[\x00-\x1f\x7f]", " ").str.slice(0, issues.VALUE_LIMIT),
        message=pl.lit(message),
        hint=pl.lit(_("The questions are listed in docs/portfolio.md.")),
    )
