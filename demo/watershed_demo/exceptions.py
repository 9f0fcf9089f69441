"""What can go wrong with the sample company."""


class DemoError(Exception):
    """The demo cannot do what was asked; the text is one line that says what to do."""
