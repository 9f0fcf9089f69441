"""What Redshift noted of a COPY that failed: file, line, column and cause."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from watershed_redshift import RedshiftError

if TYPE_CHECKING:
    from watershed_redshift import RedshiftConnection

QUERIES = (
    """
    select filename, line_number, colname, err_reason from stl_load_errors
    where filename like ? order by starttime desc limit 1
    """,
    """
    select file_name, line_number, column_name, error_message from sys_load_error_detail
    where file_name like ? order by start_time desc limit 1
    """,
)
"""Of a cluster, and of a serverless workgroup; the value itself may be private."""


def cause(connection: RedshiftConnection, url: str) -> str | None:
    """Read the last error of files of ours, after the transaction was undone.

    Args:
        connection: The session.
        url: Where all files of this run begin.

    Returns:
        For example ``s3://…/data_0.parquet, line 3, column price: Overflow``, or None.
    """
    for query in QUERIES:
        with contextlib.suppress(RedshiftError):
            for filename, line, column, reason in connection.execute(query, [f"{url}%"]):
                parts = [str(filename).strip(), f"line {line}"]
                if str(column).strip():
                    parts.append(f"column {str(column).strip()}")
                return f"{', '.join(parts)}: {str(reason).strip()}"
    return None
