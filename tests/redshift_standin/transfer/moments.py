"""Dates, times and moments in text, as DATEFORMAT and TIMEFORMAT say."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from redshift_standin.errors import RedshiftError
from redshift_standin.transfer.failures import UnfitValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

AUTO = "auto"
EPOCH_UNITS = {"epochsecs": 1_000_000, "epochmillisecs": 1_000}
"""Microseconds in one of each."""

PARTS = {
    "YYYY": r"(?P<year>\d{4})",
    "MON": r"(?P<month_name>[A-Z]{3})",
    "MM": r"(?P<month>\d\d)",
    "DD": r"(?P<day>\d\d)",
    "HH24": r"(?P<hour>\d\d)",
    "HH": r"(?P<hour>\d\d)",
    "MI": r"(?P<minute>\d\d)",
    "SS": r"(?P<second>\d\d)(?:\.(?P<fraction>\d{1,6}))?",
}
DEFAULT_DATE = "YYYY-MM-DD"
DEFAULT_TIME = "YYYY-MM-DD HH:MI:SS"
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LAST_YEAR = 294276

_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,6}))?)?"
_OFFSET = r"(?P<zone>[+-]\d\d?(?::\d\d)?)"
_AUTO_REST = rf"(?:[T ]{_CLOCK}(?: ?(?P<zone>Z|UTC|[+-]\d\d?(?::?\d\d)?))?)?(?P<era> BC)?"
_AUTO = tuple(
    re.compile(day + _AUTO_REST, re.ASCII)
    for day in (
        r"(?P<year>\d{4,6})-(?P<month>\d\d)-(?P<day>\d\d)",
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)",
    )
)
_TIME_OF_DAY = re.compile(_CLOCK, re.ASCII)
_TIME_OF_DAY_ZONED = re.compile(_CLOCK + _OFFSET, re.ASCII)


def check_date_format(text: str) -> str:
    """Take a DATEFORMAT; it may name parts of the time of day, which are ignored.

    Raises:
        RedshiftError: the stand-in does not know all of it.
    """
    if text != AUTO:
        _pattern(text)
    return text


def check_time_format(text: str) -> str:
    """Take a TIMEFORMAT.

    Raises:
        RedshiftError: the stand-in does not know all of it.
    """
    if text not in {AUTO, *EPOCH_UNITS}:
        _pattern(text)
    return text


@cache
def _pattern(text: str, ending: str = "") -> re.Pattern[str]:
    """Make a pattern of a format."""
    pattern = ""
    for piece in re.findall(r"YYYY|MON|MM|DD|HH24|HH|MI|SS|[A-Z]+|.", text.upper()):
        if piece in PARTS:
            pattern += PARTS[piece]
        elif piece.isalpha() and piece != "T":
            raise RedshiftError(
                f"the Redshift stand-in does not know {piece} in the date or time format '{text}'"
            )
        else:
            pattern += re.escape(piece)
    try:
        return re.compile(pattern + ending, re.IGNORECASE | re.ASCII)
    except re.error as error:
        raise RedshiftError(f"'{text}' says a part of a moment twice") from error


def read_date(text: str, date_format: str | None) -> str:
    """Read a date; a time of day that follows it is ignored, as in Redshift.

    Returns:
        The date as PostgreSQL reads it.

    Raises:
        UnfitValueError: it is no date of that format.
    """
    if date_format == AUTO:
        match = _first(_AUTO, text)
    else:
        ending = r"(?:[ T].*)?" if date_format is None else ""
        pattern = _pattern(date_format or DEFAULT_DATE, ending)
        match = pattern.fullmatch(text)
    parts = match.groupdict() if match else {}
    day = _day(parts)
    if not day:
        length = len(DEFAULT_DATE)
        short = f" - length must be {length} or more" if len(text) < length else ""
        raise UnfitValueError(1205, f"Invalid Date Format{short}")
    return day + (parts.get("era") or "")


def read_moment(text: str, time_format: str | None, *, has_zone: bool) -> str:
    """Read a TIMESTAMP, or a TIMESTAMPTZ.

    Returns:
        The moment as PostgreSQL reads it, with an offset if ``has_zone``.

    Raises:
        UnfitValueError: it is no moment of that format.
    """
    if time_format in EPOCH_UNITS:
        return _from_epoch(text, EPOCH_UNITS[time_format or ""]) + ("+00" if has_zone else "")
    if time_format == AUTO:
        match = _first(_AUTO, text)
    else:
        # A format of one's own cannot name a zone; the default for TIMESTAMPTZ must.
        ending = _OFFSET if has_zone and time_format is None else ""
        match = _pattern(time_format or DEFAULT_TIME, ending).fullmatch(text)
    parts = match.groupdict() if match else {}
    day, clock, zone = _day(parts), _clock(parts), parts.get("zone")
    if not day or not clock or (zone and not has_zone):
        raise _no_moment()
    offset = (zone if zone and zone[0] in "+-" else "+00") if has_zone else ""
    return f"{day} {clock}{offset}{parts.get('era') or ''}"


def read_time(text: str, *, has_zone: bool) -> str:
    """Read a time of day.

    Raises:
        UnfitValueError: it is none.
    """
    match = (_TIME_OF_DAY_ZONED if has_zone else _TIME_OF_DAY).fullmatch(text)
    if not match or not (_clock(match.groupdict()) or text == "24:00:00"):
        raise UnfitValueError(1206, "Invalid time format or value [HH24:MI:SS]")
    return text


def _first(patterns: Iterable[re.Pattern[str]], text: str) -> re.Match[str] | None:
    return next(filter(None, (pattern.fullmatch(text) for pattern in patterns)), None)


def _day(parts: Mapping[str, str | None]) -> str | None:
    """The day as YYYY-MM-DD, if there is such a day."""
    year, month, day = parts.get("year"), parts.get("month"), parts.get("day") or "01"
    name = (parts.get("month_name") or "").lower()
    if name in MONTHS:
        month = f"{MONTHS.index(name) + 1:02}"
    if not year or not month:
        return None
    # Python ends at the year 9999; after 400 years the calendar repeats itself. A year before
    # Christ leaps when the one before it, counted as a number, is divisible.
    number = int(year)
    leaping = 1 - number if parts.get("era") else number
    if not 1 <= number <= LAST_YEAR:
        return None
    try:
        date(2000 + leaping % 400, int(month), int(day))
    except ValueError:
        return None
    return f"{year}-{month}-{day}"


def _clock(parts: Mapping[str, str | None]) -> str | None:
    """The time of day as HH:MM:SS and perhaps a fraction, if there is such a time."""
    hour, minute = parts.get("hour") or "00", parts.get("minute") or "00"
    second, fraction = parts.get("second") or "00", parts.get("fraction")
    # Two digits each: they compare as numbers do.
    if hour > "23" or minute > "59" or second > "59":
        return None
    return f"{hour}:{minute}:{second}.{fraction}" if fraction else f"{hour}:{minute}:{second}"


def _from_epoch(text: str, microseconds: int) -> str:
    if not re.fullmatch(r"-?\d{1,18}", text):
        raise _no_moment()
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(text) * microseconds)
    except OverflowError as error:
        raise _no_moment() from error
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f").rjust(26, "0")


def _no_moment() -> UnfitValueError:
    return UnfitValueError(1206, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]")
