"""The branches of a query, and the query without one of them.

A branch is what makes rows differ: an arm of a `case`, one of several conditions, a `where`, the
side of a join, an argument of `coalesce`, a key of a window, an arm of a `union`, a `distinct`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp

DIALECT = "duckdb"
LONGEST_TEXT = 160

Edit = tuple[str, Callable[[exp.Expression], object]]
"""What is taken out, and how, from the same node of a copy."""
Edits = Callable[[exp.Expression], Iterator[Edit]]


@dataclass(frozen=True)
class Mutant:
    """A query without one of its branches.

    Attributes:
        place: The CTE that holds the branch, e.g. ``renamed``.
        branch: What was taken out, e.g. ``where: _sdc_deleted_at IS NULL``.
        number: Which of those in this place with the same text, from 1.
        shared_as: For what a macro writes into many queries: the same text in all of them.
        tree: The query that is left.
    """

    place: str
    branch: str
    number: int
    shared_as: str | None
    tree: exp.Expression

    @property
    def name(self) -> str:
        """What it is called in a report and in the list of exceptions."""
        suffix = f" #{self.number}" if self.number > 1 else ""
        return f"{self.place}: {self.branch}{suffix}"


def mutants(query: exp.Expression) -> Iterator[Mutant]:
    """Yield the query without each of its branches in turn; the query itself stays as it is."""
    seen: Counter[tuple[str, str]] = Counter()
    original = query.sql(DIALECT)
    for position, node in enumerate(query.walk()):
        place = _place(node)
        for branch, edit in _edits(node):
            copy = query.copy()
            edit(_node_at(copy, position))
            if copy.sql(DIALECT) == original:
                continue
            text = branch if len(branch) <= LONGEST_TEXT else branch[:LONGEST_TEXT] + " ..."
            seen[place, text] += 1
            yield Mutant(place, text, seen[place, text], _shared(node, branch), copy)


def _node_at(tree: exp.Expression, position: int) -> exp.Expression:
    for at, node in enumerate(tree.walk()):
        if at == position:
            return node
    raise IndexError(position)


def _place(node: exp.Expression) -> str:
    cte = node.find_ancestor(exp.CTE)
    return cte.alias if cte else "query"


def _shared(node: exp.Expression, branch: str) -> str | None:
    """Name a mapping or `nullif` without its columns: what a macro writes differs in them only."""
    is_telling = any(literal.is_string for literal in node.find_all(exp.Literal))
    if not isinstance(node, (exp.Case, exp.Nullif)) or not is_telling:
        return None

    def mask(part: exp.Expression) -> exp.Expression:
        return exp.column("_") if isinstance(part, exp.Column) else part

    return f"{branch.partition(':')[0]} in {node.copy().transform(mask).sql(DIALECT)}"


def _condition(node: exp.Expression) -> Iterator[Edit]:
    """Take out a clause whose only condition this is; of several, `_conditions` takes each."""
    if not isinstance(node.this, exp.And) and not isinstance(node.parent, exp.Filter):
        yield f"{node.key}: {_text(node.this)}", lambda found: found.pop()


def _filter(node: exp.Expression) -> Iterator[Edit]:
    yield f"filter: {_text(node.expression.this)}", lambda found: found.replace(found.this)


def _nullif(node: exp.Expression) -> Iterator[Edit]:
    yield f"nullif: {_text(node.expression)}", lambda found: found.replace(found.this)


def _case(node: exp.Expression) -> Iterator[Edit]:
    """Let each arm never be taken, which keeps the types that it gives; then the end."""
    of_value = node.this is not None
    for position, arm in enumerate(node.args["ifs"]):

        def never(found: exp.Expression, position: int = position) -> None:
            condition = exp.null() if of_value else exp.false()
            found.args["ifs"][position].set("this", condition)

        yield f"when {position + 1}: {_text(arm.this)} then {_text(arm.args['true'])}", never
    if default := node.args.get("default"):
        if not isinstance(default, exp.Null):
            yield f"else: {_text(default)}", lambda found: found.set("default", None)
    elif not of_value:
        last = node.args["ifs"][-1]
        yield (
            f"no else: {_text(last.this)}",
            lambda found: found.args["ifs"][-1].set("this", exp.true()),
        )


def _conditions(node: exp.Expression) -> Iterator[Edit]:
    if isinstance(node.parent, type(node)):
        return
    parts = list(node.flatten())
    join = exp.and_ if isinstance(node, exp.And) else exp.or_
    for position, part in enumerate(parts):

        def without(found: exp.Expression, position: int = position) -> None:
            left = [p.copy() for at, p in enumerate(found.flatten()) if at != position]
            found.replace(exp.paren(join(*left, copy=False), copy=False))

        yield f"{node.key}: {_text(part)}", without


def _join(node: exp.Expression) -> Iterator[Edit]:
    if node.args.get("on") is None and not node.args.get("using"):
        return
    side = node.side.lower()
    other = {"": "left", "left": "", "right": "", "full": "left"}[side]

    def change(found: exp.Expression) -> None:
        found.set("side", other.upper() or None)
        found.set("kind", None if other else "INNER")

    joined = node.this.alias_or_name
    yield f"{side or 'inner'} join {joined} becomes {other or 'inner'}", change


def _window(node: exp.Expression) -> Iterator[Edit]:
    for position, key in enumerate(node.args.get("partition_by") or []):

        def unpartition(found: exp.Expression, position: int = position) -> None:
            keys = found.args["partition_by"]
            found.set("partition_by", keys[:position] + keys[position + 1 :])

        yield f"{_text(node.this)} partition by: {_text(key)}", unpartition
    if order := node.args.get("order"):
        for position, key in enumerate(order.expressions):

            def unorder(found: exp.Expression, position: int = position) -> None:
                keys = found.args["order"].expressions
                left = keys[:position] + keys[position + 1 :]
                found.set("order", exp.Order(expressions=left) if left else None)
                if not left:
                    found.set("spec", None)

            yield f"{_text(node.this)} order by: {_text(key)}", unorder
    if (spec := node.args.get("spec")) and order:
        yield f"{_text(node.this)} frame: {_text(spec)}", lambda found: found.set("spec", None)


def _arguments(node: exp.Expression) -> Iterator[Edit]:
    for position, argument in enumerate([node.this, *node.expressions]):

        def without(found: exp.Expression, position: int = position) -> None:
            left = [found.this, *found.expressions]
            del left[position]
            found.set("this", left[0])
            found.set("expressions", left[1:])

        yield f"{node.key} argument {position + 1}: {_text(argument)}", without


def _distinct(node: exp.Expression) -> Iterator[Edit]:
    if isinstance(node.parent, exp.Select):
        yield "distinct", lambda found: found.pop()
    elif len(node.expressions) == 1:
        yield (
            f"distinct: {_text(node.expressions[0])}",
            lambda found: found.replace(found.expressions[0]),
        )


def _arms(node: exp.Expression) -> Iterator[Edit]:
    def keep(side: str) -> Callable[[exp.Expression], None]:
        def edit(found: exp.Expression) -> None:
            found.replace(found.args[side])

        return edit

    kind = node.key
    yield f"{kind} arm: {_text(node.expression)}", keep("this")
    if not isinstance(node.this, exp.SetOperation):
        yield f"{kind} arm: {_text(node.this)}", keep("expression")
    if isinstance(node, exp.Union) and node.args.get("distinct"):
        yield "union without all", lambda found: found.set("distinct", not found.args["distinct"])


def _text(node: exp.Expression) -> str:
    return str(node.sql(DIALECT))


EDITS: tuple[tuple[tuple[type[exp.Expression], ...], Edits], ...] = (
    ((exp.Case,), _case),
    ((exp.Connector,), _conditions),
    ((exp.Where, exp.Having, exp.Qualify), _condition),
    ((exp.Filter,), _filter),
    ((exp.Join,), _join),
    ((exp.Window,), _window),
    ((exp.Coalesce, exp.Greatest, exp.Least), _arguments),
    ((exp.Nullif,), _nullif),
    ((exp.Distinct,), _distinct),
    ((exp.SetOperation,), _arms),
)


def _edits(node: exp.Expression) -> Iterator[Edit]:
    """Yield what can be taken out at a node."""
    for kinds, edits in EDITS:
        if isinstance(node, kinds):
            yield from edits(node)
