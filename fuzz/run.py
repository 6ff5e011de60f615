"""`make fuzz`: each parser under atheris (libFuzzer), for so many seconds of a process each.

    python fuzz/run.py [--seconds 60] [--keep FOLDER] [NAME ...]

The targets are those of tests/fuzz/targets.py.  What is found is written to fuzz/found/NAME (or
FOLDER/NAME) and stays there: put it among the seeds of the target once it is mended.  Leaves with 1
where anything was found.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
_SLOW_S = 10
"""Seconds for one input: whatever takes longer counts as a hang."""

_MEMORY_MB = 3000


def main() -> int:
    """Run the targets that are named, or all; gives the exit code."""
    asked = _arguments()
    if asked.inside:
        _inside(asked.names[0], asked.seconds, asked.keep)
    sys.path.insert(0, str(HERE.parent))
    from tests.fuzz.targets import TARGETS

    unknown = set(asked.names) - set(TARGETS)
    if unknown:
        print(f"fuzz: no target {min(unknown)}: known are {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    n_bad = 0
    for name in asked.names or TARGETS:
        n_bad += _fuzzed(name, asked.seconds, asked.keep)
    print(f"fuzz: {n_bad} of {len(asked.names or TARGETS)} targets failed")
    return 1 if n_bad else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keep", type=Path, default=HERE / "found")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _fuzzed(name: str, seconds: int, keep: Path) -> bool:
    """Run one target in a process of its own, which libFuzzer ends; whether it failed."""
    command = [sys.executable, __file__, "--inside", "--seconds", str(seconds), "--keep", str(keep)]
    done = subprocess.run([*command, name], capture_output=True, check=False)
    said = (done.stderr + done.stdout).decode("utf-8", "replace").splitlines()
    ran = [line for line in said if line.startswith(("Done ", "stat::number_of_executed_units"))]
    print(f"{name:18} {'ok' if not done.returncode else 'FAILED'}  {ran[-1] if ran else ''}")
    if done.returncode:
        print("\n".join(f"    {line}" for line in said[-30:]))
    sys.stdout.flush()
    return bool(done.returncode)


def _inside(name: str, seconds: int, keep: Path) -> None:
    """Be the fuzzer; does not come back."""
    import atheris

    sys.path.insert(0, str(HERE.parent))
    # What is ours, and the parsers in Python that it stands on: their branches guide the search.
    parsers = ["corpus", "align", "annotate", "train", "praatio", "tomllib", "csv", "tests.fuzz"]
    with atheris.instrument_imports(include=parsers):
        from tests.fuzz.targets import TARGETS, read_by
    target = TARGETS[name]
    found, corpus = keep / name, keep / ".corpus" / name
    for folder in (found, corpus):
        folder.mkdir(parents=True, exist_ok=True)
    for nth, seed in enumerate(target.seeds):
        (corpus / f"seed-{nth}").write_bytes(seed)
    limits = [f"-max_total_time={seconds}", f"-timeout={_SLOW_S}", f"-rss_limit_mb={_MEMORY_MB}"]
    options = ["-max_len=4096", f"-artifact_prefix={found}{os.sep}", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *limits, *options, str(corpus)], lambda data: read_by(target, data))
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
