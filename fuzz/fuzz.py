# ruff: noqa: INP001, T201 - a folder of programs; a command line prints
"""Run the coverage-guided fuzzer over ``targets.py``: ``python fuzz/fuzz.py --target all --seconds 60``.

Each target runs in a process of its own for so many seconds. What breaks a promise is kept under ``fuzz/findings/``
and can be replayed, without atheris, by ``--replay FILE --target NAME``. Exit status 1 on a finding.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent
FINDINGS = HERE / "findings"
MAX_LENGTH = 4096
SLOWEST = 10
"""Seconds one input may take; more is a finding."""

NAMES = ("headers", "fields", "template", "json", "form", "paths", "wsgi", "asgi", "altered", "ways")


def fuzz_here(name: str, arguments: list[str]) -> None:
    """Fuzz in this process; libFuzzer ends it."""
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["hooklatch"]):
        targets = import_module("targets")

    corpus = Path(arguments[-1])
    for number, seed in enumerate(targets.seeds(name)):
        (corpus / f"seed-{number}").write_bytes(seed)
    words = corpus.parent / "words"
    words.write_text("".join(f'"{_escaped(token)}"\n' for token in targets.TOKENS))
    atheris.Setup([sys.argv[0], f"-dict={words}", *arguments], targets.TARGETS[name])
    atheris.Fuzz()


def _escaped(token: str) -> str:
    return "".join(c if c.isalnum() else f"\\x{ord(c):02x}" for c in token)


def fuzz(name: str, seconds: int) -> tuple[int, int]:
    """Fuzz *name* in a process of its own; return how many inputs ran, and the exit status."""
    FINDINGS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        command = [
            sys.executable,
            __file__,
            "--child",
            name,
            f"-max_total_time={seconds}",
            f"-max_len={MAX_LENGTH}",
            f"-timeout={SLOWEST}",
            "-rss_limit_mb=1024",
            "-print_final_stats=1",
            f"-artifact_prefix={FINDINGS}/{name}-",
            str(corpus),
        ]
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own file
    said = (done.stderr + done.stdout).decode("utf-8", "replace")
    runs = [int(n) for n in re.findall(r"number_of_executed_units: *(\d+)|Done (\d+) runs", said) for n in n if n]
    if done.returncode or not runs:
        print(said[-6000:])
        return max(runs, default=0), done.returncode or 1
    return max(runs), 0


def replay(name: str, path: Path) -> None:
    """Run one input."""
    import_module("targets").TARGETS[name](path.read_bytes())
    print(f"{name}: {path} breaks no promise")


def main() -> int:
    """Run the command line."""
    if sys.argv[1:2] == ["--child"]:
        fuzz_here(sys.argv[2], sys.argv[3:])
        return 0
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", choices=(*NAMES, "all"), default="all")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default 60)")
    parser.add_argument("--replay", type=Path, help="run this one input through --target, and nothing else")
    options = parser.parse_args()
    if options.replay:
        replay(options.target, options.replay)
        return 0
    total = worst = 0
    for name in NAMES if options.target == "all" else (options.target,):
        runs, status = fuzz(name, options.seconds)
        total += runs
        worst = worst or status
        print(f"{name:10} {runs:>12,} inputs{'' if status == 0 else '  FINDING, see fuzz/findings/'}", flush=True)
    print(f"{'total':10} {total:>12,} inputs")
    return 1 if worst else 0


if __name__ == "__main__":
    sys.exit(main())
