"""Names of up to 127 bytes, as Redshift's may be, in PostgreSQL, whose have 63."""

import hashlib
from dataclasses import replace

from redshift_standin.dialect.tokens import Kind, Token, identifier
from redshift_standin.errors import RedshiftError

MOST_BYTES, POSTGRES_BYTES = 127, 63
_DIGITS = 12

shortened: dict[str, str] = {}
"""Every long name that a statement had so far: what the catalog is asked for is a text."""


def fit_names(tokens: list[Token]) -> tuple[list[Token], bool]:
    """Shorten the names that are too long for PostgreSQL, and texts that equal such a name.

    Returns:
        The tokens, and whether a name was new.

    Raises:
        RedshiftError: a name is too long for Redshift too.
    """
    known = len(shortened)
    for token in tokens:
        size = len(token.word.encode())
        if size > MOST_BYTES:
            raise RedshiftError(
                f'The name "{token.word[:20]}..." exceeds the limit of {MOST_BYTES} bytes', "42622"
            )
        if size > POSTGRES_BYTES:
            digest = hashlib.sha256(token.word.encode()).hexdigest()[:_DIGITS]
            start = token.word.encode()[: POSTGRES_BYTES - _DIGITS - 1].decode(errors="ignore")
            shortened[token.word] = f"{start}_{digest}"
    return [_fitted(token) for token in tokens], len(shortened) > known


def _fitted(token: Token) -> Token:
    if token.word in shortened:
        name = shortened[token.word]
        keyword = name if token.kind is Kind.WORD else ""
        return replace(token, text=identifier(name), word=name, keyword=keyword)
    if token.kind is Kind.STRING and (name := shortened.get(token.text[1:-1].lower(), "")):
        return replace(token, text=f"'{name}'")
    return token
