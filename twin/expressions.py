"""Expressions over points, as packs and park files write them, compiled to programs the live core walks.

    status == "run" and supply_temp > 18          names are point keys, states go in quotes
    power / max(area, 1) if status != "off" else 0

Allowed: + - * /, comparisons (also chained), and, or, not, in ("a", "b"), a if c else b, abs, min, max, numbers. Truth is 1,
else 0.
A value that is not known makes the whole unknown; so does a division by zero, unless `if`, `and` or `or` pass it by.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from twin.errors import TwinError

LONGEST = 500
DEEPEST = 24


class Op(IntEnum):
    """What a step of a program does with the stack; `CONST` and `LOAD` use its argument."""

    CONST = 0
    LOAD = 1
    ADD = 2
    SUB = 3
    MUL = 4
    DIV = 5
    NEG = 6
    ABS = 7
    MIN = 8
    MAX = 9
    LT = 10
    LE = 11
    GT = 12
    GE = 13
    EQ = 14
    NE = 15
    AND = 16
    OR = 17
    NOT = 18
    CHOOSE = 19


class ExpressionError(TwinError):
    """An expression cannot be worked out as it stands."""


@dataclass(frozen=True, slots=True)
class Program:
    """Steps for a stack machine: op codes, their arguments, and the names `LOAD` counts."""

    ops: tuple[int, ...]
    args: tuple[float, ...]
    inputs: tuple[str, ...]


_BINARY = {ast.Add: Op.ADD, ast.Sub: Op.SUB, ast.Mult: Op.MUL, ast.Div: Op.DIV}
_COMPARE = {ast.Lt: Op.LT, ast.LtE: Op.LE, ast.Gt: Op.GT, ast.GtE: Op.GE, ast.Eq: Op.EQ, ast.NotEq: Op.NE}
_CALLS = {"abs": Op.ABS, "min": Op.MIN, "max": Op.MAX}


def compile_expression(text: str, states: Mapping[str, Sequence[str]]) -> Program:
    """The program of an expression.

    Args:
        text: the expression.
        states: the names it may use → the states of each (empty: a number).

    Raises:
        ExpressionError: it is no expression of this kind, or names what there is not.
    """
    if not text.strip() or len(text) > LONGEST:
        raise ExpressionError(f"an expression has 1 to {LONGEST} signs, this one {len(text)}", mend="shorten or remove it")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError(f"'{text}' cannot be read ({getattr(error, 'msg', error)})",
                              mend="write it like: status == \"run\" and temp > 26") from error
    maker = _Maker(text, states)
    maker.make(tree.body)
    if not maker.inputs:
        raise ExpressionError(f"'{text}' depends on nothing", mend=f"name one of {', '.join(states) or 'the points'}")
    return Program(tuple(maker.ops), tuple(maker.args), tuple(maker.inputs))


def difference(first: str, second: str) -> Program:
    """The program of `first - second`."""
    return Program((Op.LOAD, Op.LOAD, Op.SUB), (0.0, 1.0, 0.0), (first, second))


@dataclass(slots=True)
class _Maker:
    text: str
    states: Mapping[str, Sequence[str]]
    ops: list[int] = field(default_factory=list)
    args: list[float] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    depth: int = 0

    def make(self, node: ast.expr) -> None:
        """Steps that leave the node's value on the stack."""
        kinds: tuple[tuple[type[ast.expr], Callable[..., None]], ...] = (
            (ast.BoolOp, self._both), (ast.BinOp, self._binary), (ast.UnaryOp, self._unary), (ast.Compare, self._compare),
            (ast.IfExp, self._choose), (ast.Call, self._call), (ast.Name, self._load), (ast.Constant, self._number))
        for kind, make in kinds:
            if isinstance(node, kind):
                make(node)
                return
        raise self._refused(node, "is not allowed here")

    def _say(self, op: Op, takes: int, arg: float = 0.0) -> None:
        self.ops.append(int(op))
        self.args.append(arg)
        self.depth += 1 - takes
        if self.depth > DEEPEST:
            raise ExpressionError(f"'{self.text}' is nested too deeply", mend="split it into derived points")

    def _both(self, node: ast.BoolOp) -> None:
        self.make(node.values[0])
        for value in node.values[1:]:
            self.make(value)
            self._say(Op.AND if isinstance(node.op, ast.And) else Op.OR, 2)

    def _binary(self, node: ast.BinOp) -> None:
        op = _BINARY.get(type(node.op))
        if op is None:
            raise self._refused(node, "uses a sign that is not + - * /")
        self.make(node.left)
        self.make(node.right)
        self._say(op, 2)

    def _unary(self, node: ast.UnaryOp) -> None:
        self.make(node.operand)
        if isinstance(node.op, ast.USub):
            self._say(Op.NEG, 1)
        elif isinstance(node.op, ast.Not):
            self._say(Op.NOT, 1)
        elif not isinstance(node.op, ast.UAdd):
            raise self._refused(node, "uses a sign that is not allowed")

    def _compare(self, node: ast.Compare) -> None:
        left = node.left
        for k, (op, right) in enumerate(zip(node.ops, node.comparators, strict=True)):
            self._one(left, op, right)
            if k:
                self._say(Op.AND, 2)
            left = right

    def _one(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> None:
        if isinstance(op, ast.In | ast.NotIn):
            self._among(left, right, isinstance(op, ast.NotIn))
            return
        if type(op) not in _COMPARE:
            raise self._refused(left, "is compared in a way that is not allowed")
        for node, other in ((left, right), (right, left)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                self._state(other, node.value, op)
            else:
                self.make(node)
        self._say(_COMPARE[type(op)], 2)

    def _among(self, left: ast.expr, right: ast.expr, is_not: bool) -> None:
        if not isinstance(right, ast.Tuple | ast.List) or not right.elts:
            raise self._refused(right, "is no list; write (\"a\", \"b\")")
        for k, choice in enumerate(right.elts):
            self._one(left, ast.Eq(), choice)
            if k:
                self._say(Op.OR, 2)
        if is_not:
            self._say(Op.NOT, 1)

    def _state(self, other: ast.expr, state: str, op: ast.cmpop) -> None:
        name = other.id if isinstance(other, ast.Name) else ""
        known = self.states.get(name, ())
        if not isinstance(op, ast.Eq | ast.NotEq) or state not in known:
            raise ExpressionError(f"'{self.text}' compares '{name or ast.unparse(other)}' with state '{state}'",
                                  mend=f"use == or != with one of {', '.join(known) or 'the states of a state point'}")
        self._say(Op.CONST, 0, float(list(known).index(state)))

    def _choose(self, node: ast.IfExp) -> None:
        for part in (node.test, node.body, node.orelse):
            self.make(part)
        self._say(Op.CHOOSE, 3)

    def _call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        op = _CALLS.get(name)
        if op is None or node.keywords or (op is Op.ABS) != (len(node.args) == 1) or not node.args:
            raise self._refused(node, "is not abs(a), min(a, b, …) or max(a, b, …)")
        self.make(node.args[0])
        if op is Op.ABS:
            self._say(op, 1)
        for part in node.args[1:]:
            self.make(part)
            self._say(op, 2)

    def _load(self, node: ast.Name) -> None:
        if node.id not in self.states:
            raise ExpressionError(f"'{self.text}' names '{node.id}'", mend=f"use one of {', '.join(self.states) or 'none'}")
        if node.id not in self.inputs:
            self.inputs.append(node.id)
        self._say(Op.LOAD, 0, float(self.inputs.index(node.id)))

    def _number(self, node: ast.Constant) -> None:
        if not isinstance(node.value, int | float):  # bool is an int
            raise self._refused(node, "is no number")
        if not abs(node.value) < 1e300:
            raise self._refused(node, "is too large")
        self._say(Op.CONST, 0, float(node.value))

    def _refused(self, node: ast.AST, why: str) -> ExpressionError:
        return ExpressionError(f"'{self.text}': '{ast.unparse(node)}' {why}",
                               mend="use + - * /, comparisons, and, or, not, in, if else, abs, min, max")
