"""Takes a statement apart into tokens and brackets, and loses nothing of it.

A tokenizer of our own, because an editor must be able to write back what it did not touch: that of
sqlglot makes one token of ``order by`` and of a whole ``SHOW``, and drops comments.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from redshift_standin.errors import RedshiftError

SYNTAX_ERROR = "42601"


class Kind(Enum):
    """What a token is."""

    WORD = auto()
    QUOTED = auto()
    STRING = auto()
    NUMBER = auto()
    PARAMETER = auto()
    SYMBOL = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        kind: what it is.
        text: as written, with its quotes.
        space: the white space and comments before it.
        word: a name or keyword in lower case, as Redshift folds it, quoted or not; empty for
            every other kind.
        keyword: as `word`, but empty for a quoted name.
    """

    kind: Kind
    text: str
    space: str = ""
    word: str = ""
    keyword: str = ""

    def is_symbol(self, *symbols: str) -> bool:
        """Whether it is one of these symbols."""
        return self.kind is Kind.SYMBOL and self.text in symbols


@dataclass(frozen=True, slots=True)
class Group:
    """A pair of brackets and what is between them."""

    opening: Token
    nodes: tuple["Node", ...]
    closing: Token
    word: str = field(default="", init=False)
    keyword: str = field(default="", init=False)

    @property
    def space(self) -> str:
        """The white space and comments before the opening bracket."""
        return self.opening.space

    def is_symbol(self, *_: str) -> bool:
        """Never: brackets are no symbol."""
        return False


Node = Token | Group
Nodes = Sequence[Node]

SPACE = re.compile(r"(?:\s+|--[^\n]*)+")
TOKEN = re.compile(
    r"""
    (?P<string>[eE]?'(?:[^'\\]|''|\\.)*')
    | (?P<dollar>\$(?P<tag>[A-Za-z_]\w*)?\$.*?\$(?(tag)(?P=tag))\$)
    | (?P<quoted>"(?:[^"]|"")+")
    | (?P<parameter>\$\d+)
    | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<word>\#?[^\W\d][\w$]*)
    | (?P<symbol>::|<=|>=|<>|!=|\|\||[-+*/%^<>=~!@\#&|`?:]+|[(),.;\[\]])
    """,
    re.VERBOSE | re.DOTALL,
)
SYMBOL_AND_COMMENT = re.compile(r"--|/\*")


def tokenize(statement: str) -> list[Token]:
    """Take ``statement`` apart.

    Raises:
        RedshiftError: it holds what is no token, e.g. a quote without its other one.
    """
    tokens = []
    position = 0
    while position < len(statement):
        end = _skip_space(statement, position)
        space = statement[position:end]
        match = TOKEN.match(statement, end)
        if match is None:
            if end == len(statement):
                break
            raise syntax_error(statement[end : end + 20])
        tokens.append(_token(match, space))
        position = end + len(tokens[-1].text)
    return tokens


def syntax_error(near: str) -> RedshiftError:
    """What Redshift says of a word that it did not expect."""
    return RedshiftError(f'syntax error at or near "{near}"', SYNTAX_ERROR)


def _token(match: re.Match[str], space: str) -> Token:
    text = match[0]
    if match["word"] is not None:
        return Token(Kind.WORD, text, space, text.lower(), text.lower())
    if match["quoted"] is not None:
        return Token(Kind.QUOTED, text, space, text[1:-1].replace('""', '"').lower())
    if match["string"] is not None or match["dollar"] is not None:
        return Token(Kind.STRING, text, space)
    if match["number"] is not None:
        return Token(Kind.NUMBER, text, space)
    if match["parameter"] is not None:
        return Token(Kind.PARAMETER, text, space)
    comment = SYMBOL_AND_COMMENT.search(text, 1)
    if comment is not None:
        text = text[: comment.start()]
    elif len(text) > 1 and text[-1] in "+-" and text != "->":
        text = text.rstrip("+-") or text[0]  # as in "=-1": the sign is a token of its own
    return Token(Kind.SYMBOL, text, space)


def _skip_space(statement: str, position: int) -> int:
    while True:
        match = SPACE.match(statement, position)
        if match is not None:
            position = match.end()
        if not statement.startswith("/*", position):
            return position
        position = _end_of_comment(statement, position)


def _end_of_comment(statement: str, position: int) -> int:
    """Comments nest, as in PostgreSQL."""
    depth = 0
    for mark in re.finditer(r"/\*|\*/", statement[position:]):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return position + mark.end()
    raise RedshiftError("unterminated /* comment", SYNTAX_ERROR)


def split_statements(tokens: list[Token]) -> list[list[Token]]:
    """The statements between the semicolons."""
    statements: list[list[Token]] = [[]]
    for token in tokens:
        if token.is_symbol(";"):
            statements.append([])
        else:
            statements[-1].append(token)
    return [statement for statement in statements if statement]


def group(tokens: list[Token]) -> list[Node]:
    """Put what is in brackets into groups.

    Raises:
        RedshiftError: a bracket lacks its other one.
    """
    levels: list[list[Node]] = [[]]
    openings: list[Token] = []
    for token in tokens:
        if token.is_symbol("(", "["):
            openings.append(token)
            levels.append([])
        elif token.is_symbol(")", "]"):
            if not openings or openings[-1].text + token.text not in ("()", "[]"):
                raise syntax_error(token.text)
            nodes = tuple(levels.pop())
            levels[-1].append(Group(openings.pop(), nodes, token))
        else:
            levels[-1].append(token)
    if openings:
        raise RedshiftError("syntax error at end of input", SYNTAX_ERROR)
    return levels[0]


def split_by_comma(nodes: Nodes) -> list[list[Node]]:
    """The parts between the commas; none of nothing."""
    parts: list[list[Node]] = [[]]
    for node in nodes:
        if node.is_symbol(","):
            parts.append([])
        else:
            parts[-1].append(node)
    return parts if nodes else []


def is_round(node: Node) -> bool:
    """Whether it is ``( … )``."""
    return isinstance(node, Group) and node.opening.text == "("


def keywords(nodes: Nodes) -> list[str]:
    """The keyword that each node is, or an empty text."""
    return [node.keyword for node in nodes]


def source(nodes: Nodes) -> str:
    """What ``nodes`` were made of, without the space before it."""
    return "".join(_source(node) for node in nodes).strip()


def _source(node: Node) -> str:
    if isinstance(node, Group):
        inner = "".join(_source(part) for part in node.nodes)
        return f"{node.space}{node.opening.text}{inner}{node.closing.space}{node.closing.text}"
    return node.space + node.text


def literal(text: str) -> str:
    """Write ``text`` as a string that is the same whatever backslashes mean."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Write ``name`` as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'
