"""The command line: whatever goes wrong ends in one line on standard error and exit code 1."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from typing import Any

from singer_sdk.plugin_base import SingerCommand

from watershed_tap.exceptions import TapError


class OneLineCommand(SingerCommand):
    """Shows a traceback only to who asks: ``WATERSHED_TRACEBACK=1``, or log level debug."""

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # click's signature
        """Run the command and leave the process."""
        try:
            return super().main(*args, **kwargs)
        except TapError as error:
            self._fail(str(error))
        except Exception as error:  # noqa: BLE001  # the last resort, and nothing is swallowed
            self._fail(
                f"unexpected {type(error).__name__}: {error}: report it with what "
                "WATERSHED_TRACEBACK=1 shows"
            )

    def _fail(self, text: str) -> None:
        is_asked = (
            os.environ.get("WATERSHED_TRACEBACK") == "1"
            or os.environ.get("MELTANO_CLI_LOG_LEVEL") == "debug"
            or self.logger.isEnabledFor(logging.DEBUG)
        )
        self.logger.error(" ".join(text.split()), exc_info=is_asked)
        # Meltano turns on warnings; what we leave open here, the end of the process closes.
        warnings.simplefilter("ignore", ResourceWarning)
        sys.exit(1)
