"""Writes queries for PostgreSQL: QUALIFY, TOP, MINUS, unnesting, and what Redshift has not."""

from collections.abc import Iterator

from redshift_standin.dialect.expressions import (
    ExpressionWriter,
    Scope,
    is_query_in,
    read_chain,
    write_name,
)
from redshift_standin.dialect.tokens import (
    Group,
    Kind,
    Node,
    Nodes,
    Token,
    identifier,
    is_round,
    keywords,
    source,
    split_by_comma,
    syntax_error,
)
from redshift_standin.errors import RedshiftError

SET_OPERATORS = ("union", "intersect", "except", "minus")
CLAUSES = ("from", "where", "group", "having", "qualify", "order", "limit", "offset")
FOLLOWED_BY = ("group", "order")
REFUSED_CLAUSES = ("window", "fetch", "for")
JOIN_WORDS = ("join", "inner", "left", "right", "full", "outer", "cross", "natural")
CATALOG_PREFIXES = ("svv_", "svl_", "stl_", "stv_", "sys_")
CATALOG_NAMES = ("pg_table_def", "pg_attribute", "pg_views")
INFORMATION_SCHEMA = ("tables", "columns", "views")
NO_QUALIFY = "the stand-in cannot run this QUALIFY: {}"

Clauses = dict[str, list[Node]]


class QueryWriter:
    """Writes queries, and what they are made of."""

    def __init__(self) -> None:
        self.expressions = ExpressionWriter(self.write)
        self._derived = 0

    def write(self, nodes: Nodes) -> str:
        """Write a query, with or without WITH.

        Raises:
            RedshiftError: Redshift or the stand-in does not know what it asks for.
        """
        prefix, position = self.with_clause(nodes)
        blocks = list(_blocks(nodes[position:]))
        return prefix + "".join(
            operator + self._block(block, is_alone=len(blocks) == 1) for operator, block in blocks
        )

    def with_clause(self, nodes: Nodes) -> tuple[str, int]:
        """Write a WITH, if there is one; returns where it ends."""
        if not nodes or nodes[0].keyword != "with":
            return "", 0
        written = [source_of(nodes[0])]
        position = 1
        if nodes[position].keyword == "recursive":
            written.append(source_of(nodes[position]))
            position += 1
        while True:
            name = nodes[position]
            written.append(name.space + write_name(name))
            position += 1
            if is_round(nodes[position]):
                written.append(source_of(nodes[position]))
                position += 1
            body = nodes[position + 1] if position + 1 < len(nodes) else None
            if nodes[position].keyword != "as" or not isinstance(body, Group):
                raise syntax_error(source(nodes[position + 1 : position + 2]))
            written.append(f" as{body.space}({self.write(body.nodes)}{body.closing.space})")
            position += 2
            if position == len(nodes) or not nodes[position].is_symbol(","):
                return "".join(written), position
            written.append(",")
            position += 1

    def _block(self, nodes: Nodes, *, is_alone: bool) -> str:
        if is_query_in(nodes[0]):
            group = nodes[0]
            assert isinstance(group, Group)
            inner = f"{group.space}({self.write(group.nodes)}{group.closing.space})"
            return inner + self.expressions.write(nodes[1:])
        if nodes[0].keyword != "select":
            raise syntax_error(source(nodes[:1]))
        scope = Scope()
        self.expressions.scopes.append(scope)
        try:
            return self._select(nodes, scope, is_alone=is_alone)
        finally:
            self.expressions.scopes.pop()

    def _select(self, nodes: Nodes, scope: Scope, *, is_alone: bool) -> str:
        clauses = _clauses(nodes)
        tables = self.tables(clauses.pop("from"), scope) if "from" in clauses else ""
        select = clauses.pop("select")
        words = keywords(select[1:3])
        distinct = " distinct" if words[:1] == ["distinct"] else ""
        if distinct and words[1:2] == ["on"]:
            raise RedshiftError("SELECT DISTINCT ON is not supported", "0A000")
        select = select[1 + len(words[:1] if words[:1] in (["distinct"], ["all"]) else []) :]
        limit = ""
        if select and select[0].keyword == "top":
            if not is_alone or "limit" in clauses:
                raise syntax_error("top")
            limit = f" limit {source(select[1:2])}"
            select = select[2:]
        if "qualify" in clauses:
            return self._qualify(distinct, select, tables, clauses, scope) + limit
        rest = "".join(self.expressions.write(clause) for clause in clauses.values())
        items = self.expressions.write(select)
        return f"{nodes[0].space}select{distinct}{items}{tables}{rest}{limit}"

    def tables(self, nodes: Nodes, scope: Scope) -> str:
        """Write a FROM or USING with its keyword, and put its tables into ``scope``."""
        written = [source_of(nodes[0])]
        position = 1
        while position < len(nodes):
            node = nodes[position]
            if node.is_symbol(",") or node.keyword in JOIN_WORDS:
                scope.merges_columns |= node.keyword == "natural"
                written.append(source_of(node))
                position += 1
            elif node.keyword in ("on", "using"):
                end = _end_of_condition(nodes, position + 1)
                scope.merges_columns |= node.keyword == "using"
                written.append(source_of(node) + self.expressions.write(nodes[position + 1 : end]))
                position = end
            else:
                text, position = self._table(nodes, position, scope)
                written.append(text)
        return "".join(written)

    def _table(self, nodes: Nodes, position: int, scope: Scope) -> tuple[str, int]:
        node = nodes[position]
        needs_alias = is_query_in(node)
        is_element = False
        if isinstance(node, Group):
            name, text, position = "", self._bracketed_table(node, scope), position + 1
        elif node.word and node.keyword not in ("only", "lateral", "values"):
            chain, position = read_chain(nodes, position)
            if chain[0].word in self._known_aliases(scope) and len(chain) > 1:
                return self._elements(nodes, chain, position, scope)
            name = chain[-1].word
            if position < len(nodes) and is_round(nodes[position]):
                end = position + 1
                text = self.expressions.write(nodes[position - len(chain) * 2 + 1 : end])
                position = end
            else:
                text = chain[0].space + _table_name(chain)
        else:
            raise syntax_error(source([node]))
        alias, alias_text, position = _alias(nodes, position)
        if not alias and needs_alias:
            self._derived += 1
            alias_text = f" as redshift_derived_{self._derived}"
        if alias or name:
            scope.tables[alias or name] = is_element
        return text + alias_text, position

    def _bracketed_table(self, group: Group, scope: Scope) -> str:
        if is_query_in(group):
            return f"{group.space}({self.write(group.nodes)}{group.closing.space})"
        word = Token(Kind.WORD, "", "")
        return f"{group.space}({self.tables([word, *group.nodes], scope)}{group.closing.space})"

    def _known_aliases(self, scope: Scope) -> set[str]:
        return {name for known in (*self.expressions.scopes, scope) for name in known.tables}

    def _elements(
        self, nodes: Nodes, chain: list[Node], position: int, scope: Scope
    ) -> tuple[str, int]:
        """Unnest an array: ``t.items as item [at position]``."""
        alias, _, position = _alias(nodes, position)
        if not alias:
            alias = chain[-1].word
        array = self.expressions.write(_with_dots(chain)).strip()
        scope.tables[alias] = True
        name = identifier(alias)
        if position + 1 < len(nodes) and nodes[position].keyword == "at":
            place = identifier(nodes[position + 1].word)
            return f" redshift.numbered_elements({array}) as {name}({name}, {place})", position + 2
        return f" redshift.elements({array}) as {name}({name})", position

    def _qualify(
        self, distinct: str, select: Nodes, tables: str, clauses: Clauses, scope: Scope
    ) -> str:
        """Select from a query that says in a column of its own whether a row is kept."""
        condition = clauses.pop("qualify")[1:]
        inner: list[str] = []
        outer: list[str] = []
        named: dict[str, list[Node]] = {}
        for item in split_by_comma(select):
            for inside, outside in self._qualified_item(item, scope, named, len(inner)):
                inner.append(inside)
                outer.append(outside)
        kept = self.expressions.write(_with_items(condition, named))
        rest = {name: self.expressions.write(clause) for name, clause in clauses.items()}
        after = "".join(rest.pop(name, "") for name in ("order", "limit", "offset"))
        return (
            f"select{distinct} {', '.join(outer)} from (select {', '.join(inner)}, "
            f"({kept.strip()}) as redshift_is_kept{tables}{''.join(rest.values())}) "
            f"as redshift_qualified where redshift_is_kept{after}"
        )

    def _qualified_item(
        self, item: list[Node], scope: Scope, named: dict[str, list[Node]], number: int
    ) -> Iterator[tuple[str, str]]:
        if item[-1].is_symbol("*"):
            aliases = list(scope.tables) if len(item) == 1 else [item[0].word]
            if scope.merges_columns and len(item) == 1:
                raise RedshiftError(NO_QUALIFY.format("a * over USING or NATURAL"), "0A000")
            for place, alias in enumerate(aliases):
                name = identifier(alias)
                if scope.tables.get(alias):
                    yield name, name
                else:
                    row = f"redshift_row_{number}_{place}"
                    yield f"{name} as {row}", f"(redshift_qualified.{row}).*"
            return
        name_node = item[-1]
        if not name_node.word:
            call = item[-2] if len(item) > 1 and is_round(name_node) else None
            if call is None or not call.word:
                raise RedshiftError(NO_QUALIFY.format("a column without a name"), "0A000")
            name_node = call
        elif len(item) > 1 and not item[-2].is_symbol("."):
            end = -2 if item[-2].keyword == "as" else -1
            named[name_node.word] = item[:end]
        yield self.expressions.write(item).strip(), identifier(name_node.word)


def source_of(node: Node) -> str:
    """What a node was made of, with the space before it."""
    return node.space + source([node])


def _with_dots(chain: list[Node]) -> list[Node]:
    nodes: list[Node] = [chain[0]]
    for step in chain[1:]:
        if not isinstance(step, Group):
            nodes.append(Token(Kind.SYMBOL, "."))
        nodes.append(step)
    return nodes


def _with_items(nodes: Nodes, named: dict[str, list[Node]]) -> list[Node]:
    """QUALIFY may name an item of the select list: put there what that is."""
    result: list[Node] = []
    for place, node in enumerate(nodes):
        if isinstance(node, Group):
            result.append(Group(node.opening, tuple(_with_items(node.nodes, named)), node.closing))
        elif node.word in named and not (place and nodes[place - 1].is_symbol(".")):
            opening = Token(Kind.SYMBOL, "(", node.space)
            result.append(Group(opening, tuple(named[node.word]), Token(Kind.SYMBOL, ")")))
        else:
            result.append(node)
    return result


def _blocks(nodes: Nodes) -> Iterator[tuple[str, Nodes]]:
    """The SELECTs between set operators, each with the operator before it."""
    start = 0
    operator = ""
    place = 0
    while place < len(nodes):
        keyword = nodes[place].keyword
        if keyword in SET_OPERATORS and not (place and nodes[place - 1].is_symbol(".")):
            yield operator, nodes[start:place]
            operator = f"{nodes[place].space}{'except' if keyword == 'minus' else keyword}"
            if keywords(nodes[place + 1 : place + 2]) == ["all"]:
                if keyword != "union":
                    raise RedshiftError(f"{keyword.upper()} ALL is not supported", "0A000")
                operator += " all"
                place += 1
            start = place + 1
        place += 1
    if start == len(nodes):
        raise RedshiftError("syntax error at end of input", "42601")
    yield operator, nodes[start:]


def _clauses(nodes: Nodes) -> Clauses:
    clauses: Clauses = {"select": []}
    current = "select"
    for place, node in enumerate(nodes):
        keyword = node.keyword
        is_name = place > 0 and (
            nodes[place - 1].is_symbol(".") or nodes[place - 1].keyword in ("as", "distinct")
        )
        following = keywords(nodes[place + 1 : place + 2])
        if is_name:
            keyword = ""
        if keyword in REFUSED_CLAUSES and place > 1:
            raise syntax_error(keyword)
        if keyword in CLAUSES and (keyword not in FOLLOWED_BY or following == ["by"]):
            if keyword in clauses:
                raise syntax_error(keyword)
            current = keyword
            clauses[current] = []
        clauses[current].append(node)
    return clauses


def _end_of_condition(nodes: Nodes, position: int) -> int:
    while position < len(nodes):
        node = nodes[position]
        is_call = position + 1 < len(nodes) and is_round(nodes[position + 1])
        if node.is_symbol(",") or (
            node.keyword in JOIN_WORDS and not (is_call and node.keyword in ("left", "right"))
        ):
            break
        position += 1
    return position


def _alias(nodes: Nodes, position: int) -> tuple[str, str, int]:
    """Read ``[as] alias [(columns)]``; the alias is empty where there is none."""
    text = ""
    if position < len(nodes) and nodes[position].keyword == "as":
        text = source_of(nodes[position])
        position += 1
    node = nodes[position] if position < len(nodes) else None
    if (
        node is None
        or not node.word
        or (not text and node.keyword in (*JOIN_WORDS, "on", "using", "at", "set", "where", "when"))
    ):
        return "", text, position
    if node.keyword in ("tablesample", "with"):
        raise syntax_error(node.keyword)
    text += node.space + write_name(node)
    position += 1
    if position < len(nodes) and is_round(nodes[position]):
        text += source_of(nodes[position])
        position += 1
    return node.word, text, position


def _table_name(chain: list[Node]) -> str:
    """Write a table's name; the catalog's is that of our view of it."""
    names = [step.word for step in chain]
    schema, name = names[-2] if len(names) > 1 else "", names[-1]
    if schema in ("", "pg_catalog") and (
        name.startswith(CATALOG_PREFIXES) or name in CATALOG_NAMES
    ):
        return f"redshift.{name}"
    if schema == "information_schema" and name in INFORMATION_SCHEMA:
        return f"redshift.{schema}_{name}"
    return ".".join(write_name(step) for step in chain)
