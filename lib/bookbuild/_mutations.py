"""One-line changes of a Python source that a test should notice, made on its syntax tree and spliced into its text."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from bookbuild.fingerprint import parsed

_COMPARE = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.In: "not in", ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is",
}  # fmt: skip
_ARITHMETIC = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.FloorDiv: "/",
    ast.Mod: "*",
    ast.Pow: "*",
}
_CALLS = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "sorted": "list",
    "ceil": "floor",
    "floor": "ceil",
}
_STATEMENTS = (ast.Expr, ast.Raise, ast.AugAssign, ast.Break, ast.Continue, ast.Delete)
_OPERATOR = re.compile(r"not\s+in|is\s+not|in|is|and|or|[<>=!]=|//|\*\*|[<>+\-*/%]")
# A wrong line near these may end processes or remove files that are not the test's.
_DANGEROUS = ("kill", "end_tree", "terminate", "rmtree", "unlink", "rmdir", "rename", "replace", "Popen")


@dataclass(frozen=True)
class Mutation:
    """A change of one place.

    Args:
        line: where it begins, from 1.
        what: old and new text, short.
        begin, end: the place, in bytes.
        new: what stands there afterwards.
    """

    line: int
    what: str
    begin: int
    end: int
    new: str

    def applied(self, source: str) -> str | None:
        """The module after the change; ``None`` if that is no Python or means the same."""
        data = source.encode()
        changed = (data[: self.begin] + self.new.encode() + data[self.end :]).decode()
        try:
            return changed if ast.dump(parsed(changed)) != ast.dump(parsed(source)) else None
        except SyntaxError:
            return None


def mutations(source: str) -> list[Mutation]:
    """All changes of a module, in the order of its lines."""
    tree = parsed(source)
    inside = {id(node) for node in _left_out(tree) for node in ast.walk(node)}
    text, found = _Text(source), {}
    for node in ast.walk(tree):
        if id(node) not in inside and hasattr(node, "lineno"):
            for begin, end, new in _changes(node, text):
                old = " ".join(text.part(begin, end).split())
                what = f"{old[:60]}  ->  {new.strip() or 'nothing'}"
                found[begin, end, new] = Mutation(node.lineno, what, begin, end, new)
    return [found[place] for place in sorted(found)]


def _left_out(tree: ast.AST) -> Iterator[ast.AST]:
    """Types, formatted texts, messages and dangerous calls: a change there says nothing about the tests, or harms."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield node
        elif isinstance(node, ast.arg) and node.annotation:
            yield node.annotation
        elif isinstance(node, ast.AnnAssign):
            yield node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
            yield node.returns
        elif isinstance(node, ast.stmt) and not hasattr(node, "body"):
            calls = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
            if any(word in ast.unparse(call.func) for call in calls for word in _DANGEROUS):
                yield node


def _changes(node: ast.AST, text: "_Text") -> Iterator[tuple[int, int, str]]:
    """Places in the text, and what to put there."""
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
            if (place := text.operator(left, right)) is not None:
                yield *place, _COMPARE[type(op)]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            if (place := text.operator(left, right)) is not None:
                yield *place, _ARITHMETIC[type(op)]
        case ast.BoolOp(op=op, values=values):
            for left, right in pairwise(values):
                if (place := text.operator(left, right)) is not None:
                    yield *place, "or" if isinstance(op, ast.And) else "and"
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield text.begin(node), text.begin(operand), ""
        case ast.Constant(value=bool(value)):
            yield *text.place(node), str(not value)
        case ast.Constant(value=int(value)):
            yield *text.place(node), str(value + 1)
        case ast.Constant(value=float(value)):
            yield *text.place(node), str(value * 2 if value else 1.0)
        case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
            yield *text.place(node.func), _CALLS[name]
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            yield *text.place(test), "True"
            yield *text.place(test), "False"
        case ast.Return(value=value) if value is not None and not _none(value):
            yield *text.place(value), "None"
    if isinstance(node, _STATEMENTS) and not _docstring(node):
        yield *text.place(node), "pass"


def _none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


class _Text:
    """A source by positions in bytes, which is what the syntax tree counts."""

    def __init__(self, source: str):
        self.data = source.encode()
        self.lines = [0]
        for line in self.data.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))

    def begin(self, node: ast.AST) -> int:
        return self.lines[node.lineno - 1] + node.col_offset

    def end(self, node: ast.AST) -> int:
        return self.lines[node.end_lineno - 1] + node.end_col_offset

    def place(self, node: ast.AST) -> tuple[int, int]:
        return self.begin(node), self.end(node)

    def part(self, begin: int, end: int) -> str:
        return self.data[begin:end].decode()

    def operator(self, left: ast.AST, right: ast.AST) -> tuple[int, int] | None:
        """Where the operator between two operands stands; brackets and comments beside it stay."""
        base, between = self.end(left), self.part(self.end(left), self.begin(right))
        found = _OPERATOR.search(re.sub(r"#.*", lambda comment: " " * len(comment[0].encode()), between))
        return found and (base + found.start(), base + found.end())
