"""The validation report: a document of sections, tables and drawings (``publish`` writes it to a folder)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from vigilance.calibrate import backtest as back
from vigilance.calibrate import figures, report_rankings, report_stress, trial, words
from vigilance.calibrate import predictors as of
from vigilance.calibrate.job import Calibration, Found
from vigilance.calibrate.windows import GOODS
from vigilance.calibrate.written import count, number, plain, table
from vigilance.i18n import messages
from vigilance.report import wording
from vigilance.report.document import Block, Bullets, Chart, Document, Section, Text

_ = messages("calibrate")

TRIAL: Final = "trial.diff"


def document(found: Found) -> Document:
    """The report of what was found."""
    made: list[Section] = []
    if found.backtest is not None:
        made.append(_backtest(found.backtest))
    if found.coverage is not None:
        made.append(report_stress.coverage(found.coverage))
    if found.audits is not None:
        made.append(report_stress.audits(found.audits))
    if found.rankings is not None:
        made.append(report_rankings.section(found.rankings))
    if found.robustness is not None:
        made.append(report_stress.robustness(found.robustness, found.attribution))
    made += [_calibration(one) for one in found.calibration]
    if found.proposal is not None:
        made.append(_proposal(found))
    made.append(Section(_("What is weak"), [Bullets(wording.weaknesses())]))
    facts = [(_("As of"), found.asked.on.isoformat())]
    facts += [(_("Rules"), found.digests["rules"][:12]), (_("Facts"), found.digests["facts"][:12])]
    if found.asked.run is not None:
        facts.append((_("Run"), found.asked.run.path.name))
    return Document(_("Validation"), _("of the method, on {date}").format(date=found.asked.on.isoformat()), facts, made)


def _range(row: dict[str, Any], name: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if row[name] is None or low is None:
        return number(row[name])
    return f"{number(row[name])} ({number(low)}-{number(high)})"


def _pooled(found: back.Backtest) -> pl.DataFrame:
    return found.results.filter(
        pl.col("hazard") == back.BOTH, pl.col("window") == back.POOLED, pl.col("scope") == GOODS
    ).sort("auc", descending=True, nulls_last=True)


def _backtest(found: back.Backtest) -> Section:
    told = back.headline(found)
    short = {name: by for name, by in told["short_by"].items() if by > 0}
    said = _(
        "{additions} cells (country × activity that makes goods) were added to the US list between its editions. From "
        "what was known before, the neighbours of a cell on the list tell additions from the rest with an area under "
        "the curve of {neighbours}; the last list alone {last_list}; the rate of the cell as scores use it {cell}. The "
        "bar is {bar}."
    ).format(
        additions=count(told["additions"]), bar=plain(told["bar"]), **{k: number(v) for k, v in told["auc"].items()}
    )
    made: list[Block] = [Text(said, "lead")]
    if short:
        names = "; ".join(f"{words.predictors()[name]}: {number(by)}" for name, by in short.items())
        made.append(Text(_("Short of the bar by: {names}.").format(names=names), "gap"))
        made.append(Bullets(_why_short()))
    drawn = figures.discrimination(found)
    made.append(
        Chart("discrimination", _("Area under the curve, 90 % intervals by country; dashed: the bar."), said, drawn)
    )
    return Section(
        _("Back-test in time"), [*made, *_backtest_tables(found)], _("Does what was known foresee what came?")
    )


def _why_short() -> list[str]:
    return [
        _(
            "Inside a country the rate of a cell differs by its broad sector, its tier, the usual workforce of the "
            "activity and what is listed around it; the factors of a site are unknown in a cell."
        ),
        _(
            "The base rates put forced labour above the mean in all of industry and below it in agriculture; the list "
            "grows where goods are grown, dug and caught. Without that line the rate does better (see the table)."
        ),
        _(
            "Silence of the list about a country counts for little, so that nobody is called safe where nobody looked: "
            "that costs some foresight of the list."
        ),
        _(
            "Before 2024 the country index stands on tiers, ILAB findings and surveys: most series are kept with their "
            "latest year only. Facts of today add some; they are not the main reason. The index is centred on the "
            "region, so that regions are told apart by base rates alone."
        ),
        _("The list itself follows attention: it is a test of foresight of a list, not of the truth."),
    ]


def _backtest_tables(found: back.Backtest) -> Iterator[Block]:
    rows = [
        [
            words.predictors()[row["predictor"]],
            words.kind(row["predictor"]),
            _range(row, "auc"),
            _range(row, "average_precision"),
            *(_range(row, f"lift_{share}") for share in (1, 5, 10)),
        ]
        for row in _pooled(found).iter_rows(named=True)
    ]
    titles = [_("predictor"), _("kind"), _("AUC"), _("average precision"), _("lift at 1 %"), _("at 5 %"), _("at 10 %")]
    note = _("Pooled over windows and hazards, weighed by additions. 90 % intervals resample whole countries.")
    yield table(_("All predictors"), titles, rows, note)
    kept = (of.CELL, of.CELL_WITHOUT_BASE, of.NEIGHBOURS, of.LAST_LIST, of.GOVERNANCE_TODAY, of.INCOME_TODAY)
    each = found.results.filter(
        pl.col("scope") == GOODS, pl.col("predictor").is_in(kept), pl.col("hazard") != back.BOTH
    )
    wide = each.pivot("predictor", index=["hazard", "window", "at_risk", "additions"], values="auc")
    rows = [
        [
            words.hazards()[row["hazard"]],
            row["window"],
            row["at_risk"],
            row["additions"],
            *(number(row[k]) for k in kept),
        ]
        for row in wide.iter_rows(named=True)
    ]
    titles = [
        _("hazard"),
        _("window"),
        _("cells at risk"),
        _("additions"),
        *(words.predictors()[name] for name in kept),
    ]
    yield table(_("AUC by window"), titles, rows)
    rows = [
        [
            words.regions()[row["group"]],
            row["countries"],
            row["additions"],
            *(number(row[f"auc_{name}"]) for name in (of.CELL, of.NEIGHBOURS, of.LAST_LIST)),
        ]
        for row in found.groups.iter_rows(named=True)
    ]
    titles = [
        _("group"),
        _("countries"),
        _("additions"),
        *(words.predictors()[n] for n in (of.CELL, of.NEIGHBOURS, of.LAST_LIST)),
    ]
    note = _(
        "Blank below three additions. Income groups are not among the facts; thirds of output per worker stand in."
    )
    yield table(_("By region and income"), titles, rows, note)
    rows = [
        [words.predictors()[row["predictor"]], words.predictors()[row["baseline"]], _difference(row)]
        for row in found.against.iter_rows(named=True)
    ]
    yield table(_("AUC less that of each baseline"), [_("predictor"), _("baseline"), _("difference (90 %)")], rows)
    rows = [
        [
            words.hazards()[row["hazard"]],
            row["line"],
            number(row["auc_alone"]),
            number(row["auc_without"]),
        ]
        for row in found.lines.iter_rows(named=True)
    ]
    titles = [_("hazard"), _("line of the rate"), _("AUC alone"), _("AUC of the rate without it")]
    yield table(_("What each line of the rate does"), titles, rows)
    yield _trial(found)
    if found.newest["countries"]:
        yield Text(
            _(
                "Of the edition after {date} only new countries are known: {names}, among {unlisted} never listed. "
                "Area under the curve of a country's largest cell: neighbours {neighbours}, rate of the cell {cell}. "
                "With so few, and rich countries among them, this says little; it is no success."
            ).format(
                date=found.newest["cut_off"],
                names=", ".join(found.newest["countries"]),
                unlisted=count(found.newest["unlisted"]),
                neighbours=number(found.newest["auc"][of.NEIGHBOURS]),
                cell=number(found.newest["auc"][of.CELL]),
            ),
            "note",
        )


def _trial(found: back.Backtest) -> Text:
    auc = dict(_pooled(found).select("predictor", "auc").iter_rows())
    gains = {
        row["predictor"]: _difference(row)
        for row in found.against.iter_rows(named=True)
        if "nearby" in row["predictor"]
    }
    return Text(
        _(
            "A rule on trial, not applied: the same activity listed elsewhere in the region multiplies the rate by "
            "{ratio}. AUC of the rate of the cell {before} → {after}, difference {gain}; with facts of today "
            "{before_today} → {after_today}, difference {gain_today}. The file it would add is in {file}; the engine "
            "would need a few lines to read it."
        ).format(
            ratio=plain(trial.RATIO),
            before=number(auc[of.CELL]),
            after=number(auc[of.ON_TRIAL]),
            gain=gains[of.ON_TRIAL],
            before_today=number(auc[of.CELL_TODAY]),
            after_today=number(auc[of.ON_TRIAL_TODAY]),
            gain_today=gains[of.ON_TRIAL_TODAY],
            file=TRIAL,
        )
    )


def _difference(row: dict[str, Any]) -> str:
    return f"{number(row['difference'])} ({number(row['low'])} – {number(row['high'])})"


def _calibration(one: Calibration) -> Section:
    name = words.hazards()[str(one.hazard)]
    scores = one.scores
    said = _(
        "{audited} audited sites, {positive} with a finding. On held-out sites the mean log score of a record goes "
        "from {before} to {after}."
    ).format(
        audited=count(scores.audited),
        positive=count(scores.positive),
        before=wording.number(scores.before["record_log_score"], 5),
        after=wording.number(scores.after["record_log_score"], 5),
    )
    measures = {
        "record_log_score": _("mean log score of a record (higher is better)"),
        "log_loss": _("log loss of a finding (lower is better)"),
        "brier": _("Brier score of a finding (lower is better)"),
        "mean_predicted": _("predicted share of sites with a finding"),
        "observed": _("observed share"),
    }
    rows = [
        [label, wording.number(scores.before[key], 5), wording.number(scores.after[key], 5)]
        for key, label in measures.items()
    ]
    moved = [
        [
            row["path"],
            f"{number(row['before'])} ({number(row['before_low'])}-{number(row['before_high'])})",
            f"{number(row['after'])} ({number(row['after_low'])}-{number(row['after_high'])})",
            f"{number(row['after_low_sensitivity'])} / {number(row['after_high_sensitivity'])}",
            _("proposed") if row["proposed"] else _("learned") if row["learned"] else "",
        ]
        for row in one.table.iter_rows(named=True)
    ]
    titles = [_("judgement"), _("before"), _("after"), _("under low / high sensitivity"), ""]
    chart = Chart(
        f"reliability-{one.hazard}",
        _("Reliability on held-out sites; dashed: perfect."),
        said,
        figures.reliability(scores),
    )
    made: list[Block] = [
        Text(said, "lead"),
        chart,
        table(_("Held-out scores"), [_("measure"), _("before"), _("after")], rows),
        table(_("Ratios"), titles, moved),
    ]
    return Section(_("Calibration: {hazard}").format(hazard=name), made)


def _proposal(found: Found) -> Section:
    if found.proposal is None or not found.proposal.values:
        return Section(_("Proposal"), [Text(_("No change of a rule is proposed: the audits do not support one."))])
    rows = [[path, plain(value)] for path, value in found.proposal.values.items()]
    moves = _(
        "If accepted, ranks would correlate at {correlation} with those of today; the largest move is {move} places."
    ).format(
        correlation=number(found.moves["rank_correlation"]),
        move=wording.number(found.moves["largest_rank_move"]),
    )
    said = _(
        "Nothing was applied. A person may accept the change with `patch -p1 < proposal.diff` in the project's folder."
    )
    return Section(
        _("Proposal"),
        [Text(said, "lead"), table(_("Proposed values"), [_("judgement"), _("value")], rows), Text(moves)],
    )
