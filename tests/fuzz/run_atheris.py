"""Fuzz the readers with atheris: ``python tests/fuzz/run_atheris.py [--minutes 1] [--target any_text]``.

Each target runs in a process of its own for its share of the time. Exit code 0: nothing found, or atheris is not
installed; 1: an input that raises what it must not was written beside the corpus, and is named.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def fuzz(target: str, corpus: str, seconds: int) -> None:
    """Fuzz one target in this process; atheris ends it."""
    import atheris

    sys.path.insert(0, str(ROOT))
    with atheris.instrument_imports(include=["vigilance"]):
        from tests.fuzz.targets import TARGETS
    atheris.Setup([sys.argv[0], corpus, f"-max_total_time={seconds}", "-max_len=4096", "-timeout=15"], TARGETS[target])
    atheris.Fuzz()


def main() -> int:
    """Run all targets, or one, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="in all, shared among the targets")
    parser.add_argument("--target")
    parser.add_argument("--corpus", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: nothing was fuzzed")
        return 0
    if given.corpus:
        fuzz(given.target, given.corpus, given.seconds)
        return 0
    sys.path.insert(0, str(ROOT))
    from tests.fuzz.targets import TARGETS, seeds

    targets = [given.target] if given.target else list(TARGETS)
    seconds = max(1, int(given.minutes * 60 / len(targets)))
    found = 0
    for target in targets:
        corpus = Path(tempfile.mkdtemp(prefix=f"vigilance-{target}-"))
        for number, content in enumerate(seeds(target)):
            (corpus / str(number)).write_bytes(content)
        arguments = ["--target", target, "--corpus", str(corpus), "--seconds", str(seconds)]
        done = subprocess.run(
            [sys.executable, __file__, *arguments], cwd=corpus, capture_output=True, text=True, check=False
        )
        runs = [line for line in done.stderr.splitlines() if line.startswith(("Done", "#"))][-1:]
        print(f"{target}: {'nothing found' if done.returncode == 0 else 'FOUND'} {' '.join(runs)}")
        if done.returncode:
            found += 1
            print(done.stderr[-3000:])
            print(done.stdout[-3000:])
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
