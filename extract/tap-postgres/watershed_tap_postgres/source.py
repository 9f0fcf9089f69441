"""The company database: one connection, and on it one snapshot in which a whole run is read."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import psycopg2
import psycopg2.extensions
from psycopg2 import sql
from psycopg2.extras import RealDictCursor

from watershed_tap.ahead import read_ahead
from watershed_tap.exceptions import SetupError
from watershed_tap.source import Source
from watershed_tap.tables import Table, by_stream_id
from watershed_tap_postgres.failures import (
    check_lag,
    connection_failure,
    reading_failure,
    told_by_duckdb,
)
from watershed_tap_postgres.tables import TABLES_SQL, tables_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

    from watershed_tap.tables import Column
    from watershed_tap_postgres.engine import SnapshotEngine
    from watershed_tap_postgres.settings import Settings
    from watershed_tap_postgres.ssh_tunnel import SshTunnel

# What a value's text depends on, or what would end a long run. Set for the transaction only, so
# that a pooler hands the connection on as it was.
_SESSION = {
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "xmlbinary": "base64",
    "enable_sort": "off",  # rows are asked for only in an order that an index has
    "row_security": "off",  # a policy that hides rows is an error, not a smaller table
    "cursor_tuple_fraction": "1.0",  # we read to the end
    "idle_in_transaction_session_timeout": "0",  # while the target loads, the source waits
}

# A standby that has replayed all that it received is not behind, however long nothing was written;
# but one that receives nothing may be.
_LAG_SQL = """
select pg_catalog.pg_is_in_recovery() as is_standby,
    case when pg_catalog.pg_last_wal_receive_lsn() = pg_catalog.pg_last_wal_replay_lsn()
        and exists (select from pg_catalog.pg_stat_get_wal_receiver() where pid is not null)
    then 0 else extract(epoch from
        pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp())::float8
    end as lag
"""

WIDE_ROW_BYTES = 32 * 1024
"""Beyond, 2,048 rows at a time might not fit into memory: they are fetched a few at a time."""

_FETCH_BYTES = 8 * 1024 * 1024
_FETCH_ROWS_FIRST = 100
_FETCH_ROWS_MOST = 5_000
_ROWS_WEIGHED = 20


class PostgresSource(Source):
    """Reads one database, in one repeatable-read, read-only transaction on one connection."""

    grants: ClassVar[str] = "usage on the schema and select on the table"
    settings: Settings

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._tunnel: SshTunnel | None = None

    @cached_property
    def tables(self) -> dict[str, Table]:
        """Every table that the role may read, by stream id.

        Raises:
            SetupError: a schema of ``filter_schemas`` is missing, or two tables share one id.
        """
        schemas = list(self.settings.filter_schemas)
        tables = tables_of(self._query(sql.SQL(TABLES_SQL), {"schemas": schemas}))
        self._check_schemas(tables)
        return by_stream_id(tables, self.settings.source, "filter_schemas")

    @cached_property
    def now(self) -> dt.datetime:
        """The source's own clock when the snapshot was taken."""
        [row] = self._query(sql.SQL("select now() at time zone 'UTC' as utc"))
        utc: dt.datetime = row["utc"]
        return utc.replace(tzinfo=dt.UTC)

    def rows(self, statement: sql.Composed, stream_id: str) -> Iterator[tuple[Any, ...]]:
        """Stream the rows of a statement; only some megabytes of them are ever in memory.

        Raises:
            TapError: the source stopped; the text names the stream.
        """
        try:
            with self._connection.cursor(name="watershed_rows") as cursor:
                cursor.execute(statement)
                yield from _fetched(cursor)
        except psycopg2.Error as error:
            raise reading_failure(error.pgcode, str(error), self.settings, stream_id) from error
        except UnicodeDecodeError as error:  # only a database of encoding SQL_ASCII sends such
            raise SetupError(
                f"{self.settings.source}, stream {stream_id}: a text is not UTF-8 ({error.reason}):"
                " correct it at the source, or deselect its column"
            ) from error

    def batches(
        self,
        statement: sql.Composed,
        columns: Sequence[Column],  # noqa: ARG002  # DuckDB asks the source for its types
        table: Table,
    ) -> Iterator[pa.RecordBatch]:
        """Stream the rows of a statement as record batches of some megabytes each.

        Raises:
            TapError: the source stopped; the text names the stream.
        """
        import duckdb  # noqa: PLC0415  # a quarter of a second, which few commands need

        text = statement.as_string(self._connection)
        batches = self._engine.batches(text, table.row_bytes)
        try:
            yield from batches if self.settings.bulk.is_throttled else read_ahead(batches)
        except (duckdb.Error, OSError) as error:  # Arrow's, once batches flow
            code, reason = told_by_duckdb(error)
            raise reading_failure(code, reason, self.settings, table.stream_id) from None

    @cached_property
    def change_marker(self) -> str | None:
        """The transactions that the snapshot sees, of this very server."""
        [row] = self._query(
            sql.SQL(
                "select concat_ws(' ', system_identifier, pg_catalog.txid_current_snapshot()) "
                "as marker from pg_catalog.pg_control_system()"
            )
        )
        marker: str = row["marker"]
        return marker

    def close(self) -> None:
        """Give the connections, and a tunnel, back."""
        if "_engine" in self.__dict__:
            self._engine.close()
        if "_connection" in self.__dict__:
            self._connection.close()
        if self._tunnel is not None:
            self._tunnel.close()

    @cached_property
    def _engine(self) -> SnapshotEngine:
        from watershed_tap_postgres.engine import SnapshotEngine  # noqa: PLC0415  # as above

        [row] = self._query(sql.SQL("select pg_catalog.pg_export_snapshot() as snapshot"))
        return SnapshotEngine(self._parameters, self._session, row["snapshot"])

    @cached_property
    def _session(self) -> dict[str, str]:
        settings = dict(_SESSION)
        if self.settings.statement_timeout_seconds is not None:
            settings["statement_timeout"] = f"{self.settings.statement_timeout_seconds}s"
        return settings

    @cached_property
    def _connection(self) -> psycopg2.extensions.connection:
        connection = self._connect()
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        pins = sql.SQL(", ").join(
            sql.SQL("set_config({}, {}, true)").format(sql.Literal(name), sql.Literal(value))
            for name, value in self._session.items()
        )
        self.snapshot_at = dt.datetime.now(dt.UTC)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL("select ") + pins)
            self._check_lag(connection)
        except psycopg2.Error as error:
            raise reading_failure(error.pgcode, str(error), self.settings, None) from error
        return connection

    def _check_lag(self, connection: psycopg2.extensions.connection) -> None:
        if self.settings.server.largest_lag_seconds is None:
            return
        with connection.cursor() as cursor:
            cursor.execute(_LAG_SQL)
            is_standby, lag = cursor.fetchone() or (False, None)
        check_lag(lag, self.settings, is_standby=is_standby)

    @cached_property
    def _parameters(self) -> dict[str, Any]:
        """What libpq is told, by whichever of its users."""
        settings = self.settings
        parameters: dict[str, Any] = {
            "host": settings.host,
            "port": settings.port,
            "dbname": settings.database,
            "user": settings.user,
            "password": self._password(),
            "sslmode": settings.sslmode,
            "sslcert": settings.sslcert,
            "sslkey": settings.sslkey,
            "gssencmode": "disable",
            "connect_timeout": settings.connect_timeout_seconds,
            "keepalives_idle": 60,
            "application_name": "watershed",
            "client_encoding": "UTF8",
        }
        if settings.sslmode.startswith("verify"):
            parameters["sslrootcert"] = settings.sslrootcert
        if settings.ssh_tunnel is not None:
            # hostaddr is where to connect, host stays the name that the certificate must bear.
            parameters |= {"hostaddr": "127.0.0.1", "port": self._open_tunnel()}
        return parameters

    def _connect(self) -> psycopg2.extensions.connection:
        try:
            connection: psycopg2.extensions.connection = psycopg2.connect(**self._parameters)
        except psycopg2.Error as error:
            raise connection_failure(error, self.settings) from error
        return connection

    def _password(self) -> str | None:
        if not self.settings.iam_auth:
            return self.settings.password
        from watershed_tap_postgres.iam import auth_token  # noqa: PLC0415  # 0.3 s, rarely needed

        return auth_token(self.settings)

    def _open_tunnel(self) -> int:
        from watershed_tap_postgres.ssh_tunnel import SshTunnel  # noqa: PLC0415  # as above

        self._tunnel = SshTunnel(self.settings)
        return self._tunnel.open()

    def _query(
        self, statement: sql.SQL, parameters: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        try:
            with self._connection.cursor(cursor_factory=RealDictCursor) as cursor:
                cursor.execute(statement, parameters)
                return [dict(row) for row in cursor.fetchall()]
        except psycopg2.Error as error:
            raise reading_failure(error.pgcode, str(error), self.settings, None) from error

    def _check_schemas(self, tables: Iterable[Table]) -> None:
        missing = set(self.settings.filter_schemas) - {table.schema for table in tables}
        if missing:
            raise SetupError(
                f"{self.settings.source}: nothing in schema {', '.join(sorted(missing))} can be "
                f"read as {self.settings.user!r}: correct filter_schemas, or grant usage on the "
                "schema and select on its tables"
            )


def _fetched(cursor: psycopg2.extensions.cursor) -> Iterator[tuple[Any, ...]]:
    """Fetch as many rows at a time as some of the last ones suggest to fit into our memory."""
    count = _FETCH_ROWS_FIRST
    while rows := cursor.fetchmany(count):
        yield from rows
        weighed = rows[:: max(1, len(rows) // _ROWS_WEIGHED)]
        row_bytes = sum(map(_bytes, weighed)) // len(weighed)
        count = max(1, min(_FETCH_ROWS_MOST, 2 * count, _FETCH_BYTES // (row_bytes + 1)))


def _bytes(row: tuple[Any, ...]) -> int:
    return sum(len(value) if isinstance(value, str) else 8 for value in row)
