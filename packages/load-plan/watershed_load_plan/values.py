"""The exact text of a value in a Singer RECORD, before any engine sees it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import simplejson

from watershed_load_plan.types import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def json_text(value: Any) -> str:  # noqa: ANN401  # any JSON
    """Write JSON with every digit of its decimals, without white space."""
    return simplejson.dumps(value, use_decimal=True, ensure_ascii=False, separators=(",", ":"))


def text_of(value: Any) -> str | None:  # noqa: ANN401  # any JSON
    """Write one value of a RECORD as text from which a column of its type is read exactly."""
    if value is None or isinstance(value, str):
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f") if -40 < value.adjusted() < 40 else str(value)  # noqa: PLR2004
    if isinstance(value, float):
        return repr(value)
    return json_text(value)


def _json_column_text(value: Any) -> str | None:  # noqa: ANN401  # any JSON
    return None if value is None else json_text(value)


def converter(schema: Mapping[str, Any], kind: Kind) -> Callable[[Any], str | None]:
    """Choose how a property's values become text.

    A string of a property that is declared to *hold* JSON is that JSON; a string where any JSON
    may come is a JSON string.
    """
    holds_json = schema.get("contentMediaType") == "application/json"
    if kind is Kind.JSON and not holds_json:
        return _json_column_text
    return text_of
