"""What can go wrong between a reader and its files; all of it is for a person to mend."""


class BatchFolderError(Exception):
    """The folder of files is full, not writable, or nobody takes files out of it."""
