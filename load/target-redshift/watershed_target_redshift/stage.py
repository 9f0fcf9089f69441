"""A batch on its way: where its files are, and what makes a temporary table of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from watershed_load_plan.duckdb_types import literal, quoted
from watershed_load_plan.redshift_types import to_redshift
from watershed_target_redshift.export import mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from watershed_load_plan.tables import Table
    from watershed_load_plan.types import ColumnType


@dataclass(frozen=True)
class Stage:
    """A batch in S3.

    Attributes:
        table: Where its rows are going.
        types: Its columns, those of the files first.
        sizes: Bytes that the table's text columns hold.
        rows: How many rows it has; none is in no file.
        manifest: Address of the files' list.
        options: The words by which COPY reads them.
        constants: Columns that the files lack, and the text of the value that all rows have.
        empty: Columns of bytes that have a `mark` beside; COPY reads an empty field as NULL.
    """

    table: Table
    types: Mapping[str, ColumnType]
    sizes: Mapping[str, int]
    rows: int
    manifest: str
    options: str
    constants: Mapping[str, str | None]
    empty: tuple[str, ...] = ()

    def columns(self) -> str:
        """Write the files' columns for CREATE TABLE, in their order."""
        return ", ".join(
            [
                *(
                    f"{quoted(name)} "
                    + (f"varchar({self.sizes[name]})" if name in self.sizes else to_redshift(of))
                    for name, of in self.types.items()
                    if name not in self.constants
                ),
                *(f"{quoted(mark(name))} boolean" for name in self.empty),
            ]
        )

    def completions(self, stage: str) -> Iterator[str]:
        """Write what makes a stage of the files once they are loaded."""
        for name, value in self.constants.items():
            default = "" if value is None else f" default {literal(value)}"
            added = f"{quoted(name)} {to_redshift(self.types[name])}{default}"
            yield f"alter table {stage} add column {added}"
        for name in self.empty:
            marked = quoted(mark(name))
            yield f"update {stage} set {quoted(name)} = cast('' as varbyte) where {marked}"
            yield f"alter table {stage} drop column {marked}"
