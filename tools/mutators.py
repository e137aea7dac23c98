"""What is changed: every small change of a module that a test should notice."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import CodeType

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
    """``module:line:column:what``, numbered where that is not unique."""
    lines: range
    """The lines that the change is about."""
    slot: _Slot
    change: Callable[[Any], ast.AST]


class _Slot(NamedTuple):
    """Where a node stands in its parent."""

    parent: ast.AST
    field: str
    index: int | None

    def get(self) -> ast.AST:
        held = getattr(self.parent, self.field)
        return held if self.index is None else held[self.index]  # type: ignore[no-any-return]

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


class Module:
    """A module and its mutants."""

    def __init__(self, path: Path, name: str) -> None:
        """*path*: the file; *name*: what it is called in the results."""
        self.path = path
        self.name = name
        self.text = path.read_text(encoding="utf-8")
        self._tree = ast.parse(self.text)
        self.mutants = tuple(self._mutants())

    def compiled(self, mutant: Mutant) -> CodeType:
        """Return the code of the module with *mutant* in it."""
        return self._with(mutant, lambda tree: compile(tree, str(self.path), "exec", dont_inherit=True))

    def source(self, mutant: Mutant | None) -> str:
        """Return the module with *mutant* in it as text, without comments."""
        return ast.unparse(self._tree) if mutant is None else self._with(mutant, ast.unparse)

    def _with(self, mutant: Mutant, use: Callable[[ast.Module], Any]) -> Any:  # noqa: ANN401 - what *use* returns
        genuine = mutant.slot.get()
        twin = copy.copy(genuine)
        changed = mutant.change(twin)
        mutant.slot.put(ast.fix_missing_locations(ast.copy_location(changed, genuine)))
        try:
            return use(self._tree)
        finally:
            mutant.slot.put(genuine)

    def _mutants(self) -> Iterator[Mutant]:
        passive = {id(inner) for node in ast.walk(self._tree) for part in _passive(node) for inner in ast.walk(part)}
        names: Counter[str] = Counter()
        for slot in _slots(self._tree):
            node = slot.get()
            if id(node) in passive:
                continue
            for what, change in _changes(node):
                placed: Any = _placed(node)
                name = f"{self.name}:{placed.lineno}:{placed.col_offset}:{what}"
                names[name] += 1
                unique = name if names[name] == 1 else f"{name} #{names[name]}"
                yield Mutant(unique, range(placed.lineno, placed.end_lineno + 1), slot, change)


def _slots(node: ast.AST) -> Iterator[_Slot]:
    for field, value in ast.iter_fields(node):
        for index, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(child, ast.AST):
                yield _Slot(node, field, index)
                yield from _slots(child)


def _placed(node: ast.AST) -> ast.AST:
    """Return the part of *node* that says where a change of it is: of a whole ``if`` that is its condition."""
    if isinstance(node, ast.comprehension):
        return node.iter
    return node.test if isinstance(node, ast.If) else node


def _passive(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts that decide nothing: annotations, docstrings, messages, what only a type checker reads."""
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
        case ast.Call(func=ast.Attribute(value=ast.Name(id="logger"))):
            yield from (part for part in node.args if isinstance(part, ast.Constant))
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            yield node
        case ast.Expr(value=ast.Constant()) | ast.JoinedStr():
            yield node
        case ast.Assign(value=ast.Subscript(value=ast.Name(id="Literal"))):
            yield node


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], ast.AST]]]:  # noqa: PLR0912 - one a kind
    """Yield what can be changed about *node*, and how a copy of it is changed."""
    match node:
        case ast.Compare():
            for place, operator in enumerate(node.ops):
                for other in SWAPS.get(type(operator), ()):
                    ops = [*node.ops[:place], other(), *node.ops[place + 1 :]]
                    yield other.__name__, lambda twin, ops=ops: _set(twin, "ops", ops)  # type: ignore[misc]
        case ast.BoolOp():
            other_bool = ast.Or if isinstance(node.op, ast.And) else ast.And
            yield other_bool.__name__, lambda twin: _set(twin, "op", other_bool())
        case ast.UnaryOp(op=ast.Not()):
            yield "without not", lambda twin: twin.operand
        case ast.UnaryOp(op=ast.USub()):
            yield "without minus", lambda twin: twin.operand
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
            yield "if not", lambda twin: _set(twin, "test", ast.UnaryOp(ast.Not(), twin.test))
        case ast.comprehension(ifs=[_, *_]):
            yield "without if", lambda twin: _set(twin, "ifs", [])


def _set(node: ast.AST, attribute: str, value: object) -> ast.AST:
    setattr(node, attribute, value)
    return node
