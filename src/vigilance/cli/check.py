"""``vigilance check``: what is in a file, what would be set aside, and a corrected copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from vigilance.cli.options import FILE, on_option, pairs, print_json, shown, speech_options, today
from vigilance.cli.spoken import SpokenCommand
from vigilance.errors import UsageError
from vigilance.i18n import messages, use

if TYPE_CHECKING:
    import polars as pl

    from vigilance.ingest import Intake

_ = messages("ingest")

SET_ASIDE: Final = 4
WIDTH: Final = 80
PRINTED: Final = 30
_UNBROKEN: Final = "\u00a0\u202f"
"""Spaces at which no line breaks, as French puts them before a colon and between thousands."""
TABLES: Final = (
    "suppliers",
    "audits",
    "findings",
    "grievances",
    "events",
    "measures",
    "lists",
    "links",
    "audit_statistics",
    "holdings",
    "issuers",
    "rankings",
    "table",
)


@click.command(cls=SpokenCommand, context_settings={"max_content_width": 80})
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option(
    "--as",
    "table",
    type=click.Choice(TABLES),
    metavar="TABLE",
    default="suppliers",
    show_default=True,
    help="Kind of table.",
)
@click.option("--map", "mapped", multiple=True, metavar="COLUMN=HEADER", help="Which header holds a column.")
@click.option("--encoding", help="Encoding of the files, where it is not UTF-8 or UTF-16.")
@click.option("--delimiter", help="Character between cells, where a file leaves it open; 'tab' for a tab.")
@click.option("--sheet", help="Name of the sheet to read, where more than one fits.")
@click.option("--out", type=FILE, help="Write corrected.csv, issues and rejected rows into it.")
@click.option("--xlsx", is_flag=True, help="Also write corrected.xlsx into --out.")
@click.option("--duplicates", is_flag=True, help="Also propose near duplicates of sites.")
@click.option("--decisions", type=FILE, help="Decisions on duplicates that were saved before.")
@click.option("--data", "data_path", type=FILE, help="Folder of facts; the shipped ones by default.")
@on_option
@speech_options
def command(**given: Any) -> None:
    """Say what is in a file and what would be set aside; write a corrected copy.

    Exit code 0: every row can be used; 4: some rows would be set aside; 3: the file as a whole cannot be read.

    \b
    Examples:
      vigilance check suppliers.xlsx
      vigilance check list.csv --map supplier_id=Vendor --out checked
      vigilance check audits.csv --as audits --json
      vigilance check anything.csv --as table --out checked
    """
    with use(given["lang"]):
        intake = _read(given)
        proposals = _proposals(given, intake)
        if given["out"] is not None:
            _write(given, intake, proposals)
        if given["as_json"]:
            print_json(_as_json(intake, proposals))
        elif not given["quiet"]:
            _tell(intake, proposals)
            if given["out"] is not None:
                click.echo("")
                click.echo(_("Written: {path}").format(path=shown(given["out"])))
        click.get_current_context().exit(SET_ASIDE if intake.counts["set_aside"] else 0)


def _read(given: dict[str, Any]) -> Intake:
    reading = {"encoding": given["encoding"], "delimiter": _delimiter(given["delimiter"]), "sheet": given["sheet"]}
    if given["table"] == "table":
        from vigilance.ingest import anytable  # noqa: PLC0415 - lazily, so that --help stays quick

        if given["mapped"] or given["duplicates"]:
            raise UsageError(_("--map and --duplicates need a kind of table whose columns are known"))
        return anytable.read(given["files"], **reading)
    from vigilance import ingest, reference  # noqa: PLC0415 - lazily, so that --help stays quick

    on = given["on"] or today()
    return ingest.read(
        given["files"],
        given["table"],
        on=on,
        reference=reference.load(given["data_path"]).in_force(on),
        mapping=pairs(given["mapped"], "--map"),
        **reading,
    )


def _delimiter(text: str | None) -> str | None:
    return "\t" if text in ("tab", "\\t") else text


def _proposals(given: dict[str, Any], intake: Intake) -> pl.DataFrame | None:
    if not given["duplicates"] or given["table"] != "suppliers":
        return None
    from vigilance.ingest import duplicates  # noqa: PLC0415 - only when asked for

    decided = duplicates.load(given["decisions"]) if given["decisions"] else None
    return duplicates.propose(intake.rows, decisions=decided)


def _write(given: dict[str, Any], intake: Intake, proposals: pl.DataFrame | None) -> None:
    from vigilance import atomic, tabular  # noqa: PLC0415
    from vigilance.ingest import corrected, outputs  # noqa: PLC0415

    with atomic.folder(given["out"]) as folder:
        corrected.write_csv(intake, folder / "corrected.csv")
        if given["xlsx"] and not corrected.write_xlsx(intake, folder / "corrected.xlsx"):
            click.echo(_("corrected.xlsx is not written: a worksheet cannot hold so many rows"), err=True)
        outputs.write_findings(intake, folder)
        if proposals is not None:
            tabular.write_csv(proposals, folder / "duplicates.csv")


def grouped(issues: pl.DataFrame) -> pl.DataFrame:
    """The same problem over many rows as one: first row and value, and how many."""
    import polars as pl  # noqa: PLC0415

    order = {"error": 0, "warning": 1, "info": 2}
    return (
        issues.group_by("severity", "code", "file", "sheet", "column", "message", maintain_order=True)
        .agg(
            pl.len().alias("rows"),
            pl.col("row").first(),
            pl.col("value").filter(pl.col("value") != "").unique(maintain_order=True).head(3).alias("values"),
            pl.col("hint").first(),
        )
        .sort(pl.col("severity").replace_strict(order), -pl.col("rows").cast(pl.Int64), maintain_order=True)
    )


def _as_json(intake: Intake, proposals: pl.DataFrame | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "table": intake.table,
        "counts": intake.counts,
        "files": intake.files,
        "columns": dict(intake.columns),
        "header": intake.corrected.collect_schema().names(),
        "unknown_columns": list(intake.unknown),
        "problems": grouped(intake.issues).to_dicts(),
    }
    if proposals is not None:
        found["duplicates"] = proposals.to_dicts()
    return found


def _tell(intake: Intake, proposals: pl.DataFrame | None) -> None:
    from vigilance.ingest.phrasing import several  # noqa: PLC0415 - lazily, so that --help stays quick

    for source in intake.sources:
        name = source.file + (f" [{source.sheet}]" if source.sheet else "")
        said = _("{name}: {rows}, {loaded} can be used, {set_aside} would be set aside, {blank} blank")
        _line(
            said.format(
                name=name,
                rows=several(source.rows_in, _("{count} row"), _("{count} rows")),
                loaded=source.loaded,
                set_aside=source.set_aside,
                blank=source.blank,
            )
        )
        shown_as = {"format": _("format"), "encoding": _("encoding"), "delimiter": _("delimiter")}
        _line("  " + ", ".join(f"{shown_as[k]} {v}" for k, v in source.dialect.items() if v and k in shown_as), "  ")
    click.echo("")
    click.echo(_("Columns read"))
    for column, header in intake.columns.items():
        _line(f"  {column:<18} {header}", " " * 21)
    if not intake.columns:
        _line("  " + ", ".join(intake.corrected.collect_schema().names()))
    _problems(intake.issues)
    if proposals is not None:
        _duplicates(proposals)


def _problems(issues: pl.DataFrame) -> None:
    from vigilance.ingest.phrasing import several  # noqa: PLC0415 - lazily, so that --help stays quick

    click.echo("")
    if not issues.height:
        click.echo(_("Nothing to remark."))
        return
    said = {"error": _("error"), "warning": _("warning"), "info": _("note")}
    problems = grouped(issues)
    click.echo(_("Remarks ({count} in all)").format(count=issues.height))
    for problem in problems.head(PRINTED).iter_rows(named=True):
        place = problem["column"] or problem["file"]
        if problem["row"] is not None:
            place += ", " + _("row {row}").format(row=problem["row"])
        if problem["rows"] > 1:
            place += " " + several(problem["rows"] - 1, _("and 1 more"), _("and {count} more"))
        text = _("{severity}: {place}: {message}").format(
            severity=said[problem["severity"]], place=place, message=problem["message"]
        )
        if problem["values"]:
            values = ", ".join(_("“{value}”").format(value=value) for value in problem["values"])
            text = _("{message}: {values}").format(message=text, values=values)
        _line(f"  {text}", "    ")
        if problem["hint"]:
            _line(f"    → {problem['hint']}", "      ")
    if problems.height > PRINTED:
        more = several(problems.height - PRINTED, _("... and one more kind"), _("... and {count} more kinds"))
        click.echo(f"  {more}")


def _duplicates(proposals: pl.DataFrame) -> None:
    from vigilance.ingest.phrasing import decimal, several  # noqa: PLC0415 - lazily, so that --help stays quick

    click.echo("")
    pairs_found = several(
        proposals.height,
        _("Possible duplicates: {count} pair; nothing was merged"),
        _("Possible duplicates: {count} pairs; nothing was merged"),
    )
    click.echo(pairs_found)
    for pair in proposals.head(PRINTED).iter_rows(named=True):
        _line(f"  {pair['supplier_id_1']} {pair['name_1']} / {pair['supplier_id_2']} {pair['name_2']}", "    ")
        _line(f"    {pair['reason']} ({decimal(pair['likeness'], 2)})", "      ")


def _line(text: str, indent: str = "  ") -> None:
    plain = "".join(char if char.isprintable() or char in _UNBROKEN else "·" for char in text)
    lead = plain[: len(plain) - len(plain.lstrip())]
    click.echo(click.wrap_text(plain.strip(), WIDTH, initial_indent=lead, subsequent_indent=indent))
