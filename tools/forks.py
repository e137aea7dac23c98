"""One mutant and the tests it is put to: in a fork of a process that has collected every test, or of one that has
imported nothing of hooklatch yet (``mutants.py`` says when which).
"""

from __future__ import annotations

import atexit
import gc
import importlib
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import tempfile
import time
from collections import defaultdict
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

import covering

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from pathlib import Path

    from mutators import Module, Mutant


PATIENCE: Final = 6
"""Seconds of CPU time for one test; twice what the slowest of them takes."""


class Verdict(NamedTuple):
    """What became of a mutant."""

    outcome: str
    """``killed``, ``timed out`` or ``survived``."""
    by: str = ""
    """The test that killed it."""
    tests: int = 0
    """How many it was put to."""


UNRUN: Final = Verdict("survived")
"""What becomes of a mutant that no test runs."""


class Task(NamedTuple):
    """A mutant and the tests it is put to."""

    module: Module
    mutant: Mutant
    tests: list[str]
    seconds: float
    """How long the tests take without a mutant."""


def in_fork(work: Callable[[Callable[[str], None]], int], seconds: float) -> tuple[int | None, str]:
    """Return the exit code of *work* in a child (None: it took too long), and what it told."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        _work(work, tell)
    os.close(tell)
    # Other processes may have the machine: what runs away is stopped by its CPU time, what waits by this.
    end = time.monotonic() + 30 + 20 * seconds
    pause = 0.001
    code: int | None = None
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            break
        if time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            break
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    with os.fdopen(told, "rb") as pipe:
        os.set_blocking(pipe.fileno(), False)
        text = (pipe.read() or b"").decode()
    return (None if code in (-signal.SIGXCPU, -signal.SIGKILL) else code), text


def patience(seconds: int = PATIENCE) -> None:
    """Give this process so many more *seconds* of CPU time; it is killed after them."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(spent.ru_utime + spent.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _work(work: Callable[[Callable[[str], None]], int], pipe: int) -> NoReturn:
    """Do the child's part of ``in_fork``, and end."""

    def tell(text: str) -> None:
        os.write(pipe, text[:4000].encode())

    code = 3
    try:
        os.setpgid(0, 0)
        atexit._clear()  # noqa: SLF001 - what the parent cleans up at its end is none of the child's business
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        code = work(tell)
    finally:
        atexit._run_exitfuncs()  # noqa: SLF001 - but servers that its own tests started are
        os._exit(code)


def verdict_of(task: Task, code: int | None, by: str) -> Verdict:
    """Return what an exit code of pytest, or of a fork, means."""
    if code is None:
        return Verdict("timed out", "", len(task.tests))
    nothing_ran = 5
    return (
        Verdict("survived", "", len(task.tests)) if code in (0, nothing_ran) else Verdict("killed", by, len(task.tests))
    )


class Inside:
    """A plugin of pytest that puts mutants to collected tests, in forks that give functions the mutant's code."""

    def __init__(self, work: Callable[[Inside], None], modules: Iterable[str]) -> None:
        """*work*: what to do with this once every test is collected; *modules*: what is mutated."""
        self._work = work
        self._modules = tuple(modules)
        self._failed = False
        self._items: dict[str, Any] = {}
        self._functions: dict[tuple[str, str, int], list[FunctionType]] = {}

    def pytest_collection_finish(self) -> None:
        """Import what no test has imported yet."""
        for name in self._modules:
            importlib.import_module(name)

    def pytest_runtestloop(self, session: Any) -> bool:  # noqa: ANN401 - pytest's
        """Do the work instead of running the tests."""
        self._items = {item.nodeid: item for item in session.items}
        # Made once, so that the forks share one folder instead of making a numbered one each.
        session.config._tmp_path_factory.getbasetemp()  # noqa: SLF001 - there is no other way
        functions = defaultdict(list)
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType) and "hooklatch" in thing.__code__.co_filename:
                functions[_place(thing.__code__)].append(thing)
        self._functions = functions
        gc.freeze()
        self._work(self)
        return True

    def pytest_runtest_logreport(self, report: Any) -> None:  # noqa: ANN401 - pytest's
        """Notice a failure."""
        self._failed = self._failed or report.failed

    def judge(self, task: Task) -> Verdict | None:
        """Return what becomes of a mutant; None if its code does not fit into the functions there are."""
        code = task.module.compiled(task.mutant)

        def child(tell: Callable[[str], None]) -> int:
            try:
                self._swap(code)
            except ValueError:
                return 77
            items = [self._items[test] for test in task.tests if test in self._items]
            for item, after in zip(items, [*items[1:], None], strict=True):
                patience()
                item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
                if self._failed:
                    tell(item.nodeid)
                    return 1
            return 0

        result, by = in_fork(child, task.seconds)
        return None if result == 77 else verdict_of(task, result, by)  # noqa: PLR2004 - as above

    def _swap(self, code: CodeType) -> None:
        for inner in _codes(code):
            for function in self._functions.get(_place(inner), ()):
                function.__code__ = inner


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _place(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


class Chooser:
    """A plugin of pytest that runs some tests in a given order and tells which one failed."""

    def __init__(self, tests: Sequence[str], tell: Callable[[str], None]) -> None:
        """*tests*: their names."""
        self._order = {test: place for place, test in enumerate(tests)}
        self._tell = tell

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Choose."""
        patience()
        items[:] = sorted((i for i in items if i.nodeid in self._order), key=lambda item: self._order[item.nodeid])

    def pytest_runtest_logstart(self) -> None:
        """Allow one more test its time."""
        patience()

    def pytest_runtest_logreport(self, report: Any) -> None:  # noqa: ANN401 - pytest's
        """Tell."""
        if report.failed:
            self._tell(report.nodeid)


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the one it is for
        return self._code


class _Finder:
    """Finds the mutant where the genuine module is looked for."""

    def __init__(self, module: Module, code: CodeType) -> None:
        self._name = dotted(module.name)
        self._path = str(module.path)
        self._code = code

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(name, self._path, loader=_Loader(name, self._path, self._code))


def outside(tree: Path, task: Task) -> Verdict:
    """Return what becomes of a mutant that is imported as the module it changes.

    Importing tests takes longer than running them, so the files are tried a few at a time.
    """
    code = task.module.compiled(task.mutant)
    by_file: dict[str, list[str]] = defaultdict(list)
    for test in task.tests:
        by_file[test.partition("::")[0]].append(test)
    names = list(by_file)
    for stage in (names[:1], names[1:4], names[4:]):
        tests = [test for name in stage for test in by_file[name]]

        def child(tell: Callable[[str], None], stage: list[str] = stage, tests: list[str] = tests) -> int:
            silence()
            patience(10 * PATIENCE)
            sys.meta_path.insert(0, _Finder(task.module, code))  # type: ignore[arg-type]
            return run_pytest(tree, ["-x", *stage], Chooser(tests, tell))

        verdict = verdict_of(task, *in_fork(child, task.seconds + 2)) if tests else UNRUN
        if tests and verdict.outcome != "survived":
            return verdict
    return Verdict("survived", "", len(task.tests))


def silence() -> None:
    """Let this process read and write nothing."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


def run_pytest(tree: Path, arguments: Sequence[str], plugin: object) -> int:
    """Run pytest in this process, over hooklatch as it is in *tree*."""
    import hypothesis  # noqa: PLC0415 - the parent has imported it
    import pytest  # noqa: PLC0415

    hypothesis.settings.register_profile("mutants", derandomize=True, database=None, deadline=None)
    hypothesis.settings.load_profile("mutants")
    base = tempfile.mkdtemp(dir=tree.parent)
    return int(pytest.main([*covering.OPTIONS, f"--basetemp={base}", *arguments], plugins=[plugin]))


def dotted(name: str) -> str:
    """Return how a file below ``src/hooklatch`` is imported."""
    return "hooklatch." + name.removesuffix(".py").replace("/", ".")
