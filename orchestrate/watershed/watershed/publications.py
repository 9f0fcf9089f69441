"""The published file and the publications that can be returned to.

`published.duckdb` is a hard link to one of `publications/<id>.duckdb`. Pointing it at another one
is a single rename, so that a reader opens either the old or the new file, at any moment.
"""

from __future__ import annotations

import dataclasses
import fcntl
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

import watershed_duckdb
from watershed.exceptions import WatershedError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime
    from pathlib import Path

KEPT = 3
"""Publications that stay on disk, the newest among them."""


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
        bytes: Size of the file; None on Redshift, which does not tell everyone.
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
    bytes: int | None
    git_commit: str | None
    note: str | None


PUBLICATION_COLUMNS = ", ".join(field.name for field in dataclasses.fields(Publication))


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

    def before(self, name: str) -> Path | None:
        """Find the publication before the one of this file name."""
        earlier = [file for file in self.files() if file.name < name]
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
            if file.name not in known:
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
        for file in self.files()[:-KEPT]:
            file.unlink()


def create_ledger(connection: duckdb.DuckDBPyConnection, catalog: str) -> None:
    """Create the ledger of publications in a database where it is missing."""
    connection.execute(f'create schema if not exists "{catalog}".ops')
    connection.execute(
        f"""
        create table if not exists "{catalog}".ops.publications (
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
    )


def record(connection: duckdb.DuckDBPyConnection, catalog: str, publication: Publication) -> None:
    """Add a row to the ledger of a database."""
    values = dataclasses.astuple(publication)
    connection.execute(
        f'insert into "{catalog}".ops.publications ({PUBLICATION_COLUMNS}) '
        f"values ({', '.join('?' * len(values))})",
        values,
    )


def published_now(folder: PublicationFolder) -> Publication | None:
    """Read which publication readers see; None before the first."""
    return read_publication(folder.published) if folder.published.exists() else None


def read_publication(file: Path) -> Publication:
    """Read from a publication's file which one it is."""
    with watershed_duckdb.connect(file, read_only=True) as connection:
        return newest_row(connection, "ops")


def newest_row(connection: duckdb.DuckDBPyConnection, schema: str) -> Publication:
    """Read the newest row of the ledger in `schema`, e.g. `ops` or `previous_publication.ops`.

    Raises:
        WatershedError: this is no file of ours.
    """
    try:
        row = connection.execute(
            f"select {PUBLICATION_COLUMNS} from {schema}.publications "
            "order by publication_id desc limit 1"
        ).fetchone()
    except duckdb.CatalogException:
        row = None
    if row is None:
        raise WatershedError("the published file was not made by `watershed publish`: move it away")
    return Publication(*row)


def _sync(path: Path) -> None:
    """Wait until a file, or the entries of a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
