"""Free words for an activity → ISIC Rev. 4: keywords, what the words are about, and what they leave open.

Keywords are matched as whole tokens, longest first; a verb such as *growing* or *retail* decides over the product that
it names. Where the noun that a group of words is about is not known, nothing is concluded from the others.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vigilance.ingest.activity_codes import Understood, Weights
from vigilance.ingest.folding import words

_WORDS: Final = Path(__file__).parent / "vocabulary" / "activity_words.csv"
_SOME: Final = 0.34
_KINDS: Final = ("maker", "filler", "processor", "goods", "joint", "pair", "agent", "food", "runner")
"""Words in ``activity_words.csv`` that do not decide a division, in the order of ``Words``."""
_PLAIN: Final = 0.7
"""The share of one division from which a word is taken to mean it."""
_HEAD: Final = 3
"""How many times the noun that a group of words is about counts, against those that only describe it."""
_SHORT: Final = 3
_LONGEST: Final = 7
_FOOD: Final = "10"
_PLURAL: Final = ("s", "x")
_TRADES: Final = ("46", "47")
_MADE, _WORKED, _SERVED = "10", "25", "35"
"""The divisions from which things are made, from which most are equipment, and from which services are done."""


@dataclass(frozen=True, slots=True)
class Words:
    """Words that say what is done rather than with what."""

    decides: Mapping[tuple[str, ...], str]
    makers: frozenset[str]
    fillers: frozenset[str]
    processors: frozenset[str]
    goods: frozenset[str]
    joints: frozenset[str]
    pairs: frozenset[str]
    agents: frozenset[str]
    foods: frozenset[str]
    runners: frozenset[str]


def read_vocabulary() -> Words:
    """Read ``vocabulary/activity_words.csv``."""
    decides: dict[tuple[str, ...], str] = {}
    kinds: dict[str, set[str]] = {kind: set() for kind in _KINDS}
    with _WORDS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for phrase in row["words"].split("|"):
                if row["kind"] == "decides":
                    decides[words(phrase)] = row["division"]
                else:
                    kinds[row["kind"]].update(words(phrase))
    return Words(decides, *(frozenset(kinds[kind]) for kind in _KINDS))


def single(tokens: Sequence[str]) -> tuple[str, ...]:
    """Tokens without a final ``s``, so that singular and plural meet, in English and in French."""
    return tuple(token[:-1] if len(token) > _SHORT and token.endswith("s") else token for token in tokens)


def without_joints(tokens: Sequence[str], joints: Collection[str]) -> tuple[str, ...]:
    """Tokens without those that only join: *courtier en assurance* and *courtier d'assurance* are one."""
    return tuple(token for token in tokens if token not in joints) or tuple(tokens)


@dataclass(frozen=True, slots=True)
class Phrases:
    """Keywords with their divisions, and the words that say what is done rather than with what."""

    keywords: Mapping[tuple[str, ...], Weights]
    verbs: Words

    def understand(self, plain: str) -> Understood | None:
        """What free words mean; None where they say too little, or nothing that is known."""
        tokens = words(plain)
        spans = list(self._spans(tokens))
        covered = {i for start, stop, _w in spans for i in range(start, stop)}
        loose = [t for i, t in enumerate(tokens) if i not in covered and t not in self.verbs.fillers]
        things = not self.verbs.goods.isdisjoint(loose)
        verb = self._verb(tokens, spans)
        if verb is not None:
            # "Agricultural equipment" is made, not grown.
            return None if things and verb < _MADE else Understood({verb: 1.0}, 0.8 if not loose else 0.65, "words")
        loose = [token for token in loose if token not in self.verbs.makers | self.verbs.processors]
        weights = self._weighed(tokens, spans, plain)
        if not weights:
            return None
        understood = Understood(weights, 0.0, "words")
        raw = understood.division < _MADE and not self.verbs.processors.isdisjoint(tokens)
        if raw and not self.verbs.foods.isdisjoint(tokens):
            return Understood({_FOOD: 1.0}, 0.65, "words")
        lone_short = loose and all(sum(map(len, tokens[a:b])) <= _SHORT for a, b, _w in spans)
        crop = understood.division < "04" and not self.verbs.makers.isdisjoint(tokens)
        other = things and not _WORKED <= understood.division < _SERVED
        unsure = self._unsure(tokens, covered, plain, made=_MADE <= understood.division < _SERVED)
        if lone_short or crop or raw or other or unsure:
            return None
        known = sum(b - a for a, b, _w in spans)
        sure = 0.85 * max(understood.weights.values()) * known / (known + len(loose) / 2)
        return Understood(understood.weights, sure, "words") if sure >= _SOME else None

    def _weighed(self, tokens: Sequence[str], spans: Sequence[tuple[int, int, Weights]], plain: str) -> Weights:
        """Shares of divisions of all keywords together; the head of the words counts most."""
        head = self._head(tokens, spans, plain)
        total: dict[str, float] = {}
        for index, (start, stop, weights) in enumerate(sorted(spans, key=lambda span: span[0])):
            # A word of many divisions ("mining") says less than the one before it ("coal").
            decides = index == head and max(weights.values()) >= _PLAIN
            factor = (stop - start) ** 2 * (_HEAD if decides else 1)
            for division, weight in weights.items():
                total[division] = total.get(division, 0.0) + weight * factor
        if not self.verbs.makers.isdisjoint(tokens) and any(division > "03" for division in total):
            # Who makes something of a crop does not grow it.
            total = {division: weight for division, weight in total.items() if division > "03"}
        return normalised(total) if total else {}

    def _head(self, tokens: Sequence[str], spans: Sequence[tuple[int, int, Weights]], plain: str) -> int | None:
        """Which of the keywords, in their order, the others describe; None for words side by side."""
        if len(spans) < 2 or not self.verbs.pairs.isdisjoint(tokens) or "&" in plain:
            return None
        starts = sorted(start for start, _stop, _w in spans)
        return 0 if self._leads(tokens[starts[0] : starts[-1] + 1], plain) else len(spans) - 1

    def _leads(self, between: Sequence[str], plain: str) -> bool:
        """Whether the noun that a group of words is about comes first: in French, and in English before *of*.

        Else it comes last, as in *silver jewellery*.
        """
        things = len(between) > 1 and between[0] in self.verbs.goods
        return things or not self.verbs.joints.isdisjoint(between) or not plain.isascii()

    def _unsure(self, tokens: Sequence[str], covered: Collection[int], plain: str, *, made: bool) -> bool:
        """Whether the noun that the words are about is not known: *hospital beds* are no hospital.

        Things may be unknown where something is ``made``: *plastic crates* are of plastics, a *football club* is not.
        """
        telling = [i for i, token in enumerate(tokens) if i in covered or not self._empty(token)]
        first, last = telling[0], telling[-1]
        head = first if self._leads(tokens[first : last + 1], plain) else last
        if head in covered:
            return made and not self.verbs.runners.isdisjoint(tokens)
        return not made or not tokens[head].endswith(_PLURAL)

    def _empty(self, token: str) -> bool:
        """Whether a word leaves open what is made or done: companies, verbs and what joins."""
        verbs = self.verbs
        kinds = (verbs.fillers, verbs.makers, verbs.processors, verbs.agents, verbs.runners, verbs.joints, verbs.pairs)
        return token.isdigit() or token.endswith("ing") or any(token in kind for kind in kinds)

    def _verb(self, tokens: Sequence[str], spans: Sequence[tuple[int, int, Weights]]) -> str | None:
        """The division of a verb such as *growing* or *retail* that no longer keyword has swallowed."""
        swallowed = {i for a, b, _w in spans if b - a > 1 for i in range(a, b)}
        for length in range(4, 0, -1):
            for start in range(len(tokens) - length + 1):
                stop = start + length
                if swallowed.isdisjoint(range(start, stop)) and tuple(tokens[start:stop]) in self.verbs.decides:
                    verb = self.verbs.decides[tuple(tokens[start:stop])]
                    # A shop where services are done is no trade: "auto repair shop", "retail bank".
                    return None if verb in _TRADES and self._serves(spans) else verb
        return None

    def _serves(self, spans: Sequence[tuple[int, int, Weights]]) -> bool:
        """Whether a keyword names a service, other than trade itself."""
        found = (max(weights, key=lambda code: weights[code]) for _start, _stop, weights in spans)
        return any(division >= _SERVED and division not in _TRADES for division in found)

    def _spans(self, tokens: Sequence[str]) -> Iterator[tuple[int, int, Weights]]:
        places = [i for i, token in enumerate(tokens) if token not in self.verbs.joints] or list(range(len(tokens)))
        found = single([tokens[i] for i in places])
        free = [True] * len(found)
        for length in range(min(_LONGEST, len(found)), 0, -1):
            for start in range(len(found) - length + 1):
                stop = start + length
                if all(free[start:stop]) and (weights := self.keywords.get(found[start:stop])):
                    free[start:stop] = [False] * length
                    yield places[start], places[stop - 1] + 1, weights


def normalised(shares: Mapping[str, float]) -> Weights:
    """Shares that add to one."""
    total = sum(shares.values())
    return {division: weight / total for division, weight in shares.items()}
