"""What a state store ends with when it cannot do its work."""

from meltano.core.error import MeltanoError


class StateStoreError(MeltanoError):
    """Fail: Meltano shows the text, which is one line: what, where, what to do about it."""
