"""How errors become exit codes."""

from __future__ import annotations

import duckdb
import polars as pl
import pytest

from vigilance.cli import group
from vigilance.errors import InputRefused, OutOfResources, RuleError, StoreBusy, UsageError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("no such thing"), 2),
        (RuleError("a wrong rule"), 2),
        (InputRefused("not a table"), 3),
        (StoreBusy("in use"), 5),
        (OutOfResources("the disk is full"), 6),
        (OSError(28, "No space left on device", "x"), 6),
        (PermissionError(13, "Permission denied", "x"), 6),
        (pl.exceptions.ComputeError("No space left on device (os error 28): x"), 6),
        (duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate"), 6),
        (MemoryError(), 6),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_exit_codes(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        if isinstance(error, KeyboardInterrupt):
            raise group.click.Abort
        raise error

    monkeypatch.setattr(group.cli, "main", fail)
    with pytest.raises(SystemExit) as stopped:
        group.main()
    assert stopped.value.code == code
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    assert said.err.strip()


def test_a_fault_of_our_own_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise pl.exceptions.ColumnNotFoundError("a")

    monkeypatch.setattr(group.cli, "main", fail)
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        group.main()
