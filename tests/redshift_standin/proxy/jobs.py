"""COPY and UNLOAD between a session and S3."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg

from redshift_standin.dialect.expressions import read_chain, write_name
from redshift_standin.dialect.tokens import group, tokenize
from redshift_standin.errors import RedshiftError
from redshift_standin.transfer import (
    Copy,
    LoadError,
    TargetColumn,
    Unload,
    read_copy,
    write_unload,
)

INSERT_ERROR = """
insert into redshift.stl_load_errors (
    tbl, session, query, filename, line_number, colname, type, col_length, raw_field_value,
    err_code, err_reason
) values (%s, %s, %s, %s::varchar(256), %s, %s::varchar(127), split_part(%s, '(', 1)::varchar(10),
    %s, %s::varchar(1024), %s, %s::varchar(100))
"""


@dataclass(frozen=True)
class Resources:
    """What a job reaches beside its session.

    Attributes:
        s3: a boto3 client.
        administrator: how to connect to PostgreSQL past the stand-in, as the superuser.
    """

    s3: Any
    administrator: str = field(repr=False)


@dataclass
class CopyJob:
    """A COPY that was prepared.

    Attributes:
        copy: the statement.
        table_id: the table's number.
        columns: all its columns.
        session: the process of the session.
        failure: why it ended.
    """

    copy: Copy
    table_id: int
    columns: list[TargetColumn]
    session: int
    resources: Resources
    failure: RedshiftError | None = None

    @property
    def sql(self) -> str:
        """What PostgreSQL is told."""
        names = ""
        if self.copy.columns:
            names = f" ({', '.join(write_table(name) for name in self.copy.columns)})"
        return f"copy {write_table(self.copy.table)}{names} from stdin (format csv)"

    async def pieces(self) -> AsyncIterator[bytes]:
        """Read S3 in another thread.

        Raises:
            RedshiftError: something cannot be loaded; that is noted in ``stl_load_errors``.
        """
        pieces = await asyncio.to_thread(self._start)
        while True:
            piece = await asyncio.to_thread(self._next, pieces)
            if piece is None:
                return
            yield piece

    def _start(self) -> Iterator[bytes]:
        return iter(read_copy(self.copy, self.columns, self.resources.s3, self._note))

    def _next(self, pieces: Iterator[bytes]) -> bytes | None:
        try:
            return next(pieces, None)
        except LoadError as failure:
            self._note(failure)
            raise

    def _note(self, failure: LoadError) -> None:
        """On a connection of its own: Redshift keeps the line when the load is rolled back."""
        length = failure.type.partition("(")[2].rstrip(")")
        with psycopg.connect(self.resources.administrator, autocommit=True) as connection:
            connection.execute(
                INSERT_ERROR,
                [
                    *(self.table_id, self.session, self.session),
                    *(failure.filename, failure.line_number, failure.column, failure.type),
                    *(length, failure.raw_value, failure.err_code, failure.reason),
                ],
            )


@dataclass
class UnloadJob:
    """An UNLOAD that was prepared.

    Attributes:
        unload: the statement.
        query: its query, for PostgreSQL.
        columns: the query's columns.
        rows: what PostgreSQL sent.
    """

    unload: Unload
    query: str
    columns: list[TargetColumn]
    resources: Resources
    rows: list[bytes] = field(default_factory=list)

    @property
    def sql(self) -> str:
        """What PostgreSQL is told."""
        return f"copy ({self.query}) to stdout (format csv)"

    async def write(self) -> None:
        """Write the rows to S3 in another thread.

        Raises:
            RedshiftError: S3 refuses.
        """
        rows, self.rows = self.rows, []
        await asyncio.to_thread(write_unload, self.unload, rows, self.columns, self.resources.s3)


Job = CopyJob | UnloadJob


def write_table(name: str) -> str:
    """Write the name of a table or column as PostgreSQL wants it."""
    chain, _ = read_chain(group(tokenize(name)), 0)
    return ".".join(write_name(step) for step in chain)
