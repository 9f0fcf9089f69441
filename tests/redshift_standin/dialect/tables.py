"""Writes CREATE TABLE, CREATE VIEW and ALTER TABLE for PostgreSQL."""

import json
from typing import Any

from redshift_standin.dialect.expressions import read_chain, write_name
from redshift_standin.dialect.queries import QueryWriter
from redshift_standin.dialect.tokens import (
    Group,
    Node,
    Nodes,
    is_round,
    keywords,
    literal,
    source,
    split_by_comma,
    syntax_error,
)
from redshift_standin.dialect.types import read_type
from redshift_standin.errors import RedshiftError

ENCODINGS = frozenset(
    """
    auto raw az64 bytedict delta delta32k lzo mostly8 mostly16 mostly32 runlength text255
    text32k zstd
    """.split()  # noqa: SIM905  # a list of words reads better
)
DISTRIBUTIONS = ("auto", "even", "all", "key")
MAXIMAL_COLUMNS = 1600


class TableOptions:
    """Where a table's rows are kept, and in which order: recorded, and no more.

    Attributes:
        record: what ``svv_table_info`` and ``pg_table_def`` show of it.
    """

    def __init__(self) -> None:
        self.record: dict[str, Any] = {}

    def distribute_by(self, column: str) -> None:
        """Note the DISTKEY.

        Raises:
            RedshiftError: there is one already.
        """
        if "distkey" in self.record:
            raise RedshiftError("only one DISTKEY is allowed per table", "42P16")
        self.record |= {"distkey": column, "diststyle": f"KEY({column})"}

    def sort_by(self, columns: list[str], *, is_interleaved: bool = False) -> None:
        """Note the SORTKEY."""
        first = "INTERLEAVED" if is_interleaved else columns[0]
        self.record |= {"sortkey1": first, "sortkeys": columns}

    def read(self, nodes: Nodes, position: int) -> int:
        """Read the options that stand behind a table's columns; returns where they end."""
        while position < len(nodes):
            keyword = nodes[position].keyword
            following = nodes[position + 1] if position + 1 < len(nodes) else None
            if keyword in ("as", "") or following is None:
                break
            position = self._option(keyword, nodes, position)
        return position

    def _option(self, keyword: str, nodes: Nodes, position: int) -> int:
        words = keywords(nodes[position : position + 3])
        following = nodes[position + 1]
        if keyword == "diststyle" and following.keyword in DISTRIBUTIONS:
            self.record.setdefault("diststyle", following.keyword.upper())
        elif keyword == "distkey" and is_round(following):
            self.distribute_by(_names(following)[0])
        elif words[:2] == ["sortkey", "auto"]:
            self.record["sortkey1"] = "AUTO(SORTKEY)"
        elif keyword == "sortkey" and is_round(following):
            self.sort_by(_names(following))
        elif keyword in ("compound", "interleaved") and following.keyword == "sortkey":
            if position + 2 >= len(nodes) or not is_round(nodes[position + 2]):
                raise syntax_error("sortkey")
            columns = _names(nodes[position + 2])
            self.sort_by(columns, is_interleaved=keyword == "interleaved")
            return position + 3
        elif (keyword == "backup" and following.keyword in ("yes", "no")) or words[:2] == [
            "encode",
            "auto",
        ]:
            pass
        elif words[:2] == ["auto", "refresh"] and len(nodes) > position + 2:
            return position + 3
        else:
            raise syntax_error(source(nodes[position : position + 1]))
        return position + 2

    def comment(self, table: str) -> str:
        """A comment that tells the event trigger in ``database/tables.sql`` what to record."""
        text = json.dumps({"table": table, **self.record}).replace("*/", "* /")
        return f" /*redshift:{text}*/"


def _names(group: Node) -> list[str]:
    assert isinstance(group, Group)
    return [part[0].word for part in split_by_comma(group.nodes)]


class TableWriter:
    """Writes what makes and changes tables and views.

    Args:
        queries: writes their queries and defaults.
    """

    def __init__(self, queries: QueryWriter) -> None:
        self._queries = queries

    def create_table(self, nodes: Nodes) -> str:
        """Write a CREATE TABLE, with columns, LIKE, or a query.

        Raises:
            RedshiftError: a type, constraint or option that Redshift has not.
        """
        position = keywords(nodes).index("table") + 1
        prefix = keywords(nodes[1 : position - 1])
        if prefix not in ([], ["temp"], ["temporary"], ["local", "temp"], ["local", "temporary"]):
            raise syntax_error(prefix[0])
        exists = ""
        if keywords(nodes[position : position + 3]) == ["if", "not", "exists"]:
            exists, position = " if not exists", position + 3
        chain, position = read_chain(nodes, position)
        name = ".".join(write_name(step) for step in chain)
        temporary = " temp" if prefix or chain[-1].word.startswith("#") else ""
        options = TableOptions()
        head = f"create{temporary} table{exists} {name}"
        columns = ""
        if position < len(nodes) and is_round(nodes[position]):
            definition = nodes[position]
            assert isinstance(definition, Group)
            position += 1
            is_list_of_names = "as" in keywords(nodes[position:])
            inner = (
                source(definition.nodes) if is_list_of_names else self._columns(definition, options)
            )
            columns = f" ({inner})"
        position = options.read(nodes, position)
        comment = options.comment(chain[-1].word)
        if position == len(nodes):
            if not columns:
                raise RedshiftError("syntax error at end of input", "42601")
            return head + columns + comment
        if nodes[position].keyword != "as" or exists:
            raise syntax_error(source(nodes[position : position + 1]))
        return f"{head}{columns} as {self._query(nodes[position + 1 :])}{comment}"

    def _query(self, nodes: Nodes) -> str:
        return self._queries.write(nodes).strip()

    def create_view(self, nodes: Nodes) -> str:
        """Write a CREATE VIEW; one that binds late is made by a function of ours."""
        words = keywords(nodes)
        position = words.index("view") + 1
        prefix = words[1 : position - 1]
        if prefix == ["materialized"]:
            return self._create_materialized_view(nodes, position)
        if prefix not in ([], ["or", "replace"]):
            raise syntax_error(prefix[0])
        chain, end = read_chain(nodes, position)
        columns = ""
        if is_round(nodes[end]):
            columns = source(nodes[end : end + 1])
            end += 1
        if nodes[end].keyword != "as":
            raise syntax_error(source(nodes[end : end + 1]))
        is_late = words[-4:] == ["with", "no", "schema", "binding"]
        query = self._query(nodes[end + 1 : -4 if is_late else None])
        if not is_late:
            head = "create or replace view" if prefix else "create view"
            return f"{head} {'.'.join(write_name(step) for step in chain)}{columns} as {query}"
        if columns:
            raise RedshiftError("the stand-in knows late-binding views without a column list only")
        names = [step.word for step in chain][-2:]
        schema = literal(names[0]) if len(names) > 1 else "null"
        arguments = f"{schema}, {literal(names[-1])}, {literal(query)}, {str(bool(prefix)).lower()}"
        return f"do {literal(f'begin perform redshift.create_late_view({arguments}); end')}"

    def _create_materialized_view(self, nodes: Nodes, position: int) -> str:
        chain, position = read_chain(nodes, position)
        options = TableOptions()
        position = options.read(nodes, position)
        if keywords(nodes[position : position + 1]) != ["as"]:
            raise syntax_error(source(nodes[position : position + 1]))
        name = ".".join(write_name(step) for step in chain)
        query = self._query(nodes[position + 1 :])
        return f"create materialized view {name} as {query}{options.comment(chain[-1].word)}"

    def _columns(self, group: Node, options: TableOptions) -> str:
        assert isinstance(group, Group)
        primary_key: list[str] = []
        written = []
        for item in split_by_comma(group.nodes):
            keyword = item[0].keyword
            if keyword == "like":
                chain, end = read_chain(item, 1)
                rest = keywords(item[end:])
                if rest not in ([], ["including", "defaults"], ["excluding", "defaults"]):
                    raise syntax_error(rest[0])
                name = ".".join(write_name(step) for step in chain)
                written.append((item[0].word, f"like {name} {' '.join(rest)}".strip()))
            elif keyword in ("primary", "unique", "foreign", "constraint"):
                primary_key += _constraint(item)
            else:
                written.append((item[0].word, self._column(item, options)))
        if len(written) > MAXIMAL_COLUMNS:
            raise RedshiftError(f"tables can have at most {MAXIMAL_COLUMNS} columns", "54011")
        return ", ".join(
            text + (" not null" if name in primary_key and "not null" not in text else "")
            for name, text in written
        )

    def _column(self, nodes: Nodes, options: TableOptions) -> str:
        if len(nodes) < 2:  # a name and a type
            raise RedshiftError(f'syntax error at or near "{source(nodes)}"', "42601")
        type_name, position = read_type(nodes, 1)
        written = f"{write_name(nodes[0])} {type_name}"
        while position < len(nodes):
            text, position = self._attribute(nodes, position, options)
            written += text
        return written

    def _attribute(self, nodes: Nodes, position: int, options: TableOptions) -> tuple[str, int]:
        """Write one attribute of a column; returns where it ends."""
        words = keywords(nodes[position : position + 5])
        if words[0] == "default":
            return self._default(nodes, position)
        if words[0] in ("identity", "generated"):
            is_own = words == ["generated", "by", "default", "as", "identity"]
            place = position + (5 if is_own else 1)
            if place >= len(nodes) or (words[0] == "generated" and not is_own):
                raise syntax_error(words[0])
            return _identity(nodes[place], "by default" if is_own else "always"), place + 1
        if words[0] == "references":
            _, position = read_chain(nodes, position + 1)
            return "", position + (position < len(nodes) and is_round(nodes[position]))
        if words[0] == "encode" and words[1:2] and words[1] in ENCODINGS:
            return "", position + 2
        if words[0] == "distkey":
            options.distribute_by(nodes[0].word)
        if words[0] == "sortkey":
            options.sort_by([nodes[0].word])
        for attribute, written in PLAIN_ATTRIBUTES.items():
            length = len(attribute.split())
            if " ".join(words[:length]) == attribute:
                return written, position + length
        raise syntax_error(source(nodes[position : position + 1]))

    def _default(self, nodes: Nodes, position: int) -> tuple[str, int]:
        end = position + 1
        while end < len(nodes) and nodes[end].keyword not in ATTRIBUTES:
            end += 1
        value = self._queries.expressions.write(nodes[position + 1 : end])
        return f" default{value}", end

    def alter_table(self, nodes: Nodes) -> str:
        """Write an ALTER TABLE; it changes one thing, as in Redshift.

        Raises:
            RedshiftError: a change that Redshift, or the stand-in, does not know.
        """
        chain, position = read_chain(nodes, 2)
        head = f"alter table {'.'.join(write_name(step) for step in chain)} "
        if any(node.is_symbol(",") for node in nodes):
            raise syntax_error(",")
        rest = nodes[position:]
        words = keywords(rest)
        if words[:1] == ["add"] and len(rest) > 1:
            return head + self._addition(rest[1:])
        if words[:1] == ["drop"]:
            name = rest[2:] if words[1:2] == ["column"] else rest[1:]
            behaviour = keywords(name[1:])
            if behaviour not in ([], ["cascade"], ["restrict"]) or words[1:2] == ["constraint"]:
                raise syntax_error(source(rest[1:2]))
            return f"{head}drop column {write_name(name[0])} {' '.join(behaviour)}".rstrip()
        if words[:2] in (["rename", "to"], ["owner", "to"]) and len(rest) == 3:
            return f"{head}{' '.join(words[:2])} {write_name(rest[2])}"
        if words[:1] == ["rename"] and "to" in words:
            old, new = rest[words.index("to") - 1], rest[-1]
            return f"{head}rename column {write_name(old)} to {write_name(new)}"
        if words[:1] == ["alter"]:
            return head + _alter(rest)
        raise syntax_error(source(rest[:1]))

    def _addition(self, nodes: Nodes) -> str:
        if nodes[0].keyword in CONSTRAINTS:
            _constraint(nodes)
            return NO_CHANGE
        definition = nodes[1:] if nodes[0].keyword == "column" else nodes
        if keywords(definition[:2]) == ["if", "not"]:
            raise syntax_error("not")
        options = TableOptions()
        text = self._column(definition, options)
        if " not null" in text and " default" not in text:
            raise RedshiftError(
                "ALTER TABLE ADD COLUMN defined as NOT NULL needs a non-null default expression",
                "0A000",
            )
        if options.record:
            raise syntax_error(source(definition[-1:]))
        return f"add column {text}"


NO_CHANGE = "set (autovacuum_enabled = false)"
"""What changes nothing that matters, where a change is one for Redshift only."""
CONSTRAINTS = ("constraint", "primary", "unique", "foreign")
PLAIN_ATTRIBUTES = {
    "distkey": "",
    "sortkey": "",
    "not null": " not null",
    "null": "",
    "primary key": " not null",
    "unique": "",
}
"""What each is in PostgreSQL, where nobody enforces keys."""
ATTRIBUTES = (
    *("default", "identity", "generated", "encode", "distkey", "sortkey", "not", "null"),
    *("primary", "unique", "references"),
)


def _constraint(nodes: Nodes) -> list[str]:
    """Read a table's constraint, which Redshift does not enforce; returns a primary key's columns.

    Raises:
        RedshiftError: it is of a kind that Redshift has not, such as CHECK.
    """
    if nodes[0].keyword == "constraint":
        nodes = nodes[2:]
    words = keywords(nodes)
    if words[:2] == ["primary", "key"] and len(nodes) == 3:
        return _names(nodes[2])
    if words[:1] == ["unique"] and len(nodes) == 2:
        return []
    if words[:2] == ["foreign", "key"] and words[3:4] == ["references"]:
        return []
    raise syntax_error(source(nodes[:1]))


def _identity(group: Node, when: str) -> str:
    parts = split_by_comma(group.nodes) if isinstance(group, Group) else []
    if len(parts) != 2:  # seed and step
        raise syntax_error("identity")
    seed, step = (source(part) for part in parts)
    return f" generated {when} as identity (start with {seed} increment by {step} minvalue {seed})"


def _alter(nodes: Nodes) -> str:
    words = keywords(nodes)
    if words[1:2] != ["column"]:
        kinds = ("diststyle", "distkey", "sortkey", "compound", "interleaved", "encode")
        if words[1:2] and words[1] in kinds:
            return NO_CHANGE
        raise syntax_error(source(nodes[1:2]))
    if words[3:4] == ["encode"] and words[4:5] and words[4] in ENCODINGS:
        return NO_CHANGE
    if words[3:4] != ["type"]:
        raise syntax_error(source(nodes[3:4]))
    type_name, end = read_type(nodes, 4)
    if not type_name.startswith("varchar") or end != len(nodes):
        raise RedshiftError(
            "ALTER COLUMN TYPE is only supported for columns of type VARCHAR and VARBYTE", "0A000"
        )
    return f"alter column {write_name(nodes[2])} type {type_name}"
