"""Writes expressions for PostgreSQL: calls, casts, SUPER paths, and what Redshift has not."""

from collections.abc import Callable

from redshift_standin.dialect.functions import (
    NEED_FRAME,
    no_such_function,
    render_call,
    string_as_super,
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
    literal,
    source,
    split_by_comma,
    syntax_error,
)
from redshift_standin.dialect.types import read_type
from redshift_standin.errors import RedshiftError

OPERATORS = frozenset(
    (
        "+",
        "-",
        "*",
        "/",
        "%",
        "^",
        "||",
        "=",
        "<>",
        "!=",
        "<",
        ">",
        "<=",
        ">=",
        ",",
        ".",
        "::",
        "~",
        "!~",
        "&",
        "|",
        "#",
        "<<",
        ">>",
        "|/",
        "||/",
        "@",
    )
)
COMPARISONS = ("=", "<>", "!=", "<", ">", "<=", ">=")
BEFORE_BRACKET = frozenset(
    """
    all and any as between insert by case cube distinct else end except exists from group
    having ilike in intersect into is join like limit not offset on or over rollup select set
    sets similar some then to union using values when where with within
    """.split()  # noqa: SIM905  # a list of words reads better
)
"""What may stand before a bracket and is no function."""
FIRST_OR_LAST = {"first_value": "first_of", "last_value": "last_of"}
REFUSED = frozenset({"lateral", "returning", "tablesample", "ordinality", "conflict", "xmlparse"})


class Scope:
    """The tables that a query names.

    Attributes:
        tables: aliases, in order; the value tells whether it is an element of a SUPER array.
        merges_columns: whether USING or NATURAL makes one column of two.
    """

    def __init__(self) -> None:
        self.tables: dict[str, bool] = {}
        self.merges_columns = False


class ExpressionWriter:
    """Writes expressions.

    Args:
        write_query: writes what stands in brackets and is a query.
    """

    def __init__(self, write_query: Callable[[Nodes], str]) -> None:
        self._write_query = write_query
        self.scopes: list[Scope] = []

    def write(self, nodes: Nodes) -> str:
        """Write ``nodes``, which may be any part of an expression.

        Raises:
            RedshiftError: it holds what Redshift or the stand-in does not know.
        """
        written = []
        position = 0
        while position < len(nodes):
            text, position = self._next(nodes, position)
            written.append(text)
        return "".join(written)

    def _next(self, nodes: Nodes, position: int) -> tuple[str, int]:
        node = nodes[position]
        if isinstance(node, Group):
            return self._brackets(node), position + 1
        if node.is_symbol("::"):
            type_name, end = read_type(nodes, position + 1)
            return f"{node.space}::{type_name}", end
        if node.kind is Kind.SYMBOL:
            if node.text not in OPERATORS or node.text == ".":
                raise syntax_error(node.text)
            return node.space + node.text, position + 1
        if node.kind in (Kind.WORD, Kind.QUOTED):
            return self._name(nodes, position)
        suffix = _literal_suffix(nodes, position) if node.kind is not Kind.PARAMETER else ""
        return node.space + node.text + suffix, position + 1

    def _brackets(self, group: Group) -> str:
        if not is_round(group):
            raise syntax_error("[")
        is_query = is_query_in(group)
        inner = self._write_query(group.nodes) if is_query else self.write(group.nodes)
        return f"{group.space}({inner}{group.closing.space})"

    def _name(self, nodes: Nodes, position: int) -> tuple[str, int]:
        node = nodes[position]
        assert isinstance(node, Token)
        self._refuse(nodes, position)
        following = nodes[position + 1] if position + 1 < len(nodes) else None
        if node.keyword == "sysdate":
            return f"{node.space}redshift.sysdate()", position + 1
        if node.keyword == "approximate":
            if keywords(nodes[position + 1 : position + 2]) != ["count"]:
                raise syntax_error("approximate")
            return node.space, position + 1
        if node.keyword in BEFORE_BRACKET and (following is None or not following.is_symbol(".")):
            return node.space + node.text, position + 1
        chain, end = read_chain(nodes, position)
        following = nodes[end] if end < len(nodes) else None
        is_call = following is not None and is_round(following)
        if is_call and all(isinstance(step, Token) for step in chain):
            return self._call(nodes, chain, end)
        return self._column(nodes, chain, end)

    def _refuse(self, nodes: Nodes, position: int) -> None:
        """Refuse words that PostgreSQL takes and Redshift does not."""
        keyword = nodes[position].keyword
        following = keywords(nodes[position + 1 : position + 3])
        if keyword in REFUSED:
            raise syntax_error(source(nodes[position : position + 1]))
        if keyword == "is" and "distinct" in (
            following[:1] + following[1:2] * (following[:1] == ["not"])
        ):
            raise syntax_error("distinct")
        if keyword == "array" and position + 1 < len(nodes):
            bracket = nodes[position + 1]
            if isinstance(bracket, Group) and not is_round(bracket):
                raise syntax_error("[")

    def _call(self, nodes: Nodes, chain: list[Node], end: int) -> tuple[str, int]:
        group = nodes[end]
        assert isinstance(group, Group)
        names = [step.word for step in chain]
        if names[0] == "pg_catalog":
            names = names[1:]
        name = names[-1]
        if len(names) > 1:
            raise no_such_function(".".join(names))
        end += 1
        if name in FIRST_OR_LAST and keywords(group.nodes[-1:]) == ["nulls"]:
            return self._value_beside_nulls(nodes, end, chain[0].space)
        arguments = split_by_comma(group.nodes)
        text = render_call(name, arguments, self.write)
        if text is None:
            text = f"{name}({self.write(group.nodes)})"
        if name == "listagg":
            order, end = self._within_group(nodes, end, arguments)
            text += f"{order})"
        if name in NEED_FRAME:
            _require_frame(nodes, end)
        return chain[0].space + text, end

    def _value_beside_nulls(self, nodes: Nodes, end: int, space: str) -> tuple[str, int]:
        """FIRST_VALUE or LAST_VALUE with IGNORE NULLS, which PostgreSQL has not: of an array."""
        call, over = nodes[end - 1], nodes[end : end + 2]
        assert isinstance(call, Group)
        value, treatment = self.write(call.nodes[:-2]).strip(), call.nodes[-2].keyword
        is_window = len(over) > 1 and over[0].keyword == "over"
        if not value or not is_window or treatment not in ("ignore", "respect"):
            raise syntax_error(source(call.nodes[-2:]))
        _require_frame(nodes, end)
        some = f" filter (where ({value}) is not null)" if treatment == "ignore" else ""
        values = f"(array_agg({value}){some}{self.write(over)})"
        place = FIRST_OR_LAST[nodes[end - 2].word]
        return f"{space}redshift.{place}({values})", end + 2

    def _within_group(self, nodes: Nodes, end: int, arguments: list[list[Node]]) -> tuple[str, int]:
        """The ORDER BY of LISTAGG's WITHIN GROUP, which STRING_AGG has in its brackets."""
        if keywords(nodes[end : end + 2]) != ["within", "group"]:
            return "", end
        group = nodes[end + 2] if end + 2 < len(nodes) else None
        if not isinstance(group, Group) or keywords(group.nodes[:2]) != ["order", "by"]:
            raise syntax_error("group")
        order = group.nodes[2:]
        if arguments[0][0].keyword == "distinct":
            value = arguments[0][1:]
            words = keywords(order[len(value) :])
            if source(order[: len(value)]) != source(value) or words not in ([], ["asc"], ["desc"]):
                raise RedshiftError(
                    "for aggregates with DISTINCT, ORDER BY expressions must appear in argument "
                    "list",
                    "42P10",
                )
            text = f"({self.write(value).strip()})::text {' '.join(words)}"
        else:
            text = self.write(order)
        return f" order by {text.strip()}", end + 3

    def _column(self, nodes: Nodes, chain: list[Node], end: int) -> tuple[str, int]:
        base, steps = self._split_chain(chain)
        text = chain[0].space + base
        if not steps:
            return text, end
        for step in steps:
            text = self._step(text, step)
        comparison, end = self._comparison(nodes, end)
        return chain[0].space + text.strip() + comparison, end

    def _split_chain(self, chain: list[Node]) -> tuple[str, list[Node]]:
        """Tell the column from the path into it."""
        first = chain[0].word
        is_element = next(
            (scope.tables[first] for scope in reversed(self.scopes) if first in scope.tables), None
        )
        if is_element and len(chain) > 1:
            return f"{write_name(chain[0])}.{write_name(chain[0])}", chain[1:]
        length = next(
            (place for place, step in enumerate(chain) if isinstance(step, Group)), len(chain)
        )
        if is_element is False:
            length = min(length, 2)
        return ".".join(write_name(step) for step in chain[:length]), chain[length:]

    def _step(self, value: str, step: Node) -> str:
        value = value.strip()
        if isinstance(step, Group):
            return f"redshift.element({value}, {self.write(step.nodes).strip()})"
        if step.is_symbol("*"):
            raise syntax_error("*")
        return f"redshift.member({value}, {literal(step.word)})"

    def _comparison(self, nodes: Nodes, end: int) -> tuple[str, int]:
        """A string compared with a SUPER value is a text, and no JSON to parse."""
        rest = nodes[end : end + 3]
        if len(rest) > 1 and rest[0].is_symbol(*COMPARISONS) and _is_string(rest[1]):
            return f" {source(rest[:1])} {string_as_super(rest[1])}", end + 2  # type: ignore[arg-type]
        words = keywords(rest)
        length = 2 if words[:2] == ["not", "in"] else 1 if words[:1] == ["in"] else 0
        values = rest[length] if length and len(rest) > length else None
        if isinstance(values, Group) and not is_query_in(values):
            written = ", ".join(
                string_as_super(value[0]) if _is_string(value[0]) else self.write(value)  # type: ignore[arg-type]
                for value in split_by_comma(values.nodes)
            )
            return f" {' '.join(words[:length])} ({written})", end + length + 1
        return "", end


def _is_string(node: Node) -> bool:
    return isinstance(node, Token) and node.kind is Kind.STRING


def is_query_in(node: Node) -> bool:
    """Whether brackets hold a query."""
    while isinstance(node, Group) and is_round(node) and node.nodes:
        if node.nodes[0].keyword in ("select", "with"):
            return True
        node = node.nodes[0]
    return False


def read_chain(nodes: Nodes, position: int) -> tuple[list[Node], int]:
    """Read a name with all that dots and square brackets add: ``a.b[0].c``.

    Returns:
        The names and square brackets, without the dots, and where they end.
    """
    chain: list[Node] = [nodes[position]]
    position += 1
    while position < len(nodes):
        node = nodes[position]
        if isinstance(node, Group) and not is_round(node):
            chain.append(node)
            position += 1
        elif node.is_symbol(".") and position + 1 < len(nodes):
            name = nodes[position + 1]
            if not name.word and not name.is_symbol("*"):
                raise syntax_error(source([name]))
            chain.append(name)
            position += 2
        else:
            break
    return chain, position


def write_name(node: Node) -> str:
    """Write one name: what is quoted is folded too, and ``#`` needs quotes in PostgreSQL."""
    assert isinstance(node, Token)
    if node.kind is Kind.QUOTED or node.text.startswith("#"):
        return identifier(node.word)
    return node.text


def _literal_suffix(nodes: Nodes, position: int) -> str:
    """A literal that is cast to SUPER is a value, not JSON to parse."""
    if position + 1 < len(nodes) and nodes[position + 1].is_symbol("::"):
        type_name, _ = read_type(nodes, position + 2)
        if type_name == "jsonb":
            return "::text" if _is_string(nodes[position]) else "::numeric"
    return ""


def _require_frame(nodes: Nodes, end: int) -> None:
    if keywords(nodes[end : end + 1]) != ["over"] or end + 1 >= len(nodes):
        return
    window = nodes[end + 1]
    words = keywords(window.nodes) if isinstance(window, Group) else []
    if "range" in words or "groups" in words:
        raise RedshiftError("only ROWS frames are supported", "0A000")
    if "order" in words and "rows" not in words:
        raise RedshiftError(
            "Aggregate window functions with an ORDER BY clause require a frame clause", "0A000"
        )
