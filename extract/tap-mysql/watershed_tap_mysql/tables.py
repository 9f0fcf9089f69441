"""What the source's own catalog says about its tables."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watershed_tap.tables import Column, KeyKind, Table
from watershed_tap_mysql.column_types import DeclaredType, column_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from watershed_tap_mysql.settings import ZeroDates

    Row = tuple[str, ...]
    Place = tuple[str, str]

# Each statement has one {} for the databases' names. They are put together here, for
# information_schema compares names without regard to case, and a join of its views takes long.
TABLES_SQL = """
select table_schema, table_name, table_type
from information_schema.tables
where table_schema in ({}) and table_type in ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW')
"""
COLUMNS_SQL = """
select
    table_schema, table_name, column_name, data_type, column_type,
    coalesce(character_set_name, ''),
    coalesce(numeric_precision, ''),
    coalesce(numeric_scale, '')
from information_schema.columns
where table_schema in ({}) and find_in_set('select', privileges)
order by table_schema, table_name, ordinal_position
"""
# Unique indexes of whole columns that are never null, and the first columns of B-trees.
INDEXES_SQL = """
select
    table_schema, table_name, index_name, coalesce(column_name, ''),
    non_unique = 0 and nullable = '' and sub_part is null,
    index_type = 'BTREE' and sub_part is null
from information_schema.statistics
where table_schema in ({})
order by table_schema, table_name, index_name, seq_in_index
"""
# Who may read a table column by column is not shown all columns of its indexes.
PARTLY_GRANTED_SQL = """
select distinct table_schema, table_name
from information_schema.column_privileges
where table_schema in ({})
"""
# MariaDB only: its type json is a longtext with this constraint.
JSON_SQL = """
select constraint_schema, table_name, check_clause
from information_schema.check_constraints
where constraint_schema in ({}) and check_clause like 'json_valid(%)'
"""

_KEY_KINDS = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint"), KeyKind.INTEGER),
    "date": KeyKind.DATE,
    "datetime": KeyKind.TIMESTAMP,
    "timestamp": KeyKind.TIMESTAMPTZ,
}


@dataclass(frozen=True, slots=True)
class Catalog:
    """The rows of the statements above."""

    tables: Iterable[Row]
    columns: Iterable[Row]
    indexes: Iterable[Row]
    partly_granted: Iterable[Row]
    json_checks: Iterable[Row]


def quoted(name: str) -> str:
    """Write an identifier in SQL."""
    return "`" + name.replace("`", "``") + "`"


def tables_of(catalog: Catalog, zero_dates: ZeroDates) -> list[Table]:
    """Put together what the source says; tables without a column that can be read are left out."""
    types = {(schema, table): table_type for schema, table, table_type in catalog.tables}
    partly_granted = {(schema, table) for schema, table in catalog.partly_granted}
    json_checks = {(schema, table, clause.lower()) for schema, table, clause in catalog.json_checks}
    indexes: dict[Place, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for schema, table, index, *part in catalog.indexes:
        indexes[schema, table][index].append(tuple(part))
    columns: dict[Place, dict[str, Column]] = defaultdict(dict)
    for schema, table, name, *rest in catalog.columns:
        place = schema, table
        is_json = (*place, f"json_valid({quoted(name)})".lower()) in json_checks
        columns[place][name] = _column(name, rest, is_json, indexes[place], zero_dates)
    return [
        Table(
            schema=place[0],
            name=place[1],
            is_view=types[place] == "VIEW",
            columns=columns_of_table,
            key=() if place in partly_granted else _key(indexes[place], columns_of_table),
            is_key_ordered=_is_clustered(indexes[place], columns_of_table),
        )
        for place, columns_of_table in columns.items()
        if place in types
    ]


def _column(
    name: str,
    facts: list[str],
    is_json: bool,  # noqa: FBT001  # private
    indexes: Mapping[str, list[Row]],
    zero_dates: ZeroDates,
) -> Column:
    data_type, full_type, character_set, precision, scale = facts
    declared = DeclaredType(
        name=data_type,
        full=full_type,
        character_set=character_set or None,
        precision=int(precision) if precision else None,
        scale=int(scale) if scale else None,
        is_json=is_json,
    )
    leading = {parts[0][0] for parts in indexes.values() if parts[0][2] == "1"}
    return Column(
        name=name,
        declared_type=full_type,
        type=column_type(name, declared, zero_dates),
        key_kind=_KEY_KINDS.get(data_type),
        leads_an_index=name in leading,
    )


def _is_clustered(indexes: Mapping[str, list[Row]], columns: Mapping[str, Column]) -> bool:
    """Whether rows lie in the order of a primary key of integers, as InnoDB lays them."""
    parts = [part[0] for part in indexes.get("PRIMARY", [])]
    return bool(parts) and all(
        name in columns and columns[name].key_kind is KeyKind.INTEGER for name in parts
    )


def _key(indexes: Mapping[str, list[Row]], columns: Mapping[str, Column]) -> tuple[str, ...]:
    """The primary key or else the smallest unique key whose columns are never null."""
    keys = [
        (name != "PRIMARY", len(parts), name, tuple(part[0] for part in parts))
        for name, parts in indexes.items()
        if all(column in columns and is_unique == "1" for column, is_unique, _ in parts)
    ]
    return min(keys)[-1] if keys else ()
