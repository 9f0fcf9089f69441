"""Cron as Meltano writes it, as EventBridge Scheduler wants it."""

from __future__ import annotations

import re

from infra.exceptions import InfraError

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
FIELDS = 5
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
"""Cron counts from Sunday = 0 and takes 7 for it too; EventBridge counts from Sunday = 1."""


def to_schedule_expression(name: str, interval: str) -> str:
    """Translate an interval, e.g. ``30 4 * * 1,3`` to ``cron(30 4 ? * MON,WED *)``.

    Raises:
        InfraError: it is no cron expression, or means what EventBridge has no word for.
    """
    fields = ALIASES.get(interval, interval).split()
    if len(fields) != FIELDS or not all(re.fullmatch(r"[0-9A-Za-z*/,-]+", f) for f in fields):
        raise InfraError(f"schedule {name}: {interval!r} is not cron's five fields nor @daily etc.")
    minute, hour = (field.replace("*/", "0/") for field in fields[:2])
    day, month = (field.replace("*/", "1/") for field in fields[2:4])
    if fields[4] == "*":
        return f"cron({minute} {hour} {day} {month} ? *)"
    if day != "*":
        raise InfraError(
            f"schedule {name}: {interval!r} names days of the month and of the week; EventBridge "
            "takes one of them: make two schedules"
        )
    return f"cron({minute} {hour} ? {month} {_weekdays(name, fields[4])} *)"


def _weekdays(name: str, field: str) -> str:
    """Name each weekday of a list of days, ranges and steps: AWS knows no range over a Sunday."""
    days: list[int] = []
    for part in field.upper().split(","):
        found = re.fullmatch(r"(?:\*|([0-7]|[A-Z]{3})(?:-([0-7]|[A-Z]{3}))?)(?:/([1-7]))?", part)
        if not found or not {*found.group(1, 2)} <= {None, *WEEKDAYS, *"01234567"}:
            raise InfraError(
                f"schedule {name}: {part!r} is no weekday: write 0 to 7, or SUN to SAT"
            )
        first, last, step = found.groups()
        start = 0 if first is None else _number(first)
        end = 6 if first is None else _number(last or first)
        if end < start:  # from Friday to Sunday
            end += 7
        days += range(start, end + 1, int(step or 1))
    return ",".join(dict.fromkeys(WEEKDAYS[day % 7] for day in days))


def _number(day: str) -> int:
    return int(day) if day.isdigit() else WEEKDAYS.index(day)
