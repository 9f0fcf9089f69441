"""The status, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from watershed.status import Run, Status


def to_text(status: Status) -> str:
    """Write the status for a terminal."""
    lines = [
        *_stream_lines(status),
        *(_run_line(status.at, run) for run in status.runs),
        *_build_lines(status),
        _publication_line(status),
    ]
    return "\n".join(lines)


def _stream_lines(status: Status) -> list[str]:
    if not status.streams:
        return ["streams    nothing is loaded yet: run `meltano run all`"]
    header = ("stream", "last sync", "last run", "loaded", "quarantined", "proof")
    rows = [
        (
            stream.stream,
            age(status.at, stream.synced_at),
            f"{stream.rows_last_run:,}",
            f"{stream.rows_loaded:,}",
            f"{stream.quarantined:,}",
            stream.proof or "none",
        )
        for stream in status.streams
    ]
    widths = [max(map(len, cells)) for cells in zip(header, *rows, strict=True)]
    lines: list[str] = []
    state_id = None
    for stream, row in zip(status.streams, rows, strict=True):
        if stream.state_id != state_id:
            state_id = stream.state_id
            lines += [state_id, _aligned(header, widths)]
        lines.append(_aligned(row, widths))
        if stream.reason:
            lines.append(f"    {stream.reason}")
    return [*lines, ""]


def _aligned(cells: tuple[str, ...], widths: list[int]) -> str:
    name, *others = (
        cell.ljust(width) if position == 0 else cell.rjust(width)
        for position, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  " + "  ".join((name, *others))


def _run_line(at: datetime, run: Run) -> str:
    verdict = {"SUCCESS": "succeeded", "FAIL": "FAILED"}.get(run.state, run.state.lower())
    reason = f": {run.error}" if run.error else ""
    return (
        f"load       {verdict} {age(at, run.ended_at or run.started_at)} ({run.state_id}){reason}"
    )


def _build_lines(status: Status) -> list[str]:
    if status.build is None:
        return ["build      none yet: run `watershed build`"]
    lines = []
    for label, build in (("build", status.build), ("test", status.test)):
        if build is None:
            continue
        when = age(status.at, build.finished_at or build.started_at)
        part = "" if build.is_full or label == "test" else ", a part of the models"
        verdict = build.status if build.status == "green" else build.status.upper()
        lines.append(
            f"{label:<10} {verdict} {when} (dbt {build.command}{part}: {build.models or 0} models, "
            f"{build.tests or 0} tests, {build.failures or 0} failures; {build.build_id})"
        )
    return lines


def _publication_line(status: Status) -> str:
    publication = status.publication
    if publication is None:
        return "published  nothing yet: run `watershed publish`"
    marts = publication.note or f"marts of build {publication.build_id}"
    return (
        f"published  {age(status.at, publication.published_at)} ({publication.publication_id}: "
        f"{publication.tables} tables, {publication.table_rows:,} rows, {marts})"
    )


def age(at: datetime, moment: datetime) -> str:
    """Say how long ago something was, in its largest unit, e.g. `3 min ago`."""
    seconds = max(0.0, (at - moment).total_seconds())
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
