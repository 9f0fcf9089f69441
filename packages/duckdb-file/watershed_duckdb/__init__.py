"""Opens the embedded warehouse: one file, one writer, a lock that is waited for."""
