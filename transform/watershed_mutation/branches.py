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
MACRO = "macro"
"""Under this name a node's `meta` says which macro wrote it."""

Edit = tuple[str, Callable[[exp.Expr], object]]
"""What is taken out, and how, from a node that may be changed."""
Edits = Callable[[exp.Expr], Iterator[Edit]]


@dataclass(frozen=True)
class Branch:
    """A branch of a query.

    Attributes:
        place: The CTE that holds it, e.g. ``renamed``; for what a macro wrote, ``macro <name>``.
        name: What it is called in that place; in a macro it is numbered, since its text holds what
            the macro was given.
        text: What is taken out, e.g. ``where: _sdc_deleted_at IS NULL``.
        node: Where it is.
        edit: Takes it out.
    """

    place: str
    name: str
    text: str
    node: exp.Expr
    edit: Callable[[exp.Expr], object]

    @property
    def is_of_macro(self) -> bool:
        """Whether all queries into which a macro writes it have it in common."""
        return self.place.startswith(f"{MACRO} ")


def branches(query: exp.Expr) -> list[Branch]:
    """Return what can be taken out of a query."""
    found = []
    names: Counter[tuple[str, str]] = Counter()
    kinds: Counter[tuple[int, str]] = Counter()
    for node in query.walk():
        wrote = _macro(node)
        for part, (text, edit) in enumerate(_edits(node)):
            if wrote is None:
                place = _place(node)
                name = text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + " ..."
                names[place, name] += 1
                number = names[place, name]
                name = f"{name} #{number}" if number > 1 else name
            else:
                place = f"{MACRO} {wrote[0]}"
                kinds[wrote[1], node.key] += part == 0
                name = f"{text.partition(':')[0]} in {node.key} {kinds[wrote[1], node.key]}"
            found.append(Branch(place, name, text, node, edit))
    return found


def without(query: exp.Expr, branch: Branch) -> str:
    """Write the query without a branch, in SQL; the query itself stays as it is."""
    node, parent = branch.node, branch.node.parent
    if parent is None:
        raise ValueError("the whole query is no branch")
    key, index = str(node.arg_key), node.index
    copy = node.copy()
    node.replace(copy)
    try:
        branch.edit(copy)
        return str(query.sql(DIALECT))
    finally:
        parent.set(key, node, index)


def _macro(node: exp.Expr) -> tuple[str, int] | None:
    """Return the macro that wrote a node, and a number of this one call of it."""
    at: exp.Expr | None = node
    while at is not None:
        if MACRO in at.meta:
            return at.meta[MACRO][-1], id(at)
        at = at.parent
    return None


def _place(node: exp.Expr) -> str:
    cte = node.find_ancestor(exp.CTE)
    return cte.alias if cte else "query"


def _condition(node: exp.Expr) -> Iterator[Edit]:
    """Take out a clause whose only condition this is; of several, `_conditions` takes each."""
    if not isinstance(node.this, exp.And) and not isinstance(node.parent, exp.Filter):
        yield f"{node.key}: {_text(node.this)}", lambda found: found.pop()


def _filter(node: exp.Expr) -> Iterator[Edit]:
    yield f"filter: {_text(node.expression.this)}", lambda found: found.replace(found.this)


def _nullif(node: exp.Expr) -> Iterator[Edit]:
    yield f"nullif: {_text(node.expression)}", lambda found: found.replace(found.this)


def _case(node: exp.Expr) -> Iterator[Edit]:
    """Let each arm never be taken, which keeps the types that it gives; then the end."""
    of_value = node.this is not None
    for position, arm in enumerate(node.args["ifs"]):

        def never(found: exp.Expr, position: int = position) -> None:
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


def _conditions(node: exp.Expr) -> Iterator[Edit]:
    if isinstance(node.parent, type(node)):
        return
    parts = list(node.flatten())
    join = exp.and_ if isinstance(node, exp.And) else exp.or_
    for position, part in enumerate(parts):

        def without(found: exp.Expr, position: int = position) -> None:
            left = [p.copy() for at, p in enumerate(found.flatten()) if at != position]
            found.replace(exp.paren(join(*left, copy=False), copy=False))

        yield f"{node.key}: {_text(part)}", without


def _join(node: exp.Expr) -> Iterator[Edit]:
    """Lose the rows that an outer join keeps; an inner join keeps none by a branch of its own."""
    side = node.text("side").lower()
    kept = {"left": "", "right": "", "full": "left"}.get(side)
    if kept is not None:

        def change(found: exp.Expr) -> None:
            found.set("side", kept.upper() or None)
            found.set("kind", None if kept else "INNER")

        yield f"{side} join {node.this.alias_or_name} becomes {kept or 'inner'}", change


def _window(node: exp.Expr) -> Iterator[Edit]:
    for position, key in enumerate(node.args.get("partition_by") or []):

        def unpartition(found: exp.Expr, position: int = position) -> None:
            keys = found.args["partition_by"]
            found.set("partition_by", keys[:position] + keys[position + 1 :])

        yield f"{_text(node.this)} partition by: {_text(key)}", unpartition
    if order := node.args.get("order"):
        for position, key in enumerate(order.expressions):

            def unorder(found: exp.Expr, position: int = position) -> None:
                keys = found.args["order"].expressions
                left = keys[:position] + keys[position + 1 :]
                found.set("order", exp.Order(expressions=left) if left else None)
                if not left:
                    found.set("spec", None)

            yield f"{_text(node.this)} order by: {_text(key)}", unorder
    if (spec := node.args.get("spec")) and order:
        yield f"{_text(node.this)} frame: {_text(spec)}", lambda found: found.set("spec", None)


def _arguments(node: exp.Expr) -> Iterator[Edit]:
    for position, argument in enumerate([node.this, *node.expressions]):

        def without(found: exp.Expr, position: int = position) -> None:
            left = [found.this, *found.expressions]
            del left[position]
            found.set("this", left[0])
            found.set("expressions", left[1:])

        yield f"{node.key} argument {position + 1}: {_text(argument)}", without


def _distinct(node: exp.Expr) -> Iterator[Edit]:
    if isinstance(node.parent, exp.Select):
        yield "distinct", lambda found: found.pop()
    elif len(node.expressions) == 1:
        yield (
            f"distinct: {_text(node.expressions[0])}",
            lambda found: found.replace(found.expressions[0]),
        )


def _arms(node: exp.Expr) -> Iterator[Edit]:
    def keep(side: str) -> Callable[[exp.Expr], None]:
        def edit(found: exp.Expr) -> None:
            found.replace(found.args[side])

        return edit

    kind = node.key
    yield f"{kind} arm: {_text(node.expression)}", keep("this")
    if not isinstance(node.this, exp.SetOperation):
        yield f"{kind} arm: {_text(node.this)}", keep("expression")
    if isinstance(node, exp.Union) and node.args.get("distinct"):
        yield "union without all", lambda found: found.set("distinct", not found.args["distinct"])


def _text(node: exp.Expr) -> str:
    return str(node.sql(DIALECT))


EDITS: tuple[tuple[tuple[type[exp.Expr], ...], Edits], ...] = (
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


def _edits(node: exp.Expr) -> Iterator[Edit]:
    """Yield what can be taken out at a node."""
    for kinds, edits in EDITS:
        if isinstance(node, kinds):
            yield from edits(node)
