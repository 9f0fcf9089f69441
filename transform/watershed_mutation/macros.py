"""Which part of a model's SQL a macro wrote: marks in comments, which dbt and DuckDB pass over."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlglot
from dbt.contracts.graph.nodes import ModelNode
from sqlglot import exp
from sqlglot.errors import ParseError

from watershed_mutation.branches import DIALECT, MACRO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt.contracts.graph.manifest import Manifest

BODY = re.compile(r"({%-? macro (\w+)\(.*?-?%})(.*?)({%-? endmacro -?%})", re.DOTALL)
MARK = re.compile(r"/\*<(\w+)\*/|/\*>(\w+)\*/")
CALL = "written_by_"


@contextmanager
def marked(manifest: Manifest) -> Iterator[None]:
    """Let the macros that models call write their names around what they write."""
    used: set[str] = set()
    further = {
        name
        for node in manifest.nodes.values()
        if isinstance(node, ModelNode)
        for name in node.depends_on.macros
    }
    while further:
        used |= further
        further = {n for name in further for n in manifest.macros[name].depends_on.macros} - used
    ours = [m for m in manifest.macros.values() if m.unique_id.startswith("macro.watershed.")]
    # What is dispatched is no dependency of what dispatches it.
    names = {manifest.macros[name].name for name in used}
    before = {}
    for macro in ours:
        if macro.name.removeprefix("duckdb__") in names:
            before[macro.unique_id] = macro.macro_sql
            macro.macro_sql = BODY.sub(r"\1/*<\2*/\3/*>\2*/\4", macro.macro_sql)
    try:
        yield
    finally:
        for unique_id, sql in before.items():
            manifest.macros[unique_id].macro_sql = sql


def parse(sql: str) -> exp.Expr:
    """Parse SQL with marks; `meta` of each expression that a macro wrote names the macro.

    A macro that wrote no expression, but a whole query or several CTEs, leaves no trace: what it
    wrote counts as the model's.
    """
    names = {name for name, _ in MARK.findall(sql) if name}
    refused: set[str] = set()
    tree = _parsed(sql, names)
    if tree is None:
        refused = {name for name in names if _parsed(sql, {name}) is None}
        tree = _parsed(sql, names - refused)
    if tree is None:
        tree = sqlglot.parse_one(MARK.sub("", sql), dialect=DIALECT)
    for call in list(tree.find_all(exp.Anonymous)):
        if call.name.lower().startswith(CALL):
            (written,) = call.expressions
            written.meta.setdefault(MACRO, []).insert(0, call.name.lower().removeprefix(CALL))
            call.replace(exp.Paren(this=written) if isinstance(written, OPEN) else written)
    return tree


OPEN = (exp.Binary, exp.Unary, exp.Between, exp.In, exp.Case)
"""Expressions that a function's parentheses kept together."""


def _parsed(sql: str, names: set[str]) -> exp.Expr | None:
    def call(mark: re.Match[str]) -> str:
        begins, ends = mark.groups()
        if (begins or ends) not in names:
            return " "
        return f"{CALL}{begins}(" if begins else ")"

    try:
        return sqlglot.parse_one(MARK.sub(call, sql), dialect=DIALECT)
    except ParseError:
        return None
