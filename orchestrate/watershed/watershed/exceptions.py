"""What a command ends with when it cannot do its work."""


class WatershedError(Exception):
    """Fail: the text is one line that says what, where, and what to do about it."""

    is_worth_telling = True
    """Whether somebody should hear of it who does not see it."""


class MissingFileError(WatershedError):
    """Fail: there is nothing to read yet; the text says which command makes it."""
