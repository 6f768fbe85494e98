"""Faults done to a store on purpose: kills, bit flips, truncations, full disks, crowds.

    python -m tests.faults.harness --kills 500 --flips 200 [--strace 40]

runs the long version and prints one line per kind of fault. Every case ends with the same question: is the store whole,
is each alert of the week handed over exactly once, and was every corruption named before a number was shown?
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

from tests.store.lists import MONDAY, rows, worse, write

from vigilance.errors import InputRefused, UsageError
from vigilance.run import open_run
from vigilance.store import upkeep

ROOT = Path(__file__).parent.parent.parent
WEEK = timedelta(weeks=1)
CODES = {0, 2, 3, 4, 5, 6, 10}
"""Exit codes that docs/bad-input.md knows; 1 would be our own fault."""
STORE = ("store.duckdb", "store.duckdb.head")


def command(*args: object) -> list[str]:
    """The command line, run by this interpreter."""
    return [sys.executable, "-m", "vigilance", *map(str, args)]


def environment(**more: str) -> dict[str, str]:
    """The environment of a run: the sources of this checkout, nothing of the terminal."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1", **more}


def call(*args: object, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    made = command(*args)
    return subprocess.run(made, check=False, capture_output=True, text=True, env=environment(**more), timeout=300)


def watch(folder: Path, on: date, out: str, *more: object) -> list[object]:
    """The arguments of a weekly run in a folder."""
    return ["watch", "--store", folder / "store.duckdb", folder / "list.csv", "--on", on, "--out", folder / out, *more]


def prepared(folder: Path, sites: int = 40) -> Path:
    """A folder with a store of one quiet week, and a list of the next one in which five sites became worse."""
    write(folder / "list.csv", rows(sites))
    done = call(*watch(folder, MONDAY, "out-0"))
    assert done.returncode == 0, done.stderr
    write(folder / "list.csv", worse(rows(sites), 0, 3, 5, 6, 9))
    return folder


def copied(source: Path, target: Path) -> Path:
    """A copy of a prepared folder."""
    target.mkdir()
    for name in (*STORE, "list.csv"):
        shutil.copy(source / name, target / name)
    return target


def handed_over(folder: Path) -> Counter[str]:
    """How often each alert id lies in the folders that a person would read."""
    found: Counter[str] = Counter()
    for path in folder.rglob("alerts.jsonl"):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts):
            found.update(json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines())
    return found


def whole(folder: Path) -> None:
    """The store is whole, or this raises."""
    done = call("store", "check", folder / "store.duckdb")
    assert done.returncode == 0, done.stderr


def expected(source: Path, scratch: Path) -> set[str]:
    """The alerts of the week when nothing goes wrong."""
    folder = copied(source, scratch / "expected")
    done = call(*watch(folder, MONDAY + WEEK, "out"))
    assert done.returncode == 0, done.stderr
    ids = handed_over(folder)
    assert ids
    return set(ids)


def kill(folder: Path, out: str, after: float) -> None:
    """Start the week's run and kill it, children and all, after some seconds."""
    process = subprocess.Popen(
        command(*watch(folder, MONDAY + WEEK, out)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
        start_new_session=True,
    )
    time.sleep(after)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def kills(source: Path, scratch: Path, count: int, seed: int = 1, per_store: int = 10) -> int:
    """Kill the run at random moments, finish it, and see that nothing is lost and nothing told twice."""
    wanted = expected(source, scratch)
    spread = random.Random(seed)
    done = 0
    while done < count:
        folder = copied(source, scratch / f"kills-{done}")
        for number in range(min(per_store, count - done)):
            kill(folder, f"out-{number}", spread.uniform(0.2, 2.2))
            done += 1
        last = call(*watch(folder, MONDAY + WEEK, "last"))
        assert last.returncode == 0, last.stderr
        whole(folder)
        found = handed_over(folder)
        assert set(found) == wanted, f"missed {wanted - set(found)}"
        assert set(found.values()) == {1}, "told twice"
        shutil.rmtree(folder)
    return done


Damage = Callable[[bytearray, random.Random], bytearray]


def flipped(content: bytearray, spread: random.Random) -> bytearray:
    """One bit turned."""
    content[spread.randrange(len(content))] ^= 1 << spread.randrange(8)
    return content


def truncated(content: bytearray, spread: random.Random) -> bytearray:
    """The end cut off."""
    return content[: spread.randrange(len(content))]


def damages(source: Path, scratch: Path, count: int, seed: int = 2) -> dict[str, tuple[int, int]]:
    """Damage each kind of artefact; by kind, how many damages were refused and how many were harmless.

    Harmless means that not one number is other than before: a bit of a block that DuckDB does not use. Whatever is
    neither refused nor harmless raises.
    """
    folder = copied(source, scratch / "damages")
    ran = call(*watch(folder, MONDAY + WEEK, "out"))
    assert ran.returncode == 0, ran.stderr
    before = exported(folder / "store.duckdb", scratch / "export-before")
    found = {}
    kinds: dict[str, tuple[Path, Callable[[Path], bool]]] = {
        "store": (folder / "store.duckdb", lambda path: _store_refused(path, before, scratch)),
        "head": (folder / "store.duckdb.head", lambda path: _refused(folder, path)),
        "scores.parquet": (
            folder / "out" / "run" / "scores.parquet",
            lambda path: _run_refused(path.parent, path.name),
        ),
        "sites.parquet": (folder / "out" / "run" / "sites.parquet", lambda path: _run_refused(path.parent, path.name)),
        "run.json": (folder / "out" / "run" / "run.json", lambda path: _run_refused(path.parent, "scores.parquet")),
    }
    spread = random.Random(seed)
    for kind, (path, refused) in kinds.items():
        original = path.read_bytes()
        caught = 0
        for number in range(count):
            damage: Damage = flipped if number % 2 == 0 else truncated
            changed = bytes(damage(bytearray(original), spread))
            path.write_bytes(changed)
            caught += changed != original and refused(path)
        path.write_bytes(original)
        found[kind] = (caught, count - caught)
    return found


def exported(store: Path, out: Path) -> dict[str, bytes]:
    """Everything that a store says, as bytes. Raises what ``upkeep`` raises."""
    upkeep.check(store, 1)
    upkeep.export(store, out, 1)
    made = {path.name: path.read_bytes() for path in sorted(out.iterdir())}
    shutil.rmtree(out)
    return made


def _store_refused(path: Path, before: dict[str, bytes], scratch: Path) -> bool:
    try:
        after = exported(path, scratch / "export-after")
    except (InputRefused, UsageError) as refusal:
        assert path.name in str(refusal), refusal  # noqa: PT017 - a refusal is one of two good ends
        return True
    assert after == before, "a corruption went unseen"
    return False


def _refused(folder: Path, path: Path) -> bool:
    try:
        upkeep.check(folder / "store.duckdb", 1)
    except InputRefused as refusal:
        assert path.name in str(refusal) or "store.duckdb" in str(refusal), refusal  # noqa: PT017
        return True
    return False


def _run_refused(run: Path, table: str) -> bool:
    try:
        open_run(run).verify(table)
    except (InputRefused, UsageError):
        return True
    return False


def crowd(source: Path, scratch: Path, count: int) -> None:
    """Several processes run the same week on one store: one run, each alert handed over once."""
    wanted = expected(source, scratch)
    folder = copied(source, scratch / f"crowd-{count}")
    crowded = [
        subprocess.Popen(
            command(*watch(folder, MONDAY + WEEK, f"out-{n}", "--wait", 60 if n % 2 else 0)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        for n in range(count)
    ]
    said = [(process.communicate(timeout=300)[1], process.returncode) for process in crowded]
    assert {code for _, code in said} <= {0, 5}, said
    assert all("another process" in text for text, code in said if code == 5), said
    assert [code for _, code in said].count(0) >= 1
    whole(folder)
    found = handed_over(folder)
    assert set(found) == wanted
    assert set(found.values()) == {1}


def full_disk(source: Path, scratch: Path, spare: Iterable[int]) -> list[int]:
    """The run on disks with so many spare KiB (root only: a tmpfs each), then with room enough; exit codes."""
    codes = []
    needed = sum((source / name).stat().st_size // 4096 * 4 + 4 for name in (*STORE, "list.csv"))
    for size in (needed + free for free in spare):
        mount = scratch / f"disk-{size}"
        mount.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(mount)], check=True)
        try:
            for name in (*STORE, "list.csv"):
                shutil.copy(source / name, mount / name)
            done = call(*watch(mount, MONDAY + WEEK, "out"))
            codes.append(done.returncode)
            assert done.returncode in {0, 6}, (done.returncode, done.stderr)
            assert not (mount / "out").exists() or done.returncode == 0
            subprocess.run(["mount", "-o", "remount,size=200m", str(mount)], check=True)
            again = call(*watch(mount, MONDAY + WEEK, "again"))
            assert again.returncode == 0, again.stderr
            whole(mount)
            assert set(handed_over(mount).values()) == {1}
        finally:
            subprocess.run(["umount", str(mount)], check=True)
    return codes


def read_only(source: Path, scratch: Path) -> None:
    """A store on a disk that cannot be written: reading works, a run says why it cannot (root only)."""
    mount = scratch / "read-only"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(mount)], check=True)
    try:
        for name in (*STORE, "list.csv"):
            shutil.copy(source / name, mount / name)
        subprocess.run(["mount", "-o", "remount,ro", str(mount)], check=True)
        done = call(
            "watch",
            "--store",
            mount / "store.duckdb",
            mount / "list.csv",
            "--on",
            MONDAY + WEEK,
            "--out",
            scratch / "x",
        )
        assert done.returncode == 6, (done.returncode, done.stderr)
        assert "Traceback" not in done.stderr
        listed = call("alerts", "--store", mount / "store.duckdb")
        assert listed.returncode == 0, listed.stderr
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def injected(source: Path, scratch: Path, calls: Sequence[str], most: int) -> dict[str, int]:
    """An I/O error at the nth write, fsync and rename, for every n (needs strace); how many were tried."""
    tried = {}
    for name in calls:
        for n in range(1, most + 1):
            folder = copied(source, scratch / f"{name}-{n}")
            rule = f"inject={name}:error=EIO:when={n}"
            line = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={name}", "-e", rule]
            done = subprocess.run(
                [*line, *command(*watch(folder, MONDAY + WEEK, "out"))],
                check=False,
                capture_output=True,
                text=True,
                env=environment(),
                timeout=300,
            )
            assert done.returncode in CODES or done.returncode < 0 or done.returncode == 120, (name, n, done.stderr)
            again = call(*watch(folder, MONDAY + WEEK, "again"))
            assert again.returncode == 0, (name, n, again.stderr)
            whole(folder)
            assert set(handed_over(folder).values()) == {1}, (name, n)
            tried[name] = n
            shutil.rmtree(folder)
    return tried


def main() -> None:
    """The long version, for ``make faults``."""
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=500)
    options.add_argument("--flips", type=int, default=200)
    options.add_argument("--strace", type=int, default=0, help="error at the nth call, up to this n")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        scratch = Path(folder)
        (scratch / "source").mkdir()
        source = prepared(scratch / "source")
        for count in (2, 8):
            crowd(source, Path(tempfile.mkdtemp(dir=scratch)), count)
            print(f"ok   {count} processes on one store")
        for kind, (caught, harmless) in damages(source, Path(tempfile.mkdtemp(dir=scratch)), given.flips).items():
            print(f"ok   {kind}: {caught} damages refused, {harmless} without effect, 0 unseen")
        if os.geteuid() == 0:
            read_only(source, Path(tempfile.mkdtemp(dir=scratch)))
            print("ok   read-only disk")
            sizes = range(0, 6_000, 250)
            print("ok   full disks, exit codes", full_disk(source, Path(tempfile.mkdtemp(dir=scratch)), sizes))
        else:
            print("--   read-only and full disks: only as root (they mount a tmpfs)")
        if given.strace and shutil.which("strace"):
            calls = ("write", "pwrite64", "fsync", "rename")
            print("ok   injected errors", injected(source, Path(tempfile.mkdtemp(dir=scratch)), calls, given.strace))
        print(f"ok   {kills(source, Path(tempfile.mkdtemp(dir=scratch)), given.kills)} kills")


if __name__ == "__main__":
    main()
