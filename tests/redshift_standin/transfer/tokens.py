"""The words of a COPY or UNLOAD statement."""

from __future__ import annotations

import re
from dataclasses import dataclass

from redshift_standin.transfer.failures import syntax_error

_TOKEN = re.compile(
    r"""
    (?P<blank>  \s+ | --[^\n]* | /\*.*?\*/ )
    | (?P<string> ' (?: [^'\\] | '' | \\. )* ' )
    | (?P<quoted> " (?: [^"] | "" )+ " )
    | (?P<word>   [#A-Za-z_\x80-\U0010ffff] [\w$]* )
    | (?P<number> \d+ (?: \.\d+ )? )
    | (?P<mark>   . )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """A word, ``"quoted"`` name, ``'string'``, number or mark, and where it stands."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def keyword(self) -> str:
        """The word in capitals; of anything else nothing."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def value(self) -> str:
        r"""What a string or name means.

        A string keeps its backslashes, but for ``\'``: what ``\t`` or ``\N`` mean is each
        option's own affair. Names lose their case, as they do in Redshift by default.
        """
        if self.kind == "string":
            return self.text[1:-1].replace("''", "'").replace("\\'", "'")
        if self.kind == "quoted":
            return self.text[1:-1].replace('""', '"').lower()
        return self.text.lower()

    @property
    def shown(self) -> str:
        """How an error names the token: a string may be a secret."""
        return "'...'" if self.kind == "string" else self.text


class Tokens:
    """A statement, read from its beginning to its end.

    Raises:
        RedshiftError: by every reader: something else stands here.
    """

    def __init__(self, statement: str) -> None:
        self.statement = statement
        self._tokens = [
            Token(str(match.lastgroup), match.group(), match.start(), match.end())
            for match in _TOKEN.finditer(statement)
            if match.lastgroup != "blank"
        ]
        if self._tokens and self._tokens[-1].text == ";":
            self._tokens.pop()
        self._next = 0

    @property
    def current(self) -> Token:
        """The token to be read next; after the last, one without text."""
        if self._next < len(self._tokens):
            return self._tokens[self._next]
        return Token("end", "", len(self.statement), len(self.statement))

    @property
    def at_end(self) -> bool:
        """Whether all was read."""
        return self._next >= len(self._tokens)

    def read(self) -> Token:
        """Read any token."""
        token = self.current
        self._next += 1
        return token

    def skip(self, *keywords: str) -> bool:
        """Read the next word if it is one of these; tell whether it was."""
        found = self.current.keyword in keywords
        self._next += found
        return found

    def skip_mark(self, mark: str) -> bool:
        """Read the next mark if it is this one; tell whether it was."""
        found = self.current.kind == "mark" and self.current.text == mark
        self._next += found
        return found

    def expect(self, *keywords: str) -> str:
        """Read one of these words, and say which."""
        word = self.current.keyword
        if not self.skip(*keywords):
            raise self.refusal()
        return word

    def expect_mark(self, mark: str) -> None:
        """Read this mark."""
        if not self.skip_mark(mark):
            raise self.refusal()

    def string(self) -> str:
        """Read a string, with or without AS before it."""
        self.skip("AS")
        if self.current.kind != "string":
            raise self.refusal()
        return self.read().value

    def number(self) -> float:
        """Read a number, with or without AS before it."""
        self.skip("AS")
        if self.current.kind != "number":
            raise self.refusal()
        return float(self.read().text)

    def integer(self) -> int:
        """Read a whole number, with or without AS before it."""
        number = self.number()
        if not number.is_integer():
            raise syntax_error(str(number))
        return int(number)

    def name(self) -> str:
        """Read a name, folded to lower case."""
        if self.current.kind not in {"word", "quoted"}:
            raise self.refusal()
        return self.read().value

    def switch(self) -> bool:
        """Read ON or OFF (TRUE, FALSE); nothing means ON."""
        return self.skip("ON", "TRUE") or not self.skip("OFF", "FALSE")

    def top_level_keywords(self) -> set[str]:
        """The words that stand outside all parentheses."""
        depth = 0
        words = set()
        for token in self._tokens:
            if token.kind == "mark":
                depth += {"(": 1, ")": -1}.get(token.text, 0)
            elif depth == 0:
                words.add(token.keyword)
        return words

    def refusal(self) -> Exception:
        """The error for what stands here."""
        if self.at_end:
            return syntax_error("end of input")
        return syntax_error(self.current.shown)
