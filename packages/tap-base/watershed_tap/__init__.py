"""What our SQL taps share: catalog, replication, streams, one-line errors."""
