"""What a person is told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

RUNBOOKS = {
    "failed load": "failed-load.md",
    "red build": "red-build.md",
    "publication blocked": "publication-blocked.md",
    "late source": "late-source.md",
    "degraded source": "degraded-source.md",
}
"""The page of each problem, in docs/runbooks."""
KINDS = ("failed", "degraded", "recovered", "late", "completed")
SEVERITIES = ("error", "warning", "info")
SEVERITY_OF_KIND = {
    "failed": "error",
    "late": "error",
    "degraded": "warning",
    "recovered": "info",
    "completed": "info",
}


@dataclass(frozen=True)
class Alert:
    """One thing to tell.

    Attributes:
        kind: One of `KINDS`.
        subject: What it is about, e.g. ``source shop``; with the kind, what makes it the same.
        cause: In one line.
        source: Whose it is; None: of no single source.
        last_good: When it was last as it should be; None: never, or nobody knows.
        command: Which retries it.
        problem: A key of `RUNBOOKS`; None: there is nothing to do.
    """

    kind: str
    subject: str
    cause: str
    source: str | None = None
    last_good: datetime | None = None
    command: str | None = None
    problem: str | None = None

    @property
    def key(self) -> str:
        """What makes two alerts the same one."""
        return f"{self.kind} {self.subject}"

    @property
    def severity(self) -> str:
        """How bad it is."""
        return SEVERITY_OF_KIND[self.kind]

    @property
    def title(self) -> str:
        """Say it in a line."""
        return f"Watershed: {self.subject} {self.kind}"

    def text(self, runbooks: str) -> str:
        """Write the message.

        Args:
            runbooks: Where the runbooks stand, e.g. ``docs/runbooks``.
        """
        lines = [f"{self.subject} {self.kind}: {self.cause}"]
        if self.kind in {"failed", "degraded", "late"}:
            good = "not known"
            if self.last_good:
                good = f"{self.last_good.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
            lines.append(f"Last good run: {good}")
        if self.command:
            lines.append(f"Retry: {self.command}")
        if self.problem:
            lines.append(f"Runbook: {runbooks.rstrip('/')}/{RUNBOOKS[self.problem]}")
        return "\n".join(lines)

    def as_memory(self) -> dict[str, Any]:
        """Write it for a JSON file."""
        good = self.last_good.isoformat() if self.last_good else None
        return {**asdict(self), "last_good": good}

    @classmethod
    def from_memory(cls, memory: dict[str, Any]) -> Alert:
        """Read what `as_memory` wrote."""
        good = memory["last_good"]
        return cls(**{**memory, "last_good": datetime.fromisoformat(good) if good else None})
