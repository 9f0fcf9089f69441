"""Translates whole statements: those that are known, one by one, and no other."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

from redshift_standin.dialect.expressions import Scope, is_query_in, read_chain, write_name
from redshift_standin.dialect.queries import QueryWriter, source_of
from redshift_standin.dialect.tables import TableWriter
from redshift_standin.dialect.tokens import (
    Group,
    Node,
    Nodes,
    group,
    is_round,
    keywords,
    literal,
    source,
    split_by_comma,
    split_statements,
    syntax_error,
    tokenize,
)
from redshift_standin.errors import RedshiftError

SETTINGS = frozenset(
    """
    application_name client_encoding datestyle extra_float_digits intervalstyle search_path
    statement_timeout timezone
    """.split()  # noqa: SIM905  # a list of words reads better
)
"""What PostgreSQL has too."""
OWN_SETTINGS = frozenset(
    """
    analyze_threshold_percent enable_case_sensitive_identifier enable_result_cache_for_session
    json_parse_truncate_strings query_group use wlm_query_slot_count
    """.split()  # noqa: SIM905  # a list of words reads better
)
"""What is remembered and does nothing."""
TRANSACTION_STATEMENTS = {
    "begin": ("", "transaction", "work"),
    "start": ("transaction",),
    "commit": ("", "transaction", "work"),
    "end": ("", "transaction", "work"),
    "rollback": ("", "transaction", "work"),
    "abort": ("", "transaction", "work"),
}
ISOLATION = ("read only", "read write", "isolation level serializable")
VACUUM_WORDS = ("full", "sort only", "delete only", "reindex", "recluster")
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


@functools.lru_cache(maxsize=REMEMBERED)
def translate(text: str) -> tuple[Statement, ...]:
    """Translate the statements of ``text``.

    Raises:
        RedshiftError: one of them is not Redshift's, or not known to the stand-in.
    """
    return tuple(_translate(group(tokens)) for tokens in split_statements(tokenize(text)))


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


def _path(nodes: Nodes, position: int) -> tuple[str, str, int]:
    """Read a table's name; returns how it is written, its last part, and where it ends."""
    chain, end = read_chain(nodes, position)
    if not chain[0].word:
        raise syntax_error(source(nodes[position : position + 1]))
    return ".".join(write_name(step) for step in chain), chain[-1].word, end


def _insert(nodes: Nodes) -> str:
    if keywords(nodes[:2]) != ["insert", "into"]:
        raise syntax_error(source(nodes[1:2]))
    table, _, position = _path(nodes, 2)
    head = f"insert into {table}"
    if is_round(nodes[position]) and not is_query_in(nodes[position]):
        names = _names(nodes[position])
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


def _names(node: Node) -> list[str]:
    assert isinstance(node, Group)
    parts = split_by_comma(node.nodes)
    for part in parts:
        if len(part) != 1 or not part[0].word:
            raise syntax_error(source(part))
    return [write_name(part[0]) for part in parts]


def _update(nodes: Nodes) -> str:
    table, name, position = _path(nodes, 1)
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
    table, name, position = _path(nodes, 2 if nodes[1].keyword == "from" else 1)
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
    table, name, position = _path(nodes, 2)
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
    if words[1:2] == ["user"] and words[3:4] == ["password"] and len(nodes) == 5:
        password = "null" if words[4] == "disable" else source(nodes[4:])
        return f"create user {write_name(nodes[2])} password {password}"
    raise RedshiftError(
        f'SQL command "{" ".join(words[:2]).strip().upper()}" not supported on Redshift tables.',
        "0A000",
    )


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


def _truncate(nodes: Nodes) -> str:
    table, _, end = _path(nodes, 2 if nodes[1].keyword == "table" else 1)
    if end != len(nodes):
        raise syntax_error(source(nodes[end : end + 1]))
    return f"truncate table {table}"


def _vacuum(nodes: Nodes) -> str:
    words = keywords(nodes)
    position = 1
    for kind in VACUUM_WORDS:
        length = len(kind.split())
        if " ".join(words[1 : 1 + length]) == kind:
            position += length
            break
    if position == len(nodes):
        return "vacuum"
    table, _, end = _path(nodes, position)
    rest = keywords(nodes[end:])
    if rest not in ([], ["boost"], ["to", "", "percent"], ["to", "", "percent", "boost"]):
        raise syntax_error(source(nodes[end : end + 1]))
    return f"vacuum {table}"


def _analyze(nodes: Nodes) -> str:
    if keywords(nodes[1:2]) == ["compression"]:
        raise RedshiftError("the stand-in does not run ANALYZE COMPRESSION", "0A000")
    position = 2 if keywords(nodes[1:2]) == ["verbose"] else 1
    if position == len(nodes):
        return "analyze"
    table, _, end = _path(nodes, position)
    columns = ""
    if end < len(nodes) and is_round(nodes[end]):
        columns = f" ({', '.join(_names(nodes[end]))})"
        end += 1
    if keywords(nodes[end:]) not in ([], ["predicate", "columns"], ["all", "columns"]):
        raise syntax_error(source(nodes[end : end + 1]))
    return f"analyze {table}{columns}"


def _transaction(nodes: Nodes) -> str:
    words = keywords(nodes)
    rest = words[1:]
    allowed = TRANSACTION_STATEMENTS[words[0]]
    noise = rest[0] if rest and rest[0] in allowed else ""
    modes = " ".join(rest[1:] if noise else rest)
    if words[0] == "start" and not noise:
        raise syntax_error(modes)
    if modes and (words[0] not in ("begin", "start") or modes not in ISOLATION):
        raise syntax_error(modes.split()[0])
    verb = "begin" if words[0] == "start" else words[0]
    return f"{verb} {modes if modes in ISOLATION[:2] else ''}".rstrip()


def _set(nodes: Nodes) -> str:
    words = keywords(nodes)
    position = 2 if words[1:2] in (["session"], ["local"]) else 1
    scope = "local " if words[1:2] == ["local"] else ""
    name = nodes[position].word
    if words[position : position + 2] == ["session", "characteristics"]:
        raise syntax_error("characteristics")
    equals = nodes[position + 1]
    if not equals.is_symbol("=") and equals.keyword != "to":
        raise syntax_error(source([equals]))
    value = source(nodes[position + 2 :])
    return f"set {scope}{_setting(name, value)} to {value}"


def _setting(name: str, value: str = "") -> str:
    if name == "enable_case_sensitive_identifier" and value.strip("'").lower() in ("true", "on"):
        raise RedshiftError("the stand-in folds every name: this setting stays off", "0A000")
    if name in SETTINGS:
        return name
    if name in OWN_SETTINGS:
        return f"redshift.{name}"
    raise RedshiftError(f'unrecognized configuration parameter "{name}"', "42704")


def _reset(nodes: Nodes) -> str:
    if keywords(nodes[1:]) == ["all"]:
        return "reset all"
    return f"reset {_setting(nodes[1].word)}"


def _show(nodes: Nodes) -> str:
    if len(nodes) != 2:  # the verb and a name
        raise syntax_error(source(nodes[2:3]))
    name = nodes[1].word
    return "show server_version" if name == "server_version" else f"show {_setting(name)}"


def _use(nodes: Nodes) -> str:
    return f"set redshift.use to {literal(nodes[1].word)}"


def _grant(nodes: Nodes) -> str:
    """GROUP and ROLE before a name are left out: PostgreSQL has only roles."""
    words = keywords(nodes)
    place = words.index("to" if words[0] == "grant" else "from")
    kept = [
        node
        for position, node in enumerate(nodes)
        if position < place or node.keyword not in ("group", "role")
    ]
    return "".join(
        node.space + write_name(node) if node.word else source_of(node) for node in kept
    ).strip()


def _comment(nodes: Nodes) -> str:
    words = keywords(nodes)
    kinds = ("table", "column", "schema", "view", "database")
    if words[:2] != ["comment", "on"] or words[2] not in kinds:
        raise syntax_error(source(nodes[1:2]))
    chain, end = read_chain(nodes, 3)
    name = ".".join(write_name(step) for step in chain)
    return f"comment on {words[2]} {name} {source(nodes[end:])}"


def _lock(nodes: Nodes) -> str:
    position = 2 if nodes[1].keyword == "table" else 1
    written = []
    for part in split_by_comma(nodes[position:]):
        chain, end = read_chain(part, 0)
        if end != len(part):
            raise syntax_error(source(part[end : end + 1]))
        written.append(".".join(write_name(step) for step in chain))
    return f"lock table {', '.join(written)}"


def _declare(nodes: Nodes) -> str:
    words = keywords(nodes)
    if words[2:4] != ["cursor", "for"]:
        raise syntax_error(source(nodes[2:3]))
    return f"declare {write_name(nodes[1])} cursor for {QueryWriter().write(nodes[4:])}"


def _as_written(nodes: Nodes) -> str:
    return source(nodes)


def _refresh(nodes: Nodes) -> str:
    table, _, end = _path(nodes, 3)
    if keywords(nodes[1:3]) != ["materialized", "view"] or end != len(nodes):
        raise syntax_error(source(nodes[1:2]))
    return f"refresh materialized view {table}"


STATEMENTS: dict[str, Callable[[Nodes], str]] = {
    **dict.fromkeys(("select", "with"), _query),
    "insert": _insert,
    "update": _update,
    "delete": _delete,
    "merge": _merge,
    "create": _create,
    "drop": _drop,
    "alter": _alter,
    "truncate": _truncate,
    "vacuum": _vacuum,
    "analyze": _analyze,
    **dict.fromkeys(TRANSACTION_STATEMENTS, _transaction),
    "set": _set,
    "reset": _reset,
    "show": _show,
    "use": _use,
    **dict.fromkeys(("grant", "revoke"), _grant),
    "comment": _comment,
    "lock": _lock,
    "explain": _explain,
    "declare": _declare,
    **dict.fromkeys(("fetch", "close"), _as_written),
    "refresh": _refresh,
}
"""How each kind of statement is written; a kind that is not here is refused."""
