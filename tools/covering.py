"""Which tests run which lines: collected once, kept in ``.mutants/covering.json``, anew only for tests that changed.

Lines that run while tests are imported are noted apart: what they leave behind is older than any test.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SKIPPED: Final = frozenset(
    f"test_{name}.py"
    for name in (
        *("cli", "cli_store", "crash", "demo", "house", "new_sender", "processes", "readme", "ripemd128", "servers"),
        *("store_machine", "wheel", "memory_store", "stores", "outage", "slow_senders", "properties", "http2"),
        *("framework_suites", "frameworks", "examples", "sdks", "sdks_url", "catalogue", "benchmarks", "hot_path_cost"),
        *("provider_pages", "django", "config", "schema", "cli_vectors", "cli_check", "fetching", "flask_extension"),
    )
)
"""Tests that start processes, in which nobody sees the mutant; that know nothing of what is mutated; or that take long:
of the last kind are ``properties``, whose examples are random besides, so that a mutant they kill may survive tomorrow.
"""

# One event loop and one store: the other ones run the same lines of what is mutated.
CHOICE: Final = "not trio and not sqlite and not redis and not postgres"

OPTIONS: Final = (
    *("-q", "-p", "no:cacheprovider", "--assert=plain", "--tb=no", "-k", CHOICE, "-o", "timeout=60"),
    *("-p", "anyio.pytest_plugin", "-p", "pytest_timeout", "-p", "_hypothesis_pytestplugin"),
)

SLOWEST: Final = 3.0
"""Seconds; what takes longer than this is not run against mutants."""


class OneFile(TypedDict):
    """What one file of tests covers."""

    digest: str
    tests: list[tuple[str, float]]
    """Names and seconds, of the tests that pass."""
    lines: dict[str, dict[str, list[int]]]
    """Module, line, and the tests by their place in the list."""


class Covering:
    """The tests of a tree by the lines they run."""

    def __init__(self, base: str, imported: dict[str, list[int]], files: dict[str, OneFile]) -> None:
        """*base*: a digest of what all the tests depend on; *imported*: the lines that run on import, by module."""
        self.base = base
        self.imported = {module: set(lines) for module, lines in imported.items()}
        self.files = files
        self.seconds = {test: seconds for one in files.values() for test, seconds in one["tests"]}

    def tests(self, module: str, lines: Iterable[int] | None = None) -> list[str]:
        """Return the tests that run one of the *lines* of *module* (any line by default), the quickest first."""
        wanted = None if lines is None else {str(line) for line in lines}
        found = {
            one["tests"][place][0]
            for one in self.files.values()
            for line, places in one["lines"].get(module, {}).items()
            if wanted is None or line in wanted
            for place in places
        }
        return self._quick(found)

    def all_tests(self) -> list[str]:
        """Return every test, the quickest first."""
        return self._quick(set(self.seconds))

    def _quick(self, found: set[str]) -> list[str]:
        """Return what is to be run of *found*: no slow test, and not in both worlds what one of them shows."""
        kept = [t for t in found if self.seconds[t] <= SLOWEST and not ("asyncio" in t and _twin(t) in found)]
        return sorted(kept, key=lambda test: (self.seconds[test], test))


def _twin(test: str) -> str:
    return test.replace("asyncio", "wsgi")


class Recorder:
    """A plugin of pytest that notes what each test runs."""

    def __init__(self, source: Path, modules: Iterable[str]) -> None:
        """*source*: the folder of the package; *modules*: what to import before any test runs."""
        import coverage  # noqa: PLC0415 - only who collects needs it

        self._source = source
        self._modules = tuple(modules)
        self._coverage = coverage.Coverage(data_file=None, config_file=False, source=[str(source)], messages=False)
        self._seconds: dict[str, float] = {}
        self._outcomes: dict[str, set[str]] = defaultdict(set)
        self._coverage.start()

    def pytest_collection_finish(self) -> None:
        """Import the modules, so that none of their lines counts as a test's."""
        for module in self._modules:
            importlib.import_module(module)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Begin a test."""
        self._coverage.switch_context(nodeid)
        self._seconds[nodeid] = -time.perf_counter()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """End a test."""
        self._seconds[nodeid] += time.perf_counter()
        self._coverage.switch_context("")

    def pytest_runtest_logreport(self, report: Any) -> None:  # noqa: ANN401 - pytest's
        """Note how a test ended."""
        self._outcomes[report.nodeid].add(report.outcome)

    def write(self, place: Path) -> None:
        """Write what was found as JSON."""
        self._coverage.stop()
        data = self._coverage.get_data()
        lines: dict[str, dict[int, list[str]]] = {}
        for name in data.measured_files():
            module = os.path.relpath(name, self._source)
            lines[module] = {line: contexts for line, contexts in data.contexts_by_lineno(name).items() if contexts}
        passed = {test: self._seconds[test] for test, ends in self._outcomes.items() if ends == {"passed"}}
        failed = sorted(test for test, ends in self._outcomes.items() if "failed" in ends)
        place.write_text(json.dumps({"passed": passed, "failed": failed, "lines": lines}), encoding="utf-8")


def merged(tree: Path, old: Covering | None, base: str, changed: Iterable[str], found: dict[str, Any]) -> Covering:
    """Return the *old* knowledge with what was *found* anew about the *changed* files of tests."""
    files = {} if old is None else {n: one for n, one in old.files.items() if n not in changed and (tree / n).exists()}
    places: dict[str, tuple[str, int]] = {}
    for name in changed:
        files[name] = OneFile(digest=digest([tree / name]), tests=[], lines=defaultdict(lambda: defaultdict(list)))
    for test, seconds in found["passed"].items():
        name = test.partition("::")[0]
        places[test] = (name, len(files[name]["tests"]))
        files[name]["tests"].append((test, seconds))
    imported: dict[str, set[int]] = defaultdict(set, {} if old is None else old.imported)
    for module, lines in found["lines"].items():
        for line, tests in lines.items():
            for test in tests:
                if test in places:
                    name, place = places[test]
                    files[name]["lines"][module][line].append(place)
                elif not test:
                    imported[module].add(int(line))
    return Covering(base, {module: sorted(lines) for module, lines in imported.items()}, files)


def load(place: Path, base: str) -> Covering | None:
    """Return what was kept at *place*, None if the *base* of it has changed."""
    try:
        kept = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Covering(base, kept["imported"], kept["files"]) if kept["base"] == base else None


def save(covering: Covering, place: Path) -> None:
    """Keep *covering* at *place*."""
    imported = {module: sorted(lines) for module, lines in covering.imported.items()}
    place.parent.mkdir(exist_ok=True)
    place.write_text(
        json.dumps({"base": covering.base, "imported": imported, "files": covering.files}), encoding="utf-8"
    )


def test_files(tree: Path) -> list[str]:
    """Return the files of tests that know something of what is mutated."""
    return [f"tests/{path.name}" for path in sorted(tree.glob("tests/test_*.py")) if path.name not in SKIPPED]


def base_of(tree: Path) -> str:
    """Return a digest of what every test depends on."""
    return digest(_base_files(tree))


def _base_files(tree: Path) -> Iterator[Path]:
    yield from sorted((tree / "src").rglob("*.py"))
    yield from (path for path in sorted((tree / "tests").glob("*.py")) if not path.name.startswith("test_"))
    yield from sorted((tree / "tools").glob("covering.py"))


def digest(files: Iterable[Path]) -> str:
    """Return one digest of the *files*."""
    running = hashlib.sha256()
    for path in files:
        running.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return running.hexdigest()
