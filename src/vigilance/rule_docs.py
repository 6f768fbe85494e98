"""The reference page of the judgements (docs/rules.md), written from the rule files themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vigilance.i18n import LANGUAGES, language, messages
from vigilance.rules import Estimate, Judgements, RuleFile

_ = messages("rules")


def document(judgements: Judgements) -> str:
    """Every rule file, number, table and source as one Markdown page, in the language in use."""
    return "\n".join(_lines(judgements)) + "\n"


def _lines(judgements: Judgements) -> Iterator[str]:
    book = judgements.book
    yield "# " + _("The judgements")
    yield ""
    yield _(
        "Written by `vigilance rules document`; change the files under `rules/`, not this page. How a rule "
        "file is made is in [writing-rules.md](writing-rules.md). Low and high are 5 % and 95 % bounds of "
        "belief; a number without them is a convention."
    )
    for rule in book.files.values():
        yield from _file_lines(judgements, rule)
    for name in book.tables:
        yield from _table_lines(book.compiled["tables"][name], name)
    yield from ("", "## " + _("Sources"), "")
    for name, source in book.sources.items():
        note = f" {source.note}" if source.note else ""
        yield f"- **{name}** ({source.kind}): {source.text()}.{note}"


def _file_lines(judgements: Judgements, rule: RuleFile) -> Iterator[str]:
    lang = language()
    about = _("**{title}** ({file}, reviewed {day})").format(
        title=rule.title[lang], file=rule.file, day=rule.reviewed.isoformat()
    )
    yield from ("", f"## {rule.id}", "", about)
    if rule.notes:
        yield from ("", rule.notes[lang])
    facts = {
        _("Reads"): rule.reads,
        _("Signs (RHSF)"): rule.signs,
        _("Indicators (ILO)"): rule.indicators,
    }
    stated = [f"{label}: {', '.join(words)}." for label, words in facts.items() if words]
    if stated:
        yield from ("", " ".join(stated))
    estimates = [
        entry.value
        for path in judgements.book.paths
        if path.startswith(f"{rule.id}.")
        for entry in judgements.book.history(path)
    ]
    if estimates:
        headings = (_("number"), _("since"), _("value"), _("low"), _("high"), _("sources"), _("note"))
        yield from ("", f"| {' | '.join(headings)} |", "|---|---|--:|--:|--:|---|---|")
    for estimate in estimates:
        yield _row(estimate, rule.id)
    blocks = judgements.book.compiled["words"]
    for path in (path for path in blocks if path.startswith(f"{rule.id}.")):
        yield from ("", _("Words at `{path}`:").format(path=path), "")
        yield from word_lines(blocks[path], 0)


def word_lines(words: Any, depth: int) -> Iterator[str]:
    """A block of words as nested bullets; a text in both languages is given in the language in use."""
    pad = "  " * depth
    for key, value in words.items() if isinstance(words, dict) else enumerate(words, start=1):
        if isinstance(value, dict) and set(value) == set(LANGUAGES):
            yield f"{pad}- {key}: {value[language()]}"
        elif isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, dict) for v in value)):
            yield f"{pad}- {key}:"
            yield from word_lines(value, depth + 1)
        else:
            yield f"{pad}- {key}: {', '.join(map(str, value)) if isinstance(value, list) else value}"


def _row(estimate: Estimate, stem: str) -> str:
    low, high = ("", "") if estimate.exact else (f"{estimate.low:g}", f"{estimate.high:g}")
    cells = (
        f"`{estimate.path[len(stem) + 1 :]}`",
        estimate.since.isoformat(),
        f"{estimate.value:g}",
        low,
        high,
        ", ".join(estimate.sources),
        estimate.note.replace("|", "\\|"),
    )
    return f"| {' | '.join(cells)} |"


def _table_lines(card: dict[str, Any], name: str) -> Iterator[str]:
    lang = language()
    yield from ("", "## " + _("Table {name}").format(name=name), "", f"**{card['title'][lang]}** ({card['file']})")
    yield from ("", card["notes"][lang], "")
    for column, about in card["columns"].items():
        unit = f" ({about['unit']})" if about["unit"] else ""
        yield f"- `{column}`: {about['title'][lang]}{unit}"
