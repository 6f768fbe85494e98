"""Activities in codes and words → a division of ISIC Rev. 4, with a confidence and how it was read.

Codes of many schemes are known by their name or by the header (``NACE 14.13``, ``HS 6109``); a bare code is read only
where its form or the agreement of all schemes leaves no choice. Words are matched as whole tokens: first a whole
label, then keywords, longest first; a verb such as *growing* or *retail* decides over the product that it names. Words
that are short or that mean several divisions need a second signal.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from vigilance import terms
from vigilance.i18n import language, messages
from vigilance.ingest import activity_kept
from vigilance.ingest.activity_codes import Codes, Understood, Weights, code_and_label, scheme_of
from vigilance.ingest.activity_phrases import Phrases, Words, normalised, read_vocabulary, single, without_joints
from vigilance.ingest.columns import BLANK_WORDS, Cell, Column, Reader, Tables, Text
from vigilance.ingest.folding import fold, visible, words
from vigilance.ingest.intake import UNREAD
from vigilance.ingest.phrasing import decimal
from vigilance.ingest.words import Reading, read_words

_ = messages("ingest")

_LABEL_ORDER: Final = (
    *("isic4", "nace2", "naf2", "keyword_en", "keyword_fr", "isic4_section"),
    *("osh_sector", "osh_processing_type", "osh_facility_type", "osh_product_type", "osh_sector_group"),
    *("osh_production_type", "isic5", "nace2_1", "cpc_group", "cpc_division", "hs2", "unspsc_segment", "gics", "icb"),
    *("naics2", "ics_activity", "cpc_section"),
)
"""Whose label is believed first where two schemes use the same words."""

_UNLABELLED: Final = ("hs4", "naics3", "naics4", "isic3")
"""Schemes whose labels only repeat the code, or use the words of a later revision for something else."""

_SEPARATORS: Final = re.compile(r"\s*[|;\n]\s*")
_MAYBE_SEPARATORS: Final = re.compile(r"\s*[|;\n,/]\s*")
_SURE, _PLENTY, _SOME = 0.95, 0.55, 0.34


@dataclass(slots=True)
class Activities:
    """The index over ``data/activity_aliases`` and ``data/activities``."""

    titles: dict[str, tuple[str, str]] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)
    labels: dict[str, Weights] = field(default_factory=dict)
    codes: dict[tuple[str, str], Weights] = field(default_factory=dict)
    keywords: dict[tuple[str, ...], Weights] = field(default_factory=dict)
    verbs: Words = field(default_factory=read_vocabulary)

    @classmethod
    def of(cls, facts: Tables) -> Activities:
        """The index of the tables of facts, built unless it was before."""
        entry = activity_kept.entry(facts)
        if (kept := activity_kept.read(entry)) is not None:
            return cls(*kept)
        index = cls()
        index._add_aliases(facts.table("activity_aliases"))
        index._add_titles(facts.table("activities"))
        made = (index.titles, index.sections, index.labels, index.codes, index.keywords)
        activity_kept.write(entry, activity_kept.Tables(*made))
        return index

    def _add_aliases(self, table: pl.DataFrame) -> None:
        order = {scheme: rank for rank, scheme in enumerate(_LABEL_ORDER)}
        grouped = (
            table.lazy()
            .with_columns(pl.col("weight").cast(pl.Float64))
            .group_by("scheme", "code", maintain_order=True)
            .agg(pl.col("label").first(), "isic_division", pl.col("weight") / pl.col("weight").sum())
            .sort(pl.col("scheme").replace_strict(order, default=len(order)), "code")
            .collect()
        )
        for scheme, code, label, divisions, shares in grouped.iter_rows():
            weights = dict(zip(divisions, shares, strict=True))
            keyword = scheme.startswith("keyword")
            if not keyword:
                self.codes[scheme, code] = weights
            if scheme in _UNLABELLED:
                continue
            tokens = words(label)
            self.labels.setdefault("".join(tokens), weights)
            # One word of a list of choices means something as the whole cell only: "Office" is no chair's.
            if keyword or (scheme.startswith("osh") and len(tokens) > 1):
                self.keywords.setdefault(single(without_joints(tokens, self.verbs.joints)), weights)
        self.labels.pop("", None)
        self.keywords.pop((), None)

    def _add_titles(self, table: pl.DataFrame) -> None:
        parts: dict[str, set[str]] = defaultdict(set)
        divisions = table.filter(pl.col("level") == "division")
        for code, section, english, french in divisions.select("code", "section", "name_en", "name_fr").iter_rows():
            self.sections[code] = section
            self.titles[code] = (english, french or english)
            for title in (english, french or english):
                self.labels.setdefault(fold(title), {code: 1.0})
                for part in (title, title.split(",")[0]):
                    parts[fold(part)].add(code)
                    parts["".join(t for t in words(part) if t not in self.verbs.makers | self.verbs.fillers)].add(code)
        for key, found in parts.items():
            if key and len(found) == 1:
                self.labels.setdefault(key, {next(iter(found)): 1.0})

    def title(self, division: str) -> str:
        """A division as ``13 Manufacture of textiles``, in the language in use."""
        return f"{division} {self.titles[division][language() == 'fr']}" if division in self.titles else division

    def understand(self, text: str, scheme: str | None = None) -> Understood | None:
        """What a text means; ``scheme`` is the one that the header names. None where it cannot be understood."""
        plain = visible(text)
        found = self._whole(plain, scheme)
        if found is not None:
            return found
        for separators in (_SEPARATORS, _MAYBE_SEPARATORS):
            parts = [part for part in separators.split(plain) if part]
            if len(parts) > 1 and (found := self._several(parts, scheme)) is not None:
                return found
        return self._phrases().understand(plain)

    def _whole(self, plain: str, scheme: str | None) -> Understood | None:
        codes = Codes(self.codes, self.titles, self.sections)
        is_code, found = codes.named(plain, scheme)
        if is_code:
            return found
        if (pair := code_and_label(plain)) is not None:
            return self._labelled(pair[1]) or codes.read(pair[0], scheme)
        return self._labelled(plain)

    def _labelled(self, plain: str) -> Understood | None:
        said = [token for token in words(plain) if token not in self.verbs.fillers]
        bare = [token for token in said if token not in self.verbs.makers]
        for key in (fold(plain), "".join(said), "".join(bare)):
            weights = self.labels.get(key)
            # "Cotton spinning" is not the growing of cotton: what is made of a crop is another activity.
            if weights and (len(bare) == len(said) or key == fold(plain) or min(weights) > "03"):
                return Understood(weights, max(weights.values()), "label")
        return None

    def _phrases(self) -> Phrases:
        return Phrases(self.keywords, self.verbs)

    def _several(self, parts: Sequence[str], scheme: str | None) -> Understood | None:
        found = [self._whole(part, scheme) or self._phrases().understand(part) for part in parts]
        known = [u for u in found if u is not None]
        if len(known) * 2 <= len(parts):
            return None
        total: dict[str, float] = defaultdict(float)
        for understood in known:
            for division, weight in understood.weights.items():
                total[division] += weight
        weights = normalised(total)
        sure = sum(u.confidence for u in known) / len(parts)
        return Understood(weights, sure * max(weights.values()), "words")

    def suggestions(self, text: str) -> list[str]:
        """Up to three titles of divisions that look like a text: for a hint only."""
        from rapidfuzz import fuzz, process  # noqa: PLC0415 - only an unknown activity pays for it

        french = language() == "fr"
        titles = {code: pair[french].lower() for code, pair in self.titles.items()}
        hits = process.extract(text.lower(), titles, scorer=fuzz.token_set_ratio, limit=3, score_cutoff=60)
        return [self.title(code) for _title, _score, code in hits]


def _reading(index: Activities, text: str, scheme: str | None, unknown: str, *, kept: bool) -> Reading:
    """What a text means; ``unknown`` is how a cell of the column says that it does not know.

    A text that is not understood is an error, or, where such rows are ``kept``, an unknown activity, said aloud.
    """
    if visible(text).casefold() in BLANK_WORDS or fold(text) == "":
        return Reading((terms.DIVISION_UNKNOWN, None))
    found = index.understand(text, scheme)
    if found is None:
        said = _unknown(index, text, kept=kept)
        return Reading((terms.DIVISION_UNKNOWN, None), said, unknown) if kept else Reading(text=said)
    division, sure = found.division, found.confidence
    if sure < _SOME:
        said = Text(
            "activity_broad",
            "warning",
            _("too broad for one division of ISIC Rev. 4: the activity counts as unknown"),
            _("name what the site makes or does"),
        )
        return Reading((terms.DIVISION_UNKNOWN, None), said, unknown)
    if (found.how == "label" and sure >= _PLENTY) or sure >= _SURE:
        return Reading((division, sure))
    said = Text(
        "activity_read",
        "info" if sure >= _PLENTY else "warning",
        _("read as {division} (confidence {sure}, from its {how})").format(
            division=index.title(division), sure=decimal(sure, 2), how=_how(found.how)
        ),
        _("write a division of ISIC Rev. 4, for instance 13 Manufacture of textiles, to settle it"),
    )
    return Reading((division, sure), said, index.title(division))


def _how(how: str) -> str:
    return {"words": _("words"), "bare code": _("bare code"), "code": _("code"), "label": _("label")}[how]


def _unknown(index: Activities, text: str, *, kept: bool) -> Text:
    near = index.suggestions(text)
    hint = (
        _("did you mean {names}?").format(names="; ".join(near))
        if near
        else _("write what the site does, or a code with its scheme, for instance NACE 14.13; blank means unknown")
    )
    if kept:
        said = _("not an activity or a code that can be read: the row is kept, its activity counts as unknown")
        return Text(UNREAD, "warning", said, hint)
    return Text(UNREAD, "error", _("not an activity or a code that can be read"), hint)


def column(cell: Cell, specification: Column) -> Reader:
    """An activity; typed as ``_division``, ``_division_confidence`` and, as written, under its own name.

    ``options['kept']`` keeps the rows whose text is not understood, their activity unknown, with a warning.
    """
    index = Activities.of(cell.facts) if cell.facts is not None else Activities()
    scheme, unknown = scheme_of(cell.header), "unknown" if cell.required else ""
    kept = bool(specification.options.get("kept"))
    plan = yield from read_words(
        cell,
        lambda texts: [_reading(index, text, scheme, unknown, kept=kept) for text in texts],
        {
            "_division": (pl.String(), lambda pair: pair[0]),
            "_division_confidence": (pl.Float64(), lambda pair: pair[1]),
        },
    )
    return plan
