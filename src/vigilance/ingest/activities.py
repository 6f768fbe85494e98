"""Activities in codes and words → a division of ISIC Rev. 4, with a confidence and how it was read.

Codes of many schemes are known by their name or by the header (``NACE 14.13``, ``HS 6109``); a bare code is read only
where its form or the agreement of all schemes leaves no choice. Words are matched as whole tokens: first a whole
label, then keywords, longest first; a verb such as *growing* or *retail* decides over the product that it names. Words
that are short or that mean several divisions need a second signal.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from vigilance import terms
from vigilance.i18n import language, messages
from vigilance.ingest import activity_kept
from vigilance.ingest.columns import BLANK_WORDS, Cell, Column, Reader, Tables, Text
from vigilance.ingest.folding import fold, visible, words
from vigilance.ingest.words import Reading, read_words

_ = messages("ingest")

Weights = Mapping[str, float]
"""Division → share; the shares sum to 1."""

_WORDS: Final = Path(__file__).parent / "vocabulary" / "activity_words.csv"
_LABEL_ORDER: Final = (
    *("isic4", "nace2", "naf2", "keyword_en", "keyword_fr", "isic4_section"),
    *("osh_sector", "osh_processing_type", "osh_facility_type", "osh_product_type", "osh_sector_group"),
    *("osh_production_type", "isic5", "nace2_1", "cpc_group", "cpc_division", "hs2", "unspsc_segment", "gics", "icb"),
    *("naics2", "ics_activity", "cpc_section"),
)
"""Whose label is believed first where two schemes use the same words."""

_UNLABELLED: Final = ("hs4", "naics3", "naics4")
"""Schemes whose labels only repeat the code."""

_SCHEMES: Final[Mapping[str, tuple[str, ...]]] = {
    "isic": ("isic4", "isic5"),
    "citi": ("isic4", "isic5"),
    "nace": ("nace2", "nace2_1"),
    "naf": ("naf2", "nace2"),
    "ape": ("naf2", "nace2"),
    "naics": ("naics4", "naics3", "naics2"),
    "hs": ("hs4", "hs2"),
    "sh": ("hs4", "hs2"),
    "cpc": ("cpc_group", "cpc_division", "cpc_section"),
    "unspsc": ("unspsc_segment",),
    "gics": ("gics",),
    "icb": ("icb",),
}
_ISIC_LIKE: Final = ("isic", "citi", "nace", "naf", "ape")
_ANY: Final = ("isic4", "naics4", "hs4", "gics", "icb")
_PREFIXED: Final = re.compile(
    r"^(?P<scheme>isic|citi|nace|naf|ape|naics|hs|sh|cpc|unspsc|gics|icb)\s*(?:rev(?:ision)?\.?\s*)?"
    r"(?:\d(?:\.\d)?\s*[:\s-]\s*|code\s*|chapter\s*|chapitre\s*)?[:#]?\s*(?P<code>[a-u]?\s?\.?\d[\d.\s]*[a-z]?)$",
    re.IGNORECASE,
)
_ISIC_FORM: Final = re.compile(r"^(?:[A-U]\.?\s?)?(\d{2})(?:\.\d{1,2}){0,2}\.?[A-Z]?$|^(\d{2})\d{2}[A-Z]$")
_CODE_LABEL: Final = re.compile(r"^([A-Ua-u]?\.?\d{2}[\d.]*[A-Za-z]?)\s*(?:[-–—:.|]\s*|\s+)(\D.+)$")
_CODE: Final = re.compile(r"^[A-Ua-u]?[\s.]?\d[\d.\s]*[A-Za-z]?$")
_SEPARATORS: Final = re.compile(r"\s*[|;\n]\s*")
_MAYBE_SEPARATORS: Final = re.compile(r"\s*[|;\n,/]\s*")
_SECTION: Final = re.compile(r"^(?:section\s+)([A-U])$", re.IGNORECASE)
_SURE, _PLENTY, _SOME = 0.95, 0.55, 0.34
_SHORT: Final = 3
_LONGEST: Final = 7


@dataclass(frozen=True, slots=True)
class Understood:
    """What a text was taken for: shares of divisions, confidence 0 to 1, and how (``label``, ``code``, ``words``)."""

    weights: Weights
    confidence: float
    how: str

    @property
    def division(self) -> str:
        """The likeliest division; of two equals the one named first."""
        return max(self.weights, key=lambda code: self.weights[code])


@dataclass(frozen=True, slots=True)
class Words:
    """Words that say what is done rather than with what."""

    decides: Mapping[tuple[str, ...], str]
    makers: frozenset[str]
    fillers: frozenset[str]


def _read_words() -> Words:
    decides: dict[tuple[str, ...], str] = {}
    kinds: dict[str, set[str]] = {"maker": set(), "filler": set()}
    with _WORDS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for phrase in row["words"].split("|"):
                if row["kind"] == "decides":
                    decides[words(phrase)] = row["division"]
                else:
                    kinds[row["kind"]].update(words(phrase))
    return Words(decides, frozenset(kinds["maker"]), frozenset(kinds["filler"]))


def _single(tokens: Sequence[str]) -> tuple[str, ...]:
    """Tokens without a final ``s``, so that singular and plural meet, in English and in French."""
    return tuple(token[:-1] if len(token) > _SHORT and token.endswith("s") else token for token in tokens)


@dataclass(slots=True)
class Activities:
    """The index over ``data/activity_aliases`` and ``data/activities``."""

    titles: dict[str, tuple[str, str]] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)
    labels: dict[str, Weights] = field(default_factory=dict)
    codes: dict[tuple[str, str], Weights] = field(default_factory=dict)
    keywords: dict[tuple[str, ...], Weights] = field(default_factory=dict)
    verbs: Words = field(default_factory=_read_words)

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
            if keyword or scheme.startswith("osh"):
                self.keywords.setdefault(_single(tokens), weights)
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
        return self._by_words(plain)

    def _whole(self, plain: str, scheme: str | None) -> Understood | None:
        if match := _PREFIXED.match(plain):
            return self._coded(match["code"], match["scheme"].lower())
        if match := _SECTION.match(plain):
            weights = self.codes.get(("isic4_section", match[1].upper()))
            return Understood(weights, max(weights.values()), "code") if weights else None
        if _CODE.match(plain):
            return self._coded(plain, scheme)
        if match := _CODE_LABEL.match(plain):
            labelled = self._labelled(match[2])
            if labelled is not None:
                return labelled
            return self._coded(match[1], scheme)
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

    def _coded(self, code: str, scheme: str | None) -> Understood | None:
        plain = code.strip().upper()
        if scheme in (None, *_ISIC_LIKE) and (match := _ISIC_FORM.match(plain)):
            division = match[1] or match[2]
            letter = plain[0] if plain[0].isalpha() else None
            if division in self.titles and letter in (None, self.sections[division]):
                bare = scheme is None and plain.isdigit()
                return Understood({division: 1.0}, 0.8 if bare else _SURE, "bare code" if bare else "code")
        digits = re.sub(r"\D", "", plain)
        if scheme in _ISIC_LIKE and not (len(digits) <= 4 and plain[0].isdigit()):
            return None
        if scheme is not None:
            weights = self._by_prefix(digits, _SCHEMES[scheme])
            return Understood(weights, max(weights.values()), "code") if weights else None
        meanings = [w for s in _ANY if (w := self._by_prefix(digits, (s,), exact=True)) is not None]
        tops = {Understood(w, 0, "").division for w in meanings}
        return Understood(meanings[0], 0.7, "bare code") if len(tops) == 1 and len(meanings) > 1 else None

    def _by_prefix(self, digits: str, schemes: Sequence[str], *, exact: bool = False) -> Weights | None:
        shortest = len(digits) if exact else 1
        for length in range(len(digits), shortest - 1, -1):
            for scheme in schemes:
                if (weights := self.codes.get((scheme, digits[:length]))) is not None:
                    return weights
        return None

    def _several(self, parts: Sequence[str], scheme: str | None) -> Understood | None:
        found = [self._whole(part, scheme) or self._by_words(part) for part in parts]
        known = [u for u in found if u is not None]
        if len(known) * 2 <= len(parts):
            return None
        total: dict[str, float] = defaultdict(float)
        for understood in known:
            for division, weight in understood.weights.items():
                total[division] += weight
        weights = _normalised(total)
        sure = sum(u.confidence for u in known) / len(parts)
        return Understood(weights, sure * max(weights.values()), "words")

    def _by_words(self, plain: str) -> Understood | None:
        tokens = words(plain)
        spans = list(self._spans(tokens))
        covered = {i for start, stop, _w in spans for i in range(start, stop)}
        loose = [t for i, t in enumerate(tokens) if i not in covered and t not in self.verbs.fillers]
        verb = self._verb(tokens, spans)
        if verb is not None:
            return Understood({verb: 1.0}, 0.8 if not loose else 0.65, "words")
        maker = any(token in self.verbs.makers for token in tokens)
        loose = [token for token in loose if token not in self.verbs.makers]
        total: dict[str, float] = {}
        for start, stop, weights in spans:
            for division, weight in weights.items():
                total[division] = total.get(division, 0.0) + weight * (stop - start) ** 2
        if maker and any(division > "03" for division in total):
            # Who makes something of a crop does not grow it.
            total = {division: weight for division, weight in total.items() if division > "03"}
        if not total:
            return None
        understood = Understood(_normalised(total), 0.0, "words")
        lone_short = loose and all(sum(map(len, tokens[a:b])) <= _SHORT for a, b, _w in spans)
        if lone_short or (maker and understood.division < "04"):
            return None
        known = sum(b - a for a, b, _w in spans)
        sure = 0.85 * max(understood.weights.values()) * known / (known + len(loose) / 2)
        return Understood(understood.weights, sure, "words") if sure >= _SOME else None

    def _verb(self, tokens: Sequence[str], spans: Sequence[tuple[int, int, Weights]]) -> str | None:
        """The division of a verb such as *growing* or *retail* that no longer keyword has swallowed."""
        swallowed = {i for a, b, _w in spans if b - a > 1 for i in range(a, b)}
        for length in range(4, 0, -1):
            for start in range(len(tokens) - length + 1):
                stop = start + length
                if swallowed.isdisjoint(range(start, stop)) and tuple(tokens[start:stop]) in self.verbs.decides:
                    return self.verbs.decides[tuple(tokens[start:stop])]
        return None

    def _spans(self, tokens: Sequence[str]) -> Iterator[tuple[int, int, Weights]]:
        single = _single(tokens)
        free = [True] * len(tokens)
        for length in range(min(_LONGEST, len(tokens)), 0, -1):
            for start in range(len(tokens) - length + 1):
                stop = start + length
                if all(free[start:stop]) and (weights := self.keywords.get(single[start:stop])):
                    free[start:stop] = [False] * length
                    yield start, stop, weights

    def suggestions(self, text: str) -> list[str]:
        """Up to three titles of divisions that look like a text: for a hint only."""
        from rapidfuzz import fuzz, process  # noqa: PLC0415 - only an unknown activity pays for it

        french = language() == "fr"
        titles = {code: pair[french].lower() for code, pair in self.titles.items()}
        hits = process.extract(text.lower(), titles, scorer=fuzz.token_set_ratio, limit=3, score_cutoff=60)
        return [self.title(code) for _title, _score, code in hits]


def _normalised(shares: Mapping[str, float]) -> Weights:
    total = sum(shares.values())
    return {division: weight / total for division, weight in shares.items()}


def scheme_of(header: str) -> str | None:
    """The classification that a header names, such as ``NACE code``; None where it names none."""
    return next((token for token in words(header) if token in _SCHEMES), None)


def _reading(index: Activities, text: str, scheme: str | None) -> Reading:
    if visible(text).casefold() in BLANK_WORDS or fold(text) == "":
        return Reading((terms.DIVISION_UNKNOWN, None))
    found = index.understand(text, scheme)
    if found is None:
        return Reading(text=_unknown(index, text))
    division, sure = found.division, found.confidence
    if sure < _SOME:
        said = Text(
            "activity_broad",
            "warning",
            _("too broad for one division of ISIC Rev. 4: the activity counts as unknown"),
            _("name what the site makes or does"),
        )
        return Reading((terms.DIVISION_UNKNOWN, None), said, "")
    if (found.how == "label" and sure >= _PLENTY) or sure >= _SURE:
        return Reading((division, sure))
    said = Text(
        "activity_read",
        "info" if sure >= _PLENTY else "warning",
        _("read as {division} (confidence {sure:.2f}, from its {how})").format(
            division=index.title(division), sure=sure, how=_how(found.how)
        ),
        _("write a division of ISIC Rev. 4, for instance 13 Manufacture of textiles, to settle it"),
    )
    return Reading((division, sure), said, index.title(division))


def _how(how: str) -> str:
    return {"words": _("words"), "bare code": _("bare code"), "code": _("code"), "label": _("label")}[how]


def _unknown(index: Activities, text: str) -> Text:
    near = index.suggestions(text)
    hint = (
        _("did you mean {names}?").format(names="; ".join(near))
        if near
        else _("write what the site does, or a code with its scheme, for instance NACE 14.13; blank means unknown")
    )
    return Text("activity_unknown", "error", _("not an activity or a code that can be read"), hint)


def column(cell: Cell, _specification: Column) -> Reader:
    """An activity; typed as ``_division``, ``_division_confidence`` and, as written, under its own name."""
    index = Activities.of(cell.facts) if cell.facts is not None else Activities()
    scheme = scheme_of(cell.header)
    plan = yield from read_words(
        cell,
        lambda texts: [_reading(index, text, scheme) for text in texts],
        {
            "_division": (pl.String(), lambda pair: pair[0]),
            "_division_confidence": (pl.Float64(), lambda pair: pair[1]),
        },
    )
    return plan
