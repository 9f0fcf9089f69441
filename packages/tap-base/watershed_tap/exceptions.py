"""What can stop the tap, grouped by what helps against it.

Every text names the source (and the stream) and ends with the cure; none holds a secret.
"""


class TapError(Exception):
    """The tap stops with this one line and exit code 1."""


class SetupError(TapError):
    """Settings, catalog, state or grants are wrong: running again helps only after a change."""


class SourceUnavailableError(TapError):
    """The source does not answer, or broke off: running again later may help."""


class TargetEndedError(TapError):
    """Nobody reads what we write any more; why, only the target can say."""
