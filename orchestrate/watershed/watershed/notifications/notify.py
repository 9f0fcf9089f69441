"""Telling what is due: each problem once, its end once, a digest a day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from watershed.notifications import ledger
from watershed.notifications.alert import Alert
from watershed.notifications.delivery import DeliveryError, deliver
from watershed.notifications.memory import remembered
from watershed.notifications.routes import Notifications, read_notifications

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watershed.notifications.routes import Route
    from watershed.settings import Settings

HOUR = timedelta(hours=1)
PROBLEM_OF_COMMAND = {
    "load": "failed load",
    "build": "red build",
    "publish": "publication blocked",
    "run": "failed run",
}


@dataclass(frozen=True)
class Told:
    """What happened.

    Attributes:
        sent: Pairs of route and title.
        problems: Lines about what could not be told; it is tried again the next time.
    """

    sent: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]


class _Teller:
    """Sends to each route what it takes, has not heard, and has room for."""

    def __init__(
        self,
        wanted: Notifications,
        memory: dict[str, Any],
        environment: Mapping[str, str],
        at: datetime,
    ) -> None:
        self._wanted, self._memory, self._environment = wanted, memory, environment
        self._at = at
        self._down: set[str] = set()
        self._log: list[tuple[str, str]] = []
        self._problems: list[str] = []

    def told(self) -> Told:
        return Told(tuple(self._log), tuple(self._problems))

    def add_problem(self, line: str) -> None:
        self._problems.append(line)

    def routes_of(self, alert: Alert) -> list[Route]:
        owners = self._wanted.owners
        return [route for route in self._wanted.routes if route.takes(alert, owners)]

    def tell(self, route: Route, alert: Alert) -> bool:
        """Send it, unless the route is down or had its fill; say whether it was sent."""
        if route.name in self._down:
            return False
        times = [
            time
            for time in self._memory["sent"].get(route.name, [])
            if self._at - datetime.fromisoformat(time) < HOUR
        ]
        try:
            if len(times) >= self._wanted.messages_per_hour:
                raise DeliveryError(  # noqa: TRY301  # one way to end
                    f"route {route.name}: had {len(times)} messages within an hour, more wait"
                )
            deliver(route, alert, self._wanted.runbooks, self._environment)
        except DeliveryError as error:
            self._down.add(route.name)
            self.add_problem(f"{error}; it is tried again the next time")
            return False
        self._memory["sent"][route.name] = [*times, self._at.isoformat()]
        self._log.append((route.name, alert.title))
        return True


def notify(
    settings: Settings, environment: Mapping[str, str], *, ended: tuple[str, str | None] | None
) -> Told:
    """Tell what the ledger holds and was not told yet.

    Args:
        settings: Where everything stands.
        environment: Holds the addresses.
        ended: A command that ended just now, and the error that no ledger knows, if there was one.

    Raises:
        WatershedError: the file of routes is malformed.
    """
    wanted = read_notifications(settings.project_root)
    at = datetime.now(UTC)
    with remembered(settings) as memory:
        teller = _Teller(wanted, memory, environment, at)
        if ended:
            _remember_command(memory, *ended)
        _update_problems(settings, memory, at, teller)
        for key, entry in list(memory["problems"].items()):
            _tell_problem(entry, wanted, at, teller)
            if entry["recovered_at"] and not entry["told"]:
                del memory["problems"][key]
        _tell_digest(settings, wanted, memory, teller, at)
        _write_log(settings, memory)
    return teller.told()


def test(settings: Settings, environment: Mapping[str, str]) -> Told:
    """Send a message to every route, whatever it takes."""
    wanted = read_notifications(settings.project_root)
    alert = Alert("completed", "test of notifications", "this route works")
    sent, problems = [], []
    for route in wanted.routes:
        try:
            deliver(route, alert, wanted.runbooks, environment)
        except DeliveryError as error:
            problems.append(str(error))
        else:
            sent.append((route.name, alert.title))
    return Told(tuple(sent), tuple(problems))


def _remember_command(memory: dict[str, Any], name: str, error: str | None) -> None:
    if error is None:
        memory["commands"].pop(name, None)
        return
    command = f"watershed {name}"
    alert = Alert("failed", command, error, None, None, command, PROBLEM_OF_COMMAND[name])
    memory["commands"][name] = alert.as_memory()


def _update_problems(
    settings: Settings, memory: dict[str, Any], at: datetime, teller: _Teller
) -> None:
    """Bring what is remembered up to what is; a ledger that cannot be read changes nothing."""
    commands = [Alert.from_memory(entry) for entry in memory["commands"].values()]
    is_known = True
    found: list[Alert] = []
    try:
        found = ledger.problems(settings, at)
    except Exception as error:  # noqa: BLE001  # whatever keeps it from being read
        is_known = False
        teller.add_problem(f"the ledger cannot be read now: {' '.join(str(error).split())}")
    now = {alert.key: alert for alert in (*found, *commands)}
    for key, alert in now.items():
        before = memory["problems"].get(key, {"told": {}})
        memory["problems"][key] = {
            "alert": alert.as_memory(), "told": before["told"], "recovered_at": None,
            "since": before.get("since", at.isoformat()),
        }  # fmt: skip
    of_commands = {f"failed watershed {name}" for name in PROBLEM_OF_COMMAND}
    for key, entry in memory["problems"].items():
        if key not in now and (is_known or key in of_commands):
            entry["recovered_at"] = entry["recovered_at"] or at.isoformat()


def _tell_problem(
    entry: dict[str, Any], wanted: Notifications, at: datetime, teller: _Teller
) -> None:
    alert = Alert.from_memory(entry["alert"])
    if entry["recovered_at"]:
        end = replace(
            alert,
            kind="recovered",
            cause=f"it had {alert.kind}: {alert.cause}",
            command=None,
            problem=None,
        )
        takers = {route.name: route for route in teller.routes_of(end)}
        for name in list(entry["told"]):
            # Who does not take it need not be told.
            if name not in takers or teller.tell(takers[name], end):
                del entry["told"][name]
        return
    for route in teller.routes_of(alert):
        told_at = entry["told"].get(route.name)
        is_due = not told_at or at - datetime.fromisoformat(told_at) >= wanted.remind_after
        if is_due and teller.tell(route, alert):
            entry["told"][route.name] = at.isoformat()


def _tell_digest(
    settings: Settings,
    wanted: Notifications,
    memory: dict[str, Any],
    teller: _Teller,
    at: datetime,
) -> None:
    for route in teller.routes_of(Alert("completed", "digest", "")):
        last = datetime.fromisoformat(memory["digests"].setdefault(route.name, at.isoformat()))
        if at - last < wanted.digest_every:
            continue
        try:
            digest = ledger.completed_since(settings, last)
        except Exception:  # noqa: BLE001  # said already
            return
        if digest is None or teller.tell(route, digest):
            memory["digests"][route.name] = at.isoformat()


def _write_log(settings: Settings, memory: dict[str, Any]) -> None:
    """Keep what is wrong now where one looks when there is no route."""
    lines = [
        f"{entry['since']} {Alert.from_memory(entry['alert']).text('docs/runbooks')}"
        for entry in memory["problems"].values()
        if not entry["recovered_at"]
    ]
    path = settings.output / "logs" / "notifications.log"
    if lines or path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n\n".join(lines) + "\n")
