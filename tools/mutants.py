"""Mutation testing of what decides: change one thing at a time, and see whether a test notices.

    python tools/mutants.py                              every module below
    python tools/mutants.py --file verifiers/age.py      one of them; may be repeated
    python tools/mutants.py --sample 50 --seed 7         so many mutants of each module
    python tools/mutants.py --show 'keys.py:64:20:<='    what a mutant changes, by (the beginning of) its name

A mutant is put to the tests that run the changed line (``covering.py``), those that killed its neighbours first, then
the quickest, up to ``BUDGET`` seconds of them; the first failure kills it. Everything happens in a copy of the tree.

A mutant of a line that runs only inside of tests is made in a fork of a process that has imported and collected every
test: its functions get the mutant's code. Where the line also ran while the tests were imported, their constants would
be older than the mutant: so the fork is one of a process that has imported nothing of hooklatch yet.

What neither fails nor ends within its CPU time is counted as timed out, apart from what a test noticed. A mutant that
no test runs survives. Neither cosmic-ray nor mutmut does this: they start an interpreter for each mutant.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import importlib.machinery
import importlib.util
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import covering
from forks import UNRUN, Inside, Task, Verdict, dotted, in_fork, outside, run_pytest, silence
from mutators import Module

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from covering import Covering
    from mutators import Mutant

ROOT: Final = Path(__file__).resolve().parent.parent
KEPT: Final = ROOT / ".mutants"
PACKAGE: Final = Path("src") / "hooklatch"

FILES: Final = (
    *("keys.py", "public_keys.py", "secrets.py", "template.py", "fields.py", "documents.py", "routes.py", "chain.py"),
    *(f"verifiers/{name}.py" for name in ("age", "body_digest", "cheap", "event_id", "length", "method", "origin")),
    *(f"verifiers/{name}.py" for name in ("overrides", "signature", "timestamp", "user_agent")),
    *(f"verifiers/{name}.py" for name in ("offers", "proof", "statements", "handshake")),
    *(
        "settle.py",
        "settle_async.py",
        "deadline.py",
        "door.py",
        "shortcut.py",
        "wsgi.py",
        "wsgi_incoming.py",
        "wsgi_outgoing.py",
        "asgi.py",
        "asgi_incoming.py",
        "asgi_outgoing.py",
    ),
)
"""What decides."""

BUDGET: Final = 12.0
"""Seconds of tests that one mutant is put to, as they took while being collected, which is longer."""

OWN: Final[dict[str, tuple[str, ...]]] = {
    "keys.py": ("vectors", "public_keys", "secrets", "ratelimit"),
    "documents.py": ("body_fields",),
    "fields.py": ("body_fields", "vectors", "corpus"),
    "chain.py": ("vectors", "duplicates", "cors", "direct"),
    "door.py": ("routes", "observe", "outage"),
    "wsgi.py": ("lint", "capture", "routes"),
    "shortcut.py": ("shortcut", "vectors", "time"),
    "wsgi_incoming.py": ("capture", "lint", "shortcut"),
    "wsgi_outgoing.py": ("settle", "lint"),
    "asgi.py": ("lint", "capture", "routes"),
    "asgi_incoming.py": ("capture", "lint", "shortcut"),
    "asgi_outgoing.py": ("settle", "lint"),
    "settle_async.py": ("settle", "renewal"),
    "verifiers/age.py": ("time",),
    "verifiers/body_digest.py": ("body_fields", "duplicates"),
    "verifiers/cheap.py": ("ratelimit",),
    "verifiers/event_id.py": ("template", "duplicates", "body_fields"),
    "verifiers/length.py": ("direct", "large_bodies"),
    "verifiers/method.py": ("cors", "routes"),
    "verifiers/origin.py": ("cors",),
    "verifiers/overrides.py": ("capture", "routes"),
    "verifiers/signature.py": ("vectors", "template", "body_fields"),
    "verifiers/timestamp.py": ("time",),
}
"""The tests that know a file best, ``tests/test_NAME.py``, besides ``test_mutants_killed.py`` and its namesake."""

LIBRARIES: Final = (
    *("pytest", "_pytest.assertion.rewrite", "pytest_timeout", "anyio.pytest_plugin", "anyio._backends._asyncio"),
    *("_hypothesis_pytestplugin", "hypothesis", "coverage", "starlette.applications", "starlette.testclient"),
    *("werkzeug.test", "flask", "fastapi", "webtest", "redis", "psycopg", "limits", "trio", "sqlite3"),
    *("Crypto.PublicKey.ECC", "Crypto.PublicKey.RSA", "Crypto.Signature.DSS", "Crypto.Signature.eddsa"),
    *("Crypto.Signature.pkcs1_15", "subprocess", "logging.handlers"),
)


class Killers:
    """The tests that killed lately, by module: a mutant's neighbours fall to the same ones."""

    def __init__(self, known: Covering) -> None:
        """*known*: which tests run what."""
        self._known = known
        self._lately: dict[str, list[str]] = defaultdict(list)

    def task(self, module: Module, mutant: Mutant, tests: Sequence[str]) -> Task:
        """Return the task of putting *mutant* to as many of *tests* as the budget allows."""
        mine = self._lately[module.name]
        first = [test for test in mine if test in tests]
        chosen: list[str] = []
        total = 0.0
        for test in dict.fromkeys([*first, *tests]):
            total += self._known.seconds[test]
            if chosen and total > BUDGET:
                break
            chosen.append(test)
        return Task(module, mutant, chosen, min(total, BUDGET))

    def note(self, module: Module, verdict: Verdict) -> None:
        """Remember who killed."""
        if verdict.by:
            mine = self._lately[module.name]
            if verdict.by in mine:
                mine.remove(verdict.by)
            mine.insert(0, verdict.by)
            del mine[12:]


def copied(folder: Path) -> Path:
    """Return a copy of the tree, from which this process and its forks import."""
    tree = folder / "tree"
    ignored = shutil.ignore_patterns(
        ".git", ".venv", "__pycache__", "*.egg-info", ".mypy_cache", ".hypothesis", ".mutants"
    )
    shutil.copytree(ROOT, tree, ignore=ignored)
    os.chdir(tree)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ["PYTHONPATH"] = str(tree / "src")
    sys.path[:0] = [str(tree / "src"), str(tree / "tests")]
    for library in LIBRARIES:
        importlib.import_module(library)
    if any(name.partition(".")[0] == "hooklatch" for name in sys.modules):
        sys.exit("hooklatch was imported too early; no mutant would be seen")
    return tree


def known(tree: Path) -> Covering:
    """Return which tests run what, collected anew for tests that changed."""
    place = KEPT / "covering.json"
    base = covering.base_of(tree)
    old = covering.load(place, base)
    files = covering.test_files(tree)
    digests = {name: covering.digest([tree / name]) for name in files}
    changed = [n for n in files if old is None or n not in old.files or old.files[n]["digest"] != digests[n]]
    if old is not None and not changed:
        return old
    print(f"collecting what {len(changed)} files of tests run ...", flush=True)
    found = tree.parent / "found.json"

    def child(tell: Callable[[str], None]) -> int:
        tell("")
        silence()
        recorder = covering.Recorder(tree / PACKAGE, map(dotted, FILES))
        code = run_pytest(tree, changed, recorder)
        recorder.write(found)
        return code

    code, _ = in_fork(child, 3600)
    if not found.exists():
        sys.exit(f"the tests cannot be run: {code}")
    told = json.loads(found.read_text(encoding="utf-8"))
    if told["failed"]:
        print("left out, because they fail without any mutant:", *told["failed"], sep="\n    ", flush=True)
    new = covering.merged(tree, old, base, changed, told)
    covering.save(new, place)
    return new


class Run:
    """One run: what was chosen, and what became of it."""

    def __init__(self, tree: Path, names: Sequence[str], sample: int | None, seed: int) -> None:
        """*names*: files below ``src/hooklatch``; *sample*: how many mutants of each."""
        self._tree = tree
        self._known = known(tree)
        self._killers = Killers(self._known)
        self.verdicts: dict[str, Verdict] = {}
        self.modules = [Module(tree / PACKAGE / name, name) for name in names]
        self.chosen: list[tuple[Module, Mutant]] = []
        for module in self.modules:
            mutants = list(module.mutants)
            if sample is not None and sample < len(mutants):
                mutants = random.Random(seed).sample(mutants, sample)  # noqa: S311 - a sample of tests
            self.chosen += [(module, mutant) for mutant in mutants]

    def judge_all(self, say: Callable[[str], None], keep: Callable[[], None]) -> None:
        """Judge every chosen mutant; *keep* what is known so far now and then."""
        late = [pair for pair in self.chosen if self._only_inside(*pair)]
        kept = self._tree.parent / "inside.json"

        def work(inside: Inside) -> None:
            for done, (module, mutant) in enumerate(late):
                tests = self._known.tests(module.name, mutant.lines)
                verdict = inside.judge(self._killers.task(module, mutant, tests))
                if verdict is not None:
                    self._note(module, mutant, verdict)
                if done % 50 == 0:
                    say(f"{done} of {len(late)} inside")
                    keep()
            kept.write_text(json.dumps(self.verdicts), encoding="utf-8")

        def child(tell: Callable[[str], None]) -> int:
            tell("")
            silence()
            return run_pytest(self._tree, covering.test_files(self._tree), Inside(work, map(dotted, FILES)))

        if late:
            code, _ = in_fork(child, 36_000)
            if not kept.exists():
                sys.exit(f"the tests cannot be collected: {code}")
            self.verdicts = {name: Verdict(*found) for name, found in json.loads(kept.read_text()).items()}
        rest = [(module, mutant) for module, mutant in self.chosen if mutant.name not in self.verdicts]
        for done, (module, mutant) in enumerate(rest):
            tests = self._known.tests(module.name, mutant.lines)
            # What an import leaves behind concerns every test.
            tests = list(dict.fromkeys([*tests, *self._known.tests(module.name), *self._known.all_tests()]))
            tests = _own_first(module.name, tests)
            task = self._killers.task(module, mutant, tests)
            self._note(module, mutant, outside(self._tree, task) if task.tests else UNRUN)
            if done % 50 == 0:
                say(f"{done} of {len(rest)} outside")
                keep()

    def _only_inside(self, module: Module, mutant: Mutant) -> bool:
        """Return whether tests run the lines, and no import does."""
        imported = self._known.imported.get(module.name, set())
        return not imported & {*mutant.lines} and bool(self._known.tests(module.name, mutant.lines))

    def _note(self, module: Module, mutant: Mutant, verdict: Verdict) -> None:
        self.verdicts[mutant.name] = verdict
        self._killers.note(module, verdict)

    def result(self) -> dict[str, Any]:
        """Return the figures and what was not killed, by module, as far as it is known."""
        found: dict[str, Any] = {}
        for module in self.modules:
            mine = {m.name: self.verdicts[m.name] for of, m in self.chosen if of is module and m.name in self.verdicts}
            counts = Counter(verdict.outcome for verdict in mine.values())
            text = module.text.splitlines()
            left = [
                {
                    "name": name,
                    "outcome": verdict.outcome,
                    "tests": verdict.tests,
                    "line": text[int(name.split(":")[1]) - 1].strip(),
                }
                for name, verdict in mine.items()
                if verdict.outcome != "killed"
            ]
            columns = {outcome: counts[outcome] for outcome in ("killed", "timed out", "survived")}
            found[module.name] = {"mutants": len(mine), **columns, "left": left}
        return found


def _own_first(module: str, tests: list[str]) -> list[str]:
    """Return *tests*, first those of the files that know the module best."""
    stem = module.rpartition("/")[2].removesuffix(".py")
    own = [f"tests/test_{name}.py" for name in ("mutants_killed", stem, *OWN.get(module, ()))]
    return sorted(tests, key=lambda test: own.index(name) if (name := test.partition("::")[0]) in own else len(own))


def show(name: str) -> None:
    """Print what the mutants change whose names begin with *name*."""
    module = Module(ROOT / PACKAGE / name.partition(":")[0], name.partition(":")[0])
    genuine = module.source(None).splitlines()
    for mutant in module.mutants:
        if mutant.name.startswith(name):
            print(
                "\n".join(
                    difflib.unified_diff(genuine, module.source(mutant).splitlines(), "genuine", mutant.name, n=2)
                )
            )


def summary(result: dict[str, Any]) -> str:
    """Return the figures as a table, with the survivors below."""
    lines = [f"{'':24} mutants  killed  timed out  survived"]
    columns = ("mutants", "killed", "timed out", "survived")
    total = {column: sum(one[column] for one in result.values()) for column in columns}
    for name, one in {**result, "all": total}.items():
        lines.append(f"{name:24} {one['mutants']:7} {one['killed']:7} {one['timed out']:10} {one['survived']:9}")
    for one in result.values():
        lines += [f"{m['outcome']:9} {m['name']}  ({m['tests']} tests)\n          {m['line']}" for m in one["left"]]
    noticed = total["killed"] + total["timed out"]
    lines.append(f"noticed: {noticed} of {total['mutants']}, {100 * noticed / max(total['mutants'], 1):.1f} %")
    return "\n".join(lines)


def main() -> NoReturn:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", action="append", metavar="FILE", help=f"below src/hooklatch; of {', '.join(FILES)}")
    parser.add_argument("--sample", type=int, metavar="N", help="mutants of each file, chosen at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=KEPT / "result.json", help="where the result goes")
    parser.add_argument("--show", metavar="NAME", help="print the difference that a mutant makes")
    options = parser.parse_args()
    if options.show:
        show(options.show)
        sys.exit()
    started = time.monotonic()
    terminal = os.dup(2)

    def say(text: str) -> None:
        os.write(terminal, f"{time.monotonic() - started:6.0f} s  {text}\n".encode())

    options.json = options.json.absolute()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        run = Run(copied(Path(folder)), options.file or FILES, options.sample, options.seed)

        def keep() -> None:
            options.json.parent.mkdir(exist_ok=True)
            options.json.write_text(json.dumps(run.result(), indent=2), encoding="utf-8")

        run.judge_all(say, keep)
        keep()
        result = run.result()
        os.chdir(ROOT)
    print(summary(result))
    say(f"written to {options.json}")
    sys.exit()


if __name__ == "__main__":
    main()
