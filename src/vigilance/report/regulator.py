"""The view of a law: its parts, what each asks, and statements generated from the run and traceable to its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from vigilance.errors import UsageError
from vigilance.i18n import language, messages
from vigilance.report import wording
from vigilance.report.document import Block, Document, Section, Statement, Text
from vigilance.report.material import Material
from vigilance.report.pictures import pictures_of
from vigilance.report.summary import weak
from vigilance.report.ways import BOTH, OF_A_HAZARD, WAYS

_ = messages("report")

LAWS: Final = ("loi-2017-399", "csddd", "lksg", "eu-2024-3015")


def annex(material: Material, law: str) -> Document:
    """The document for one law. Raises ``UsageError`` when there is none of that name."""
    if law not in LAWS:
        raise UsageError(
            _("there is no view for the law {name}").format(name=law),
            hint=_("laws: {names}").format(names=", ".join(LAWS)),
        )
    said = material.judgements.words(f"regimes.{law.replace('-', '_')}.text")
    lang = language()
    sections = [Section(_("How to read this"), [Text(said["preamble"][lang], "lead"), Text(_reading(), "note")])]
    for part, about in said["parts"].items():
        blocks = list(_statements(material, part, about["statements"]))
        if about.get("pictures"):
            pictures = pictures_of(material, language())
            blocks += [getattr(pictures, name) for name in about["pictures"]]
        title = f"{about['title'][lang]} ({about['article']})" if about.get("article") else about["title"][lang]
        sections.append(Section(title, blocks, asks=about["asks"][lang]))
    return Document(
        title=said["title"][lang],
        subtitle=_("Generated from a run as of {on}").format(on=wording.day(material.run.on)),
        facts=[(_("Law"), said["reference"]), (_("Text of the law used"), said["version"]), *material.provenance()],
        sections=[*sections, weak(material)],
    )


def _reading() -> str:
    return _(
        "Each statement carries a number and the filter that finds its rows again in the run's table of scores. What "
        "the run could not answer is marked “not assessed”. This is working material: it replaces no legal advice."
    )


def _statements(material: Material, part: str, entries: Mapping[str, Mapping[str, Any]]) -> Iterator[Block]:
    """The blocks of one part; a statement about a hazard is made for both unless it names one."""
    for name, about in entries.items():
        per_hazard = about["way"] in OF_A_HAZARD and "hazard" not in about
        for hazard in BOTH if per_hazard else (about.get("hazard", ""),):
            suffix = f".{hazard}" if per_hazard else ""
            yield from _statement(material, f"{part}.{name}{suffix}", {**about, "hazard": hazard})


def _statement(material: Material, id_: str, about: Mapping[str, Any]) -> Iterator[Block]:
    lang = language()
    found = WAYS[about["way"]](material, about)
    hazard = wording.hazards().get(about["hazard"], "")
    if found is None:
        text = about["gap"][lang].format(hazard=hazard)
        yield Statement(id_, _("Not assessed: {text}").format(text=text), "-", gap=True)
        return
    empty = not found.ids and "none" in about
    words = about["none"][lang] if empty else about[lang]
    yield Statement(id_, words.format(hazard=hazard, **found.values), found.basis, tuple(found.ids))
    if found.table is not None:
        yield found.table
