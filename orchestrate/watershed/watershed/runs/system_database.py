"""Our two tables in Meltano's system database: who runs which job, and how runs ended."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from watershed.exceptions import WatershedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watershed.settings import Settings

SECONDS_FOR_A_LOCK = 30
TABLES = sa.MetaData()
LEASES = sa.Table(
    "watershed_leases",
    TABLES,
    sa.Column("pipeline", sa.String(255), primary_key=True),
    sa.Column("run_id", sa.String(64), nullable=False),
    sa.Column("machine", sa.String(255), nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("pid_started", sa.BigInteger, nullable=False),
    sa.Column("started_at", sa.String(32), nullable=False),
    sa.Column("beats", sa.BigInteger, nullable=False),
)
"""Who runs a job now. Whether it still does, says that `beats` is counted up: no clock is asked."""
RUNS = sa.Table(
    "watershed_runs",
    TABLES,
    sa.Column("run_id", sa.String(64), primary_key=True),
    sa.Column("pipeline", sa.String(255), nullable=False),
    sa.Column("job", sa.String(255), nullable=False),
    sa.Column("machine", sa.String(255), nullable=False),
    sa.Column("started_at", sa.String(32), nullable=False),
    sa.Column("finished_at", sa.String(32)),
    sa.Column("exit_code", sa.Integer),
    sa.Column("cause", sa.Text),
)
"""How runs ended; what is copied to ``ops.runs``. Times are ISO 8601 in UTC."""


def opened(settings: Settings, environment: Mapping[str, str]) -> sa.Engine:
    """Open the database that Meltano uses too, with our tables in it.

    Args:
        settings: Where its file is, unless another database is named.
        environment: `MELTANO_DATABASE_URI`, optional.

    Raises:
        WatershedError: it cannot be reached.
    """
    named = environment.get("MELTANO_DATABASE_URI")
    url = sa.make_url(named) if named else sa.URL.create("sqlite", database="")
    if not named:
        settings.system_database.parent.mkdir(parents=True, exist_ok=True)
        url = url.set(database=str(settings.system_database))
    arguments = {"timeout": SECONDS_FOR_A_LOCK} if url.get_backend_name() == "sqlite" else {}
    engine = sa.create_engine(url, poolclass=NullPool, connect_args=arguments)
    try:
        # Of two that make them at the same moment, one fails and finds them made.
        with contextlib.suppress(sa.exc.DBAPIError):
            TABLES.create_all(engine)
        TABLES.create_all(engine)
    except sa.exc.DBAPIError as error:
        said = str(error.orig).strip().splitlines()
        raise WatershedError(
            f"Meltano's system database {url.render_as_string(hide_password=True)} cannot be used: "
            f"{said[0] if said else type(error.orig).__name__}: correct MELTANO_DATABASE_URI"
        ) from None
    return engine
