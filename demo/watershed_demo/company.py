"""The company as a whole: three databases that are made, and grow older, together."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from watershed_demo.crm.source import CrmSource
from watershed_demo.env_file import read_settings, write_settings
from watershed_demo.exceptions import DemoError
from watershed_demo.identity import write_identity_truth
from watershed_demo.shop.source import ShopSource
from watershed_demo.sources import Made, Source, at_once
from watershed_demo.timeline import DEFAULT_SEED, Changes
from watershed_demo.web.source import WebSource

Progress = Callable[[str, str, float], None]


@dataclass(frozen=True)
class Company:
    """The sample company of a project.

    Attributes:
        project: where ``.env`` and ``output/`` are.
        sources: its three databases.
    """

    project: Path
    sources: tuple[Source, ...]

    @classmethod
    def of_project(cls, project: Path, urls: Mapping[str, str | None]) -> "Company":
        """Tell the company of a project.

        Args:
            project: where ``.env`` and ``output/`` are.
            urls: of servers that somebody else runs, by the name of the source.
        """
        kinds = (ShopSource, CrmSource, WebSource)
        return cls(project, tuple(kind(project, urls.get(kind.name)) for kind in kinds))

    def start(self) -> None:
        """Start our own servers, at the same time."""
        at_once(self.sources, lambda source: source.start())

    def stop(self) -> dict[str, bool]:
        """Stop our own servers; the data stays.

        Returns:
            By the name of each source whose server is our own, whether it was running.
        """
        own = [source for source in self.sources if source.login is None]
        was_running = dict(at_once(own, lambda source: source.is_running()))
        at_once(own, lambda source: source.server.stop())
        return was_running

    def ensure(self, *, scale: float | None, seed: int | None, progress: Progress) -> list[str]:
        """Generate the databases that are missing, let the reader read, and write ``.env``.

        A database that is behind the others, because a day failed there or it is new, catches up.

        Args:
            scale: None for 1, or for what is there.
            seed: None for the default, or for what is there.
            progress: is told a source's name, what it does next, and the share done so far (0..1).

        Returns:
            The names of the sources that were generated now.

        Raises:
            DemoError: the company is there with another scale or seed.
        """
        made = {name: one for name, one in self._made().items() if one is not None}
        wanted = _agree(made, scale, seed)
        days = max((one.day for one in made.values()), default=0)
        settings = read_settings(self.project / ".env")

        def ensure_source(source: Source) -> dict[str, str]:
            day = made[source.name].day if source.name in made else 0
            if source.name not in made:
                source.generate(
                    scale=wanted.scale,
                    seed=wanted.seed,
                    report=lambda step, share: progress(source.name, step, share),
                )
            for number in range(day + 1, days + 1):
                source.apply_day(number)
            password = settings.get(f"{source.prefix}_PASSWORD") or secrets.token_urlsafe(24)
            return source.admit_reader(password)

        admitted = at_once(self.sources, ensure_source)
        for of_source in admitted.values():
            write_settings(self.project / ".env", of_source)
        self._write_truth(wanted, days)
        return [source.name for source in self.sources if source.name not in made]

    def apply_day(self) -> tuple[int, dict[str, dict[str, Changes]]]:
        """Let a day pass; a database that missed the last one gets that, and the others nothing.

        Returns:
            The number of the day, and by source and table what it changed.

        Raises:
            DemoError: the company has not been made.
        """
        made = self.made()
        days = [one.day for one in made.values()]
        number = max(days) if min(days) < max(days) else max(days) + 1
        behind = [source for source in self.sources if made[source.name].day < number]
        changes = at_once(behind, lambda source: source.apply_day(number))
        self._write_truth(made["shop"], number)
        return number, dict(changes)

    def made(self) -> dict[str, Made]:
        """Tell how each database was made.

        Raises:
            DemoError: one has not been made.
        """
        made = self._made()
        known = {name: one for name, one in made.items() if one is not None}
        if len(known) < len(made):
            raise DemoError("the company has no data yet: run `watershed-demo up`")
        return known

    def count(self) -> dict[str, dict[str, int]]:
        """Count the rows, by source and table."""
        return dict(at_once(self.sources, lambda source: source.count()))

    def _made(self) -> dict[str, Made | None]:
        return dict(at_once(self.sources, lambda source: source.made()))

    def _write_truth(self, made: Made, day: int) -> None:
        folder = self.project / "output" / "demo"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "identity_truth.csv"
        write_identity_truth(file, scale=made.scale, seed=made.seed, day=day)


def _agree(made: Mapping[str, Made], scale: float | None, seed: int | None) -> Made:
    """Tell scale and seed of a company, which all that is there has to share."""
    first = next(iter(made.values()), None)
    wanted = Made(
        scale=(first.scale if first else 1.0) if scale is None else scale,
        seed=(first.seed if first else DEFAULT_SEED) if seed is None else seed,
        day=0,
    )
    for name, one in made.items():
        if (one.scale, one.seed) != (wanted.scale, wanted.seed):
            raise DemoError(
                f"{name} is there already, with SCALE={one.scale:g} and SEED={one.seed}: "
                "give no others, or run `watershed-demo down`, remove output/demo and begin anew"
            )
    return wanted
