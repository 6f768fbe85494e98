"""``vigilance rules``: list, show and check the judgements."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from vigilance import rule_docs, rules
from vigilance.cli.figures import plain
from vigilance.cli.options import FILE, listing_options, on_option, today
from vigilance.cli.spoken import SpokenGroup, group_language
from vigilance.errors import RuleError, UsageError
from vigilance.i18n import language, messages, use
from vigilance.rules import Estimate, Judgements, Rulebook, RuleFile

_ = messages("rules")

WIDTH = 80
KEY_WIDTH = 44


@click.group(cls=SpokenGroup)
@group_language
def command() -> None:
    """List, show and check the judgements: every number of the method.

    \b
    Example:
      vigilance rules list factors
      vigilance rules show method.size_exponent
      vigilance rules check my-rules/
    """


@command.command("list")
@click.argument("prefix", default="")
@on_option
@listing_options
def list_(prefix: str, on: date | None, as_json: bool, lang: str, quiet: bool) -> None:
    """List the numbers in force, or those below PREFIX, with their ranges.

    \b
    Example:
      vigilance rules list
      vigilance rules list factors.seasonal --on 2026-11-01 --json
    """
    with use(lang):
        judgements = rules.load().in_force(on or today())
        found = _below(judgements, prefix)
        if as_json:
            click.echo(_json([_record(judgements, estimate) for estimate in found]))
            return
        for stem, group in groupby(found, key=lambda estimate: _stem(judgements.book, estimate.path)):
            click.echo(_wrapped(f"{stem}  {judgements.rule(stem).title[lang]}", 0))
            for estimate in group:
                click.echo(_line(estimate, stem))
        if not quiet:
            click.echo(
                _("{n} numbers in force on {on}; tables: {tables}").format(
                    n=len(found), on=judgements.on.isoformat(), tables=", ".join(judgements.book.tables)
                ),
                err=True,
            )


def _below(judgements: Judgements, prefix: str) -> list[Estimate]:
    book = judgements.book
    paths = [p for p in book.paths if not prefix or p == prefix or p.startswith(f"{prefix}.")]
    if not paths:
        raise UsageError(_("no judgement is called {path}").format(path=prefix), hint=book.near(prefix))
    return [judgements.get(path) for path in paths if judgements.has(path)]


def _stem(book: Rulebook, path: str) -> str:
    parts = path.split(".")
    return next(s for i in range(len(parts), 0, -1) if (s := ".".join(parts[:i])) in book.files)


def _line(estimate: Estimate, stem: str) -> str:
    key = estimate.path[len(stem) + 1 :]
    if len(key) > KEY_WIDTH:
        key = f"…{key[-KEY_WIDTH + 1 :]}"
    return f"  {key:<{KEY_WIDTH}} {plain(estimate.value):>9}  {_range(estimate)}".rstrip()


def _range(estimate: Estimate) -> str:
    return _("exact") if estimate.exact else f"{plain(estimate.low)} – {plain(estimate.high)}"


def _record(judgements: Judgements, estimate: Estimate) -> dict[str, Any]:
    return {
        "path": estimate.path,
        "title": judgements.title(estimate.path),
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "since": estimate.since.isoformat(),
        "sources": list(estimate.sources),
        "note": estimate.note,
    }


@command.command("show")
@click.argument("name", metavar="ID")
@on_option
@listing_options
def show(name: str, on: date | None, as_json: bool, lang: str, quiet: bool) -> None:
    """Show one number, rule file, table or source: its values over time and what they rest on.

    \b
    Example:
      vigilance rules show recruitment_fees
      vigilance rules show method.tier.child_labour.3 --lang fr
      vigilance rules show ilo-global-estimates-2022
    """
    del quiet
    with use(lang):
        book = rules.load()
        judgements = book.in_force(on or today())
        described = _described(judgements, name)
        click.echo(_json(described) if as_json else "\n".join(_as_text(described)))


def _described(judgements: Judgements, name: str) -> dict[str, Any]:
    book = judgements.book
    stems = [stem for stem in book.files if stem == name or stem.endswith(f".{name}")]
    if len(stems) == 1:
        return _file(judgements, book.files[stems[0]])
    if name in book.tables:
        return _table(judgements, name)
    if name in book.sources:
        source = book.sources[name]
        return {"id": name, "title": source.title[language()], "source": source.text(), "note": source.note}
    below = _below(judgements, name)
    return {
        "id": name,
        "title": judgements.title(below[0].path) if below else "",
        "values": [_history(judgements, estimate.path) for estimate in below],
    }


def _file(judgements: Judgements, rule: RuleFile) -> dict[str, Any]:
    paths = [p for p in judgements.book.paths if p.startswith(f"{rule.id}.")]
    blocks = judgements.book.compiled["words"]
    return {
        "id": rule.id,
        "title": rule.title[language()],
        "note": rule.notes[language()] if rule.notes else "",
        "reviewed": rule.reviewed.isoformat(),
        "reads": list(rule.reads),
        "signs": list(rule.signs),
        "indicators": list(rule.indicators),
        "values": [_history(judgements, path) for path in paths],
        "examples": list(rule.examples),
        "words": {path: block for path, block in blocks.items() if path.startswith(f"{rule.id}.")},
    }


def _history(judgements: Judgements, path: str) -> dict[str, Any]:
    history = judgements.book.history(path)
    in_force = history.at(judgements.on)
    return {
        "path": path,
        "title": judgements.title(path),
        "in_force": in_force.since.isoformat() if in_force else None,
        "entries": [_record(judgements, entry.value) for entry in history],
        "references": {name: judgements.source(name).text() for entry in history for name in entry.value.sources},
    }


def _table(judgements: Judgements, name: str) -> dict[str, Any]:
    card = judgements.book.compiled["tables"][name]
    return {
        "id": name,
        "title": card["title"][language()],
        "note": card["notes"][language()],
        "reviewed": card["reviewed"],
        "rows": judgements.table(name).height,
        "columns": {column: about["title"][language()] for column, about in card["columns"].items()},
        "references": {source: judgements.source(source).text() for source in card["sources"]},
    }


def _as_text(described: dict[str, Any]) -> Iterator[str]:
    yield f"{described['id']}  {described['title']}"
    if described.get("note"):
        yield textwrap.fill(described["note"], WIDTH)
    labels = {
        "source": _("Source"),
        "reviewed": _("Reviewed"),
        "reads": _("Reads"),
        "signs": _("Signs (RHSF)"),
        "indicators": _("Indicators (ILO)"),
        "rows": _("Rows"),
    }
    for key, label in labels.items():
        if described.get(key):
            value = described[key]
            said = ", ".join(value) if isinstance(value, list) else str(value)
            yield _wrapped(_("{label}: {said}").format(label=label, said=said), 0)
    for column, title in described.get("columns", {}).items():
        yield _wrapped(f"{column}: {title}", 2)
    for value in described.get("values", ()):
        yield from _value_lines(value)
    for path, block in described.get("words", {}).items():
        yield path
        yield from (
            _wrapped(line.strip(), 2 + len(line) - len(line.lstrip())) for line in rule_docs.word_lines(block, 0)
        )
    for example in described.get("examples", ()):
        given, expect = _plain(example["given"]), _plain(example["expect"])
        yield _wrapped(_("Example: {given} gives {expect}").format(given=given, expect=expect), 0)
    yield from _reference_lines(described)


def _reference_lines(described: dict[str, Any]) -> Iterator[str]:
    references = dict(described.get("references", {}))
    for value in described.get("values", ()):
        references.update(value["references"])
    if references:
        yield _("Sources:")
    for name, text in references.items():
        yield _wrapped(f"{name}: {text}", 2)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items())
    words = {True: _("yes"), False: _("no"), None: _("blank"), "unknown": _("unknown: an average stands in")}
    if isinstance(value, float):
        return plain(value)
    return words[value] if isinstance(value, bool) or value in (None, "unknown") else str(value)


def _value_lines(value: dict[str, Any]) -> Iterator[str]:
    yield f"{value['path']}"
    for entry in value["entries"]:
        mark = "*" if entry["since"] == value["in_force"] else " "
        low, high = entry["low"], entry["high"]
        bounds = _("exact") if low == high else f"{plain(low)} – {plain(high)}"
        sources = ", ".join(entry["sources"])
        yield _wrapped(f"{mark} {entry['since']}  {plain(entry['value'])}  ({bounds})  [{sources}]", 2)
        if entry["note"]:
            yield _wrapped(entry["note"], 6)


def _wrapped(text: str, indent: int) -> str:
    pad = " " * indent
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=pad,
        subsequent_indent=pad + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


@command.command("document")
@on_option
@listing_options
def document(on: date | None, as_json: bool, lang: str, quiet: bool) -> None:
    """Print all judgements, tables and sources as one Markdown page.

    \b
    Example:
      vigilance rules document > docs/rules.md
    """
    del quiet
    with use(lang):
        text = rule_docs.document(rules.load().in_force(on or today()))
        click.echo(_json({"markdown": text}) if as_json else text, nl=as_json)


@command.command("check")
@click.argument("path", type=FILE, required=False)
@listing_options
def check(path: Path | None, as_json: bool, lang: str, quiet: bool) -> None:
    """Check a rules folder, one rule file, or the shipped rules; run their examples.

    Exits with 2 and every problem (file, line, column, key, fix) when something is wrong.

    \b
    Example:
      vigilance rules check
      vigilance rules check my-rules/
      vigilance rules check rules/factors/seasonal.yaml
    """
    with use(lang):
        counts = _counts(rules.load(path)) if path is None or path.is_dir() else _check_file(path)
        if as_json:
            click.echo(_json(counts))
        elif not quiet:
            done = _("{files} files, {numbers} numbers, {tables} tables, {examples} examples: nothing wrong")
            click.echo(done.format(**counts))


def _check_file(path: Path) -> dict[str, int]:
    from vigilance.rule_compile import check_file, folder_sources  # noqa: PLC0415 - YAML only where needed

    if not path.is_file():
        raise UsageError(_("there is no rule file or folder at {path}").format(path=path))
    folder = next((p for p in path.resolve().parents if (p / "sources.yaml").is_file()), rules.shipped_rules())
    return _counts(Rulebook(path.parent, check_file(path, folder_sources(folder)), ""))


def _counts(book: Rulebook) -> dict[str, int]:
    from vigilance.rule_examples import failures  # noqa: PLC0415

    judgements = book.in_force(date.max)
    factors = [rule for rule in book.files.values() if rule.form]
    failed = [str(failure) for rule in factors for failure in failures(judgements, rule)]
    if failed:
        raise RuleError("\n  ".join([_("{n} example(s) do not come out:").format(n=len(failed)), *failed]))
    return {
        "files": len(book.files),
        "numbers": len(book.paths),
        "tables": len(book.tables),
        "sources": len(book.sources),
        "examples": sum(len(rule.examples) for rule in factors),
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
