"""The company database: one connection, and on it one snapshot in which a whole run is read."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import pymysql
from pymysql.cursors import DictCursor

from watershed_tap.exceptions import SetupError
from watershed_tap.source import Source
from watershed_tap.tables import Table, by_stream_id
from watershed_tap_mysql import tables as catalog
from watershed_tap_mysql.connection import connect
from watershed_tap_mysql.failures import altered_failure, lag_failure, reading_failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

    from watershed_tap.tables import Column
    from watershed_tap_mysql.connection import LeavableCursor
    from watershed_tap_mysql.settings import Settings

_LONGEST_SECONDS = 86_400

# What a value's text depends on, or what would end or cut a long run.
_SESSION = {
    "character_set_results": "null",  # bytes come as they are stored: see column_types.py
    "time_zone": "'+00:00'",
    "sql_mode": "''",
    "sql_auto_is_null": "0",  # else `is null` may mean the last row that was inserted
    "sql_select_limit": "18446744073709551615",
    "sql_big_selects": "1",
    "sql_safe_updates": "0",
    "net_write_timeout": _LONGEST_SECONDS,  # while the target loads, the source waits
    "wait_timeout": _LONGEST_SECONDS,
}
_SESSION_OF_MARIADB = {"idle_transaction_timeout": "0", "idle_readonly_transaction_timeout": "0"}
_SNAPSHOT = (
    "set session transaction isolation level repeatable read",
    "start transaction with consistent snapshot, read only",
    "savepoint before_tables",
)
# The transaction would else lock what it has read against `alter table` until it ends; the
# snapshot stays.
_RELEASE_TABLES = "rollback to savepoint before_tables"


class MySQLSource(Source):
    """Reads one server, in one repeatable-read, read-only transaction on one connection."""

    grants: ClassVar[str] = "select on the table"
    settings: Settings

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def tables(self) -> dict[str, Table]:
        """Every table that the user may read, by stream id.

        Raises:
            SetupError: a database of ``filter_databases`` is missing, or two tables share one id.
        """
        names = ", ".join(map(self._connection.escape, self.settings.databases))
        rows = catalog.Catalog(
            tables=self._query(catalog.TABLES_SQL.format(names)),
            columns=self._query(catalog.COLUMNS_SQL.format(names)),
            indexes=self._query(catalog.INDEXES_SQL.format(names)),
            partly_granted=self._query(catalog.PARTLY_GRANTED_SQL.format(names)),
            json_checks=self._query(catalog.JSON_SQL.format(names))
            if _is_mariadb(self._connection)
            else (),
        )
        tables = catalog.tables_of(rows, self.settings.zero_dates)
        self._check_databases(tables)
        return by_stream_id(tables, self.settings.source, "filter_databases")

    @cached_property
    def now(self) -> dt.datetime:
        """The source's own clock when it was first asked, within the snapshot."""
        [(text,)] = self._query("select utc_timestamp(6)")
        return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)

    def rows(self, statement: str, stream_id: str) -> Iterator[tuple[Any, ...]]:
        """Stream the rows of a statement, one at a time, each value as bytes.

        Raises:
            TapError: the source stopped; the text names the stream.
        """
        cursor = self._connection.cursor()
        is_read = False
        try:
            cursor.execute(statement)
            yield from iter(cursor.fetchone, None)  # not from the cursor: that would be closed
            is_read = True
            self._connection.query(_RELEASE_TABLES)
        except pymysql.MySQLError as error:
            raise reading_failure(error, self.settings, stream_id) from error
        finally:
            if not is_read:
                cursor.leave()
                self.close()

    def batches(
        self, statement: str, columns: Sequence[Column], table: Table
    ) -> Iterator[pa.RecordBatch]:
        """Stream the rows of a statement, some megabytes at a time, as :mod:`bulk` has them.

        Args:
            statement: SQL that selects exactly these columns, as their types say.
            columns: what it selects.
            table: whose rows they are.

        Raises:
            TapError: the source stopped; the text names the stream.
            ImpossibleDateError: a column has a date that no calendar has, and that is to fail.
        """
        from pyarrow import ArrowInvalid  # noqa: PLC0415  # slow to load, and no RECORD needs it

        from watershed_tap_mysql.bulk import record_batch  # noqa: PLC0415
        from watershed_tap_mysql.packets import Result  # noqa: PLC0415

        is_read = False
        try:
            result = Result(self._connection, statement)
            for packets in result:
                yield record_batch(packets, result.fields, columns, self.settings.zero_dates)
            is_read = True
            self._connection.query(_RELEASE_TABLES)
        except pymysql.MySQLError as error:
            raise reading_failure(error, self.settings, table.stream_id) from error
        except ArrowInvalid as error:
            raise altered_failure(error, self.settings, table.stream_id) from error
        finally:
            if not is_read:
                self.close()

    def close(self) -> None:
        """Hang up; what is asked next is asked in another snapshot."""
        connection = self.__dict__.pop("_connection", None)
        if connection is not None:
            connection.close()

    @cached_property
    def _connection(self) -> pymysql.Connection[LeavableCursor]:
        connection = connect(self.settings)
        is_mariadb = _is_mariadb(connection)
        variables = _SESSION | (_SESSION_OF_MARIADB if is_mariadb else {})
        seconds = self.settings.statement_timeout_seconds
        if seconds is not None and is_mariadb:
            variables["max_statement_time"] = seconds
        elif seconds is not None:
            variables["max_execution_time"] = seconds * 1000
        pins = ", ".join(f"{name} = {value}" for name, value in variables.items())
        self.snapshot_at = dt.datetime.now(dt.UTC)
        try:
            for statement in (f"set session {pins}", *_SNAPSHOT):
                connection.query(statement)
            self._check_lag(connection)
        except pymysql.MySQLError as error:
            raise reading_failure(error, self.settings, None) from error
        return connection

    def _check_lag(self, connection: pymysql.Connection[LeavableCursor]) -> None:
        largest = self.settings.server.largest_lag_seconds
        if largest is None:
            return
        with connection.cursor(DictCursor) as cursor:
            cursor.execute("show replica status")
            status = cursor.fetchone()
        if status is None:
            raise lag_failure("its lag cannot be told, for it is no replica", self.settings)
        # MySQL's name, and MariaDB's.
        value = status.get("Seconds_Behind_Source", status.get("Seconds_Behind_Master"))
        if value is None:
            raise lag_failure("it does not follow its primary now", self.settings)
        seconds = int(value)
        if seconds > largest:
            problem = f"it is {seconds} s behind its primary, more than the {largest} s allowed"
            raise lag_failure(problem, self.settings)

    def _query(self, statement: str) -> list[tuple[str, ...]]:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement)
                rows = [tuple(value.decode() for value in row) for row in cursor]
            self._connection.query(_RELEASE_TABLES)
        except pymysql.MySQLError as error:
            raise reading_failure(error, self.settings, None) from error
        return rows

    def _check_databases(self, tables: Iterable[Table]) -> None:
        missing = set(self.settings.filter_databases) - {table.schema for table in tables}
        if missing:
            raise SetupError(
                f"{self.settings.source}: nothing in database {', '.join(sorted(missing))} can be "
                f"read as {self.settings.user!r}: correct filter_databases, or grant select "
                "on its tables"
            )


def _is_mariadb(connection: pymysql.Connection[LeavableCursor]) -> bool:
    version: str = connection.server_version  # type: ignore[attr-defined]  # missing in its types
    return "MariaDB" in version
