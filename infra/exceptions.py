"""What a person can mend."""


class InfraError(Exception):
    """The project or the configuration cannot become infrastructure; says what to write where."""
