"""Questions to what is published on Redshift: read-only, answered from memory."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from watershed.exceptions import MissingFileError, WatershedError
from watershed.query import Result
from watershed.redshift_publish import published_in
from watershed.redshift_session import opened
from watershed.redshift_views import VIEWS
from watershed_redshift import RedshiftError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from watershed.settings import Settings

NUMERIC, SUPER = 1700, 4000
TYPES = {
    16: pa.bool_(),
    20: pa.int64(),
    21: pa.int16(),
    23: pa.int32(),
    700: pa.float32(),
    701: pa.float64(),
    1082: pa.date32(),
    1083: pa.time64("us"),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", "UTC"),
}
"""By Redshift's number of a type; any other is text."""


@contextmanager
def answer(settings: Settings, sql: str) -> Iterator[Result]:
    """Ask the published views one thing; a name without a schema is one of theirs.

    All of the answer is in memory before its first row is given.

    Raises:
        MissingFileError: nothing is published yet.
        RedshiftError: Redshift lets us not in.
        WatershedError: the statement is wrong, or would write.
    """
    with opened(settings) as session:
        if published_in(session) is None:
            raise MissingFileError(
                "nothing is published yet in Redshift: run `meltano --environment=prod run all`"
            )
        session.execute(f"set search_path to {VIEWS}")
        session.execute("begin read only")
        try:
            columns, rows = session.connection.ask(sql)
        except RedshiftError as error:
            raise WatershedError(str(error)) from None
        finally:
            session.connection.rollback()
    if not columns:
        yield Result((), (), None)
        return
    with duckdb.connect() as memory:
        memory.execute("set TimeZone = 'UTC'")
        memory.register("answer", _table(columns, rows))
        selected = ", ".join(
            f"c{place}::json" if of == SUPER else f"c{place}"
            for place, (_, of) in enumerate(columns)
        )
        relation = memory.sql(f"select {selected} from answer")
        yield Result(tuple(name for name, _ in columns), tuple(map(str, relation.types)), relation)


def _table(columns: Sequence[tuple[str, int]], rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Make one table of an answer, each column of its type."""
    return pa.table(
        {
            f"c{place}": _column(of, [row[place] for row in rows])
            for place, (_, of) in enumerate(columns)
        }
    )


def _column(of: int, values: list[Any]) -> pa.Array[Any]:
    if of == NUMERIC:
        # The digits of the column are not in the answer; Arrow finds those that all values need.
        found = pa.array(values)
        return found if pa.types.is_decimal(found.type) else pa.array(values, pa.decimal128(38))
    if of in TYPES:
        return pa.array(values, TYPES[of])
    texts = [value if value is None or isinstance(value, str) else str(value) for value in values]
    return pa.array(texts, pa.string())
