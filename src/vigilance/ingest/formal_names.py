"""Formal names of countries: what is left of one without its words for a form of State, or for an island.

``Bundesrepublik Deutschland``, ``République fédérale du Nigeria``, ``カンボジア王国``. The words are those of
``vocabulary/country_forms.csv``; what is left has to be a name of its own in the table, so that nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from vigilance.ingest.folding import words

_LONGEST: Final = 4
"""Words of the longest phrase."""

_SPACED: Final = (("form", ("form",)), ("state", ("state", "form")), ("island", ("island",)))
"""What a name is called after what is taken away, and the kinds of words that are."""

_UNSPACED: Final = (("form", "start", "end"), ("island", "island_start", "island_end"))


@dataclass(frozen=True, slots=True)
class Forms:
    """Words for forms of State: ``phrases`` by kind, and ``blocked`` countries that a kind of word does not lead to.

    The State of Georgia is not Georgia, and the Republic of China is not China.
    """

    phrases: Mapping[str, frozenset[str]]
    blocked: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, loaded: Mapping[str, Any]) -> Forms:
        """Take the words as the compiled vocabulary holds them."""
        kinds = {kind: frozenset(found) for kind, found in loaded.items() if kind != "blocked"}
        return cls(kinds, {kind: frozenset(found) for kind, found in loaded["blocked"].items()})

    def bare(self, text: str) -> Iterator[tuple[str, frozenset[str]]]:
        """What may be the name proper inside a text, folded, each with the countries that it may not lead to."""
        tokens = words(text)
        for name, kinds in _SPACED:
            known = frozenset().union(*(self.phrases[kind] for kind in kinds))
            if (rest := self._stripped(tokens, known, ends=name != "state")) is not None:
                yield "".join(rest), self.blocked[name]
        joined = "".join(tokens)
        if not joined.isascii():
            for name, start, end in _UNSPACED:
                for rest in _trimmed(joined, self.phrases[start], self.phrases[end]):
                    yield rest, self.blocked[name]

    def _stripped(self, tokens: Sequence[str], known: frozenset[str], *, ends: bool) -> Sequence[str] | None:
        """The words between those of a form, which ``ends`` lets stand behind the name too; None without any."""
        joints = self.phrases["joint"]
        low, high, found = 0, len(tokens), False
        while low < high - 1 and tokens[low] in joints:
            low += 1
        while low < high and (size := _phrase(tokens[low:high], known)):
            low, found = low + size, True
            while low < high and tokens[low] in joints:
                low += 1
        while ends and low < high and (size := _phrase(tokens[low:high][::-1], known, backwards=True)):
            high, found = high - size, True
            while low < high and tokens[high - 1] in joints:
                high -= 1
        return tokens[low:high] if found and low < high else None


def _phrase(tokens: Sequence[str], known: frozenset[str], *, backwards: bool = False) -> int:
    """How many of the first words are one phrase; 0 for none."""
    for size in range(min(_LONGEST, len(tokens)), 0, -1):
        some = tokens[:size][::-1] if backwards else tokens[:size]
        if " ".join(some) in known:
            return size
    return 0


def _trimmed(text: str, starts: frozenset[str], ends: frozenset[str]) -> Iterator[str]:
    """A text of a script without spaces, less one word of a form after the other."""
    while True:
        start = next((s for s in sorted(starts, key=len, reverse=True) if text.startswith(s)), "")
        end = next((s for s in sorted(ends, key=len, reverse=True) if text.endswith(s)), "")
        rest = text[len(start) : len(text) - len(end)]
        if not rest or rest == text:
            return
        text = rest
        yield text
