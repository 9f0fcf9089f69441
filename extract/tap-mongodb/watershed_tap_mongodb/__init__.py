"""Singer tap for MongoDB: exact types, verified TLS."""
