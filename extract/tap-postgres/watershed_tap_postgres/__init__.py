"""Singer tap for PostgreSQL: exact types, verified TLS."""
