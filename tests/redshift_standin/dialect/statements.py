"""Translates whole statements: those that are known, one by one, and no other."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

from redshift_standin.dialect.commands import (
    TRANSACTION_STATEMENTS,
    read_names,
    read_table,
    write_analyze,
    write_as_written,
    write_comment,
    write_declare,
    write_grant,
    write_lock,
    write_refresh,
    write_reset,
    write_set,
    write_show,
    write_transaction,
    write_truncate,
    write_use,
    write_vacuum,
)
from redshift_standin.dialect.expressions import Scope, is_query_in, read_chain, write_name
from redshift_standin.dialect.names import fit_names
from redshift_standin.dialect.queries import QueryWriter
from redshift_standin.dialect.tables import TableWriter
from redshift_standin.dialect.tokens import (
    Node,
    Nodes,
    group,
    is_round,
    keywords,
    source,
    split_by_comma,
    split_statements,
    syntax_error,
    tokenize,
)
from redshift_standin.errors import RedshiftError

REMEMBERED = 256
"""Drivers send the same statements again and again: BEGIN, COMMIT, those of the catalog."""
DROPPABLE = ("table", "view", "schema", "materialized view", "user", "group", "role")


@dataclass(frozen=True)
class Translated:
    """A statement for PostgreSQL."""

    sql: str


@dataclass(frozen=True)
class CopyStatement:
    """A COPY that reads from S3."""

    sql: str


@dataclass(frozen=True)
class UnloadStatement:
    """An UNLOAD."""

    sql: str


Statement = Translated | CopyStatement | UnloadStatement


def translate(text: str) -> tuple[Statement, ...]:
    """Translate the statements of ``text``.

    Raises:
        RedshiftError: one of them is not Redshift's, or not known to the stand-in.
    """
    return _remembered(text)


@functools.lru_cache(maxsize=REMEMBERED)
def _remembered(text: str) -> tuple[Statement, ...]:
    tokens, has_new_name = fit_names(tokenize(text))
    if has_new_name:  # it may stand as a text in what was translated before
        _remembered.cache_clear()
    return tuple(_translate(group(statement)) for statement in split_statements(tokens))


def _translate(nodes: list[Node]) -> Statement:
    keyword = nodes[0].keyword
    if keyword == "copy":
        return CopyStatement(source(nodes))
    if keyword == "unload":
        return UnloadStatement(source(nodes))
    if is_query_in(nodes[0]):
        return Translated(QueryWriter().write(nodes))
    if keyword not in STATEMENTS:
        raise syntax_error(source(nodes[:1]))
    try:
        return Translated(STATEMENTS[keyword](nodes))
    except IndexError:
        raise RedshiftError("syntax error at end of input", "42601") from None


def _query(nodes: Nodes) -> str:
    queries = QueryWriter()
    prefix, position = queries.with_clause(nodes)
    if nodes[position].keyword in ("update", "delete"):
        return prefix + STATEMENTS[nodes[position].keyword](nodes[position:])
    return prefix + queries.write(nodes[position:])


def _explain(nodes: Nodes) -> str:
    rest = nodes[2:] if nodes[1].keyword == "verbose" else nodes[1:]
    inner = _translate(list(rest))
    if not isinstance(inner, Translated):
        raise syntax_error(source(rest[:1]))
    return f"explain {inner.sql}"


def _insert(nodes: Nodes) -> str:
    if keywords(nodes[:2]) != ["insert", "into"]:
        raise syntax_error(source(nodes[1:2]))
    table, _, position = read_table(nodes, 2)
    head = f"insert into {table}"
    if is_round(nodes[position]) and not is_query_in(nodes[position]):
        names = read_names(nodes[position])
        head += f" ({', '.join(names)})"
        position += 1
    queries = QueryWriter()
    rest = nodes[position:]
    if keywords(rest) == ["default", "values"]:
        return f"{head} default values"
    if rest[0].keyword != "values":
        return f"{head} {queries.write(rest)}"
    for place, node in enumerate(rest[1:]):
        is_row = place % 2 == 0
        if (is_row and not is_round(node)) or (not is_row and not node.is_symbol(",")):
            raise syntax_error(source([node]))
    return f"{head} {queries.expressions.write(rest)}"


def _update(nodes: Nodes) -> str:
    table, name, position = read_table(nodes, 1)
    words = keywords(nodes)
    place = words.index("set") if "set" in words else len(words)
    alias = [node for node in nodes[position:place] if node.keyword != "as"]
    if len(alias) > 1 or place == len(words):
        raise syntax_error(source(nodes[position : position + 1]))
    scope = Scope()
    scope.tables[alias[0].word if alias else name] = False
    head = f"update {table}" + (f" as {write_name(alias[0])}" if alias else "")
    return head + _changes(nodes[place:], scope, "from")


def _delete(nodes: Nodes) -> str:
    table, name, position = read_table(nodes, 2 if nodes[1].keyword == "from" else 1)
    alias = ""
    if position < len(nodes) and nodes[position].keyword not in ("using", "where"):
        position += nodes[position].keyword == "as"
        alias = write_name(nodes[position])
        name = nodes[position].word
        position += 1
    if position < len(nodes) and nodes[position].keyword not in ("using", "where"):
        raise syntax_error(source(nodes[position : position + 1]))
    scope = Scope()
    scope.tables[name] = False
    head = f"delete from {table}" + (f" as {alias}" if alias else "")
    return head + _changes(nodes[position:], scope, "using")


def _changes(nodes: Nodes, scope: Scope, tables_keyword: str) -> str:
    """Write SET, the other tables, and WHERE."""
    words = keywords(nodes)
    where = words.index("where") if "where" in words else len(nodes)
    other = words.index(tables_keyword) if tables_keyword in words[:where] else where
    queries = QueryWriter()
    queries.expressions.scopes.append(scope)
    tables = queries.tables(nodes[other:where], scope) if other < where else ""
    if where < len(nodes) and queries.expressions.write(nodes[where + 1 :]).strip() == "":
        raise RedshiftError("syntax error at end of input", "42601")
    assignments = queries.expressions.write(nodes[:other])
    return f" {assignments.strip()}{tables}{queries.expressions.write(nodes[where:])}".rstrip()


def _merge(nodes: Nodes) -> str:
    """MERGE as Redshift has it: a table without alias, from a table, with one branch each."""
    words = keywords(nodes)
    if words[:2] != ["merge", "into"]:
        raise syntax_error(source(nodes[1:2]))
    table, name, position = read_table(nodes, 2)
    if words[position] != "using":
        raise syntax_error(source(nodes[position : position + 1]))
    if not nodes[position + 1].word:
        raise RedshiftError("the source of a MERGE must be a table or view", "0A000")
    if words[-2:] == ["remove", "duplicates"]:
        raise RedshiftError("the stand-in does not run MERGE ... REMOVE DUPLICATES", "0A000")
    branches = [place for place, word in enumerate(words) if word == "when"]
    kinds = [words[place : place + 3] for place in branches]
    is_complete = sorted(kind[1] for kind in kinds) == ["matched", "not"]
    if not is_complete or any(
        words[place + 2 + (kind[1] == "not")] != "then"
        for place, kind in zip(branches, kinds, strict=True)
    ):
        raise RedshiftError(
            "MERGE needs one WHEN MATCHED THEN and one WHEN NOT MATCHED THEN", "42601"
        )
    scope = Scope()
    scope.tables[name] = False
    queries = QueryWriter()
    queries.expressions.scopes.append(scope)
    on = words.index("on")
    tables = queries.tables(nodes[position:on], scope)
    rest = queries.expressions.write(nodes[on:])
    return f"merge into {table}{tables}{rest}"


def _create(nodes: Nodes) -> str:
    words = keywords(nodes)
    tables = TableWriter(QueryWriter())
    for length in range(1, 5):
        kind = words[length : length + 1]
        if kind == ["table"]:
            return tables.create_table(nodes)
        if kind == ["view"]:
            return tables.create_view(nodes)
    if words[1:2] == ["schema"]:
        return _create_schema(nodes)
    if words[1:2] in (["group"], ["role"]) and len(nodes) == 3:
        return f"create role {write_name(nodes[2])}"
    if words[1:2] == ["user"] and words[3:4] == ["password"] and _ends_with_groups(nodes[5:]):
        password = "null" if words[4] == "disable" else source(nodes[4:5])
        return f"create user {write_name(nodes[2])} password {password} {source(nodes[5:])}"
    raise RedshiftError(
        f'SQL command "{" ".join(words[:2]).strip().upper()}" not supported on Redshift tables.',
        "0A000",
    )


def _ends_with_groups(nodes: Nodes) -> bool:
    """Tell whether nothing follows, or IN GROUP and names."""
    names = split_by_comma(nodes[2:])
    is_list = keywords(nodes[:2]) == ["in", "group"] and bool(names)
    return not nodes or (is_list and all(len(part) == 1 and part[0].word for part in names))


def _create_schema(nodes: Nodes) -> str:
    exists = keywords(nodes[2:5]) == ["if", "not", "exists"]
    chain, end = read_chain(nodes, 5 if exists else 2)
    owner = ""
    if keywords(nodes[end : end + 1]) == ["authorization"]:
        owner = f" authorization {write_name(nodes[end + 1])}"
        end += 2
    if end != len(nodes):
        raise syntax_error(source(nodes[end : end + 1]))
    return f"create schema{' if not exists' if exists else ''} {write_name(chain[-1])}{owner}"


def _drop(nodes: Nodes) -> str:
    words = keywords(nodes)
    for kind in DROPPABLE:
        length = len(kind.split())
        if " ".join(words[1 : 1 + length]) == kind:
            break
    else:
        raise syntax_error(source(nodes[1:2]))
    position = 1 + length
    exists = ""
    if words[position : position + 2] == ["if", "exists"]:
        exists, position = " if exists", position + 2
    behaviour = words[-1] if words[-1] in ("cascade", "restrict") else ""
    names = nodes[position : -1 if behaviour else None]
    written = []
    for part in split_by_comma(names):
        chain, end = read_chain(part, 0)
        if end != len(part):
            raise syntax_error(source(part[end:]))
        chain = chain[-1:] if kind == "schema" else chain
        written.append(".".join(write_name(step) for step in chain))
    kind = "role" if kind in ("group", "user") else kind
    return f"drop {kind}{exists} {', '.join(written)} {behaviour}".rstrip()


def _alter(nodes: Nodes) -> str:
    words = keywords(nodes)
    if words[1:2] == ["table"]:
        if "append" in words:
            raise RedshiftError("the stand-in does not run ALTER TABLE APPEND", "0A000")
        return TableWriter(QueryWriter()).alter_table(nodes)
    if words[1:2] == ["schema"] and words[3:5] in (["owner", "to"], ["rename", "to"]):
        return source(nodes[:3]) + f" {' '.join(words[3:5])} {write_name(nodes[5])}"
    raise syntax_error(source(nodes[1:2]))


STATEMENTS: dict[str, Callable[[Nodes], str]] = {
    **dict.fromkeys(("select", "with"), _query),
    "insert": _insert,
    "update": _update,
    "delete": _delete,
    "merge": _merge,
    "create": _create,
    "drop": _drop,
    "alter": _alter,
    "truncate": write_truncate,
    "vacuum": write_vacuum,
    "analyze": write_analyze,
    **dict.fromkeys(TRANSACTION_STATEMENTS, write_transaction),
    "set": write_set,
    "reset": write_reset,
    "show": write_show,
    "use": write_use,
    **dict.fromkeys(("grant", "revoke"), write_grant),
    "comment": write_comment,
    "lock": write_lock,
    "explain": _explain,
    "declare": write_declare,
    **dict.fromkeys(("fetch", "close"), write_as_written),
    "refresh": write_refresh,
}
"""How each kind of statement is written; a kind that is not here is refused."""
