"""What can go wrong in a load, by how one recovers from it."""


class LoadError(Exception):
    """A load stops and commits nothing; the text is one line: stream, cause, cure."""


class SchemaError(LoadError):
    """A SCHEMA message cannot become a table: the stream's schema or a stream map must change."""


class RecordError(LoadError):
    """A RECORD or BATCH breaks the Singer rules its own SCHEMA states."""


class QuarantineLimitError(LoadError):
    """More values were unfit than the configuration tolerates; nothing of the commit is kept."""
