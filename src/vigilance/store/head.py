"""What stands beside a store and in front of it: the head file, and what is refused before anything is opened."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vigilance import atomic
from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import messages
from vigilance.store import schema
from vigilance.store.chain import Record, canonical

_ = messages("alerts")


def refuse_missing(path: Path) -> None:
    """Raise ``UsageError`` where there is nothing at all."""
    if not path.exists():
        raise UsageError(
            _("there is no store at {path}").format(path=path),
            hint=_("`vigilance watch --store {path} ...` makes one").format(path=path),
        )


def refuse_foreign(path: Path) -> None:
    """Raise ``InputRefused`` unless a file is absent, or begins like a DuckDB file."""
    if path.is_dir():
        raise InputRefused(
            _("{path} is a folder, not a store of vigilance").format(path=path),
            hint=_("a store is one file: `vigilance watch --store {path} ...` makes one").format(
                path=path / "store.duckdb"
            ),
        )
    if not path.exists():
        if head_path(path).exists():
            raise InputRefused(_("{path} is missing, its head file is there").format(path=path), hint=head_hint(path))
        return
    with path.open("rb") as handle:
        start = handle.read(12)
    if start[8:12] != b"DUCK":
        raise InputRefused(_("{path} is not a store of vigilance").format(path=path), hint=head_hint(path))


def head_path(path: Path) -> Path:
    """The head file of a store, beside it: what was written last, so that a loss at the end is seen too."""
    return path.with_name(path.name + ".head")


def write_head(path: Path, records: Sequence[Record]) -> None:
    """Note the last record beside the store."""
    runs = [record for record in records if record.kind == schema.RUN]
    last = records[-1]
    said = {"seq": last.seq, "digest": last.digest, "last_run": runs[-1].name if runs else ""}
    atomic.write_bytes(head_path(path), (canonical(said) + "\n").encode())


def head(path: Path) -> dict[str, Any] | None:
    """What was written last, or None where nothing was. Raises ``InputRefused`` for a file that is damaged."""
    try:
        said = json.loads(head_path(path).read_bytes())
        return {"seq": int(said["seq"]), "digest": str(said["digest"]), "last_run": str(said["last_run"])}
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise InputRefused(
            _("{path} cannot be read: {reason}").format(path=head_path(path), reason=error),
            hint=_("check the store with `vigilance store check` after moving this file away"),
        ) from error


def head_hint(path: Path) -> str:
    """A hint that names the last run that the head file knows of."""
    try:
        known = head(path)
    except InputRefused:
        known = None
    restore = _("restore the store from a backup (`vigilance store backup` makes one)")
    if known is None or not known["last_run"]:
        return restore
    return _("the last good run was {week}; {restore}").format(week=known["last_run"], restore=restore)
