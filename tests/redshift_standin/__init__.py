"""A stand-in for Amazon Redshift, for tests without a cloud."""
