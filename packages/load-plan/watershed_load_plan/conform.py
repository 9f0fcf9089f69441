"""A batch made fit for its table: every value exact, or set aside with its original."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watershed_load_plan.duckdb_types import literal, quoted, to_duckdb
from watershed_load_plan.exact import as_json_text, exact
from watershed_load_plan.tables import METADATA_COLUMNS
from watershed_load_plan.types import ColumnType, Kind, hold_digits

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from watershed_load_plan.batches import Batch, RawColumn

STAGE = "watershed_stage"
"""What a batch becomes, in the form of its target table.

It is a temporary table; or a view of the files, where every value fits as it lies there and no key
comes twice, so that rows are moved once.
"""

_RECEIVED = "watershed_received"
_ORDINAL = "watershed_ordinal"
_UNREADABLE = "watershed_unreadable"
_UNFIT = "watershed_unfit"
_WHOLE_ROW = "watershed_whole_row"
_CELLS = 'struct("column" varchar, "value" varchar)[]'


@dataclass(frozen=True)
class Unfit:
    """A value that its column cannot hold exactly, or a row whose key cannot be held.

    Attributes:
        key: The row's key as JSON, None for a keyless stream.
        column: The column, None when the whole row is set aside.
        value: The original as text; for a row, a JSON object.
        reason: Why, for a person.
        ordinal: Which row of the batch it was.
    """

    key: str | None
    column: str | None
    value: str
    reason: str
    ordinal: int


@dataclass(frozen=True)
class Conformed:
    """How a batch became `STAGE`.

    Attributes:
        unfit: What does not fit, in the order of the rows.
        is_as_read: Nothing had to be done: its columns are the files', and the metadata.
    """

    unfit: list[Unfit]
    is_as_read: bool = False


@dataclass(frozen=True)
class Stamp:
    """What the metadata columns of one commit hold: a time in ISO 8601 and the SDK's sequence."""

    at: str
    sequence: int


@dataclass(frozen=True)
class _Column:
    """One column on its way: what is read from the files, and the value made of it."""

    name: str
    raw: str
    alias: str
    value: str
    is_converted: bool
    fits: str | None = None
    """Where it is not converted: whether what is read is a value that the warehouse can hold."""


Fits = Callable[[str, ColumnType], str | None]
"""`Warehouse.fits`."""


def conform(
    engine: duckdb.DuckDBPyConnection,
    batch: Batch,
    types: Mapping[str, ColumnType],
    stamp: Stamp,
    fits: Fits,
) -> Conformed:
    """Make a batch `STAGE`: typed, one row per key, the last one sent.

    Args:
        engine: The DuckDB connection that reads batches.
        batch: The batch.
        types: Column name to the type of the table's column, for every column of the stream.
        stamp: The commit's metadata.
        fits: Whether the warehouse can hold a value.

    Returns:
        What does not fit, and whether the files can be taken as they are.
    """
    columns = _columns(batch, types, fits)
    _drop_stage(engine)
    if _is_clean(engine, batch, columns):
        metadata = _metadata(batch, stamp)
        listed = ", ".join(
            f"{sql} as {quoted(name)}"
            for name, sql in [*((c.name, c.raw) for c in columns), *metadata.items()]
        )
        engine.execute(f"create temp view {STAGE} as select {listed} from {batch.relation}")
        return Conformed([], is_as_read=True)
    engine.execute(f"create or replace temp table {_RECEIVED} as {_select(batch, columns, stamp)}")
    keys = [quoted(key) for key in batch.stream.keys]
    kept = ", ".join(quoted(name) for name in [*batch.stream.columns, *METADATA_COLUMNS])
    last = "true"
    if keys:
        last = (
            f"{_WHOLE_ROW} is null and {_ORDINAL} in (select max({_ORDINAL}) from {_RECEIVED} "
            f"group by {', '.join(keys)})"
        )
    engine.execute(
        f"create temp table {STAGE} as "
        f"select {kept} from {_RECEIVED} where {last} order by {_ORDINAL}"
    )
    found = _unfit(engine, keys, batch, types)
    engine.execute(f"drop table {_RECEIVED}")
    return Conformed(found)


def _drop_stage(engine: duckdb.DuckDBPyConnection) -> None:
    found = engine.execute(
        "select 'view' from duckdb_views() where view_name = $name union all "
        "select 'table' from duckdb_tables() where table_name = $name and temporary",
        {"name": STAGE},
    ).fetchall()
    for (kind,) in found:
        engine.execute(f"drop {kind} {STAGE}")


def _is_clean(engine: duckdb.DuckDBPyConnection, batch: Batch, columns: list[_Column]) -> bool:
    """Whether a batch needs no conversion, and each of its rows has a key of its own."""
    if batch.unreadable is not None or any(column.is_converted for column in columns):
        return False
    conditions = [f"count(*) filter (not ({column.fits})) = 0" for column in columns if column.fits]
    keys = [column.raw for column in columns if column.name in batch.stream.keys]
    if keys:
        key = keys[0] if len(keys) == 1 else f"({', '.join(keys)})"
        conditions.append(f"count(distinct {key}) = count(*)")
        conditions += [f"count({key}) = count(*)" for key in keys]
    if not conditions:
        return True
    ((is_clean,),) = engine.execute(
        f"select {' and '.join(conditions)} from {batch.relation}"
    ).fetchall()
    return bool(is_clean)


def wider_types(found: list[Unfit], types: Mapping[str, ColumnType]) -> dict[str, ColumnType]:
    """Find the number columns that would hold their unfit values if they had more digits."""
    wider: dict[str, ColumnType] = {}
    for unfit in found:
        column_type = wider.get(unfit.column or "") or types.get(unfit.column or "")
        if unfit.column is None or column_type is None:
            continue
        # Zeros are stripped later: a pattern for them looks at long numbers again and again.
        number = re.fullmatch(r"[+-]?([0-9]*)(?:[.]([0-9]*))?", unfit.value)
        if number is None:
            continue
        whole, fraction = number[1].lstrip("0"), (number[2] or "").rstrip("0")
        held = hold_digits(column_type, len(whole), len(fraction))
        if held:
            wider[unfit.column] = held
    return wider


def _columns(batch: Batch, types: Mapping[str, ColumnType], fits: Fits) -> list[_Column]:
    columns = []
    for position, (name, incoming) in enumerate(batch.stream.columns.items()):
        alias, raw = f"watershed_raw_{position}", batch.columns.get(name)
        if raw is None:
            missing = f"cast(null as {to_duckdb(types[name])})"
            columns.append(_Column(name, missing, alias, alias, is_converted=False))
        elif raw.type == types[name]:
            held = fits(alias, types[name])
            value = f"case when {held} then {alias} end" if held else alias
            columns.append(
                _Column(
                    name,
                    raw.value,
                    alias,
                    value,
                    is_converted=False,
                    fits=fits(raw.value, types[name]),
                )
            )
        else:
            is_json = types[name].kind is Kind.JSON
            text = as_json_text(raw.text, incoming) if is_json else raw.text
            value = exact(alias, types[name])
            if condition := fits(f"({value})", types[name]):
                value = f"case when {condition} then {value} end"
            columns.append(_Column(name, text, alias, value, is_converted=True))
    return columns


def _select(batch: Batch, columns: list[_Column], stamp: Stamp) -> str:
    """Write the query from the batch's files to typed rows with what is unfit beside them."""
    metadata = _metadata(batch, stamp)
    read = [
        f"{batch.ordinal} as {_ORDINAL}",
        f"{batch.unreadable or 'null'} as {_UNREADABLE}",
        *(f"{column.raw} as {column.alias}" for column in columns),
        *(f"{sql} as {quoted(name)}" for name, sql in metadata.items()),
    ]
    made = [
        _ORDINAL,
        *(f"{column.value} as {quoted(column.name)}" for column in columns),
        *(quoted(name) for name in metadata),
        f"{_unfit_cells(batch, columns)} as {_UNFIT}",
        f"{_row_without_key(batch, columns)} as {_WHOLE_ROW}",
    ]
    return f"select {', '.join(made)} from (select {', '.join(read)} from {batch.relation})"


def _metadata(batch: Batch, stamp: Stamp) -> dict[str, str]:
    at = f"timestamptz {literal(stamp.at)}"
    defaults = {
        "_sdc_extracted_at": at,
        "_sdc_received_at": at,
        "_sdc_batched_at": at,
        "_sdc_deleted_at": "cast(null as timestamptz)",
        "_sdc_sequence": f"cast({stamp.sequence} as bigint)",
        "_sdc_table_version": "cast(null as bigint)",
    }
    for name in ("_sdc_extracted_at", "_sdc_deleted_at", "_sdc_table_version"):
        if raw := batch.metadata.get(name):
            brought = (
                raw.value if raw.type == METADATA_COLUMNS[name] else _metadata_from_text(name, raw)
            )
            defaults[name] = f"coalesce({brought}, {defaults[name]})"
    return defaults


def _metadata_from_text(name: str, raw: RawColumn) -> str:
    return exact(raw.text, METADATA_COLUMNS[name])


def _unfit_cells(batch: Batch, columns: list[_Column]) -> str:
    """List a row's cells that had a text and got no value, as ``[{'column', 'value'}]``."""
    checks = [
        f"case when {column.alias} is not null and ({column.value}) is null "
        f"then {{'column': {literal(column.name)}, 'value': {_as_text(column, batch)}}} end"
        for column in columns
        if column.is_converted or column.fits
    ]
    cells = f"list_filter(cast([{', '.join(checks)}] as {_CELLS}), cell -> cell is not null)"
    if batch.unreadable is None:
        return cells
    names = "[" + ", ".join(literal(column.name) for column in columns) + "]"
    unreadable = (
        f"list_transform({_UNREADABLE}, cell -> "
        f"{{'column': {names}[cell['at'] + 1], 'value': cell['value']}})"
    )
    return f"case when {_UNREADABLE} is null then {cells} else {cells} || {unreadable} end"


def _as_text(column: _Column, batch: Batch) -> str:
    """Write the text from which a cell can be had again; of bytes that is Base64."""
    raw = batch.columns.get(column.name)
    is_bytes = raw is not None and raw.type == ColumnType(Kind.BINARY)
    if is_bytes and not column.is_converted:
        return f"to_base64({column.alias})"
    return f"cast({column.alias} as VARCHAR)"


def _row_without_key(batch: Batch, columns: list[_Column]) -> str:
    """Render a whole row as JSON where a part of its key is NULL, which no key may be."""
    keys = [f"({column.value}) is null" for column in columns if column.name in batch.stream.keys]
    if not keys:
        return "cast(null as VARCHAR)"
    members = ", ".join(
        f"{literal(column.name)}, cast({column.alias} as VARCHAR)" for column in columns
    )
    return f"case when {' or '.join(keys)} then cast(json_object({members}) as VARCHAR) end"


def _unfit(
    engine: duckdb.DuckDBPyConnection,
    keys: list[str],
    batch: Batch,
    types: Mapping[str, ColumnType],
) -> list[Unfit]:
    members = ", ".join(f"{literal(name)}, {quoted(name)}" for name in batch.stream.keys)
    key = f"cast(json_object({members}) as VARCHAR)" if keys else "cast(null as VARCHAR)"
    rows = engine.execute(
        f"select null, null, {_WHOLE_ROW}, {_ORDINAL} from {_RECEIVED} "
        f"where {_WHOLE_ROW} is not null "
        f"union all select {key}, cell['column'], cell['value'], {_ORDINAL} "
        f"from (select *, unnest({_UNFIT}) as cell from {_RECEIVED} where {_WHOLE_ROW} is null) "
        f"order by {_ORDINAL}"
    ).fetchall()
    return [
        Unfit(key, column, value, _reason(column, types), ordinal)
        for key, column, value, ordinal in rows
    ]


def _reason(column: str | None, types: Mapping[str, ColumnType]) -> str:
    if column is None:
        return "the key is NULL or does not fit its column"
    return f"does not fit {types[column]} exactly"
