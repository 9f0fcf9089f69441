"""The project's ``.env``, from which Meltano takes what no file under git may hold."""

from collections.abc import Mapping
from pathlib import Path

import dotenv


def read_settings(file: Path) -> dict[str, str]:
    """Read what ``file`` sets; nothing when it is not there."""
    values = dotenv.dotenv_values(file, interpolate=False)
    return {key: value for key, value in values.items() if value is not None}


def write_settings(file: Path, settings: Mapping[str, str]) -> None:
    """Set these keys in ``file``, leave all others as they are, and let only its owner read it."""
    file.touch(mode=0o600)
    file.chmod(0o600)
    present = read_settings(file)
    for key, value in settings.items():
        if present.get(key) != value:
            dotenv.set_key(file, key, value, quote_mode="auto")
