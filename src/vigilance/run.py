"""A run: its tables and its provenance, opened only when every file is still the one that was written.

``run.json`` holds the version, the date, the digests of inputs, rules, facts and outputs, and the counts. A Parquet
file has no effective integrity check of its own (one flipped bit goes unseen), so each is hashed when written and
checked before a number of it is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import polars as pl

from vigilance.atomic import digest
from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import messages
from vigilance.typed_columns import Stands, gathered

_ = messages("run")

RECORD: Final = "run.json"
SCORES: Final = "scores.parquet"
SITES: Final = "sites.parquet"
RATIOS: Final = "ratios.parquet"


@dataclass(frozen=True)
class Run:
    """A finished run in its folder. Tables are lazy; each is checked against its digest when first read."""

    path: Path
    meta: Mapping[str, Any]

    @property
    def on(self) -> date:
        """The date as of which the run was made."""
        return date.fromisoformat(self.meta["on"])

    @property
    def lang(self) -> str:
        """The language of the run's own texts."""
        return str(self.meta["lang"])

    @cached_property
    def scores(self) -> pl.LazyFrame:
        """One row per site in input order: the user's columns, then the scores (docs/architecture.md)."""
        return self._table(SCORES)

    @cached_property
    def sites(self) -> pl.LazyFrame:
        """The typed columns of the same rows, in the same order (docs/architecture.md)."""
        held = self._table(SITES)
        stands = self.meta.get("sites")
        # Older runs have them all in one file.
        return held if stands is None else gathered(held, self.scores, Stands(**stands))

    @cached_property
    def issues(self) -> pl.DataFrame:
        """What was wrong in the input, with ``issues.SCHEMA``."""
        self.verify("issues.jsonl")
        from vigilance import issues  # noqa: PLC0415 - rarely needed

        path = self.path / "issues.jsonl"
        return pl.read_ndjson(path, schema=issues.SCHEMA) if path.stat().st_size else issues.frame()

    def evidence(self, name: str) -> pl.LazyFrame | None:
        """A typed evidence table that the run read (``evidence.KEPT``), or nothing."""
        return self._table(f"{name}.parquet") if f"{name}.parquet" in self.meta["outputs"] else None

    def has(self, name: str) -> bool:
        """Whether the run holds a file of this name."""
        return name in self.meta["outputs"]

    def _table(self, name: str) -> pl.LazyFrame:
        self.verify(name)
        # Words are stored as codes, and handed out as plain text.
        coded = pl.selectors.enum() | pl.selectors.categorical()
        return pl.scan_parquet(self.path / name).with_columns(coded.cast(pl.String))

    def verify(self, name: str) -> None:
        """Raise ``InputRefused`` unless a file of the run is the one that was written."""
        expected = self.meta["outputs"].get(name)
        path = self.path / name
        if expected is None or not path.is_file():
            raise InputRefused(_("{path} is missing from the run").format(path=path), hint=_again())
        if digest(path) != expected["sha256"]:
            raise InputRefused(
                _("{path} is not the file that the run wrote (sha256 differs)").format(path=path), hint=_again()
            )

    def verify_all(self) -> None:
        """Check every file of the run; errors as ``verify``."""
        for name in self.meta["outputs"]:
            self.verify(name)


def _again() -> str:
    return _("it was changed or damaged: score the list again, or restore the run from a backup")


def open_run(path: Path | str) -> Run:
    """Open a run folder. Raises ``UsageError`` when it is none, ``InputRefused`` when its record cannot be trusted."""
    folder = Path(path)
    record = folder / RECORD
    if not record.is_file():
        raise UsageError(
            _("{path} is not the folder of a run: {name} is missing").format(path=folder, name=RECORD),
            hint=_("make one with `vigilance score`, or give its folder"),
        )
    try:
        meta = json.loads(record.read_bytes())
        sealed = meta["seal"]
        outputs = meta["outputs"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputRefused(_("{path} cannot be read: {reason}").format(path=record, reason=error)) from error
    if seal(meta) != sealed or not isinstance(outputs, dict):
        raise InputRefused(_("{path} was changed after the run was made").format(path=record), hint=_again())
    return Run(folder, meta)


def seal(meta: Mapping[str, Any]) -> str:
    """sha256 over a run's record without its own seal and without how long it took."""
    import hashlib  # noqa: PLC0415 - a detail of this function

    kept = {key: value for key, value in meta.items() if key not in {"seal", "seconds"}}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
