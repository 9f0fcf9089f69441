"""Pseudonymisation at extraction: no clear value reaches a disk, a log, or the source's query log.

A hash is HMAC-SHA-256 (RFC 2104) of the value's text in UTF-8, written as 64 hexadecimal digits.
Equal values have equal hashes in every source that uses the same salt. An integer's text is its
decimal digits.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from watershed_bulk.columns import Action
from watershed_tap.exceptions import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from watershed_tap.tables import ColumnType, Convert

DROP = "drop"
MASK = "***"
_LEAST_SALT_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """What is done to which column.

    Attributes:
        actions: stream to column to ``hash``, ``mask`` or ``drop``.
        salt: the secret that hashes depend on; ``None`` if nothing is hashed.
    """

    actions: Mapping[str, Mapping[str, str]]
    salt: bytes | None = field(repr=False)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> PrivacySettings:
        """Take over a config that :func:`contradictions` found nothing wrong with."""
        salt = config.get("pseudonymise_salt")
        return cls(config.get("pseudonymise") or {}, salt.encode() if salt else None)

    def of(self, stream_id: str) -> Mapping[str, str]:
        """Column to action, for one stream."""
        return self.actions.get(stream_id, {})


def contradictions(config: Mapping[str, Any]) -> Iterable[str]:
    """Say what is missing for what ``pseudonymise`` asks."""
    actions = config.get("pseudonymise") or {}
    is_hashed = any("hash" in columns.values() for columns in actions.values())
    if is_hashed and len(config.get("pseudonymise_salt") or "") < _LEAST_SALT_CHARACTERS:
        yield (
            f"pseudonymise_salt: hashing needs a secret of {_LEAST_SALT_CHARACTERS} characters or "
            "more, the same for all sources, from the environment"
        )


def check_columns(
    actions: Mapping[str, str], types: Mapping[str, ColumnType], kept: Iterable[str], place: str
) -> None:
    """Make sure that each action finds a column for which it makes sense.

    Args:
        actions: column to action.
        types: of the stream's columns.
        kept: columns that rows are found by; ``hash`` alone keeps apart what is different.
        place: source and stream, for error texts.

    Raises:
        SetupError: it does not.
    """
    for column, action in actions.items():
        if column not in types:
            raise SetupError(
                f"{place}: pseudonymise names column {column!r}, which does not exist, or the user "
                "may not read it: correct it, lest a column stay clear"
            )
        if action != Action.HASH and column in kept:
            raise SetupError(
                f"{place}: pseudonymise cannot {action} column {column!r}, which is part of the "
                "key: hash it"
            )
        if action == Action.HASH and not _has_text(types[column].schema):
            raise SetupError(
                f"{place}: pseudonymise cannot hash column {column!r}: only texts, integers and "
                "UUIDs have one text everywhere: mask or drop it"
            )


def converter(action: str, salt: bytes | None, convert: Convert | None) -> Convert:
    """Make the conversion whose result a RECORD has in place of a value that is not NULL."""

    def convert_and_hide(value: Any) -> str | None:  # noqa: ANN401  # as the driver gives it
        clear = value if convert is None else convert(value)
        if clear is None:
            return None
        if action == Action.MASK:
            return MASK
        assert salt is not None  # noqa: S101  # `contradictions` has seen to it
        return hmac.new(salt, str(clear).encode(), hashlib.sha256).hexdigest()

    return convert_and_hide


def _has_text(schema: Mapping[str, Any]) -> bool:
    kinds = set(schema["type"]) - {"null"}
    if kinds == {"integer"}:
        return True
    is_plain = not schema.keys() & {"contentMediaType", "contentEncoding"}
    return kinds == {"string"} and is_plain and schema.get("format") in {None, "uuid"}
