"""Redshift's SQL for rows that meet rows. It has no IS DISTINCT FROM, EXCEPT ALL or FILTER."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watershed_load_plan.duckdb_types import quoted
from watershed_load_plan.tables import METADATA_COLUMNS
from watershed_load_plan.types import ColumnType, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CHANGED = "watershed_changed"
"""Temporary table of the rows of a stage that are new or different."""


def listed(columns: Sequence[str]) -> str:
    """Write columns as a list."""
    return ", ".join(quoted(name) for name in columns)


def comparable(column: str, column_type: ColumnType) -> str:
    """Write a value so that it can be compared and grouped; SUPER can as the text it is."""
    return f"json_serialize({column})" if column_type.kind is Kind.JSON else column


def find_changed(
    target: str, stage: str, types: Mapping[str, ColumnType], keys: Sequence[str]
) -> str:
    """Make `CHANGED` of the rows of a stage that the target lacks or has otherwise."""
    on_keys = " and ".join(f"old.{quoted(key)} = new.{quoted(key)}" for key in keys)
    data = [name for name in types if name not in METADATA_COLUMNS and name not in keys]
    differs = [_differs(name, types[name]) for name in [*data, "_sdc_deleted_at"]]
    is_new = f"old.{quoted(keys[0])} is null"
    return (
        f"create temp table {CHANGED} as select new.*, "
        f"case when {is_new} then 0 else 1 end as watershed_is_present, "
        f"case when {is_new} or old._sdc_deleted_at is not null or new._sdc_deleted_at is null "
        "then 0 else 1 end as watershed_is_deleted "
        f"from {stage} as new left join {target} as old on {on_keys} "
        f"where {is_new} or {' or '.join(differs)}"
    )


def delete_changed(target: str, keys: Sequence[str]) -> str:
    """Delete the target's rows that `CHANGED` brings otherwise."""
    on_keys = " and ".join(f"{target}.{quoted(key)} = {CHANGED}.{quoted(key)}" for key in keys)
    return f"delete from {target} using {CHANGED} where {on_keys}"


def carry_version(target: str, stage: str, keys: Sequence[str]) -> str:
    """Give rows that did not change the table version that brought them again."""
    on_keys = " and ".join(f"{target}.{quoted(key)} = {stage}.{quoted(key)}" for key in keys)
    version = "_sdc_table_version"
    return (
        f"update {target} set {version} = {stage}.{version} from {stage} where {on_keys} "
        f"and {stage}.{version} is not null "
        f"and ({target}.{version} is null or {target}.{version} <> {stage}.{version})"
    )


def count_surplus(new: str, old: str, types: Mapping[str, ColumnType]) -> str:
    """Count rows that the new table has more often than the old, and the other way round."""
    values = [f"{comparable(quoted(n), of)} as {quoted(n)}" for n, of in types.items()]
    selected = "".join(f"{value}, " for value in values)
    names = listed(list(types))
    group = f" group by {names}" if names else ""
    return (
        "select coalesce(sum(case when surplus > 0 then surplus else 0 end), 0), "
        "coalesce(sum(case when surplus < 0 then -surplus else 0 end), 0) from "
        f"(select sum(side) as surplus from (select {selected}1 as side from {new} "
        f"union all select {selected}-1 as side from {old}) as sides{group}) as surpluses"
    )


def _differs(name: str, column_type: ColumnType | None = None) -> str:
    old, new = f"old.{quoted(name)}", f"new.{quoted(name)}"
    of = column_type or METADATA_COLUMNS[name]
    return f"({old} is null) <> ({new} is null) or {comparable(old, of)} <> {comparable(new, of)}"
