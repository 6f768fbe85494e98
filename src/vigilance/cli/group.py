"""The group: which commands there are, one line about each, and how errors become exit codes."""

from __future__ import annotations

import atexit
import contextlib
import errno
import gc
import gettext
import importlib
import io
import os
import re
import sys
import traceback
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from vigilance.cli.spoken import SpokenGroup, asked_for, group_language, speaking
from vigilance.errors import OutOfResources, VigilanceError
from vigilance.i18n import messages

_ = messages("cli")

COMMANDS = {
    "score": "Score supplier sites for forced-labour and child-labour risk.",
    "check": "Say what is in a file and what would be set aside; write a corrected copy.",
    "explain": "Show how the scores of one site are made, line by line.",
    "compare": "Compare two runs, or one run under a changed judgement.",
    "countries": "Show the country index, both hazards.",
    "matrix": "Show the risk matrix: countries by activities, now and years before.",
    "plan": "Plan audits under a budget of person-days.",
    "watch": "The weekly run: score, compare, decide, raise alerts.",
    "alerts": "List the alerts kept in a store.",
    "replay": "Reproduce a past run from a store.",
    "store": "Check, export, compact or back up a store.",
    "screen": "Screen a portfolio of holdings.",
    "report": "Make a report from a run: HTML, XLSX, PDF, Markdown.",
    "validate": "Back-test, calibrate and stress the method.",
    "rules": "List, show and check the judgements.",
    "data": "List, show, check and import the facts.",
}
"""Commands in the order of the help; each lives in ``vigilance.cli.<name>`` as ``command``."""

ALGEBRA: Final = frozenset({"plan", "screen", "validate"})
"""Commands that multiply matrices large enough to be worth the threads that NumPy's library for it starts."""
MEMORY: Final = "narenas:2,dirty_decay_ms:2000,muzzy_decay_ms:2000"
"""Polars' allocator keeps what it gave back for two seconds: a long list takes and frees the same memory thousands of
times, and to get each page from the system again took a sixth of the time."""
OBJECTS: Final = 100_000
"""New objects between two searches for garbage."""
FINISHED: Final = frozenset({0, 4, 10})
"""Exit codes of a command that came to its end."""
SWITCH: Final = 0.0001
"""Seconds after which a thread hands the interpreter over to one that waits. Threads that compute outside of it come
back often and for a moment: with the usual 5 ms, long lists took a tenth longer."""


def _shipped(name: str) -> bool:
    return (Path(__file__).parent / f"{name}.py").exists()


class LazyGroup(SpokenGroup):
    """Imports a command's module only when that command runs (or its own help is asked for)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands that this version ships, in the order of ``COMMANDS``."""
        del ctx
        return [name for name in COMMANDS if _shipped(name)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        del ctx
        if cmd_name not in COMMANDS or not _shipped(cmd_name):
            return None
        if cmd_name not in ALGEBRA:
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        os.environ.setdefault("_RJEM_MALLOC_CONF", MEMORY)
        module: Any = importlib.import_module(f"vigilance.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any of them."""
        said = messages("help")
        with formatter.section(gettext.gettext("Commands")):
            formatter.write_dl([(name, said(COMMANDS[name])) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(package_name="vigilance", message="%(prog)s %(version)s")
@group_language
def cli() -> None:
    """Find where people in a supply chain are at risk of forced labour and child labour.

    \b
    Example:
      vigilance score suppliers.csv --on 2026-11-01
      vigilance explain S-001 --run vigilance-2026-11-01-1a2b3c4d
    """


LACKING = ("No space left", "os error", "transport error", "Out of Memory", "out of memory", "memory_limit")
"""What the engines say when the disk or the memory fails them; they have no error of their own for it."""


RAW_NUMBER = re.compile(r"\(os error (\d+)\)")
"""How the engines give the system's number of an error."""


def _engine_errors() -> tuple[type[Exception], ...]:
    """The errors of the engines that are loaded; asked for only once something was raised."""
    polars, duckdb = sys.modules.get("polars"), sys.modules.get("duckdb")
    found: list[type[Exception]] = []
    if polars is not None:
        found.append(polars.exceptions.PolarsError)
    if duckdb is not None:
        found.append(duckdb.Error)
    return tuple(found)


def _say(text: str) -> None:
    """Say it on standard error; when even that cannot be written, the exit code still tells."""
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


def _engine_failed(error: Exception) -> int:
    """6 and a plain message when the machine lacks room; anything else is our own fault and keeps its traceback."""
    if any(words in str(error) for words in LACKING):
        first = str(error).strip().splitlines()[0]
        _say(_("vigilance: {reason}; nothing was written").format(reason=first))
        return OutOfResources.exit_code
    raise error


def main() -> None:
    """Run the command line in the language asked for; turn known errors into one clear message and their exit code."""
    # What a command makes lives as long as it does: to look for garbage at every 700 objects, and once more at the end,
    # takes a fifth of a short run.
    gc.set_threshold(OBJECTS, 20, 20)
    sys.setswitchinterval(SWITCH)
    atexit.register(_leave)
    try:
        lang = asked_for(sys.argv[1:])
    except VigilanceError as error:
        _say(f"vigilance: {error}")
        sys.exit(error.exit_code)
    with speaking(lang):
        code = _run()
    sys.exit(code)


def entry() -> NoReturn:
    """What the command ``vigilance`` runs: ``main``, and the process ends with it.

    Threads of the engine may still be at work for a command that failed amid a long list. One that calls the
    interpreter while that is taken down takes the process down with it, and the exit code with the process.
    """
    try:
        main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception:  # noqa: BLE001 - whatever it is, it is our own fault, and said as such
        traceback.print_exc()
        code = VigilanceError.exit_code
    if code not in FINISHED and "polars" in sys.modules:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


def _write_utf8() -> None:
    """Write UTF-8 into files and pipes on every machine, so that the same run gives the same bytes.

    A terminal keeps its own encoding, with a question mark for what it cannot show.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _leave() -> None:
    """At the end, look for no garbage; DuckDB would take for a leak what it did not see go."""
    if "_duckdb" not in sys.modules:
        gc.freeze()


def _run() -> int:
    """The exit code of the command line that was typed; whatever went wrong was said."""
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        _say(_("Interrupted."))
        code = 130
    except VigilanceError as error:
        _say(_("vigilance: {message}").format(message=error))
        code = error.exit_code
    except MemoryError:
        _say(_("vigilance: out of memory; split the list or use --engine duckdb"))
        code = OutOfResources.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except _engine_errors() as error:
        code = _engine_failed(error)
    except OSError as error:
        _say(_("vigilance: {reason}; nothing was written").format(reason=_reason(error) + _place(error)))
        code = OutOfResources.exit_code
    return code if isinstance(code, int) else 0


def _place(error: OSError) -> str:
    """Where it was, as a person knows it: the folder of a file that only exists while it is written."""
    if not error.filename:
        return ""
    path = Path(os.fsdecode(error.filename))
    return f" ({path.parent if path.suffix == '.part' else path})"


def _reason(error: OSError) -> str:
    """What the machine refused, in the language in use; the system's own words for what is rare."""
    said = {
        errno.ENOSPC: _("no space is left on the disk"),
        errno.EDQUOT: _("no space is left on the disk for this user"),
        errno.EACCES: _("this user may not read or write here"),
        errno.EPERM: _("this user may not read or write here"),
        errno.EROFS: _("the disk can only be read"),
        errno.ENOENT: _("there is no such file or folder"),
        errno.ENOTDIR: _("this is not a folder"),
        errno.EISDIR: _("this is a folder, not a file"),
        errno.EEXIST: _("there is a file of this name already"),
    }
    told = RAW_NUMBER.search(str(error))
    number = error.errno or (int(told[1]) if told else 0)
    return said.get(number, error.strerror or str(error))
