"""Mutation testing of what decides: change one thing at a time in a copy of ``src``, and see whether a test notices.

    python tools/mutants.py                        every module, every mutant (hours)
    python tools/mutants.py --module verifiers/age.py --module keys.py
    python tools/mutants.py --limit 50 --seed 7    a sample of each module
    python tools/mutants.py --show 'keys.py:64:20:<='   one mutant, by (the beginning of) its name, with its difference

A mutant is first put to the fast tests of its module, and what survives those to the wider ones. The score and the
survivors are printed and, with ``--json FILE``, written as JSON after every module. Each mutant runs in a process
forked from one that has imported the libraries but nothing of hooklatch: that is why this is not cosmic-ray, which
starts an interpreter for each mutant, has one test command for all modules, and edits the tree it runs in.
"""

from __future__ import annotations

import argparse
import ast
import copy
import difflib
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGE: Final = Path("src") / "hooklatch"

FAST: Final[dict[str, tuple[str, ...]]] = {
    "keys.py": ("vectors", "mutants_killed", "secrets"),
    "secrets.py": ("mutants_killed", "secrets"),
    "public_keys.py": ("public_keys",),
    "chain.py": ("mutants_killed", "vectors", "duplicates", "cors", "direct"),
    "template.py": ("mutants_killed", "template"),
    "documents.py": ("mutants_killed", "body_fields"),
    "verifiers/age.py": ("mutants_killed", "time"),
    "verifiers/body_digest.py": ("mutants_killed", "duplicates"),
    "verifiers/event_id.py": ("mutants_killed", "duplicates", "body_fields"),
    "verifiers/length.py": ("mutants_killed", "direct"),
    "verifiers/method.py": ("mutants_killed", "cors", "routes"),
    "verifiers/origin.py": ("mutants_killed", "cors"),
    "verifiers/overrides.py": ("mutants_killed", "routes"),
    "verifiers/signature.py": ("mutants_killed", "vectors", "template", "body_fields"),
    "verifiers/timestamp.py": ("mutants_killed", "time"),
    "verifiers/user_agent.py": ("mutants_killed", "user_agent"),
}
"""The tests that know a module best, ``tests/test_NAME.py``."""

WIDE: Final = (
    "vectors",
    "time",
    "body_fields",
    "secrets",
    "user_agent",
    "duplicates",
    "template",
    "public_keys",
    "cors",
)
"""The tests that survivors are put to as well, with ``LAST`` behind them."""

LAST: Final = ("routes", "direct", "settle", "corpus", "lint")

# One world and one store: the mutated modules know nothing of either.
CHOICE: Final = "not asyncio and not trio and not sqlite and not redis and not postgres"

# Rewritten asserts would tell more to a reader that there is not.
OPTIONS: Final = ("-x", "-q", "-p", "no:cacheprovider", "--assert=plain", "--tb=no")

LIBRARIES: Final = (
    *(
        "pytest",
        "_pytest.assertion.rewrite",
        "pytest_timeout",
        "anyio",
        "anyio._backends._asyncio",
        "trio",
        "hypothesis",
    ),
    *("starlette.applications", "starlette.testclient", "werkzeug.test", "flask", "fastapi", "webtest", "redis"),
    *("psycopg", "Crypto.PublicKey.ECC", "Crypto.PublicKey.RSA", "Crypto.Signature.DSS", "Crypto.Signature.eddsa"),
    *("Crypto.Signature.pkcs1_15", "subprocess", "sqlite3", "logging.handlers"),
)

SWAPS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}


class Mutant(NamedTuple):
    """One change of one module."""

    name: str
    """``module:line:column:what``."""
    source: str


def mutants_of(module: str) -> Iterator[Mutant]:
    """Yield every mutant of *module* (a path below ``src/hooklatch``)."""
    tree = ast.parse((ROOT / PACKAGE / module).read_text(encoding="utf-8"))
    for index, node in enumerate(ast.walk(tree)):
        if id(node) in _passive(tree):
            continue
        for what, change in _changes(node):
            twin = copy.deepcopy(tree)
            parent = _Replace(_nth(twin, index), change)
            source = ast.unparse(ast.fix_missing_locations(parent.visit(twin)))
            placed: Any = node.iter if isinstance(node, ast.comprehension) else node
            place = f"{getattr(placed, 'lineno', 0)}:{getattr(placed, 'col_offset', 0)}"
            yield Mutant(f"{module}:{place}:{what}", source)


_passive_of: dict[int, set[int]] = {}


def _passive(tree: ast.Module) -> set[int]:
    """Return the nodes that decide nothing: annotations, docstrings, messages, what only a type checker reads."""
    if id(tree) not in _passive_of:
        found: set[int] = set()
        for node in ast.walk(tree):
            for part in _passive_parts(node):
                found.update(id(inner) for inner in ast.walk(part))
        _passive_of[id(tree)] = found
    return _passive_of[id(tree)]


def _passive_parts(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            if node.returns:
                yield node.returns
            if node.name == "__repr__":
                yield from node.body
        case ast.arg(annotation=ast.expr() as annotation):
            yield annotation
        case ast.AnnAssign():
            yield node.annotation
            if isinstance(node.annotation, ast.Name) and node.annotation.id == "TypeAlias":
                yield node
        case ast.Assign(targets=[ast.Name(id="msg" | "__slots__" | "__all__")]) | ast.Import() | ast.ImportFrom():
            yield node
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            yield node
        case ast.Expr(value=ast.Constant()) | ast.JoinedStr():
            yield node
        case ast.Assign(value=ast.Subscript(value=ast.Name(id="Literal"))):
            yield node


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], ast.AST]]]:  # noqa: PLR0912 - one a kind
    """Yield what can be changed about *node*, and how."""
    match node:
        case ast.Compare():
            for place, operator in enumerate(node.ops):
                for other in SWAPS.get(type(operator), ()):
                    yield other.__name__, lambda twin, p=place, o=other: _with_operator(twin, p, o)  # type: ignore[misc]
        case ast.BoolOp():
            other_bool = ast.Or if isinstance(node.op, ast.And) else ast.And
            yield other_bool.__name__, lambda twin: _set(twin, "op", other_bool())
        case ast.UnaryOp(op=ast.Not()):
            yield "without not", lambda twin: getattr(twin, "operand")  # noqa: B009 - the node's kind is known
        case ast.UnaryOp(op=ast.USub()):
            yield "without minus", lambda twin: getattr(twin, "operand")  # noqa: B009
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            sign = ast.Sub if isinstance(node.op, ast.Add) else ast.Add
            yield sign.__name__, lambda twin: _set(twin, "op", sign())
        case ast.Constant(value=bool() as truth):
            yield str(not truth), lambda _: ast.Constant(value=not truth)
        case ast.Constant(value=int() as number):
            yield str(number + 1), lambda _: ast.Constant(value=number + 1)
            yield str(number - 1), lambda _: ast.Constant(value=number - 1)
        case ast.Constant(value=float() as figure):
            yield str(figure + 1), lambda _: ast.Constant(value=figure + 1)
        case ast.Constant(value=str() as text):
            yield "other text", lambda _: ast.Constant(value=f"{text}mutant" if text else "mutant")
        case ast.Constant(value=bytes() as raw):
            yield "other bytes", lambda _: ast.Constant(value=raw + b"m")
        case ast.Raise():
            yield "without raise", lambda _: ast.Pass()
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield "return None", lambda _: ast.Return(value=ast.Constant(value=None))
        case ast.Expr(value=ast.Call()):
            yield "without call", lambda _: ast.Pass()
        case ast.Continue():
            yield "break", lambda _: ast.Break()
        case ast.Break():
            yield "continue", lambda _: ast.Continue()
        case ast.If() | ast.IfExp():
            yield "if not", lambda twin: _set(twin, "test", ast.UnaryOp(ast.Not(), getattr(twin, "test")))  # noqa: B009
        case ast.comprehension(ifs=[_, *_]):
            yield "without if", lambda twin: _set(twin, "ifs", [])


def _set(node: ast.AST, attribute: str, value: object) -> ast.AST:
    setattr(node, attribute, value)
    return node


def _with_operator(node: ast.AST, place: int, other: type[ast.cmpop]) -> ast.AST:
    assert isinstance(node, ast.Compare)  # noqa: S101 - by construction
    node.ops[place] = other()
    return node


def _nth(tree: ast.AST, index: int) -> ast.AST:
    return next(node for place, node in enumerate(ast.walk(tree)) if place == index)


class _Replace(ast.NodeTransformer):
    """Puts a changed node in the place of one node."""

    def __init__(self, node: ast.AST, change: Callable[[ast.AST], ast.AST]) -> None:
        self._node = node
        self._change = change

    def visit(self, node: ast.AST) -> ast.AST:
        """Return *node*, or what stands in its place."""
        return self._change(node) if node is self._node else self.generic_visit(node)


class Bench:
    """A copy of ``src`` in which one module at a time is another, and the tests that run against it."""

    def __init__(self, folder: Path) -> None:
        """*folder*: where the copy goes."""
        self.source = folder / "src"
        shutil.copytree(ROOT / "src", self.source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        sys.dont_write_bytecode = True
        sys.path[:0] = [str(self.source), str(ROOT / "tests")]
        for library in LIBRARIES:
            importlib.import_module(library)
        if any(name.partition(".")[0] == "hooklatch" for name in sys.modules):
            sys.exit("hooklatch was imported too early; no mutant would be seen")

    def passes(self, names: tuple[str, ...], limit: float) -> bool:
        """Return whether the tests ``tests/test_NAME.py`` pass within *limit* seconds."""
        files = [f"tests/test_{name}.py" for name in names if (ROOT / f"tests/test_{name}.py").exists()]
        child = os.fork()
        if child == 0:
            _run_tests(files)
        end = time.monotonic() + limit
        while time.monotonic() < end:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status) == 0
            time.sleep(0.02)
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return False

    def time_of(self, names: tuple[str, ...]) -> float:
        """Return how long the tests take without a mutant (seconds); exit if they fail."""
        started = time.monotonic()
        if not self.passes(names, 600):
            sys.exit(f"the tests {names} fail without any mutant")
        return time.monotonic() - started

    def survives(self, module: str, mutant: Mutant, tests: tuple[str, ...], limit: float) -> bool:
        """Return whether no test notices *mutant*."""
        place = self.source / "hooklatch" / module
        genuine = place.read_bytes()
        place.write_text(mutant.source, encoding="utf-8")
        try:
            return self.passes(tests, limit)
        finally:
            place.write_bytes(genuine)


def _run_tests(files: list[str]) -> None:
    """Run *files* in this forked process, and end it."""
    code = 3
    try:
        os.setpgid(0, 0)
        os.chdir(ROOT)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        import pytest  # noqa: PLC0415 - the parent has imported it

        code = int(pytest.main([*OPTIONS, "-k", CHOICE, *files]))
    finally:
        os._exit(code)


def judge(bench: Bench, module: str, chosen: list[Mutant], *, wide: bool) -> list[str]:
    """Return the names of those of the *chosen* mutants that no test notices."""
    fast = FAST[module]
    limit = 3 * bench.time_of(fast) + 10
    survivors = [mutant for mutant in chosen if bench.survives(module, mutant, fast, limit)]
    for wider in (tuple(name for name in WIDE if name not in fast), LAST):
        if survivors and wide:
            limit = 3 * bench.time_of(wider) + 10
            survivors = [mutant for mutant in survivors if bench.survives(module, mutant, wider, limit)]
    return [mutant.name for mutant in survivors]


def show(name: str) -> None:
    """Print what the mutants change whose names begin with *name*."""
    module = name.partition(":")[0]
    genuine = ast.unparse(ast.parse((ROOT / PACKAGE / module).read_text(encoding="utf-8")))
    for mutant in mutants_of(module):
        if mutant.name.startswith(name):
            lines = difflib.unified_diff(genuine.splitlines(), mutant.source.splitlines(), "genuine", mutant.name, n=2)
            print("\n".join(lines))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--module", action="append", choices=FAST, metavar="MODULE", help=", ".join(FAST))
    parser.add_argument("--limit", type=int, help="mutants of each module, chosen at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fast", action="store_true", help="leave the wider tests out: some survivors may be theirs")
    parser.add_argument("--json", type=Path, help="write the result there")
    parser.add_argument("--show", metavar="NAME", help="print the difference that a mutant makes")
    options = parser.parse_args()
    if options.show:
        show(options.show)
        return
    result: dict[str, dict[str, object]] = {}
    tried = killed = 0
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for module in options.module or FAST:
            chosen = list(mutants_of(module))
            if options.limit is not None and options.limit < len(chosen):
                chosen = random.Random(options.seed).sample(chosen, options.limit)  # noqa: S311 - a sample of tests
            survivors = judge(bench, module, chosen, wide=not options.fast)
            tried += len(chosen)
            killed += len(chosen) - len(survivors)
            result[module] = {"mutants": len(chosen), "killed": len(chosen) - len(survivors), "survivors": survivors}
            print(f"{module:28} {len(chosen) - len(survivors):4} of {len(chosen):4} killed", flush=True)
            print("".join(f"    {name}\n" for name in survivors), end="", flush=True)
            if options.json:
                options.json.write_text(json.dumps({"mutants": tried, "killed": killed, "modules": result}, indent=2))
    print(f"{'score':28} {killed:4} of {tried:4} killed: {100 * killed / max(tried, 1):.1f} %")


if __name__ == "__main__":
    main()
