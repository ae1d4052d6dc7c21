"""Durable state in SQLite; versioned schema files."""
