"""Singer tap for MySQL and MariaDB: exact types, verified TLS."""
