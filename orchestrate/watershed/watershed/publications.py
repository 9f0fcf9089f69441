"""The published file and the publications that can be returned to.

`published.duckdb` is a hard link to one of `publications/<id>.duckdb`. Pointing it at another one
is a single rename, so that a reader opens either the old or the new file, at any moment.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import watershed_duckdb

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime
    from pathlib import Path

    import duckdb

KEPT = 3
"""Publications that stay on disk, the current one among them."""


@dataclass(frozen=True)
class Publication:
    """A row of `ops.publications`.

    Attributes:
        publication_id: Sorts by time, e.g. `20260102T030405.123456Z`.
        has_marts: Whether the file holds marts, of whichever build.
        build_id: The build that its marts are from; None without marts.
        file: Its name in the publications folder.
        tables: Tables of marts and ops, without this ledger.
        table_rows: Their rows.
        bytes: Size of the file.
        git_commit: What was checked out; None outside git.
        note: Why its marts are not those of the last build; None when they are.
    """

    publication_id: str
    published_at: datetime
    has_marts: bool
    build_id: str | None
    file: str
    tables: int
    table_rows: int
    bytes: int
    git_commit: str | None
    note: str | None


PUBLICATION_COLUMNS = ", ".join(field.name for field in fields(Publication))
CREATE_LEDGER_SQL = """
    create table if not exists {catalog}.ops.publications (
        publication_id varchar,
        published_at timestamptz,
        has_marts boolean,
        build_id varchar,
        file varchar,
        tables bigint,
        table_rows bigint,
        bytes bigint,
        git_commit varchar,
        note varchar
    )
"""


@dataclass(frozen=True)
class PublicationFolder:
    """The files around one published file."""

    published: Path

    @property
    def path(self) -> Path:
        """Where the publications stand."""
        return self.published.parent / "publications"

    @property
    def scratch(self) -> Path:
        """Where the next publication is written; whatever stands here was never published."""
        return self.path / ".writing"

    def files(self) -> list[Path]:
        """List the publications, the oldest first."""
        return sorted(self.path.glob("*.duckdb"))

    def current(self) -> Path | None:
        """Find the publication that readers see."""
        if not self.published.exists():
            return None
        return next((file for file in self.files() if file.samefile(self.published)), None)

    def previous(self) -> Path | None:
        """Find the publication before the one that readers see."""
        current = self.current()
        if current is None:
            return None
        earlier = [file for file in self.files() if file < current]
        return earlier[-1] if earlier else None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other publisher waiting."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def sweep(self, known: Collection[str]) -> None:
        """Remove what a killed publisher left: half-written files, and files never pointed at.

        Args:
            known: Names of the files that `ops.publications` knows.
        """
        self.clear_scratch()
        for file in self.files():
            if file.name not in known and file != self.current():
                file.unlink()

    def clear_scratch(self) -> None:
        """Remove what was written and not adopted."""
        if self.scratch.exists():
            shutil.rmtree(self.scratch)

    def adopt(self, written: Path, name: str) -> Path:
        """Move a finished file out of the scratch folder, safe against a power cut."""
        _sync(written)
        adopted = self.path / name
        written.replace(adopted)
        _sync(self.path)
        return adopted

    def point_at(self, publication: Path) -> None:
        """Give readers this publication, from one moment to the next."""
        self.scratch.mkdir(exist_ok=True)
        link = self.scratch / "published.duckdb"
        link.unlink(missing_ok=True)
        link.hardlink_to(publication)
        link.replace(self.published)
        _sync(self.published.parent)
        self.clear_scratch()

    def prune(self) -> None:
        """Remove all but the last publications; a reader that has one open keeps it."""
        current = self.current()
        for file in self.files()[:-KEPT]:
            if file != current:
                file.unlink()


def latest_publication(folder: PublicationFolder) -> Publication | None:
    """Read from the published file which publication it is; None before the first."""
    if not folder.published.exists():
        return None
    with watershed_duckdb.connect(folder.published, read_only=True) as connection:
        return read_latest(connection, "ops")


def read_latest(connection: duckdb.DuckDBPyConnection, schema: str) -> Publication | None:
    """Read the newest row of the ledger in `schema`, e.g. `ops` or `previous.ops`."""
    row = connection.execute(
        f"select {PUBLICATION_COLUMNS} from {schema}.publications "  # noqa: S608  # names of ours
        "order by publication_id desc limit 1"
    ).fetchone()
    return Publication(*row) if row else None


def _sync(path: Path) -> None:
    """Wait until a file, or the entries of a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
